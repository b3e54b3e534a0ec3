//! The first start of an empty installation: it gets a demo tenant, so that there is something to call and to look at.

use crate::{
    demo::{self, Demo},
    settings::Settings,
};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use centro_proto::identity::{ListTenantsRequest, tenants_client::TenantsClient};

/// Makes the demo tenant where there is no tenant yet. `None`: nothing was made.
pub async fn run(node: &Node, settings: &Settings, roles: &[Role]) -> Result<Option<Demo>> {
    let needed = [Role::Identity, Role::Configuration];
    if !settings.node.demo || !needed.iter().all(|role| roles.contains(role)) {
        return Ok(None);
    }
    let mut tenants = TenantsClient::new(node.conn(Role::Identity));
    let known = tenants
        .list_tenants(ListTenantsRequest {})
        .await
        .context("cannot list the tenants")?;
    if !known.into_inner().tenants.is_empty() {
        return Ok(None);
    }
    demo::create(node, settings)
        .await
        .map(Some)
        .context("cannot make the demo tenant")
}
