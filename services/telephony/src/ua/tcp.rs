//! TCP: our own listener and reader, because the library's has no bounds. Each connection is a channel to the library.
//!
//! A connection without a registered phone, a carrier or a call over it is closed after `telephony.tcp_idle` without a message.

use crate::{
    core::framing::{self, Frame},
    metrics,
    ua::gate::{Gate, Place},
};
use bytes::BytesMut;
use rsipstack::{
    sip::{HeadersExt, Method, SipMessage, StatusCodeKind, Transport},
    transaction::endpoint::EndpointInnerRef,
    transport::{SipAddr, SipConnection, TransportEvent, channel::ChannelConnection},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// Bytes that may wait to be written to one peer: its connection is closed when there are more. The library must never wait for
/// a peer, because all share its task.
const OUTGOING: usize = 256 << 10;
/// How long a peer may take nothing of what waits for it.
const WRITE: Duration = Duration::from_secs(10);
/// Pause of a peer that sends too much.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes read at once.
const CHUNK: usize = 8_192;

/// Takes connections until the process ends.
pub struct Door {
    /// Who may come in.
    pub gate: Arc<Gate>,
    /// The SIP library.
    pub endpoint: EndpointInnerRef,
    /// How long a phone's connection may say nothing.
    pub idle: Duration,
    /// How long a stranger's connection may say nothing, and how long a message may take to come.
    pub stranger_idle: Duration,
}

impl Door {
    /// Accepts until `stop`.
    pub async fn open(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, from)) => {
                    if let Some(place) = self.gate.opens(from) {
                        let (door, stop) = (self.clone(), stop.clone());
                        tokio::spawn(async move {
                            tokio::select! {
                                () = door.converse(stream, from, place) => {}
                                () = stop.cancelled() => {}
                            }
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a TCP connection could not be accepted");
                    tokio::time::sleep(PAUSE).await; // out of files, most likely
                }
            }
        }
    }

    async fn converse(&self, stream: TcpStream, from: SocketAddr, _place: Place) {
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        let address = SipAddr {
            r#type: Some(Transport::Tcp),
            addr: from.into(),
        };
        // Dropping `to_library` tells the library that the connection is closed.
        let (to_library, incoming) = mpsc::unbounded_channel();
        let (outgoing, to_peer) = mpsc::unbounded_channel();
        let closed = CancellationToken::new();
        let channel =
            ChannelConnection::create_connection(incoming, outgoing, address, Some(closed.clone()));
        let Ok(channel) = channel.await else { return };
        let connection = SipConnection::from(channel);
        self.endpoint
            .transport_layer
            .add_connection(connection.clone());
        let (pongs, to_pong) = mpsc::channel(1);
        let used = AtomicBool::new(false);
        tokio::select! {
            () = self.read(reader, from, &connection, &to_library, &pongs, &used) => {}
            () = write(writer, to_peer, to_pong, &used) => {}
            () = closed.cancelled() => {}
        }
    }

    async fn read(
        &self,
        mut reader: OwnedReadHalf,
        from: SocketAddr,
        connection: &SipConnection,
        to_library: &mpsc::UnboundedSender<TransportEvent>,
        pongs: &mpsc::Sender<()>,
        used: &AtomicBool,
    ) {
        let address = SipAddr {
            r#type: Some(Transport::Tcp),
            addr: from.into(),
        };
        let mut received = BytesMut::with_capacity(CHUNK);
        let mut heard = Instant::now();
        // Since when the beginning of a message waits for its end.
        let mut partial_since = None;
        loop {
            loop {
                let frame = match framing::next(&mut received) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(error) => {
                        tracing::debug!(%from, %error, "a TCP connection is closed");
                        return metrics::malformed("tcp");
                    }
                };
                heard = Instant::now();
                partial_since = None;
                let own = matches!(&frame, Frame::Message(bytes) if self.gate.is_own(bytes));
                while self.gate.is_full() || !(own || self.gate.admits(from)) {
                    tokio::time::sleep(PAUSE).await;
                }
                let Frame::Message(bytes) = frame else {
                    let _ = pongs.try_send(());
                    continue;
                };
                let Some(message) = self.gate.reads(&bytes, from) else {
                    return; // where the next message begins is anybody's guess
                };
                let event = TransportEvent::Incoming(message, connection.clone(), address.clone());
                if to_library.send(event).is_err() {
                    return self.gate.passed(); // it will never come to it
                }
            }
            let until = if received.len() > 2 {
                *partial_since.get_or_insert_with(Instant::now) + self.stranger_idle
            } else if used.load(Relaxed) || self.gate.may_idle(from) {
                heard + self.idle
            } else {
                heard + self.stranger_idle
            };
            // Asked again after a while: by then the phone may have registered.
            let wait = until
                .saturating_duration_since(Instant::now())
                .min(self.stranger_idle);
            if wait.is_zero() {
                return tracing::debug!(%from, "an idle TCP connection is closed");
            }
            received.reserve(CHUNK);
            if let Ok(Ok(0) | Err(_)) = timeout(wait, reader.read_buf(&mut received)).await {
                return;
            }
        }
    }
}

/// Takes what the library says at once, and writes it as fast as the peer reads.
async fn write(
    mut writer: OwnedWriteHalf,
    mut to_peer: mpsc::UnboundedReceiver<TransportEvent>,
    mut to_pong: mpsc::Receiver<()>,
    used: &AtomicBool,
) {
    let mut waiting = BytesMut::new();
    let mut until = Instant::now();
    loop {
        let idle = waiting.is_empty();
        tokio::select! {
            event = to_peer.recv() => match event {
                Some(TransportEvent::Incoming(message, ..)) => {
                    if is_call(&message) {
                        used.store(true, Relaxed);
                    }
                    waiting.extend_from_slice(&message.to_bytes());
                }
                Some(_) => {}
                None => return,
            },
            pong = to_pong.recv() => match pong {
                Some(()) => waiting.extend_from_slice(b"\r\n"),
                None => return,
            },
            written = writer.write_buf(&mut waiting), if !idle => match written {
                Ok(0) | Err(_) => return,
                Ok(_) => until = Instant::now() + WRITE,
            },
            () = sleep_until(until), if !idle => return,
        }
        if idle {
            until = Instant::now() + WRITE;
        }
        if waiting.len() > OUTGOING {
            return tracing::info!("a TCP connection is closed: its peer does not read");
        }
    }
}

/// Whether a message of ours says that the peer is trusted with a call.
fn is_call(message: &SipMessage) -> bool {
    match message {
        SipMessage::Request(request) => request.method == Method::Invite,
        SipMessage::Response(response) => {
            response.status_code.kind() == StatusCodeKind::Successful
                && response
                    .cseq_header()
                    .and_then(|cseq| cseq.method())
                    .is_ok_and(|method| method == Method::Invite)
        }
    }
}
