//! One RTP leg: a socket, what was agreed over it, what is played to it, and what it hears.
//!
//! A [`Leg`] is the handle a call holds; its packets are moved by one task of [`crate::Media`] ([`task`]). Nothing here blocks.
//! Dropping the handle closes the leg.

mod incoming;
mod outlet;
mod task;

use crate::{
    bridge::Route,
    codec::Codec,
    dtmf::Event,
    lanes::Lane,
    media::{Counters, Media, MediaError},
    player::{PlaybackId, Player, Playlist, Repeat},
    ports::Ports,
    sdp::{self, Direction, Local, Negotiated, SdpError},
};
use incoming::Incoming;
use outlet::Outlet;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::UdpSocket,
    sync::{Notify, mpsc},
};
use tokio_util::sync::CancellationToken;

/// Events waiting for the call; more are dropped.
const MAILBOX: usize = 64;
/// Digits waiting to be sent.
const MAX_DIGITS: usize = 32;

/// What happens on a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegEvent {
    /// The peer pressed a key; told once per press.
    Digit(char),
    /// A playback reached its end. A stopped or replaced one tells nothing.
    PlaybackEnded(PlaybackId),
}

/// The events of one leg; closed when the leg is.
pub type LegEvents = mpsc::Receiver<LegEvent>;

/// Counters of one leg.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LegStats {
    /// Packets accepted from the peer.
    pub received: u64,
    /// Packets sent to the peer.
    pub sent: u64,
    /// Packets the peer sent that did not come.
    pub lost: u64,
    /// Packets that came after a later one.
    pub late: u64,
    /// Packets from elsewhere than the peer.
    pub rejected: u64,
    /// Datagrams that were not RTP, or of a payload nobody agreed on.
    pub malformed: u64,
}

/// One side of a call's audio.
#[derive(Debug)]
pub struct Leg {
    shared: Arc<Shared>,
    session: Mutex<Session>,
    address: SocketAddr,
    lane: Lane,
    // Keeps the threads alive as long as the leg.
    _media: Media,
}

#[derive(Debug)]
struct Session {
    number: u32,
    version: u32,
    last: String,
    offered: Direction,
    agreed: Option<Negotiated>,
}

/// What the handle, the leg's task and the task of a bridged leg share.
#[derive(Debug)]
pub(crate) struct Shared {
    socket: UdpSocket,
    port: u16,
    ports: Arc<Ports>,
    incoming: Mutex<Incoming>,
    outlet: Mutex<Outlet>,
    player: Mutex<Player>,
    digits: Mutex<VecDeque<Event>>,
    route: Mutex<Option<Route>>,
    wake: Notify,
    closed: CancellationToken,
    opened: Instant,
    /// Milliseconds from `opened` to the last accepted packet.
    heard: AtomicU64,
    counts: Counts,
    all: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counts {
    received: AtomicU64,
    sent: AtomicU64,
    lost: AtomicU64,
    late: AtomicU64,
    rejected: AtomicU64,
    malformed: AtomicU64,
}

impl Leg {
    pub(crate) fn open(
        media: Media,
        lane: Lane,
        socket: std::net::UdpSocket,
        address: SocketAddr,
    ) -> Result<(Self, LegEvents), MediaError> {
        socket.set_nonblocking(true)?;
        let entered = media.handle(lane).enter();
        let socket = UdpSocket::from_std(socket)?;
        drop(entered);
        let (events, mailbox) = mpsc::channel(MAILBOX);
        let shared = Arc::new(Shared {
            socket,
            port: address.port(),
            ports: media.ports(),
            incoming: Mutex::default(),
            outlet: Mutex::new(Outlet::new(rand::random(), rand::random(), rand::random())),
            player: Mutex::default(),
            digits: Mutex::default(),
            route: Mutex::default(),
            wake: Notify::new(),
            closed: CancellationToken::new(),
            opened: Instant::now(),
            heard: AtomicU64::new(0),
            counts: Counts::default(),
            all: Arc::clone(media.counters()),
        });
        shared.all.legs.fetch_add(1, Relaxed);
        media
            .handle(lane)
            .spawn(task::run(Arc::clone(&shared), events));
        let session = Session {
            number: rand::random::<u32>() >> 1,
            version: 0,
            last: String::new(),
            offered: Direction::SendRecv,
            agreed: None,
        };
        Ok((
            Self {
                shared,
                session: Mutex::new(session),
                address,
                lane,
                _media: media,
            },
            mailbox,
        ))
    }

    /// The IP address the peer's signalling comes from: its media is believed to come from there too.
    pub(crate) fn expect(&self, peer: IpAddr) {
        self.shared.incoming.lock().expect(peer);
    }

