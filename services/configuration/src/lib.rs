//! What a centre is made of: call queues and who serves them, skills, numbers, dial plans, devices, trunks.
//!
//! | what | who decides |
//! |---|---|
//! | names, extensions, numbers, what leads to what | the database, one writer at a time |
//! | the order of changes | the installation's version, growing with each write |
//! | tenants and people | identity; their short names are cached here |
//!
//! In: gRPC `CallQueues`, `Skills`, `RoutingProfiles`, `Organization`, `Numbers`, `DialPlans`, `Devices`,
//! `ConfigurationFeed`; `identity.user.…` from the bus.
//! Out: `configuration.object.changed` through the outbox, never with credentials.

pub mod core;
mod feed;
mod grpc;
mod notify;
mod people;
mod settings;
mod store;
#[cfg(test)]
mod tests;

pub use grpc::Desk;
pub use settings::Settings;

use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service};
use centro_proto::configuration::{
    call_queues_server::CallQueuesServer, configuration_feed_server::ConfigurationFeedServer,
    devices_server::DevicesServer, dial_plans_server::DialPlansServer,
    numbers_server::NumbersServer, organization_server::OrganizationServer,
    routing_profiles_server::RoutingProfilesServer, skills_server::SkillsServer,
};
use centro_store::{
    Records, Refused,
    outbox::{self, Wake},
    page::Pages,
};
use std::sync::Arc;
use store::{Migrator, Store};

/// The configuration service.
pub struct Configuration;

#[async_trait]
impl Service for Configuration {
    const ROLE: Role = Role::Configuration;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()> {
        let desk = open(settings, &node).await?;
        mount.grpc(CallQueuesServer::new(desk.clone()));
        mount.grpc(SkillsServer::new(desk.clone()));
        mount.grpc(RoutingProfilesServer::new(desk.clone()));
        mount.grpc(OrganizationServer::new(desk.clone()));
        mount.grpc(NumbersServer::new(desk.clone()));
        mount.grpc(DialPlansServer::new(desk.clone()));
        mount.grpc(DevicesServer::new(desk.clone()));
        mount.grpc(ConfigurationFeedServer::new(desk));
        Ok(())
    }
}

/// Looks whether this service could start on these records, and changes nothing.
///
/// # Errors
/// What [`centro_store::migrate`] would refuse.
pub async fn first_look(records: &Records) -> Result<(), Refused> {
    centro_store::first_look::<Migrator>(records, Role::Configuration.name()).await
}

/// Opens the database and starts the background work.
async fn open(settings: Settings, node: &Node) -> anyhow::Result<Desk> {
    settings.validate().map_err(anyhow::Error::msg)?;
    let db = node.records().open(Role::Configuration.name()).await?;
    centro_store::migrate::<Migrator>(&db).await?;
    let wake = Wake::default();
    node.spawn_when_open(outbox::relay(db.clone(), node.bus(), wake.clone()));
    let pages = Pages::new(&node.keys().derive(Pages::PURPOSE));
    let store = Store::new(db, wake, pages);
    // Joined before any door opens, so that no event is published before.
    let people = node.bus().subscribe(feed::GROUP, feed::PATTERNS).await?;
    node.spawn(feed::follow(people, store.clone(), node.clock()));
    node.spawn(feed::keep_house(store.clone(), node.clock()));
    Ok(Desk {
        store,
        clock: node.clock(),
        settings: Arc::new(settings),
        people: Arc::new(people::People::new(node.clone())),
    })
}
