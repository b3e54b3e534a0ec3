//! Which role grants which permission (spec §1.5, G1). RPCs name a permission; people have roles.

use serde::{Deserialize, Serialize};

/// What a person or a key is in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, the tenant itself included.
    Owner,
    /// Everything but the tenant itself.
    Admin,
    /// Sees and steers the live floor, reads reports, listens to recordings.
    Supervisor,
    /// Serves queues.
    Agent,
}

const AGENT: &[&str] = &["self", "agent.work", "queues.view"];
const SUPERVISOR: &[&str] = &[
    "self",
    "agent.work",
    "agents.manage",
    "contacts.manage",
    "contacts.view",
    "devices.view",
    "dialplans.view",
    "live.view",
    "numbers.view",
    "queues.view",
    "recordings.listen",
    "reports.view",
    "skills.view",
    "users.view",
];
const ADMIN: &[&str] = &[
    "self",
    "agent.work",
    "agents.manage",
    "apikeys.edit",
    "contacts.manage",
    "contacts.view",
    "devices.edit",
    "devices.view",
    "dialplans.edit",
    "dialplans.view",
    "live.view",
    "numbers.edit",
    "numbers.view",
    "queues.edit",
    "queues.view",
    "recordings.listen",
    "reports.view",
    "skills.edit",
    "skills.view",
    "users.edit",
    "users.view",
];

/// What operators of the installation may do. No role of a tenant grants it.
pub const OPERATOR: &[&str] = &["cluster.view", "cluster.operate"];

impl Role {
    /// The permissions the role grants.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Owner | Self::Admin => ADMIN,
            Self::Supervisor => SUPERVISOR,
            Self::Agent => AGENT,
        }
    }

    /// Every permission of tenants' people: an RPC that names another one is a mistake, unless it is for operators.
    pub const fn all_permissions() -> &'static [&'static str] {
        ADMIN
    }

    /// Whether the role grants the permission.
    pub fn grants(self, permission: &str) -> bool {
        self.permissions().contains(&permission)
    }
}
