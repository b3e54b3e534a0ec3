//! The first start of an empty installation: it gets a demo tenant, so that there is something to call and to look at.

use crate::{
    acting,
    demo::{self, Demo},
    folder,
    settings::Settings,
};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use centro_proto::identity::Tenant;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// There from before the demo tenant is begun until its passwords were shown. It holds the tenant's id once there is one,
/// and a start that finds it finishes that tenant and no other.
fn mark(data: &Path) -> PathBuf {
    data.join("demo-unfinished")
}

/// What is to be done about the demo tenant.
#[derive(Debug, PartialEq, Eq)]
enum Todo {
    Nothing,
    /// The installation is empty.
    Begin,
    /// This tenant was begun and its passwords were never shown.
    Finish(Box<Tenant>),
}

/// `begun` is what the mark holds, `None` without one. The demo is never put beside, or into, a tenant it did not make.
fn todo(begun: Option<&str>, tenants: Vec<Tenant>) -> Todo {
    if tenants.is_empty() {
        return Todo::Begin;
    }
    let unfinished = begun.map(str::trim).filter(|id| !id.is_empty());
    let found = unfinished.and_then(|id| tenants.into_iter().find(|tenant| tenant.id == id));
    found.map_or(Todo::Nothing, |tenant| Todo::Finish(Box::new(tenant)))
}

/// Makes the demo tenant where there is no tenant yet, or finishes one. `None`: nothing was made.
pub async fn run(node: &Node, settings: &Settings, roles: &[Role]) -> Result<Option<Demo>> {
    let needed = [Role::Identity, Role::Configuration];
    if !settings.node.demo || !needed.iter().all(|role| roles.contains(role)) {
        return Ok(None);
    }
    let data = &settings.node.data;
    let path = mark(data);
    let begun = match fs::read_to_string(&path) {
        Ok(id) => Some(id),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let demo = async {
        let tenant = match todo(begun.as_deref(), acting::tenants(node).await?) {
            Todo::Nothing => {
                if begun.is_some() {
                    tracing::warn!(
                        "a demo tenant that was begun is left as it is; `centro user reset-password` opens it"
                    );
                }
                finished(data)?;
                return Ok(None);
            }
            Todo::Finish(tenant) => demo::Begun::found(*tenant),
            Todo::Begin => {
                // Before the tenant is there: a data folder that cannot be written is found out now.
                folder::write_private(&path, b"")?;
                demo::begin(node).await?
            }
        };
        folder::write_private(&path, tenant.id().as_bytes())?;
        demo::create(node, settings, tenant).await.map(Some)
    };
    demo.await.context("cannot make the demo tenant")
}

/// The demo tenant is an ordinary tenant from now on, or there is to be none: its passwords were shown, or an
/// administrator made a tenant.
pub fn finished(data: &Path) -> Result<()> {
    let path = mark(data);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> Tenant {
        Tenant {
            id: id.to_owned(),
            slug: "demo".to_owned(),
            ..Tenant::default()
        }
    }

    #[test]
    fn only_an_empty_installation_or_the_tenant_that_was_begun_gets_the_demo() {
        let real = || vec![tenant("ten_1")];
        assert_eq!(todo(None, Vec::new()), Todo::Begin);
        assert_eq!(todo(Some(""), Vec::new()), Todo::Begin);
        assert_eq!(todo(None, real()), Todo::Nothing);
        assert_eq!(todo(Some(""), real()), Todo::Nothing);
        assert_eq!(todo(Some("ten_2"), real()), Todo::Nothing);
        let finish = Todo::Finish(Box::new(tenant("ten_1")));
        assert_eq!(todo(Some("ten_1\n"), real()), finish);
    }

    #[test]
    fn a_mark_is_removed_once_and_none_is_no_fault() {
        let data = tempfile::tempdir().unwrap();
        fs::write(mark(data.path()), "ten_1").unwrap();
        finished(data.path()).unwrap();
        assert!(!mark(data.path()).exists());
        finished(data.path()).unwrap();
    }
}
