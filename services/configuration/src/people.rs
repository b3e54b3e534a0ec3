//! What identity knows and configuration needs: a tenant's short name, and whether a person exists.

use centro_contract::status::{from_fault, reason};
use centro_kernel::{Code, Fault, TenantId, UserId};
use centro_node::{Node, Role};
use centro_proto::identity::{
    GetUserRequest, ListTenantsRequest, tenants_client::TenantsClient, users_client::UsersClient,
};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};
use tonic::{Request, Status, metadata::AsciiMetadataValue};

/// How often identity is asked while it does not answer, and the pause between. All fit into one call's deadline.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(250);

/// Asks identity; remembers short names, which never change.
pub struct People {
    node: Node,
    slugs: Mutex<HashMap<TenantId, String>>,
}

impl People {
    /// Over this node's connections.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            slugs: Mutex::default(),
        }
    }

    /// The tenant's short name.
    ///
    /// # Errors
    /// `not_found`; `identity_unavailable` when identity does not answer.
    pub async fn slug(&self, tenant: TenantId) -> Result<String, Status> {
        if let Some(slug) = self.slugs.lock().get(&tenant) {
            return Ok(slug.clone());
        }
        let answer = patiently(|| async {
            TenantsClient::new(self.node.conn(Role::Identity))
                .list_tenants(ListTenantsRequest {})
                .await
        });
        let tenants = answer.await?.into_inner().tenants;
        let mut slugs = self.slugs.lock();
        for known in tenants {
            if let Ok(id) = known.id.parse() {
                slugs.insert(id, known.slug);
            }
        }
        slugs
            .get(&tenant)
            .cloned()
            .ok_or_else(|| from_fault(Fault::not_found("tenant", tenant)))
    }

    /// Checks that the caller's tenant has this person, and says whether the person may sign in. Identity is asked in the
    /// caller's name.
    ///
    /// # Errors
    /// `not_found`; `identity_unavailable` when identity does not answer.
    pub async fn check(
        &self,
        caller: Option<AsciiMetadataValue>,
        user: UserId,
    ) -> Result<bool, Status> {
        let answer = patiently(|| {
            let mut request = Request::new(GetUserRequest {
                id: user.to_string(),
            });
            if let Some(caller) = &caller {
                request
                    .metadata_mut()
                    .insert("authorization", caller.clone());
            }
            let conn = self.node.conn(Role::Identity);
            async move { UsersClient::new(conn).get_user(request).await }
        });
        match answer.await {
            Ok(user) => Ok(!user.into_inner().disabled),
            Err(status) if reason(&status) == "not_found" => {
                Err(from_fault(Fault::not_found("user", user).at("/userId")))
            }
            Err(status) => Err(status),
        }
    }
}

/// Repeats a call while the other side is starting or away.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    for tried in 1.. {
        match call().await {
            Err(status) if is_away(&status) && tried < TRIES => tokio::time::sleep(PAUSE).await,
            Err(status) if is_away(&status) => {
                tracing::warn!(%status, "identity does not answer");
                break;
            }
            other => return other,
        }
    }
    let message = "people and tenants cannot be looked up at this moment; try again";
    Err(from_fault(Fault::new(
        Code::Unavailable,
        "identity_unavailable",
        message,
    )))
}

fn is_away(status: &Status) -> bool {
    matches!(
        status.code(),
        tonic::Code::Unavailable | tonic::Code::DeadlineExceeded | tonic::Code::Unimplemented
    )
}
