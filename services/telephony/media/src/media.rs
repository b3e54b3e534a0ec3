//! The media of one process: its threads, its RTP ports, its recorder, its counters.
//!
//! Packets move on threads of their own ([`crate::lanes`]), so that neither database nor bus work delays them, and so that
//! legs may be opened and commanded from any thread, actix arbiters included.

use crate::{
    histogram::{Histogram, Times},
    lanes::{Lane, Lanes},
    leg::{Leg, LegEvents},
    ports::Ports,
    recorder::{Recorder, Recording},
    settings::MediaSettings,
};
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::runtime::Handle;

/// Why media could not be had.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// All RTP ports are in use.
    #[error("no RTP port is free: widen first_port..last_port")]
    NoPort,
    /// A setting is wrong.
    #[error("media settings: {0}")]
    Settings(String),
    /// The system refused a thread or a socket.
    #[error("media: {0}")]
    System(#[from] std::io::Error),
}

/// A handle to the media of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Media(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: MediaSettings,
    lanes: Lanes,
    ports: Arc<Ports>,
    recorder: Recorder,
    counters: Arc<Counters>,
}

/// What all legs count together.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub legs: AtomicU64,
    pub received: AtomicU64,
    pub sent: AtomicU64,
    pub lost: AtomicU64,
    pub rejected: AtomicU64,
    pub malformed: AtomicU64,
    pub relay: Histogram,
}

/// Figures of the media of this process, since its start unless said otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaStats {
    /// Legs open now.
    pub legs: u64,
    /// RTP packets taken.
    pub received: u64,
    /// RTP packets sent.
    pub sent: u64,
    /// Packets peers sent that never came.
    pub lost: u64,
    /// Packets of strangers.
    pub rejected: u64,
    /// Datagrams that were not RTP of an agreed payload.
    pub malformed: u64,
    /// From having a packet to having sent it on, in a bridge.
    pub relay: Times,
    /// Recordings being written now.
    pub recordings: u64,
    /// Packets not recorded because the disk did not keep up.
    pub recording_dropped: u64,
}

impl Media {
    /// Starts the threads. Legs live until dropped, also beyond this handle.
    ///
    /// # Errors
    /// [`MediaError::Settings`], [`MediaError::System`].
    pub fn start(settings: MediaSettings) -> Result<Self, MediaError> {
        settings.validate().map_err(MediaError::Settings)?;
        let threads = match settings.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let ports = Ports::new(
            settings.bind,
            settings.first_port,
            settings.last_port,
            rand::random::<u16>().into(),
        );
        Ok(Self(Arc::new(Inner {
            lanes: Lanes::start(threads)?,
            ports: Arc::new(ports),
            recorder: Recorder::start()?,
            counters: Arc::default(),
            settings,
        })))
    }

    /// Opens one leg of a call. `peer` is where its other side is, as far as known: it chooses the address that goes into SDP,
    /// and its media is believed to come from there.
    ///
    /// # Errors
    /// [`MediaError::NoPort`], [`MediaError::System`].
    pub fn open_leg(&self, peer: Option<IpAddr>) -> Result<(Leg, LegEvents), MediaError> {
        self.open_leg_on(self.0.lanes.next(), peer)
    }

    /// Opens another leg of the call that `leg` is of.
    ///
    /// # Errors
    /// As [`Media::open_leg`].
    pub fn open_leg_beside(
        &self,
        leg: &Leg,
        peer: Option<IpAddr>,
    ) -> Result<(Leg, LegEvents), MediaError> {
        self.open_leg_on(leg.lane(), peer)
    }

    fn open_leg_on(
        &self,
        lane: Lane,
        peer: Option<IpAddr>,
    ) -> Result<(Leg, LegEvents), MediaError> {
        let (socket, port) = self.0.ports.take(Instant::now())?;
        let address = SocketAddr::new(self.advertised(peer), port);
        let opened =
            Leg::open(self.clone(), lane, socket, address).inspect_err(|_| self.release(port))?;
        if let Some(peer) = peer {
            opened.0.expect(peer);
        }
        Ok(opened)
    }

    /// Begins a stereo recording, caller left, agent right. Returns at once; the file is made by the recorder's thread, and what
    /// goes wrong there is told by [`Recording::finish`].
    pub fn record(&self, path: PathBuf) -> Recording {
        self.0.recorder.record(path)
    }

    /// Figures for metrics.
    pub fn stats(&self) -> MediaStats {
        let counters = &self.0.counters;
        MediaStats {
            legs: counters.legs.load(Relaxed),
            received: counters.received.load(Relaxed),
            sent: counters.sent.load(Relaxed),
            lost: counters.lost.load(Relaxed),
            rejected: counters.rejected.load(Relaxed),
            malformed: counters.malformed.load(Relaxed),
            relay: counters.relay.times(),
            recordings: self.0.recorder.open(),
            recording_dropped: self.0.recorder.dropped(),
        }
    }

    pub(crate) fn handle(&self, lane: Lane) -> &Handle {
        self.0.lanes.handle(lane)
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    pub(crate) fn release(&self, port: u16) {
        self.0.ports.release(port, Instant::now());
    }

    pub(crate) fn ports(&self) -> Arc<Ports> {
        Arc::clone(&self.0.ports)
    }

    /// The address the peer should send to: the external one for peers outside, else the one this machine would speak to it from.
    fn advertised(&self, peer: Option<IpAddr>) -> IpAddr {
        let settings = &self.0.settings;
        let inside = peer.is_some_and(is_private);
        match settings.external {
            Some(external) if !inside => external,
            _ if !settings.bind.is_unspecified() => settings.bind,
            _ => route_to(peer)
                .or(settings.external)
                .unwrap_or(IpAddr::from([127, 0, 0, 1])),
        }
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Our address on the route to `peer`, or to the rest of the world. Asks the routing table; no packet is sent.
fn route_to(peer: Option<IpAddr>) -> Option<IpAddr> {
    let peer = peer.unwrap_or(IpAddr::from([192, 0, 2, 1]));
    let any = if peer.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect((peer, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}
