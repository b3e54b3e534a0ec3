//! The first start of an empty installation: it gets a demo tenant, so that there is something to call and to look at.

use crate::{
    acting,
    demo::{self, Demo},
    folder,
    settings::Settings,
};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use std::path::PathBuf;

/// There from before the demo tenant is begun until its passwords were shown. A start that finds it finishes the work.
fn mark(settings: &Settings) -> PathBuf {
    settings.node.data.join("demo-unfinished")
}

/// Makes the demo tenant where there is no tenant yet, or finishes one. `None`: nothing was made.
pub async fn run(node: &Node, settings: &Settings, roles: &[Role]) -> Result<Option<Demo>> {
    let needed = [Role::Identity, Role::Configuration];
    if !settings.node.demo || !needed.iter().all(|role| roles.contains(role)) {
        return Ok(None);
    }
    let mark = mark(settings);
    if !mark.exists() {
        if !acting::tenants(node).await?.is_empty() {
            return Ok(None);
        }
        folder::write_private(&mark, b"")?;
    }
    demo::create(node, settings)
        .await
        .map(Some)
        .context("cannot make the demo tenant")
}

/// The passwords were shown: the demo tenant is an ordinary tenant from now on.
pub fn finished(settings: &Settings) -> Result<()> {
    match std::fs::remove_file(mark(settings)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", mark(settings).display()))
        }
        _ => Ok(()),
    }
}
