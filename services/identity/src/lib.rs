//! Who people and programs are: tenants, users, roles, sessions, API keys.
//!
//! | what | who decides |
//! |---|---|
//! | logins, roles, the last owner | the database, one transaction per write |
//! | refresh tokens, used once | the database |
//! | access tokens | nobody: they are signed and short-lived; what must end at once is a revocation, in the database |
//! | failed sign-ins, last use of keys | memory of this process |
//!
//! In: gRPC `Sessions`, `Users`, `ApiKeys`, `Revocations`, `Tenants`. Out, through the outbox: `identity.user.changed`,
//! `identity.user.deleted`, `identity.session.refused`, `identity.api_key.…`, `identity.access.revoked`.

pub mod core;
mod grpc;
mod guess;
mod key_use;
mod notify;
mod password;
mod secret;
mod settings;
mod store;
#[cfg(test)]
mod tests;

pub use grpc::Desk;
pub use settings::Settings;

use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service};
use centro_proto::identity::{
    api_keys_server::ApiKeysServer, revocations_server::RevocationsServer,
    sessions_server::SessionsServer, tenants_server::TenantsServer, users_server::UsersServer,
};
use centro_store::{
    Records, Refused,
    outbox::{self, Wake},
    page::Pages,
};
use std::{sync::Arc, time::Duration};
use store::{Migrator, Store};

/// How often sessions that nobody can continue are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(3600);

/// The identity service.
pub struct Identity;

#[async_trait]
impl Service for Identity {
    const ROLE: Role = Role::Identity;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()> {
        let desk = open(settings, &node).await?;
        mount.grpc(SessionsServer::new(desk.clone()));
        mount.grpc(UsersServer::new(desk.clone()));
        mount.grpc(ApiKeysServer::new(desk.clone()));
        mount.grpc(RevocationsServer::new(desk.clone()));
        mount.grpc(TenantsServer::new(desk));
        Ok(())
    }
}

/// Looks whether this service could start on these records, and changes nothing.
///
/// # Errors
/// What [`centro_store::migrate`] would refuse.
pub async fn first_look(records: &Records) -> Result<(), Refused> {
    centro_store::first_look::<Migrator>(records, Role::Identity.name()).await
}

/// Opens the database and starts the background work.
async fn open(settings: Settings, node: &Node) -> anyhow::Result<Desk> {
    settings.validate().map_err(anyhow::Error::msg)?;
    let db = node.records().open(Role::Identity.name()).await?;
    centro_store::migrate::<Migrator>(&db).await?;
    let wake = Wake::default();
    node.spawn_when_open(outbox::relay(db.clone(), node.bus(), wake.clone()));
    let pages = Pages::new(&node.keys().derive(Pages::PURPOSE));
    let desk = Desk {
        store: Store::new(db, wake, pages),
        passwords: password::Passwords::new(settings.hash_workers, settings.hash_queue)?,
        keys: node.keys().clone(),
        clock: node.clock(),
        guesses: Arc::new(guess::Guesses::new(&settings)),
        key_use: Arc::default(),
        settings: Arc::new(settings),
    };
    let flushing = desk.clone();
    node.spawn(async move {
        flushing
            .key_use
            .flush_every(flushing.settings.api_key_use_flush, &flushing.store)
            .await;
    });
    let forgetting = desk.clone();
    node.spawn(async move {
        let mut tick = tokio::time::interval(FORGET_EVERY);
        loop {
            tick.tick().await;
            let (store, now) = (&forgetting.store, forgetting.clock.now());
            let sessions = store.forget_old_sessions(now).await;
            let revocations = store.forget_old_revocations(now).await;
            for fault in [sessions, revocations].into_iter().filter_map(Result::err) {
                tracing::warn!(%fault, "old sessions are still kept");
            }
        }
    });
    Ok(desk)
}
