//! The receiving half of a leg: whose packets count, what they carry, and what was lost.

use crate::{
    codec::Codec,
    dtmf::Digits,
    latch::{Latch, Verdict},
    rtp::Header,
    sdp::Negotiated,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

/// Steps of the sequence number that are a new beginning, not a loss.
const RESTART: u16 = 1_000;

/// Comfort noise (RFC 3389): what a peer sends in place of silence, agreed on or not.
const COMFORT_NOISE: u8 = 13;

/// State of the receiving half.
#[derive(Debug)]
pub(super) struct Incoming {
    latch: Latch,
    digits: Digits,
    payload: Option<(u8, Codec)>,
    dtmf_payload: Option<u8>,
    receives: bool,
    newest: Option<(u32, u16)>,
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Voice(Codec),
    /// A telephone-event; the digit when it is the first packet of it.
    Event(Option<char>),
    /// Comfort noise: the peer is there and says nothing.
    Silence,
    /// Of the right sender, but we agreed not to hear him now.
    Unwanted,
}

/// What was learnt from one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    pub content: Content,
    /// The peer sends from here now.
    pub moved: bool,
    pub lost: u16,
    pub late: bool,
}

/// Why a packet was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Stranger,
    Payload,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            latch: Latch::default(),
            digits: Digits::default(),
            payload: None,
            dtmf_payload: None,
            receives: true,
            newest: None,
        }
    }
}

impl Incoming {
    pub fn agree(&mut self, agreed: &Negotiated, reachable: bool) {
        if reachable {
            self.latch.signal(agreed.remote);
        }
        self.payload = Some((agreed.payload, agreed.codec));
        self.dtmf_payload = agreed.dtmf_payload;
        self.receives = agreed.direction.receives();
    }

    /// The IP address the peer's signalling comes from.
    pub fn expect(&mut self, peer: IpAddr) {
        self.latch.expect(peer);
    }

    pub fn packet(
        &mut self,
        from: SocketAddr,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Heard, Refused> {
        if header.payload == COMFORT_NOISE {
            return self.comfort_noise(from, header, now);
        }
        let event = self.dtmf_payload == Some(header.payload);
        let codec = match self.payload {
            Some((number, codec)) if number == header.payload => Some(codec),
            _ => Codec::from_payload(header.payload),
        };
        if !event && codec.is_none() {
            return Err(Refused::Payload);
        }
        let verdict = self.latch.observe(from, header, now);
        if verdict == Verdict::Reject {
            return Err(Refused::Stranger);
        }
        let (lost, late) = self.step(header);
        let content = match codec {
            _ if event => Content::Event(self.digits.observe(header, payload)),
            Some(codec) if self.receives => Content::Voice(codec),
            _ => Content::Unwanted,
        };
        Ok(Heard {
            content,
            moved: verdict == Verdict::Moved,
            lost,
            late,
        })
    }

    /// Noise alone makes nobody the peer, but it says that the peer is still there.
    fn comfort_noise(
        &mut self,
        from: SocketAddr,
        header: &Header,
        now: Instant,
    ) -> Result<Heard, Refused> {
        if !self.latch.follows(from) {
            return Err(Refused::Stranger);
        }
        self.latch.observe(from, header, now);
        let (lost, late) = self.step(header);
        Ok(Heard {
            content: Content::Silence,
            moved: false,
            lost,
            late,
        })
    }

    /// Packets missing before this one, and whether it came after a later one.
    fn step(&mut self, header: &Header) -> (u16, bool) {
        let newest = self.newest.replace((header.ssrc, header.sequence));
        let Some((ssrc, sequence)) = newest.filter(|(ssrc, _)| *ssrc == header.ssrc) else {
            return (0, false);
        };
        let ahead = header.sequence.wrapping_sub(sequence);
        let behind = sequence.wrapping_sub(header.sequence);
        if behind < RESTART {
            self.newest = Some((ssrc, sequence));
            (0, true)
        } else if ahead < RESTART {
            (ahead - 1, false)
        } else {
            (0, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16) -> Header {
        Header {
            payload: 0,
            marker: false,
            sequence,
            timestamp: 0,
            ssrc: 4,
        }
    }

    #[test]
    fn losses_and_late_packets_are_told_apart() {
        let mut incoming = Incoming::default();
        let steps = [65_534, 65_535, 2, 0, 3, 20_000, 20_001];
        let seen: Vec<_> = steps.iter().map(|n| incoming.step(&packet(*n))).collect();
        let expected = [
            (0, false),
            (0, false),
            (2, false),
            (0, true),
            (0, false),
            (0, false),
            (0, false),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn comfort_noise_is_heard_of_the_peer_alone() {
        let mut incoming = Incoming::default();
        let noise = |sequence| Header {
            payload: COMFORT_NOISE,
            ..packet(sequence)
        };
        let (peer, other) = (
            "192.0.2.1:1".parse().unwrap(),
            "192.0.2.2:1".parse().unwrap(),
        );
        let now = Instant::now();
        let early = incoming.packet(peer, &noise(1), &[40], now);
        assert_eq!(early, Err(Refused::Stranger));
        assert!(incoming.packet(peer, &packet(2), &[0; 160], now).is_ok());
        let heard = incoming.packet(peer, &noise(3), &[40], now).unwrap();
        assert_eq!((heard.content, heard.lost), (Content::Silence, 0));
        let forged = incoming.packet(other, &noise(4), &[40], now);
        assert_eq!(forged, Err(Refused::Stranger));
        let next = incoming.packet(peer, &packet(4), &[0; 160], now).unwrap();
        assert_eq!(next.lost, 0);
    }

    #[test]
    fn payloads_nobody_agreed_on_are_refused_before_they_latch() {
        let mut incoming = Incoming::default();
        let from = "192.0.2.1:1".parse().unwrap();
        let header = Header {
            payload: 96,
            ..packet(1)
        };
        assert_eq!(
            incoming.packet(from, &header, &[], Instant::now()),
            Err(Refused::Payload)
        );
    }
}
