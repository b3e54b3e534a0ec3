//! When messages crossed the socket: noted by the SIP library's inspector, before any task of ours is woken.

use super::{caller, dialled};
use parking_lot::Mutex;
use rsipstack::{
    sip::{HeadersExt, Method, SipMessage},
    transaction::endpoint::MessageInspector,
    transport::SipAddr,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

/// Times of calls by the caller's number, and of agents by their user name.
#[derive(Clone, Default)]
pub struct Timing(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    invited: HashMap<String, Instant>,
    rung: Vec<Rung>,
    known: HashSet<String>,
}

/// An INVITE that reached a phone here.
#[derive(Debug, Clone)]
pub struct Rung {
    /// User name of the phone.
    pub phone: String,
    /// Number in From.
    pub caller: String,
    /// When it was received.
    pub at: Instant,
}

impl Timing {
    /// When the INVITE of `caller` first left this socket.
    pub fn invited(&self, caller: &str) -> Option<Instant> {
        self.0.lock().invited.get(caller).copied()
    }

    /// All INVITEs that reached this socket, in order, retransmissions left out.
    pub fn rung(&self) -> Vec<Rung> {
        self.0.lock().rung.clone()
    }

    /// How many that are.
    pub fn rung_count(&self) -> usize {
        self.0.lock().rung.len()
    }
}

impl MessageInspector for Timing {
    fn before_send(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &message
            && request.method == Method::Invite
        {
            let now = Instant::now();
            self.0.lock().invited.entry(caller(request)).or_insert(now);
        }
        message
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &message
            && request.method == Method::Invite
            && let Ok(call_id) = request.call_id_header()
        {
            let at = Instant::now();
            let mut times = self.0.lock();
            if times.known.insert(call_id.value().to_owned()) {
                times.rung.push(Rung {
                    phone: dialled(request),
                    caller: caller(request),
                    at,
                });
            }
        }
        message
    }
}