    /// The address the peer is told to send to.
    pub fn local(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn lane(&self) -> Lane {
        self.lane
    }

    /// Our offer, `prefer` as first codec (A-law if not said). The version in `o=` grows when the text differs from the last.
    pub fn offer(&self, direction: Direction, prefer: Option<Codec>) -> String {
        let mut session = self.session.lock();
        session.offered = direction;
        let prefer = prefer.unwrap_or(Codec::Pcma);
        session.write(self.address, |local| sdp::offer(local, direction, prefer))
    }

    /// Takes a peer's offer (INVITE, re-INVITE, UPDATE), applies it, and gives the answer.
    ///
    /// # Errors
    /// See [`SdpError`]; nothing has changed then.
    pub fn answer(&self, offer: &[u8]) -> Result<String, SdpError> {
        let description = sdp::parse(offer)?;
        let mut session = self.session.lock();
        let agreed = description.negotiate(Direction::SendRecv)?;
        self.apply(&mut session, agreed)?;
        Ok(session.write(self.address, |local| {
            sdp::answer(local, &description.media, &agreed)
        }))
    }

    /// Takes the peer's answer to our last offer. The same answer may come twice (183 and 200).
    ///
    /// # Errors
    /// See [`SdpError`]; nothing has changed then.
    pub fn accept(&self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let mut session = self.session.lock();
        let agreed = sdp::parse(answer)?.negotiate(session.offered)?;
        self.apply(&mut session, agreed)?;
        Ok(agreed)
    }

    /// What was last agreed.
    pub fn negotiated(&self) -> Option<Negotiated> {
        self.session.lock().agreed
    }

    /// True when the peer has put us on hold.
    pub fn held_by_peer(&self) -> bool {
        self.negotiated().is_some_and(|agreed| agreed.hold)
    }

    /// Plays to the peer, instead of what was played before and of what a bridge brings.
    pub fn play(&self, playlist: Playlist, repeat: Repeat) -> PlaybackId {
        let mut player = self.shared.player.lock();
        let id = player.play(playlist, repeat);
        self.shared.outlet.lock().playing = true;
        drop(player);
        self.shared.wake.notify_one();
        id
    }

    /// Plays once over what is being played, which goes on afterwards.
    pub fn announce(&self, playlist: Playlist) -> PlaybackId {
        let mut player = self.shared.player.lock();
        let id = player.announce(playlist);
        self.shared.outlet.lock().playing = true;
        drop(player);
        self.shared.wake.notify_one();
        id
    }

    /// Stops playing. A bridge is heard again.
    pub fn stop(&self) {
        let mut player = self.shared.player.lock();
        player.stop();
        self.shared.outlet.lock().playing = false;
    }

    /// Sends a digit to the peer as telephone-event. What is no digit, or too many at once, is not sent; nor is anything to a
    /// peer that did not agree to telephone-events.
    pub fn send_digit(&self, digit: char) {
        let mut digits = self.shared.digits.lock();
        if digits.len() < MAX_DIGITS
            && let Some(event) = Event::of(digit)
        {
            digits.push_back(event);
            self.shared.wake.notify_one();
        }
    }

    /// Time since the last accepted packet, or since [`Leg::touch`], or since the leg was opened.
    pub fn silent_for(&self) -> Duration {
        let heard = Duration::from_millis(self.shared.heard.load(Relaxed));
        self.shared.opened.elapsed().saturating_sub(heard)
    }

    /// Begins the count of [`Leg::silent_for`] anew, for instance when a hold ends.
    pub fn touch(&self) {
        self.shared.heard();
    }

    /// Counters since the leg was opened.
    pub fn stats(&self) -> LegStats {
        let counts = &self.shared.counts;
        LegStats {
            received: counts.received.load(Relaxed),
            sent: counts.sent.load(Relaxed),
            lost: counts.lost.load(Relaxed),
            late: counts.late.load(Relaxed),
            rejected: counts.rejected.load(Relaxed),
            malformed: counts.malformed.load(Relaxed),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn apply(&self, session: &mut Session, agreed: Negotiated) -> Result<(), SdpError> {
        let away = agreed.remote.ip().is_unspecified();
        if !away && agreed.remote.is_ipv4() != self.address.is_ipv4() {
            return Err(SdpError::Unreachable);
        }
        self.shared.incoming.lock().agree(&agreed, !away);
        self.shared.outlet.lock().agree(&agreed, !away);
        session.agreed = Some(agreed);
        self.shared.wake.notify_one();
        Ok(())
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.shared.closed.cancel();
        self.shared.outlet.lock().close();
        *self.shared.route.lock() = None;
    }
}

impl Session {
    fn write(&mut self, address: SocketAddr, text: impl Fn(&Local) -> String) -> String {
        let mut local = Local {
            address,
            session: self.number,
            version: self.version,
        };
        let same = text(&local);
        if same == self.last {
            return same;
        }
        self.version += 1;
        local.version = self.version;
        self.last = text(&local);
        self.last.clone()
    }
}

impl Shared {
    /// Sends what comes from here to `route`, or nowhere.
    pub fn set_route(&self, route: Option<Route>) {
        *self.route.lock() = route;
    }

    /// Ends the route if it still is the given one.
    pub fn end_route(&self, number: u64) {
        let mut route = self.route.lock();
        if route.as_ref().is_some_and(|route| route.number == number) {
            *route = None;
        }
    }

    fn heard(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(millis, Relaxed);
    }

    fn count(&self, leg: &AtomicU64, all: &AtomicU64, by: u64) {
        leg.fetch_add(by, Relaxed);
        all.fetch_add(by, Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.all.legs.fetch_sub(1, Relaxed);
        self.ports.release(self.port, Instant::now());
    }
}
