//! Looks at the engines before anything is written to any of them: what a start would be refused for later is said now.

use crate::{adapters, settings::Settings};
use anyhow::Result;
use centro_node::{Records, Role};

/// Looks at the records of these roles.
///
/// # Errors
/// What is wrong, with which setting, and what to do.
pub async fn at_records(settings: &Settings, roles: &[Role]) -> Result<()> {
    let records = settings
        .records
        .records(&settings.node.data)
        .map_err(anyhow::Error::msg)?;
    for role in roles {
        of_role(&records, *role).await?;
    }
    Ok(())
}

/// Looks at the table of the cluster, if the settings name one.
///
/// # Errors
/// What is wrong, with which setting, and what to do.
pub async fn at_cluster(settings: &Settings, secret: &[u8]) -> Result<()> {
    let redis = &settings.cluster.redis;
    if !redis.url.is_empty() {
        centro_cluster::redis::first_look(redis, &adapters::installation(secret)).await?;
    }
    Ok(())
}

async fn of_role(records: &Records, role: Role) -> Result<()> {
    match role {
        Role::Identity => centro_identity::first_look(records).await?,
        Role::Configuration => centro_configuration::first_look(records).await?,
        Role::Telephony => centro_telephony::first_look(records).await?,
        Role::Analytics => centro_analytics::first_look(records).await?,
        Role::Gateway => centro_gateway::first_look(records).await?,
        Role::Routing | Role::Chat | Role::Dialer => {}
    }
    Ok(())
}
