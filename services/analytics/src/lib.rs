//! Facts and figures: what happened to contacts and agents, and the reports made of it.
//!
//! | owns | messages in | messages out |
//! |---|---|---|
//! | stays of contacts in queues, intervals of agents, why contacts were offered to whom (its own database) | events of routing, telephony and configuration; `ConfigurationFeed.Snapshot` | none |
//! | the events that live figures are made of, for 26 hours | `Journal.Replay` of routing | answers |
//! | the formulas of the figures (`core`, docs/metrics.md) | `Reports` | answers |
//!
//! Events come at least once and in any order between publishers; a fact is counted once and comes out the same
//! (`core::stay`). Nothing here is in the path of a call: when this service is away, events wait.

pub mod core;
mod feed;
mod grpc;
mod journal;
mod promises;
mod settings;
mod store;
mod words;

pub use settings::Settings;
pub use store::first_look;

use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service, health::Kind};
use centro_proto::analytics::{journal_server::JournalServer, reports_server::ReportsServer};
use centro_store::page::Pages;

/// The analytics service.
pub struct Analytics;

#[async_trait]
impl Service for Analytics {
    const ROLE: Role = Role::Analytics;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()> {
        let store = store::Store::open(node.records(), node.clock()).await?;
        if settings.close_open_at_start {
            let (stays, intervals) = store.close_open().await?;
            if stays > 0 || intervals > 0 {
                tracing::info!(
                    stays,
                    intervals,
                    "closed what was open when the process ended"
                );
            }
        }
        // Before anything is counted: what is open when this process dies at once is closed by the next all the same.
        store.mark(node.clock().now()).await?;
        let promises = promises::Promises::load(store.clone()).await?;
        let current = node.health().flag(
            Kind::Startup,
            "analytics.configuration",
            "the configuration was not read yet",
        );
        node.spawn(promises.clone().follow(node.clone(), current));
        node.spawn(feed::keep_house(
            store.clone(),
            node.clock(),
            settings.remember_events,
        ));
        // Joined before any door opens, so that no event is published before.
        let subscription = node.bus().subscribe(feed::GROUP, feed::PATTERNS).await?;
        let feed = feed::Feed {
            store: store.clone(),
            settings,
            subscription,
            behind: false,
        };
        node.lifecycle().closing().spawn(feed.run());
        let pages = Pages::new(&node.keys().derive(Pages::PURPOSE));
        mount.grpc(JournalServer::new(journal::Journal {
            store: store.clone(),
            clock: node.clock(),
        }));
        mount.grpc(ReportsServer::new(grpc::Reports {
            store,
            promises,
            pages,
        }));
        Ok(())
    }
}
