//! Whose packets a leg takes: latching to the real source of the media, following it when it moves, ignoring strangers.
//!
//! The address in SDP is often wrong behind NAT, so what comes from there or from the signalling peer's own IP address is
//! believed at once, and anybody else only when neither has spoken for [`PATIENCE`] (a carrier whose media comes from a third
//! machine). Later a new address is believed only while the old one is silent, and only if it carries on the same stream (a
//! NAT rebinding: its SSRC and sequence cannot be guessed) or is at a trusted IP address. Somebody who injects packets gets nothing.

use crate::rtp::Header;
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// Consecutive packets from a new address that carry on the stream.
const SAME_STREAM: u32 = 2;
/// Consecutive packets of a new stream from a trusted IP address.
const TRUSTED: u32 = 3;
/// Packets of somebody else before he is believed to be the peer.
const STRANGER: u32 = 5;
/// How long the old source must have been silent: three packets of 20 ms missing.
const SILENCE: Duration = Duration::from_millis(70);
/// How long somebody else must have been the only one to speak.
const PATIENCE: Duration = Duration::from_secs(1);
/// Whose packets are counted at once before one of them is believed, and how many of those may be at one IP address.
const CANDIDATES: usize = 4;
const AT_ONE_ADDRESS: usize = 2;
/// A candidate that has said nothing for so long gives way to another.
const QUIET: Duration = Duration::from_millis(200);
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
    peer: Option<IpAddr>,
    signalled: Option<SocketAddr>,
    source: Option<Source>,
    candidates: Vec<Candidate>,
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
    since: Instant,
    last: Instant,
}

impl Latch {
    /// The IP address the peer's signalling comes from.
    pub fn expect(&mut self, peer: IpAddr) {
        self.peer = Some(peer.to_canonical());
    }

    /// The peer says in SDP where it is. A changed address forgets the source: the next packet decides again.
    pub fn signal(&mut self, address: SocketAddr) {
        if self.signalled != Some(address) {
            self.signalled = Some(address);
            self.source = None;
            self.candidates.clear();
        }
    }

    /// Whether this is where the peer is known to send from.
    pub fn follows(&self, from: SocketAddr) -> bool {
        self.source.is_some_and(|source| source.address == from)
    }

    /// Judges a packet that came from `from`.
    pub fn observe(&mut self, from: SocketAddr, header: &Header, now: Instant) -> Verdict {
        let trusted = self.trusts(from.ip());
        let Some(mut source) = self.source else {
            let nobody_known = self.peer.is_none() && self.signalled.is_none();
            if trusted || nobody_known {
                return self.follow(from, header, now);
            }
            let candidate = self.seen(from, header, now);
            let waited = now.saturating_duration_since(candidate.since);
            if candidate.packets >= STRANGER && waited >= PATIENCE {
                return self.follow(from, header, now);
            }
            return Verdict::Reject;
        };
        if source.address == from {
            source.last = now;
            source.ssrc = header.ssrc;
            source.sequence = header.sequence;
            self.source = Some(source);
            self.candidates.clear();
            return Verdict::Accept;
        }
        // Somebody else was believed before the phone itself spoke.
        if self.signalled == Some(from) || (trusted && !self.trusts(source.address.ip())) {
            return self.follow(from, header, now);
        }
        let goes_on =
            header.ssrc == source.ssrc && header.sequence.wrapping_sub(source.sequence) < CONTINUES;
        let packets = match (goes_on, trusted || from.ip() == source.address.ip()) {
            (true, _) => SAME_STREAM,
            (false, true) => TRUSTED,
            // Not even remembered: he must not get in the way of a phone that moves.
            (false, false) => return Verdict::Reject,
        };
        let quiet = now.saturating_duration_since(source.last);
        if self.seen(from, header, now).packets >= packets && quiet >= SILENCE {
            return self.follow(from, header, now);
        }
        Verdict::Reject
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let signalled = self
            .signalled
            .map(|address| address.ip().to_canonical())
            .filter(|ip| !ip.is_unspecified());
        self.peer == Some(ip) || signalled == Some(ip)
    }

