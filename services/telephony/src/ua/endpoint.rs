//! The sockets and the transaction layer.

use crate::{
    settings::Settings,
    ua::{
        inspect::{Inspector, Reasons},
        registrar::Registrar,
    },
};
use anyhow::Context;
use async_trait::async_trait;
use rsipstack::{
    EndpointBuilder,
    dialog::dialog_layer::DialogLayer,
    sip::{Auth, Method, Scheme, Uri},
    transaction::{
        TransactionReceiver,
        endpoint::{EndpointInnerRef, EndpointOption, TransportEventInspector},
    },
    transport::{TcpListenerConnection, TransportEvent, TransportLayer, udp::UdpConnection},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Methods we understand, for `Allow`.
pub const METHODS: [Method; 8] = [
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Info,
    Method::Update,
    Method::Register,
];

/// What is open.
pub struct Endpoint {
    /// Requests that start a transaction.
    pub incoming: TransactionReceiver,
    /// The transaction layer; its `serve` must run, once.
    pub inner: EndpointInnerRef,
    /// The dialogs.
    pub dialogs: Arc<DialogLayer>,
    /// Our Contact.
    pub contact: Uri,
    /// Where UDP and TCP are bound.
    pub local: SocketAddr,
    /// Reasons for CANCELs.
    pub reasons: Reasons,
}

/// Tells the registrar of connections that closed.
struct Connections(Arc<Registrar>);

#[async_trait]
impl TransportEventInspector for Connections {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        if let TransportEvent::Closed(connection) = &event
            && let Some(remote) = connection.get_remote_addr()
        {
            self.0.lost(remote);
        }
        Some(event)
    }
}

/// How long a CANCELled or unanswered INVITE transaction may live (RFC 3261 Timer C).
const TIMER_C: Duration = Duration::from_secs(60);

/// Bytes of SIP that may wait to be read.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Opens the sockets.
///
/// # Errors
/// When a port is taken or the address is not ours.
pub async fn open(
    settings: &Settings,
    registrar: Arc<Registrar>,
    stop: CancellationToken,
) -> anyhow::Result<Endpoint> {
    let bind = settings.bind;
    let layer = TransportLayer::new(stop.clone());
    // Connections of phones that keep them open answer pings at least this often.
    layer.set_stream_idle_timeout(settings.register_max + Duration::from_secs(60));
    let external = settings
        .external_address
        .map(|ip| SocketAddr::new(ip, bind.port()));
    let (udp, local) = bind_both(bind, external, &stop).await?;
    let external = settings
        .external_address
        .map(|ip| SocketAddr::new(ip, local.port()));
    layer.add_transport(udp.into());
    layer.add_transport(TcpListenerConnection::new(local, external).await?.into());
    let reasons = Reasons::default();
    let endpoint = EndpointBuilder::new()
        .with_user_agent(concat!("Centro/", env!("CARGO_PKG_VERSION")))
        .with_transport_layer(layer)
        .with_cancel_token(stop)
        .with_allows(METHODS.to_vec())
        .with_option(EndpointOption {
            timerc: TIMER_C,
            ..EndpointOption::default()
        })
        .with_inspector(Box::new(Inspector::new(reasons.clone())))
        .with_transport_inspector(Box::new(Connections(registrar)))
        .build();
    let contact = Uri {
        scheme: Some(Scheme::Sip),
        auth: Some(Auth {
            user: "centro".to_owned(),
            password: None,
        }),
        host_with_port: SocketAddr::new(settings.advertised(), local.port()).into(),
        params: Vec::new(),
        headers: Vec::new(),
    };
    Ok(Endpoint {
        incoming: endpoint.incoming_transactions()?,
        dialogs: Arc::new(DialogLayer::new(endpoint.inner.clone())),
        inner: endpoint.inner.clone(),
        contact,
        local,
        reasons,
    })
}

/// UDP and TCP on one port. The library binds TCP later and keeps failures to itself, so it is tried here first; with port
/// 0 another port is tried when TCP has the first one taken.
async fn bind_both(
    bind: SocketAddr,
    external: Option<SocketAddr>,
    stop: &CancellationToken,
) -> anyhow::Result<(UdpConnection, SocketAddr)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let socket = std::net::UdpSocket::bind(bind).with_context(|| {
            format!("telephony.bind: UDP {bind} cannot be used; is another SIP program running?")
        })?;
        socket.set_nonblocking(true)?;
        // A burst of INVITEs waits here, not on the callers' retransmission timers. The system caps it (net.core.rmem_max).
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let port = socket.local_addr()?.port();
        let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        let udp = UdpConnection::from_socket(socket, external, Some(stop.child_token())).await?;
        let local = SocketAddr::new(bind.ip(), port);
        match tokio::net::TcpListener::bind(local).await {
            Ok(_) => return Ok((udp, local)),
            Err(_) if bind.port() == 0 && tries < 20 => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("telephony.bind: TCP {local} cannot be used; is another SIP program running?")
                });
            }
        }
    }
}
