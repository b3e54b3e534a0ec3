//! Puts the services of this process together. The only place that names an adapter: nothing else knows whether the bus
//! is in this process or a broker, or whether shards are shared.

use crate::settings::Settings;
use anyhow::{Context, Result};
use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_kernel::{Clock, SystemClock};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Role, Service, Telemetry};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tonic::transport::server::TcpIncoming;

/// What was put together.
pub struct Started {
    pub node: Node,
    pub bus: Arc<LocalBus>,
    /// Where HTTP is answered, once it is.
    pub http: watch::Receiver<Option<SocketAddr>>,
}

/// Builds the node, starts the services of `roles` and opens their doors.
pub async fn start(
    settings: Settings,
    roles: &[Role],
    secret: &[u8],
    arbiters: Vec<actix::ArbiterHandle>,
    lifecycle: Lifecycle,
    telemetry: &Telemetry,
) -> Result<Started> {
    let clock = Arc::new(SystemClock);
    let epoch = Epoch(u64::try_from(clock.now().as_millis()).unwrap_or_default());
    let name = if settings.node.name.is_empty() {
        "centro".to_owned()
    } else {
        settings.node.name.clone()
    };
    let bus = Arc::new(LocalBus::default());
    let node = NodeBuilder {
        name,
        bus: bus.clone(),
        clock,
        ownership: Arc::new(LocalOwnership::new(epoch)),
        keys: Keys::new(secret),
        data: settings.node.data.clone(),
        arbiters,
        lifecycle,
    }
    .build();

    let (bound, http) = watch::channel(None);
    let mut mount = Mount::default();
    for role in roles {
        tracing::debug!(%role, "starting");
        let result = match role {
            Role::Identity => {
                host::<centro_identity::Identity>(&settings.identity, &node, &mut mount).await
            }
            Role::Configuration => {
                host::<centro_configuration::Configuration>(
                    &settings.configuration,
                    &node,
                    &mut mount,
                )
                .await
            }
            Role::Telephony => {
                host::<centro_telephony::Telephony>(&settings.telephony, &node, &mut mount).await
            }
            Role::Routing => {
                host::<centro_routing::Routing>(&settings.routing, &node, &mut mount).await
            }
            Role::Chat => host::<centro_chat::Chat>(&(), &node, &mut mount).await,
            Role::Dialer => host::<centro_dialer::Dialer>(&(), &node, &mut mount).await,
            Role::Analytics => {
                host::<centro_analytics::Analytics>(&settings.analytics, &node, &mut mount).await
            }
            Role::Gateway => {
                let mut gateway = settings.gateway.clone();
                gateway.bound = Some(bound.clone());
                gateway.metrics = Some(telemetry.metrics());
                host::<centro_gateway::Gateway>(&gateway, &node, &mut mount).await
            }
        };
        result.with_context(|| format!("{role} cannot start"))?;
    }

    let routes = node.open(mount);
    if !settings.node.grpc_bind.is_empty() {
        let listener = TcpListener::bind(&settings.node.grpc_bind)
            .await
            .with_context(|| {
                format!(
                    "node.grpc_bind: cannot listen on {}",
                    settings.node.grpc_bind
                )
            })?;
        let stopping = node.lifecycle().stopping();
        tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let server = tonic::transport::Server::builder()
                .http2_keepalive_interval(Some(Duration::from_secs(30)))
                .add_routes(routes)
                .serve_with_incoming_shutdown(incoming, stopping.cancelled());
            if let Err(error) = server.await {
                tracing::error!(%error, "the gRPC door closed");
            }
        });
    }
    Ok(Started { node, bus, http })
}

async fn host<S>(settings: &S::Settings, node: &Node, mount: &mut Mount) -> Result<()>
where
    S: Service,
    S::Settings: Clone,
{
    S::start(settings.clone(), node.clone(), mount).await
}