    /// Counts the packets of whoever may become the source.
    fn seen(&mut self, address: SocketAddr, header: &Header, now: Instant) -> Candidate {
        let known = self
            .candidates
            .iter_mut()
            .find(|known| known.address == address && known.ssrc == header.ssrc);
        if let Some(known) = known {
            known.packets += 1;
            known.last = now;
            return *known;
        }
        let candidate = Candidate {
            address,
            ssrc: header.ssrc,
            packets: 1,
            since: now,
            last: now,
        };
        match self.room(address.ip(), now) {
            Some(place) if place < self.candidates.len() => self.candidates[place] = candidate,
            Some(_) => self.candidates.push(candidate),
            None => {} // not remembered: he must not get in the way of who speaks steadily
        }
        candidate
    }

    /// Where a new candidate is kept: in a free place, or in that of a quiet one. Who begins a new stream with each packet
    /// only pushes out himself.
    fn room(&self, ip: IpAddr, now: Instant) -> Option<usize> {
        let all = || self.candidates.iter().enumerate();
        let own = || all().filter(|(_, known)| known.address.ip() == ip);
        if own().count() >= AT_ONE_ADDRESS {
            return own().min_by_key(|(_, known)| known.packets).map(|(i, _)| i);
        }
        if self.candidates.len() < CANDIDATES {
            return Some(self.candidates.len());
        }
        all()
            .filter(|(_, known)| now.saturating_duration_since(known.last) >= QUIET)
            .min_by_key(|(_, known)| known.last)
            .map(|(i, _)| i)
    }

