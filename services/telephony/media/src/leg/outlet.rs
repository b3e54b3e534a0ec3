//! The sending half of a leg: where to, in which codec and packet length, and under which numbers.

use crate::{
    codec::{Codec, FRAME},
    outgoing::Outgoing,
    rtp::{self, Header, MAX_PACKET, MAX_PAYLOAD},
    sdp::Negotiated,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

/// State of the sending half.
#[derive(Debug)]
pub(super) struct Outlet {
    stream: Outgoing,
    signalled: Option<SocketAddr>,
    target: Option<SocketAddr>,
    payload: u8,
    codec: Codec,
    dtmf_payload: Option<u8>,
    frame: usize,
    sends: bool,
    agreed: bool,
    /// A playback has the line, a bridge has not.
    pub playing: bool,
    /// A digit has the line.
    pub dialling: bool,
    cutter: Cutter,
    packet: Box<[u8; MAX_PACKET]>,
}

/// Cuts a stream into packets of another length.
#[derive(Debug, Default)]
struct Cutter {
    samples: Vec<u8>,
    ssrc: u32,
    timestamp: u32,
}

impl Outlet {
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            stream: Outgoing::new(ssrc, sequence, timestamp),
            signalled: None,
            target: None,
            payload: Codec::Pcma.payload(),
            codec: Codec::Pcma,
            dtmf_payload: None,
            frame: FRAME,
            sends: false,
            agreed: false,
            playing: false,
            dialling: false,
            cutter: Cutter::default(),
            packet: Box::new([0; MAX_PACKET]),
        }
    }

    pub fn agree(&mut self, agreed: &Negotiated, reachable: bool) {
        // A repeated address must not undo the latching to the real one.
        if reachable && self.signalled != Some(agreed.remote) {
            self.signalled = Some(agreed.remote);
            self.target = Some(agreed.remote);
        }
        self.agreed = true;
        self.payload = agreed.payload;
        self.codec = agreed.codec;
        self.dtmf_payload = agreed.dtmf_payload;
        self.frame = samples(agreed.ptime);
        self.sends = agreed.direction.sends() && reachable;
    }

    /// The peer's packets come from here.
    pub fn retarget(&mut self, target: SocketAddr) {
        self.target = Some(target);
    }

    pub fn close(&mut self) {
        self.target = None;
        self.agreed = false;
    }

    /// The codec to fill a frame in; `None` while nothing is agreed.
    pub fn codec(&self) -> Option<Codec> {
        self.agreed.then_some(self.codec)
    }

    /// Sends 20 ms of our own. Gives the number of packets that left.
    pub fn own(&mut self, socket: &UdpSocket, samples: &[u8], now: Instant) -> u64 {
        if !self.sends {
            self.stream.pause();
            return 0;
        }
        let header = self.stream.next(self.payload, samples.len() as u32, now);
        self.send(socket, &header, samples)
    }

    /// Sends one packet of a digit.
    pub fn event(
        &mut self,
        socket: &UdpSocket,
        payload: [u8; 4],
        starts: bool,
        now: Instant,
    ) -> u64 {
        let (true, Some(number)) = (self.sends, self.dtmf_payload) else {
            return 0;
        };
        let header = if starts {
            Header {
                marker: true,
                ..self.stream.next(number, FRAME as u32, now)
            }
        } else {
            self.stream.same_moment(number, now)
        };
        self.send(socket, &header, &payload)
    }

    /// Passes on voice of the other leg of a bridge.
    pub fn voice(
        &mut self,
        socket: &UdpSocket,
        header: &Header,
        codec: Codec,
        payload: &[u8],
        now: Instant,
    ) -> u64 {
        if !self.open_for_bridge() || payload.is_empty() || payload.len() > MAX_PAYLOAD {
            return 0;
        }
        let mut transcoded = [0; MAX_PAYLOAD];
        let payload = match codec.transcoding(self.codec) {
            Some(table) => {
                let into = &mut transcoded[..payload.len()];
                into.iter_mut()
                    .zip(payload)
                    .for_each(|(to, from)| *to = table[usize::from(*from)]);
                &*into
            }
            None => payload,
        };
        if payload.len() == self.frame && self.cutter.samples.is_empty() {
            return match self.stream.forward(header, self.payload, now) {
                Some(header) => self.send(socket, &header, payload),
                None => 0,
            };
        }
        self.cut(socket, header, payload, now)
    }

    /// Passes on a telephone-event of the other leg of a bridge.
    pub fn foreign_event(
        &mut self,
        socket: &UdpSocket,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> u64 {
        let (true, Some(number), true) = (
            self.open_for_bridge(),
            self.dtmf_payload,
            payload.len() <= 64,
        ) else {
            return 0;
        };
        match self.stream.forward(header, number, now) {
            Some(header) => self.send(socket, &header, payload),
            None => 0,
        }
    }

    fn open_for_bridge(&mut self) -> bool {
        let open = self.sends && !self.playing && !self.dialling && self.target.is_some();
        if !open {
            self.stream.pause();
            self.cutter.samples.clear();
        }
        open
    }

    fn cut(&mut self, socket: &UdpSocket, header: &Header, payload: &[u8], now: Instant) -> u64 {
        let mut cutter = std::mem::take(&mut self.cutter);
        let follows = cutter.ssrc == header.ssrc
            && cutter.timestamp.wrapping_add(cutter.samples.len() as u32) == header.timestamp;
        if !follows {
            cutter.samples.clear();
            cutter.ssrc = header.ssrc;
            cutter.timestamp = header.timestamp;
        }
        cutter.samples.extend_from_slice(payload);
        let mut sent = 0;
        let mut at = 0;
        while cutter.samples.len() - at >= self.frame {
            let from = Header {
                timestamp: cutter.timestamp,
                ..*header
            };
            let header = self.stream.recut(&from, self.payload, now);
            sent += self.send(socket, &header, &cutter.samples[at..at + self.frame]);
            at += self.frame;
            cutter.timestamp = cutter.timestamp.wrapping_add(self.frame as u32);
        }
        cutter.samples.drain(..at);
        self.cutter = cutter;
        sent
    }

    fn send(&mut self, socket: &UdpSocket, header: &Header, payload: &[u8]) -> u64 {
        let Some(target) = self.target else { return 0 };
        let length = rtp::write(&mut self.packet, header, payload);
        // A full socket buffer drops the packet, as a full network would.
        u64::from(socket.try_send_to(&self.packet[..length], target).is_ok())
    }
}

fn samples(ptime: Duration) -> usize {
    let samples = usize::try_from(ptime.as_millis()).unwrap_or(20) * 8;
    samples.clamp(80, 800)
}
