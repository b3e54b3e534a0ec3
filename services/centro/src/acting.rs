//! Acting on this process's services as an owner of a tenant: what the demo tenant and the administrator's commands share.
//! They go through the same interfaces as everybody, so that every rule and event is the same.

use anyhow::{Context, Result, anyhow};
use centro_contract::{Principal, Role as Grant};
use centro_kernel::{TenantId, UserId};
use centro_node::{Node, Role};
use centro_proto::identity::{
    CreateTenantRequest, ListTenantsRequest, ListUsersRequest, Role as UserRole, Tenant,
    UpdateUserRequest, User, tenants_client::TenantsClient, users_client::UsersClient,
};
use rand::{Rng, distr::Alphanumeric};
use serde::Serialize;
use std::time::Duration;
use tonic::{Request, Status, metadata::MetadataValue};

/// People read at once.
const PAGE: i32 = 200;

/// How a person signs in.
#[derive(Debug, Clone, Serialize)]
pub struct Login {
    pub login: String,
    pub password: String,
}

impl Login {
    /// A login with a new password: 16 letters and digits, 95 bits.
    pub fn generate(login: &str) -> Self {
        let password = rand::rng()
            .sample_iter(Alphanumeric)
            .take(16)
            .map(char::from)
            .collect();
        Self {
            login: login.to_owned(),
            password,
        }
    }
}

/// A person to be.
pub fn user(name: &str, login: &Login, role: UserRole) -> User {
    User {
        login: login.login.clone(),
        display_name: name.to_owned(),
        roles: vec![role.into()],
        password: login.password.clone(),
        ..User::default()
    }
}

/// Every tenant, oldest first.
pub async fn tenants(node: &Node) -> Result<Vec<Tenant>> {
    let listed = TenantsClient::new(node.conn(Role::Identity))
        .list_tenants(ListTenantsRequest {})
        .await
        .map_err(said)
        .context("cannot list the tenants")?;
    Ok(listed.into_inner().tenants)
}

/// Makes a tenant with its owner.
pub async fn create_tenant(node: &Node, slug: &str, name: &str, owner: &Login) -> Result<Tenant> {
    let request = CreateTenantRequest {
        slug: slug.to_owned(),
        display_name: name.to_owned(),
        owner: Some(user("Owner", owner, UserRole::Owner)),
    };
    let made = TenantsClient::new(node.conn(Role::Identity))
        .create_tenant(request)
        .await
        .map_err(said)?;
    Ok(made.into_inner())
}

/// The sentence for people that a refusal carries.
pub fn said(status: Status) -> anyhow::Error {
    anyhow!("{}", status.message())
}

/// An owner of one tenant, but nobody in particular: what is made here is made by the installation.
pub struct Acting {
    pub node: Node,
    authorization: MetadataValue<tonic::metadata::Ascii>,
}

impl Acting {
    pub fn new(node: &Node, tenant: TenantId) -> Result<Self> {
        let principal = Principal::User {
            tenant,
            user: UserId::generate(),
            roles: vec![Grant::Owner],
        };
        let token = node
            .keys()
            .mint(&principal, node.clock().now(), Duration::from_secs(120))?;
        Ok(Self {
            node: node.clone(),
            authorization: format!("Bearer {token}").parse()?,
        })
    }

    /// The message, signed.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.authorization.clone());
        request
    }

    /// The person with a login, ignoring case.
    pub async fn find_user(&self, login: &str) -> Result<Option<User>> {
        let wanted = login.trim().to_lowercase();
        let mut users = UsersClient::new(self.node.conn(Role::Identity));
        let mut page_token = String::new();
        loop {
            let request = ListUsersRequest {
                page_size: PAGE,
                page_token,
                ..ListUsersRequest::default()
            };
            let page = users
                .list_users(self.request(request))
                .await
                .map_err(said)?
                .into_inner();
            if let Some(found) = page
                .users
                .into_iter()
                .find(|user| user.login.to_lowercase() == wanted)
            {
                return Ok(Some(found));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Gives a person another password.
    pub async fn set_password(&self, user: &User, password: &str) -> Result<()> {
        let request = UpdateUserRequest {
            user: Some(User {
                id: user.id.clone(),
                password: password.to_owned(),
                ..User::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["password".to_owned()],
            }),
        };
        UsersClient::new(self.node.conn(Role::Identity))
            .update_user(self.request(request))
            .await
            .map_err(said)?;
        Ok(())
    }
}
