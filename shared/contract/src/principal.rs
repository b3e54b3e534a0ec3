//! The caller, as the verified token says.

use crate::{Role, permission};
use centro_kernel::{TenantId, UserId};
use tonic::{Request, Status};

/// Who calls. The guard puts it into the request's extensions; handlers key every row by its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person of a tenant.
    User {
        /// Whose data may be touched.
        tenant: TenantId,
        /// Who it is.
        user: UserId,
        /// What the person may do.
        roles: Vec<Role>,
    },
    /// A program of a tenant, by API key.
    Key {
        /// Whose data may be touched.
        tenant: TenantId,
        /// What the program may do.
        role: Role,
    },
    /// Another service of this installation.
    Service {
        /// Its role, e.g. `telephony`.
        name: String,
    },
    /// Somebody who runs this installation: whoever has its secret makes such tokens (`centro cluster token`).
    Operator {
        /// What is written into the audit log.
        name: String,
    },
}

impl Principal {
    /// The tenant; `None` for services, which name it in the request, and for operators, who have none.
    pub fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::User { tenant, .. } | Self::Key { tenant, .. } => Some(*tenant),
            Self::Service { .. } | Self::Operator { .. } => None,
        }
    }

    /// The person; `None` for programs and services.
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User { user, .. } => Some(*user),
            _ => None,
        }
    }

    /// Whether identity may call its tokens back before their time.
    pub const fn is_revocable(&self) -> bool {
        matches!(self, Self::User { .. } | Self::Key { .. })
    }

    /// Whether the caller's roles grant the permission.
    pub fn grants(&self, permission: &str) -> bool {
        match self {
            Self::User { roles, .. } => roles.iter().any(|role| role.grants(permission)),
            Self::Key { role, .. } => role.grants(permission),
            Self::Service { .. } => false,
            Self::Operator { .. } => permission::OPERATOR.contains(&permission),
        }
    }
}

/// The caller and the caller's tenant, for a handler of an RPC with a permission.
///
/// # Errors
/// `UNAUTHENTICATED` when the guard let a request pass without a tenant, which is a fault of wiring.
pub fn principal<T>(request: &Request<T>) -> Result<(TenantId, Principal), Status> {
    let principal = request.extensions().get::<Principal>().cloned();
    principal
        .and_then(|p| Some((p.tenant()?, p)))
        .ok_or_else(|| Status::unauthenticated("this call needs a signed-in caller"))
}
