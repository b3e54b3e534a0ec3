//! Whose packets a leg takes: latching to the real source of the media, following it when it moves, ignoring strangers.
//!
//! The address in SDP is often wrong behind NAT, so the first packet decides, softly while it comes from elsewhere than SDP says.
//! Later a new address is believed only while the old one is silent: at once-ish when the stream goes on under the same
//! SSRC (a NAT rebinding), after more packets otherwise. Somebody who injects packets while the phone still sends gets nothing.

use crate::rtp::Header;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Consecutive packets from a new address that carry on the stream.
const SAME_STREAM: u32 = 2;
/// Consecutive packets of a new stream from a new port of the same address.
const SAME_ADDRESS: u32 = 3;
/// Consecutive packets of a new stream from elsewhere.
const STRANGER: u32 = 5;
/// How long the old source must have been silent in the first two cases: three packets of 20 ms missing.
const SHORT_SILENCE: Duration = Duration::from_millis(70);
/// How long it must have been silent for a stranger.
const LONG_SILENCE: Duration = Duration::from_millis(300);
/// Steps of the sequence number that count as the same stream going on.
const CONTINUES: u16 = 500;

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// From the source.
    Accept,
    /// The first one, or the source has moved: send there from now on.
    Moved,
    /// From somebody else.
    Reject,
}

/// The source of one leg's media.
#[derive(Debug, Default)]
pub struct Latch {
    signalled: Option<SocketAddr>,
    source: Option<Source>,
    candidate: Option<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Source {
    address: SocketAddr,
    last: Instant,
    ssrc: u32,
    sequence: u16,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    packets: u32,
}

impl Latch {
    /// The peer says in SDP where it is. A changed address forgets the source: the next packet decides again.
    pub fn signal(&mut self, address: SocketAddr) {
        if self.signalled != Some(address) {
            self.signalled = Some(address);
            self.source = None;
            self.candidate = None;
        }
    }

    /// Judges a packet that came from `from`.
    pub fn observe(&mut self, from: SocketAddr, header: &Header, now: Instant) -> Verdict {
        let Some(source) = &mut self.source else {
            return self.follow(from, header, now);
        };
        if source.address == from {
            source.last = now;
            source.ssrc = header.ssrc;
            source.sequence = header.sequence;
            self.candidate = None;
            return Verdict::Accept;
        }
        if self.signalled == Some(from) {
            // Latched softly to somebody else before the phone at its promised address spoke.
            return self.follow(from, header, now);
        }
        let goes_on =
            header.ssrc == source.ssrc && header.sequence.wrapping_sub(source.sequence) < CONTINUES;
        let (packets, silence) = match (goes_on, from.ip() == source.address.ip()) {
            (true, _) => (SAME_STREAM, SHORT_SILENCE),
            (false, true) => (SAME_ADDRESS, SHORT_SILENCE),
            (false, false) => (STRANGER, LONG_SILENCE),
        };
        let quiet = now.saturating_duration_since(source.last);
        let candidate = self
            .candidate
            .filter(|candidate| candidate.address == from && candidate.ssrc == header.ssrc);
        let seen = candidate.map_or(0, |candidate| candidate.packets) + 1;
        if seen >= packets && quiet >= silence {
            return self.follow(from, header, now);
        }
        self.candidate = Some(Candidate {
            address: from,
            ssrc: header.ssrc,
            packets: seen,
        });
        Verdict::Reject
    }

    fn follow(&mut self, address: SocketAddr, header: &Header, now: Instant) -> Verdict {
        self.candidate = None;
        self.source = Some(Source {
            address,
            last: now,
            ssrc: header.ssrc,
            sequence: header.sequence,
        });
        Verdict::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "192.0.2.7:4000";
    const REBOUND: &str = "192.0.2.7:4010";
    const STRANGER_AT: &str = "203.0.113.9:9";

    struct Play {
        latch: Latch,
        now: Instant,
        sequence: u16,
    }

    impl Play {
        fn start() -> Self {
            Self {
                latch: Latch::default(),
                now: Instant::now(),
                sequence: 0,
            }
        }

        fn packet(&mut self, from: &str, ssrc: u32, millis: u64) -> Verdict {
            self.now += Duration::from_millis(millis);
            self.sequence = self.sequence.wrapping_add(1);
            let header = Header {
                payload: 8,
                marker: false,
                sequence: self.sequence,
                timestamp: 0,
                ssrc,
            };
            self.latch.observe(from.parse().unwrap(), &header, self.now)
        }

        fn until_moved(&mut self, from: &str, ssrc: u32) -> Option<u64> {
            (1..=100)
                .find(|_| self.packet(from, ssrc, 20) == Verdict::Moved)
                .map(|n| n * 20)
        }
    }

    #[test]
    fn the_first_packet_decides_until_the_promised_address_speaks() {
        let mut play = Play::start();
        play.latch.signal(PHONE.parse().unwrap());
        assert_eq!(play.packet(STRANGER_AT, 1, 20), Verdict::Moved);
        assert_eq!(play.packet(PHONE, 2, 20), Verdict::Moved);
        assert_eq!(play.packet(STRANGER_AT, 1, 20), Verdict::Reject);
        assert_eq!(play.packet(PHONE, 2, 20), Verdict::Accept);
    }

    #[test]
    fn a_rebound_phone_is_followed_within_a_second() {
        for (address, ssrc) in [
            (REBOUND, 2),
            (REBOUND, 3),
            (STRANGER_AT, 2),
            (STRANGER_AT, 4),
        ] {
            let mut play = Play::start();
            play.packet(PHONE, 2, 20);
            let after = play.until_moved(address, ssrc).unwrap();
            assert!(after <= 400, "{address} {ssrc}: {after} ms");
        }
    }

    #[test]
    fn a_stranger_gets_nothing_while_the_phone_sends() {
        let mut play = Play::start();
        play.packet(PHONE, 2, 20);
        for _ in 0..200 {
            for ssrc in [2, 99] {
                assert_eq!(play.packet(STRANGER_AT, ssrc, 1), Verdict::Reject);
                assert_eq!(play.packet(REBOUND, ssrc, 1), Verdict::Reject);
            }
            assert_eq!(play.packet(PHONE, 2, 16), Verdict::Accept);
        }
    }
}
