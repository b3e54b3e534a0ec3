//! What integrators are told: every public event of a tenant, numbered without a gap, in JSON, on an exchange of its own.
//! See docs/decisions/0020 and docs/integrators.

mod herald;
mod numbers;
#[cfg(test)]
mod tests;

pub use numbers::CreateTold;

use anyhow::Context;
use centro_bus::EventBus;
use centro_kernel::{TenantId, Timestamp};
use centro_node::{Node, Records};
use centro_store::Db;
use herald::Herald;
use numbers::Numbers;
use std::{fmt, sync::Arc};

/// The durable group that is numbered; one member works at a time.
const GROUP: &str = "integrations";

/// The exchange of integrators.
#[derive(Clone)]
pub struct Public(pub Arc<dyn EventBus>);

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Public")
    }
}

/// Tells integrators from now on.
///
/// # Errors
/// The bus cannot be subscribed to.
pub async fn start(node: &Node, db: Db, public: Public) -> anyhow::Result<()> {
    let subscription = node.bus().subscribe(GROUP, &["#"]).await;
    let herald = Herald {
        subscription: subscription.context("integrators cannot be told")?,
        numbers: Numbers::new(&db),
        public: public.0,
        clock: node.clock(),
    };
    node.spawn_when_open(herald.run());
    Ok(())
}

/// Which numbers a tenant's integrations were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The last one; 0 before the first.
    pub last: u64,
    /// When the one that was asked for was given; `None` when that is forgotten, after two days.
    pub since: Option<Timestamp>,
}

impl Told {
    /// Looks it up in the gateway's records.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of(records: &Records, tenant: TenantId, number: u64) -> anyhow::Result<Self> {
        let numbers = Numbers::new(&crate::repeats::Store::open(records).await?.db());
        Ok(Self {
            last: numbers.last(tenant).await?,
            since: numbers.given_at(tenant, number).await?,
        })
    }
}
