//! The sockets and the transaction layer.

use crate::{
    settings::Settings,
    ua::{
        dispatch::SERVER,
        gate::Gate,
        inspect::{Inspector, Reasons},
        stranger::Doorkeeper,
        udp::Gated,
    },
};
use anyhow::Context;
use rsipstack::{
    EndpointBuilder,
    dialog::dialog_layer::DialogLayer,
    sip::{Auth, Method, Scheme, Uri},
    transaction::{
        TransactionReceiver,
        endpoint::{EndpointInnerRef, EndpointOption},
    },
    transport::{TransportLayer, udp::UdpConnection},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, UdpSocket};
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
    /// Takes TCP connections, for [`crate::ua::tcp::Door`].
    pub listener: TcpListener,
    /// Reasons for CANCELs.
    pub reasons: Reasons,
}

/// How long a CANCELled or unanswered INVITE transaction may live (RFC 3261 Timer C).
const TIMER_C: Duration = Duration::from_secs(60);

/// Time beyond the longest registration that a phone's connection may say nothing.
pub const SLACK: Duration = Duration::from_secs(60);

/// Bytes of SIP that may wait to be read.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Opens the sockets.
///
/// # Errors
/// When a port is taken or the address is not ours.
pub async fn open(
    settings: &Settings,
    gate: Arc<Gate>,
    doorkeeper: Doorkeeper,
    stop: CancellationToken,
) -> anyhow::Result<Endpoint> {
    let bind = settings.bind;
    let layer = TransportLayer::new(stop.clone());
    // Of connections we opened ourselves; those of peers are our own (ua::tcp).
    layer.set_stream_idle_timeout(settings.register_max + SLACK);
    let external = settings
        .external_address
        .map(|ip| SocketAddr::new(ip, bind.port()));
    let (socket, listener, local) = bind_both(bind).await?;
    let external = external.map(|external| SocketAddr::new(external.ip(), local.port()));
    let socket = Arc::new(Gated { socket, gate });
    let udp = UdpConnection::from_socket(socket, external, Some(stop.child_token())).await?;
    layer.add_transport(udp.into());
    let reasons = Reasons::default();
    let endpoint = EndpointBuilder::new()
        .with_user_agent(SERVER)
        .with_transport_layer(layer)
        .with_cancel_token(stop)
        .with_allows(METHODS.to_vec())
        .with_option(EndpointOption {
            timerc: TIMER_C,
            ..EndpointOption::default()
        })
        .with_inspector(Box::new(Inspector::new(reasons.clone())))
        .with_transport_inspector(Box::new(doorkeeper))
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
        listener,
        reasons,
    })
}

/// UDP and TCP on one port; with port 0 another port is tried when TCP has the first one taken.
async fn bind_both(bind: SocketAddr) -> anyhow::Result<(UdpSocket, TcpListener, SocketAddr)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let socket = std::net::UdpSocket::bind(bind).with_context(|| {
            format!("telephony.bind: UDP {bind} cannot be used; is another SIP program running?")
        })?;
        socket.set_nonblocking(true)?;
        // A burst of INVITEs waits here, not on the callers' retransmission timers. The system caps it (net.core.rmem_max).
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let local = SocketAddr::new(bind.ip(), socket.local_addr()?.port());
        match TcpListener::bind(local).await {
            Ok(listener) => return Ok((UdpSocket::from_std(socket)?, listener, local)),
            Err(_) if bind.port() == 0 && tries < 20 => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("telephony.bind: TCP {local} cannot be used; is another SIP program running?")
                });
            }
        }
    }
}
