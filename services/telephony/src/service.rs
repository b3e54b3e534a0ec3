//! Puts the parts together.

use crate::{
    call::{Calls, Context, sound::Studio},
    directory::Directory,
    feed,
    grpc::{CallEdgeDoor, RecordingsDoor, RegistrationsDoor},
    notify::Notifier,
    recordings::Recordings,
    settings::Settings,
    ua::{
        admission::Admission, auth::Auth, dispatch::UserAgent, endpoint, gate::Gate, pulse,
        refusals::Refusals, registrar::Registrar, stranger::Doorkeeper, tcp::Door,
    },
};
use async_trait::async_trait;
use centro_node::{Lifecycle, Mount, Node, Role, Service, health::Kind};
use centro_proto::telephony::{
    call_edge_server::CallEdgeServer, recordings_server::RecordingsServer,
    registrations_server::RegistrationsServer,
};
use centro_store::page::Pages;
use parking_lot::RwLock;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The service.
pub struct Telephony;

/// What [`serve`] opened, for whoever needs to look inside.
pub struct Doors {
    /// Where SIP is spoken.
    pub sip: SocketAddr,
    /// What is let in.
    pub gate: Arc<Gate>,
    /// Running calls.
    pub calls: Arc<Calls>,
    /// Registered phones.
    pub registrar: Arc<Registrar>,
    /// Configuration; the feed fills it.
    pub directory: Arc<RwLock<Directory>>,
    /// True once the configuration was loaded.
    pub ready: watch::Receiver<bool>,
}

#[async_trait]
impl Service for Telephony {
    const ROLE: Role = Role::Telephony;
    type Settings = Settings;

    async fn start(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()> {
        serve(settings, node, mount).await.map(|_| ())
    }
}

/// Starts telephony and says what it opened.
///
/// # Errors
/// When a port or the data folder cannot be used.
pub async fn serve(settings: Settings, node: Node, mount: &mut Mount) -> anyhow::Result<Doors> {
    let settings = Arc::new(settings);
    let (clock, lifecycle) = (node.clock(), node.lifecycle().clone());
    let notifier = Notifier::start(node.bus(), clock.clone(), lifecycle.clone());
    let registrar = Arc::new(Registrar::new(
        settings.contacts_per_device,
        clock.clone(),
        notifier.clone(),
    ));
    let directory: Arc<RwLock<Directory>> = Arc::default();
    let pages = Pages::new(&node.keys().derive(Pages::PURPOSE));
    let recordings = Recordings::open(&node, notifier.clone(), pages.clone()).await?;
    let media = Studio::open(&settings)?;
    crate::metrics::register(media.media())?;
    // The endpoint outlives `stopping` by the moments the last BYEs need: the process ends it.
    let auth = Arc::new(Auth::new(
        &settings,
        directory.clone(),
        notifier.clone(),
        clock.clone(),
    ));
    let gate = Arc::new(Gate::new(
        &settings,
        auth.clone(),
        registrar.clone(),
        directory.clone(),
    ));
    let doorkeeper = Doorkeeper {
        gate: gate.clone(),
        auth: auth.clone(),
        registrar: registrar.clone(),
        directory: directory.clone(),
        key: rand::random(),
    };
    let end = CancellationToken::new();
    let open = endpoint::open(&settings, gate.clone(), doorkeeper, end.clone()).await?;
    tracing::info!(address = %open.local, contact = %open.contact, "SIP over UDP and TCP");

    let context = Arc::new(Context {
        settings: settings.clone(),
        node: node.name().to_owned(),
        dialogs: open.dialogs.clone(),
        contact: open.contact,
        reasons: open.reasons,
        registrar: registrar.clone(),
        directory: directory.clone(),
        notifier: notifier.clone(),
        recordings: recordings.clone(),
        media,
        clock: clock.clone(),
        lifecycle: lifecycle.clone(),
        routing: node.conn(Role::Routing),
    });
    let calls = Arc::new(Calls::new(context));
    let door = Arc::new(Door {
        gate: gate.clone(),
        endpoint: open.inner.clone(),
        idle: settings.register_max + endpoint::SLACK,
        stranger_idle: settings.tcp_idle,
    });
    let agent = Arc::new(UserAgent {
        auth,
        gate: gate.clone(),
        refusals: Refusals::default(),
        admission: Admission::new(settings.max_calls, settings.max_new_calls_per_second),
        settings,
        dialogs: open.dialogs,
        registrar: registrar.clone(),
        directory: directory.clone(),
        calls: calls.clone(),
        notifier,
        clock,
        lifecycle: lifecycle.clone(),
    });

    mount.grpc(CallEdgeServer::new(CallEdgeDoor(calls.clone())));
    mount.grpc(RegistrationsServer::new(RegistrationsDoor {
        registrar: registrar.clone(),
        pages,
    }));
    mount.grpc(RecordingsServer::new(RecordingsDoor(recordings)));

    let inner = open.inner;
    vital(&lifecycle, "SIP", async move {
        if let Err(error) = inner.serve().await {
            tracing::error!(%error, "SIP has stopped");
        }
    });
    vital(&lifecycle, "SIP requests", agent.run(open.incoming));
    vital(&lifecycle, "SIP over TCP", door.open(open.listener, end));
    let answers = node
        .health()
        .flag(Kind::Ready, "telephony.sip", "SIP has not answered yet");
    node.spawn(pulse::watch(open.local, gate.clone(), answers));
    node.spawn(registrar.clone().sweep());
    let (loaded, ready) = watch::channel(false);
    node.spawn(feed::follow(
        node.clone(),
        directory.clone(),
        registrar.clone(),
        loaded,
    ));
    Ok(Doors {
        sip: open.local,
        gate,
        calls,
        registrar,
        directory,
        ready,
    })
}

/// Runs what this process cannot do without. When it ends or panics the process ends too, so that a supervisor starts it
/// again: the SIP library can be started once only, and a centre that lives but is deaf helps nobody.
fn vital(
    lifecycle: &Lifecycle,
    what: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) {
    let lifecycle = lifecycle.clone();
    let running = tokio::spawn(task);
    tokio::spawn(async move {
        let ended = running.await;
        if !lifecycle.stopping().is_cancelled() {
            tracing::error!(
                what,
                panicked = ended.is_err(),
                "a vital part has ended; the process ends"
            );
            lifecycle.fail(&format!("{what} has stopped working"));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vital_part_that_ends_or_panics_ends_the_process() {
        for panics in [false, true] {
            let lifecycle = Lifecycle::default();
            vital(&lifecycle, "a part", async move {
                assert!(!panics, "as a test wants it");
            });
            lifecycle.stopping().cancelled().await;
            assert_eq!(lifecycle.failure(), Some("a part has stopped working"));
        }
    }

    #[tokio::test]
    async fn a_vital_part_may_end_with_the_process() {
        let lifecycle = Lifecycle::default();
        lifecycle.stop();
        vital(&lifecycle, "a part", async {});
        tokio::task::yield_now().await;
        assert_eq!(lifecycle.failure(), None);
    }
}
