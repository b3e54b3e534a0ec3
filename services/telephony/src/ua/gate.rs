//! What stands between the network and the SIP library: how much each source may send, how many connections it may hold, and
//! that only sound messages pass. The library's own lines are unbounded; this bounds them.

use crate::{
    core::flood::{Flood, Rates},
    directory::Directory,
    metrics,
    settings::Settings,
    ua::{auth::Auth, registrar::Registrar, sound},
};
use parking_lot::{Mutex, RwLock};
use rsipstack::sip::{SipMessage, Transport};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Instant,
};

/// Messages that may wait for the library.
const BACKLOG: usize = 10_000;
/// What the library reads of a datagram; a longer one is cut off and cannot be sound.
const LONGEST_DATAGRAM: usize = 8_192;
/// Messages per second of a banned source that are looked at, to be refused.
const BANNED: Rates = Rates {
    stranger: 2,
    known: 2,
};

/// Lets messages and connections in, or not.
pub struct Gate {
    auth: Arc<Auth>,
    registrar: Arc<Registrar>,
    directory: Arc<RwLock<Directory>>,
    flood: Mutex<Flood>,
    banned: Mutex<Flood>,
    backlog: AtomicUsize,
    connections: Arc<Mutex<HashMap<IpAddr, usize>>>,
    connections_per_source: usize,
    connections_per_known_source: usize,
    most_connections: usize,
    /// Where this process speaks to itself from, while it does: a place is kept for it.
    own: Mutex<Option<SocketAddr>>,
    /// In the requests this process sends to itself: they are always let in.
    pass: String,
}

/// A connection's place; free again when this is dropped.
pub struct Place {
    source: IpAddr,
    connections: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Gate {
    /// With the limits of the settings.
    pub fn new(
        settings: &Settings,
        auth: Arc<Auth>,
        registrar: Arc<Registrar>,
        directory: Arc<RwLock<Directory>>,
    ) -> Self {
        let rates = Rates {
            stranger: settings.messages_per_source,
            known: settings.messages_per_known_source,
        };
        Self {
            auth,
            registrar,
            directory,
            flood: Mutex::new(Flood::new(rates)),
            banned: Mutex::new(Flood::new(BANNED)),
            backlog: AtomicUsize::new(0),
            connections: Arc::default(),
            connections_per_source: settings.tcp_connections_per_source,
            connections_per_known_source: settings.tcp_connections_per_known_source,
            most_connections: settings.tcp_connections,
            own: Mutex::default(),
            pass: format!("pulse-{:032x}", rand::random::<u128>()),
        }
    }

    /// What makes a request one of our own.
    pub fn pass(&self) -> &str {
        &self.pass
    }

    /// Whom a ban of his address does not hit: a carrier is known by its address and a registered phone by its address and
    /// port, whoever else guesses secrets from there.
    pub fn exempt(&self, from: SocketAddr) -> bool {
        self.registrar.is_home(from) || self.directory.read().is_trunk(from.ip().to_canonical())
    }

    /// Who is not a stranger: a carrier's address, one where a phone is registered, one where somebody signed lately.
    fn knows(&self, source: IpAddr) -> bool {
        self.registrar.knows_ip(source)
            || self.directory.read().is_trunk(source)
            || self.auth.signed_lately(source)
    }

    /// A connection from here is one of our own.
    pub fn expect_own(&self, from: SocketAddr) {
        *self.own.lock() = Some(from);
    }

    /// Whether the source may send another message now.
    pub fn admits(&self, from: SocketAddr) -> bool {
        let (source, now) = (from.ip().to_canonical(), Instant::now());
        if self.auth.banned(source) && !self.exempt(from) {
            return self.banned.lock().take(source, now, || false);
        }
        let known = || self.knows(source);
        self.flood.lock().take(source, now, known)
    }

    /// Whether the library may read this datagram.
    pub fn takes(&self, datagram: &[u8], from: SocketAddr) -> bool {
        if !self.is_own(datagram) && !self.admits(from) {
            metrics::refused("flood");
            return false;
        }
        if datagram.iter().all(u8::is_ascii_whitespace) {
            return true; // a keep-alive: answered by the library, and no message
        }
        if self.backlog.load(Relaxed) >= BACKLOG {
            metrics::refused("backlog");
            return false;
        }
        let sound = datagram.len() < LONGEST_DATAGRAM
            && sound::read(datagram, from, Transport::Udp).is_some();
        if sound {
            self.backlog.fetch_add(1, Relaxed);
        } else {
            metrics::malformed("udp");
        }
        sound
    }

    /// Reads a message that came over a connection.
    pub fn reads(&self, message: &[u8], from: SocketAddr) -> Option<SipMessage> {
        let read = sound::read(message, from, Transport::Tcp);
        match &read {
            Some(_) => drop(self.backlog.fetch_add(1, Relaxed)),
            None => metrics::malformed("tcp"),
        }
        read
    }

    /// The library has come to a message that was let in.
    pub fn passed(&self) {
        let _ = self
            .backlog
            .fetch_update(Relaxed, Relaxed, |waiting| waiting.checked_sub(1));
    }

    /// Whether there is no room for more messages now.
    pub fn is_full(&self) -> bool {
        self.backlog.load(Relaxed) >= BACKLOG
    }

    /// A place for a connection, if there is one.
    pub fn opens(&self, from: SocketAddr) -> Option<Place> {
        let source = from.ip().to_canonical();
        let ours = *self.own.lock() == Some(from);
        let banned = self.auth.banned(source) && !self.exempt(from);
        let most = if self.knows(source) {
            self.connections_per_known_source
        } else {
            self.connections_per_source
        };
        let mut connections = self.connections.lock();
        let all: usize = connections.values().sum();
        let own = connections.get(&source).copied().unwrap_or(0);
        if !ours && (all >= self.most_connections || own >= most || banned) {
            metrics::refused("connections");
            return None;
        }
        *connections.entry(source).or_default() += 1;
        metrics::connections(1);
        Some(Place {
            source,
            connections: self.connections.clone(),
        })
    }

    /// Whether a connection may stay open without a word: a phone is registered over it, or it is a carrier's, or somebody
    /// signed lately at its address.
    pub fn may_idle(&self, from: SocketAddr) -> bool {
        self.exempt(from) || self.auth.signed_lately(from.ip().to_canonical())
    }

    /// Whether this process says it to itself.
    pub fn is_own(&self, datagram: &[u8]) -> bool {
        datagram
            .windows(self.pass.len())
            .any(|part| part == self.pass.as_bytes())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::connections(-1);
        let mut connections = self.connections.lock();
        if let Some(own) = connections.get_mut(&self.source) {
            *own -= 1;
            if *own == 0 {
                connections.remove(&self.source);
            }
        }
    }
}