    fn follow(&mut self, address: SocketAddr, header: &Header, now: Instant) -> Verdict {
        self.candidates.clear();
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
    use proptest::prelude::*;

    const PHONE: &str = "192.0.2.7:4000";
    const REBOUND: &str = "192.0.2.7:4010";
    const ELSEWHERE: &str = "203.0.113.9:9";
    const ATTACKER: &str = "198.51.100.66:6666";

    struct Play {
        latch: Latch,
        now: Instant,
        sequence: u16,
    }

    impl Play {
        /// The phone's SDP and its signalling name its address.
        fn start() -> Self {
            let mut play = Self::blind();
            play.latch.signal(PHONE.parse().unwrap());
            play
        }

        fn blind() -> Self {
            Self {
                latch: Latch::default(),
                now: Instant::now(),
                sequence: 0,
            }
        }

        fn packet(&mut self, from: &str, ssrc: u32, millis: u64) -> Verdict {
            self.sequence = self.sequence.wrapping_add(1);
            self.sequenced(from, ssrc, self.sequence, millis)
        }

        fn sequenced(&mut self, from: &str, ssrc: u32, sequence: u16, millis: u64) -> Verdict {
            self.now += Duration::from_millis(millis);
            let header = Header {
                payload: 8,
                marker: false,
                sequence,
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
    fn the_phone_is_believed_at_once_and_a_third_machine_after_a_second() {
        let mut play = Play::start();
        assert_eq!(play.packet(ATTACKER, 1, 20), Verdict::Reject);
        assert_eq!(play.packet(REBOUND, 2, 20), Verdict::Moved);
        assert_eq!(play.packet(ATTACKER, 1, 20), Verdict::Reject);

        let mut play = Play::start();
        play.latch.expect("203.0.113.9".parse().unwrap());
        assert_eq!(play.packet(ELSEWHERE, 1, 20), Verdict::Moved);

        let mut play = Play::start();
        let after = play.until_moved(ELSEWHERE, 1).unwrap();
        assert!((1_000..=1_100).contains(&after), "{after} ms");
        assert_eq!(play.packet(PHONE, 2, 20), Verdict::Moved);
        assert_eq!(play.packet(ELSEWHERE, 1, 20), Verdict::Reject);
    }

    #[test]
    fn without_a_word_of_where_the_peer_is_the_first_packet_decides() {
        let mut play = Play::blind();
        assert_eq!(play.packet(ELSEWHERE, 1, 20), Verdict::Moved);
    }

    #[test]
    fn a_rebound_phone_is_followed_within_a_second() {
        for (address, ssrc) in [(REBOUND, 2), (REBOUND, 3), (ELSEWHERE, 2)] {
            let mut play = Play::start();
            play.packet(PHONE, 2, 20);
            let after = play.until_moved(address, ssrc).unwrap();
            assert!(after <= 400, "{address} {ssrc}: {after} ms");
        }
    }

    #[test]
    fn a_stranger_with_a_stream_of_his_own_is_never_followed() {
        let mut play = Play::start();
        play.packet(PHONE, 2, 20);
        assert_eq!(play.until_moved(ATTACKER, 4), None);
    }

    #[test]
    fn a_rebound_phone_is_followed_through_a_flood_of_a_strangers_packets() {
        let mut play = Play::start();
        play.packet(PHONE, 2, 20);
        let moved = (2..50).find(|sequence| {
            for _ in 0..20 {
                assert_eq!(play.sequenced(ATTACKER, 66, 7, 1), Verdict::Reject);
            }
            play.sequenced(ELSEWHERE, 2, *sequence, 0) == Verdict::Moved
        });
        assert!(moved.is_some_and(|packets| packets <= 20), "{moved:?}");
    }

    #[test]
    fn a_sprayer_does_not_keep_a_third_machine_from_being_believed() {
        for sprayers in [
            &[ATTACKER][..],
            &[ATTACKER, "198.51.100.67:1", "198.51.100.68:1"],
        ] {
            let mut play = Play::start();
            let mut ssrc = 100;
            let after = (1..100).find(|_| {
                for from in sprayers {
                    ssrc += 1;
                    assert_eq!(play.packet(from, ssrc, 1), Verdict::Reject);
                }
                play.packet(ELSEWHERE, 1, 17) == Verdict::Moved
            });
            assert!(after.is_some_and(|packets| packets <= 60), "{after:?}");
        }
    }

    #[test]
    fn candidates_that_stay_silent_give_way() {
        let mut play = Play::start();
        for n in 0..4 {
            play.packet(&format!("198.51.100.{n}:9"), n, 1);
        }
        assert!(play.until_moved(ELSEWHERE, 9).is_some_and(|ms| ms <= 1_300));
    }

    #[test]
    fn a_stranger_gets_nothing_while_the_phone_sends() {
        let mut play = Play::start();
        play.packet(PHONE, 2, 20);
        for _ in 0..200 {
            for ssrc in [2, 99] {
                assert_eq!(play.packet(ATTACKER, ssrc, 1), Verdict::Reject);
                assert_eq!(play.packet(REBOUND, ssrc, 1), Verdict::Reject);
            }
            assert_eq!(play.packet(PHONE, 2, 16), Verdict::Accept);
        }
    }

    proptest! {
        /// However many sources and streams somebody invents, only a few are remembered.
        #[test]
        fn candidates_are_bounded(packets in proptest::collection::vec((any::<[u8; 4]>(), any::<u32>(), 0u64..300), 1..100)) {
            let mut play = Play::start();
            for (ip, ssrc, millis) in packets {
                play.packet(&SocketAddr::from((ip, 9)).to_string(), ssrc, millis);
                prop_assert!(play.latch.candidates.len() <= CANDIDATES);
            }
        }

        /// Whatever an attacker sends who cannot see the stream, before and after the phone speaks: nothing is sent to him
        /// once it has spoken, however long it is silent.
        #[test]
        fn no_attacker_takes_a_call_over(
            before in proptest::collection::vec((any::<u32>(), 0u64..40), 0..20),
            steps in proptest::collection::vec((any::<bool>(), any::<u32>(), any::<u16>(), 0u64..3_000), 1..200),
        ) {
            const SSRC: u32 = 0x5eed_5eed;
            let mut play = Play::start();
            for (ssrc, millis) in before {
                play.packet(ATTACKER, ssrc, millis);
            }
            let mut sequence = 0;
            prop_assert!(play.sequenced(PHONE, SSRC, sequence, 20) != Verdict::Reject);
            for (phone, ssrc, guessed, millis) in steps {
                if phone {
                    sequence += 1;
                    prop_assert_eq!(play.sequenced(PHONE, SSRC, sequence, millis), Verdict::Accept);
                } else if ssrc != SSRC {
                    prop_assert_eq!(play.sequenced(ATTACKER, ssrc, guessed, millis), Verdict::Reject);
                }
            }
        }
    }
}
