//! Bus events in: configuration and registrations, and what follows from them for living actors; and who owns what.
//!
//! A changed queue is a message to its actor: nobody is logged out, no caller moves. Both feeds watch first and then take
//! the snapshot, so nothing falls between.

use crate::{
    directory::{Consequence, Key},
    router::{Actor, Router},
};
use centro_bus::{Event, Seen as Heard, Watch};
use centro_cluster::Seen;
use centro_kernel::DeviceId;
use centro_node::{Role, health::Flag};
use centro_proto::{
    configuration::{Change, SnapshotRequest, configuration_feed_client::ConfigurationFeedClient},
    events,
    telephony::{SnapshotRegistrationsRequest, registrations_client::RegistrationsClient},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tonic::Status;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Keeps the directory's configuration up to date, for ever.
pub async fn configuration(router: Arc<Router>, loaded: Flag) {
    loop {
        let mut watch = watch(&router, "*.configuration.#").await;
        read_configuration(&router).await;
        loaded.raise();
        while let Some(seen) = watch.next().await {
            match seen {
                Heard::Event(event) => {
                    let changed = event.decode::<events::ConfigurationChanged>();
                    if let Some(change) = changed.and_then(|c| c.change) {
                        apply(&router, &change);
                    }
                }
                Heard::Lagged(lost) => {
                    tracing::info!(
                        lost,
                        "configuration events were missed, reading all of it again"
                    );
                    read_configuration(&router).await;
                }
            }
        }
    }
}

/// Keeps the directory's registrations up to date, for ever.
pub async fn registrations(router: Arc<Router>, loaded: Flag) {
    loop {
        let mut watch = watch(&router, "*.telephony.device.*").await;
        read_registrations(&router).await;
        loaded.raise();
        while let Some(seen) = watch.next().await {
            match seen {
                Heard::Event(event) => registered(&router, &event),
                Heard::Lagged(_) => read_registrations(&router).await,
            }
        }
    }
}

async fn watch(router: &Router, pattern: &str) -> Box<dyn Watch> {
    let mut pause = FIRST_PAUSE;
    loop {
        match router.node.bus().watch(&[pattern]).await {
            Ok(watch) => return watch,
            Err(error) => tracing::debug!(%error, "waiting for the bus"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn read_configuration(router: &Arc<Router>) {
    let mut pause = FIRST_PAUSE;
    while let Err(status) = configuration_snapshot(router).await {
        tracing::debug!(%status, "waiting for the configuration");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    router.directory.set_loaded();
    // Actors that were activated before knew less.
    router.reconcile_all();
}

async fn configuration_snapshot(router: &Arc<Router>) -> Result<(), Status> {
    let mut client = ConfigurationFeedClient::new(router.node.conn(Role::Configuration));
    let known = router.directory.version();
    let mut seen: HashSet<Key> = HashSet::new();
    let mut page_token = String::new();
    loop {
        let page = client
            .snapshot(SnapshotRequest { page_token })
            .await?
            .into_inner();
        for change in &page.changes {
            seen.extend(apply(router, change));
        }
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    for consequence in router.directory.forget_others(&seen, known) {
        follow(router, Some(consequence));
    }
    Ok(())
}

/// Takes a change over and tells those who act. Says which object it was.
pub(crate) fn apply(router: &Arc<Router>, change: &Change) -> Option<Key> {
    let (key, consequence) = router.directory.apply(change);
    follow(router, consequence);
    key
}

/// Tells those who act. They read the directory themselves, so it does not matter which of several changes they see.
fn follow(router: &Arc<Router>, consequence: Option<Consequence>) {
    match consequence {
        Some(Consequence::QueueAdded(_, queue)) => {
            for agent in router.directory.agents_of(queue) {
                router.reconcile(Actor::Agent(agent));
            }
        }
        Some(Consequence::QueueChanged(queue)) => router.reconcile(Actor::Queue(queue)),
        Some(Consequence::QueueDeleted(_, queue)) => {
            router.reconcile(Actor::Queue(queue));
            for agent in router.live.logged_in(queue) {
                router.reconcile(Actor::Agent(agent));
            }
        }
        Some(Consequence::Assigned(_, agent, _) | Consequence::Unassigned(_, agent, _)) => {
            router.reconcile(Actor::Agent(agent))
        }
        Some(Consequence::ProfileChanged(agent)) => router.reconcile(Actor::Agent(agent)),
        Some(Consequence::DeviceMoved(_, _, from, to)) => {
            for agent in from.into_iter().chain(to) {
                router.reconcile(Actor::Agent(agent));
            }
        }
        None => {}
    }
}

/// Follows the owners of shards and the deaths of nodes, for ever.
pub async fn ownership(router: Arc<Router>) {
    let mut changes = router.node.ownership().changes();
    // What was gained before anybody watched.
    router.check_owners();
    while let Some(seen) = changes.next().await {
        match seen {
            Seen::Change(change) => router.owner_changed(&change),
            Seen::Lagged => router.check_owners(),
        }
    }
}

async fn read_registrations(router: &Arc<Router>) {
    let mut pause = FIRST_PAUSE;
    while let Err(status) = registrations_snapshot(router).await {
        tracing::debug!(%status, "waiting for the registrations");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    router.directory.set_registered();
    router.reconcile_all();
}

async fn registrations_snapshot(router: &Arc<Router>) -> Result<(), Status> {
    let mut client = RegistrationsClient::new(router.node.conn(Role::Telephony));
    let mut online: HashSet<DeviceId> = HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = SnapshotRegistrationsRequest { page_token };
        let page = client.snapshot_registrations(request).await?.into_inner();
        online.extend(
            page.online
                .iter()
                .filter_map(|o| o.device_id.parse::<DeviceId>().ok()),
        );
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    for device in router
        .directory
        .online()
        .into_iter()
        .filter(|d| !online.contains(d))
    {
        set_online(router, device, false);
    }
    for device in online {
        set_online(router, device, true);
    }
    Ok(())
}

fn registered(router: &Arc<Router>, event: &Event) {
    let online = match event.kind.as_str() {
        "telephony.device.registered" => true,
        "telephony.device.unregistered" => false,
        _ => return,
    };
    let device = event
        .decode::<events::DeviceRegistration>()
        .and_then(|r| r.device_id.parse().ok());
    if let Some(device) = device {
        set_online(router, device, online);
    }
}

pub(crate) fn set_online(router: &Arc<Router>, device: DeviceId, online: bool) {
    if let Some((_, agent)) = router.directory.set_online(device, online) {
        router.reconcile(Actor::Agent(agent));
    }
}
