//! Puts the parts together.

use crate::{
    call::{Calls, Context, sound::Studio},
    directory::Directory,
    feed,
    grpc::{CallEdgeDoor, RecordingsDoor, RegistrationsDoor},
    notify::Notifier,
    recordings::Recordings,
    settings::Settings,
    ua::{admission::Admission, auth::Auth, dispatch::UserAgent, endpoint, registrar::Registrar},
};
use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service};
use centro_proto::telephony::{
    call_edge_server::CallEdgeServer, recordings_server::RecordingsServer,
    registrations_server::RegistrationsServer,
};
use parking_lot::RwLock;
use std::{net::SocketAddr, sync::Arc};
use tokio::sync::watch;

/// The service.
pub struct Telephony;

/// What [`serve`] opened, for whoever needs to look inside.
pub struct Doors {
    /// Where SIP is spoken.
    pub sip: SocketAddr,
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
    let recordings = Recordings::open(node.data(), clock.clone(), notifier.clone()).await?;
    let media = Studio::open(&settings)?;
    crate::metrics::register(media.media())?;
    // The endpoint outlives `stopping` by the moments the last BYEs need: the process ends it.
    let open = endpoint::open(
        &settings,
        registrar.clone(),
        tokio_util::sync::CancellationToken::new(),
    )
    .await?;
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
    let agent = Arc::new(UserAgent {
        auth: Auth::new(
            &settings,
            directory.clone(),
            notifier.clone(),
            clock.clone(),
        ),
        admission: Admission::new(settings.max_calls, settings.max_new_calls_per_second),
        settings,
        dialogs: open.dialogs,
        registrar: registrar.clone(),
        directory: directory.clone(),
        calls: calls.clone(),
        notifier,
        clock,
        draining: lifecycle.draining(),
    });

    mount.grpc(CallEdgeServer::new(CallEdgeDoor(calls.clone())));
    mount.grpc(RegistrationsServer::new(RegistrationsDoor(
        registrar.clone(),
    )));
    mount.grpc(RecordingsServer::new(RecordingsDoor(recordings)));

    let inner = open.inner;
    tokio::spawn(async move {
        let ended = inner.serve().await;
        if !lifecycle.stopping().is_cancelled() {
            // It can be started once only: a supervisor must start the process again.
            tracing::error!(
                ?ended,
                "SIP has stopped; the process ends so that it is started again"
            );
            lifecycle.stop();
        }
    });
    tokio::spawn(agent.run(open.incoming));
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
        calls,
        registrar,
        directory,
        ready,
    })
}
