//! What strangers hear who call without signing in: a challenge, made and forgotten at once.
//!
//! The library would keep each INVITE it refuses for 32 s to wait for the ACK, and look through all of them whenever one is
//! forgotten. A stranger can send thousands per second, so over UDP he is answered here, before there is a transaction (RFC 3261
//! §8.2.7). His ACK belongs to nothing and is dropped.

use crate::{
    directory::Directory,
    metrics,
    ua::{
        auth::Auth,
        dispatch::{SERVER, ip, socket},
        gate::Gate,
        registrar::Registrar,
        sound::contained,
    },
};
use async_trait::async_trait;
use parking_lot::RwLock;
use rsipstack::{
    sip::{Header, HeadersExt, Method, Request, Response, SipMessage, StatusCode},
    transaction::endpoint::TransportEventInspector,
    transport::{SipAddr, SipConnection, TransportEvent},
};
use sha2::{Digest, Sha256};
use std::{net::SocketAddr, sync::Arc};

/// Sees what comes off the wire before the transaction layer does.
pub struct Doorkeeper {
    /// Counts what waits.
    pub gate: Arc<Gate>,
    /// Who is banned, and challenges.
    pub auth: Arc<Auth>,
    /// Who is registered.
    pub registrar: Arc<Registrar>,
    /// Who is a carrier.
    pub directory: Arc<RwLock<Directory>>,
    /// Makes tags nobody can guess.
    pub key: [u8; 32],
}

#[async_trait]
impl TransportEventInspector for Doorkeeper {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        match &event {
            TransportEvent::Incoming(message, connection, from) => {
                if matches!(
                    connection,
                    SipConnection::Udp(_) | SipConnection::Channel(_)
                ) {
                    self.gate.passed();
                }
                let SipMessage::Request(request) = message else {
                    return Some(event);
                };
                if connection.is_reliable() {
                    return Some(event);
                }
                let answer = contained("an INVITE", || self.answer(request, from)).flatten();
                let Some((answer, to)) = answer else {
                    return Some(event);
                };
                let to = SipAddr::new(rsipstack::sip::Transport::Udp, to.into());
                if let Err(error) = connection.send(answer.into(), Some(&to)).await {
                    tracing::debug!(%error, "a stranger could not be answered");
                }
                None
            }
            TransportEvent::Closed(connection) => {
                if let Some(remote) = connection.get_remote_addr() {
                    self.registrar.lost(remote);
                }
                Some(event)
            }
            TransportEvent::New(_) => Some(event),
        }
    }
}

impl Doorkeeper {
    /// The answer to a stranger's first INVITE, and where it goes.
    fn answer(&self, request: &Request, from: &SipAddr) -> Option<(Response, SocketAddr)> {
        let source = ip(from)?;
        let signed = ["Authorization", "Proxy-Authorization"]
            .iter()
            .any(|name| request.header_value(name).is_some());
        let in_dialog = request.to_header().ok()?.tag().ok().flatten().is_some();
        if request.method != Method::Invite || signed || in_dialog {
            return None;
        }
        if self.directory.read().is_trunk(source) {
            return None;
        }
        let banned =
            self.auth.banned(source) && !socket(from).is_some_and(|from| self.gate.exempt(from));
        let (status, headers) = if banned {
            metrics::refused("not_authorised");
            (StatusCode::Forbidden, Vec::new())
        } else {
            let challenges = self.auth.challenges(request, source, false);
            (StatusCode::Unauthorized, challenges)
        };
        let to = SipConnection::parse_target_from_via(request.via_header().ok()?).ok()?;
        let to = SocketAddr::try_from(to.1).ok()?;
        Some((self.response(request, status, headers)?, to))
    }

    fn response(
        &self,
        request: &Request,
        status: StatusCode,
        more: Vec<Header>,
    ) -> Option<Response> {
        let mut headers = rsipstack::sip::Headers::default();
        for header in request.headers.iter() {
            match header {
                Header::Via(_) | Header::CallId(_) | Header::From(_) | Header::CSeq(_) => {
                    headers.push(header.clone());
                }
                Header::To(to) => {
                    let tag = self.tag(request)?;
                    headers.push(Header::To(format!("{};tag={tag}", to.value()).into()));
                }
                _ => {}
            }
        }
        more.into_iter().for_each(|header| headers.push(header));
        headers.push(Header::UserAgent(SERVER.into()));
        headers.push(Header::ContentLength(0_u32.into()));
        Some(Response {
            status_code: status,
            wire_reason: None,
            version: request.version,
            headers,
            body: Vec::new(),
        })
    }

    /// The same for each repetition of a request, without remembering it.
    fn tag(&self, request: &Request) -> Option<String> {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(request.call_id_header().ok()?.value());
        hash.update(request.from_header().ok()?.value());
        Some(hex::encode(&hash.finalize()[..8]))
    }
}
