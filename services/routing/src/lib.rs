//! Routing: who serves whom.
//!
//! | fact | decided by |
//! |---|---|
//! | who is next in a queue, and how agents take turns | the queue's actor (`actor/queue.rs`, rules in `core/src/queue`) |
//! | whether an agent is reserved, rings, talks, wraps up | the agent's actor (`actor/agent.rs`, rules in `core/src/agent`) |
//! | which answer a contact takes, and when it leaves | its edge: telephony, chat, dialer |
//! | what queues, assignments and devices there are | configuration and telephony; `feed` follows them |
//!
//! In: `Waiting.Wait` (edges), `AgentContacts` (edges), `Agents`, `QueueStatuses` and `WaitingContacts` (people),
//! configuration and registration events, `Cluster` (operators), and at the start the day's events from `Journal.Replay`. Out: offers on the stream, `CallEdge.CancelOffer` and `HasOffer`, `routing.*` events. `docs/protocol.md` has
//! the messages. Hot state lives behind `store::HotStore`; in one process it is memory, so agents log in again after a
//! restart. In a cluster it is Redis, and whoever gets a shard wakes those of it who have work (`takeover`).

mod actor;
#[cfg(feature = "bench")]
pub mod bench;
mod by_id;
pub mod cluster;
mod decision_log;
mod directory;
mod feed;
mod gauges;
mod grpc;
mod live;
mod log_in;
mod metrics;
mod monitor;
mod notify;
mod peers;
mod reasons;
pub mod replay;
mod router;
mod rules;
mod settings;
pub mod store;
pub mod story;
mod takeover;
mod watch;
mod wire;

pub use decision_log::DecisionLogSettings;
pub use settings::Settings;

use async_trait::async_trait;
use centro_cluster::Shard;
use centro_node::{Mount, Node, Role, Service, health::Kind};
use centro_proto::routing::{
    agent_contacts_server::AgentContactsServer, agents_server::AgentsServer,
    cluster_server::ClusterServer, queue_statuses_server::QueueStatusesServer,
    routing_peers_server::RoutingPeersServer, waiting_contacts_server::WaitingContactsServer,
    waiting_server::WaitingServer,
};
use cluster::{ClusterDoor, Steering};
use directory::Directory;
use grpc::Doors;
use router::Router;
use std::{sync::Arc, time::Duration};
use store::{HotStore, MemoryStore, RedisStore, Shared, Told};
use tokio::sync::mpsc;

/// The service.
#[derive(Debug, Clone, Copy)]
pub struct Routing;

#[async_trait]
impl Service for Routing {
    const ROLE: Role = Role::Routing;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()> {
        settings.validate().map_err(anyhow::Error::msg)?;
        anyhow::ensure!(
            !node.arbiters().is_empty(),
            "routing needs at least one arbiter"
        );
        if settings.decision_log.enabled {
            settings.decision_log.prepare(node.data())?;
        }
        let (store, shared) = match &settings.shared {
            Some(shared) => {
                let store = in_redis(&settings, shared, &node)?;
                (Arc::new(store.clone()) as Arc<dyn HotStore>, Some(store))
            }
            None => (in_memory(&settings, &node, store::GATHER), None),
        };
        let router = router(&settings, node.clone(), store, Arc::default());
        node.spawn(gauges::look(router.clone(), shared));
        let text = "the configuration was not read yet";
        let configured = node
            .health()
            .flag(Kind::Startup, "routing.configuration", text);
        let text = "the registrations were not read yet";
        let registered = node
            .health()
            .flag(Kind::Startup, "routing.registrations", text);
        node.spawn(feed::configuration(router.clone(), configured));
        node.spawn(feed::registrations(router.clone(), registered));
        node.spawn(feed::ownership(router.clone()));
        node.spawn(peers::follow::everybody(router.clone()));
        // From here on what happens is kept for later, so that nothing falls between the past and the present.
        let started = router.live.figures.await_past();
        node.spawn(live::past::recall(router.clone(), started));
        open(mount, router);
        let redis = settings.shared.as_ref().map(|shared| &shared.redis);
        let steering = redis.map(Steering::new).transpose()?;
        mount.grpc(ClusterServer::new(ClusterDoor(steering)));
        Ok(())
    }
}

/// Hot state of this process alone.
fn in_memory(settings: &Settings, node: &Node, gather: Duration) -> Arc<dyn HotStore> {
    let (store, events) = MemoryStore::new(node.ownership(), settings.outbox);
    publish(node, events, gather);
    Arc::new(store)
}

/// Hot state that other processes take over.
fn in_redis(settings: &Settings, shared: &Shared, node: &Node) -> anyhow::Result<RedisStore> {
    let store = RedisStore::new(shared, settings.outbox)?;
    let lifecycle = node.lifecycle();
    let quiet = lifecycle.clone();
    let quiet = async move { quiet.quiet().await };
    let relay = store::relay_shards(store.clone(), node.ownership(), node.bus(), quiet);
    lifecycle.telling().spawn(relay);
    Ok(store)
}

/// The router of a process.
fn router(
    settings: &Settings,
    node: Node,
    store: Arc<dyn HotStore>,
    directory: Arc<Directory>,
) -> Arc<Router> {
    let router = Router::new(node.clone(), settings, store, directory);
    node.spawn(monitor::watch_over(router.clone()));
    router
}

/// Publishes what is committed, until the process is quiet.
fn publish(node: &Node, events: mpsc::Receiver<Told>, gather: Duration) {
    // Grows over restarts too: the epoch is the process's start.
    let epoch = node
        .ownership()
        .epoch(Shard::of(0))
        .map_or(0, |epoch| epoch.0);
    let (lifecycle, bus) = (node.lifecycle(), node.bus());
    let quiet = lifecycle.clone();
    let quiet = async move { quiet.quiet().await };
    let relay = store::relay(events, bus, epoch << 20, gather, quiet);
    lifecycle.telling().spawn(relay);
}

fn open(mount: &mut Mount, router: Arc<Router>) {
    let doors = Doors(router);
    mount.grpc(WaitingServer::new(doors.clone()));
    mount.grpc(AgentContactsServer::new(doors.clone()));
    mount.grpc(AgentsServer::new(doors.clone()));
    mount.grpc(QueueStatusesServer::new(doors.clone()));
    mount.grpc(WaitingContactsServer::new(doors.clone()));
    mount.grpc(RoutingPeersServer::new(doors));
}
