//! One outgoing RTP stream: a single SSRC with continuous sequence numbers and timestamps, whatever feeds it (a clip, the other
//! leg of a bridge, digits). A change of source costs the listener a marker bit and nothing else.

use crate::rtp::Header;
use std::time::Instant;

/// Jumps of the source larger than this are a new beginning, not a loss.
const RESTART: i32 = 1_000;

/// Numbers the packets of one outgoing stream.
#[derive(Debug)]
pub struct Outgoing {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    last_sent: Option<Instant>,
    source: Option<Source>,
}

/// How the numbers of the forwarded stream map to ours.
#[derive(Debug)]
struct Source {
    ssrc: u32,
    newest: u16,
    sequence_offset: u16,
    timestamp_offset: u32,
    /// How far our numbers have grown since the switch.
    grown: u16,
}

impl Outgoing {
    /// A stream of the given identity, its numbers starting as given (RFC 3550 §5.1 wants them random).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            last_sent: None,
            source: None,
        }
    }

    /// The header under which a packet of another stream leaves here. Losses and reordering of the source stay visible.
    /// `None`: it belongs before the moment the source was switched to us and would collide with what was sent.
    pub fn forward(&mut self, from: &Header, payload: u8, now: Instant) -> Option<Header> {
        let mut marker = from.marker;
        let continues = self.source.as_ref().is_some_and(|source| {
            let step = i32::from(from.sequence.wrapping_sub(source.newest) as i16);
            source.ssrc == from.ssrc && step.abs() < RESTART
        });
        if !continues {
            let timestamp = self.timestamp.wrapping_add(self.gap(now));
            self.source = Some(Source {
                ssrc: from.ssrc,
                newest: from.sequence,
                sequence_offset: self.sequence.wrapping_add(1).wrapping_sub(from.sequence),
                timestamp_offset: timestamp.wrapping_sub(from.timestamp),
                grown: 0,
            });
            self.sequence = self.sequence.wrapping_add(1);
            self.timestamp = timestamp;
            marker = true;
        }
        let source = self.source.as_mut()?;
        let sequence = from.sequence.wrapping_add(source.sequence_offset);
        let timestamp = from.timestamp.wrapping_add(source.timestamp_offset);
        let ahead = sequence.wrapping_sub(self.sequence) as i16;
        if ahead > 0 {
            source.newest = from.sequence;
            source.grown = source.grown.saturating_add(ahead.unsigned_abs());
            self.sequence = sequence;
            self.timestamp = timestamp;
        } else if ahead.unsigned_abs() > source.grown {
            return None;
        }
        self.last_sent = Some(now);
        Some(Header {
            payload,
            marker,
            sequence,
            timestamp,
            ssrc: self.ssrc,
        })
    }

    /// The header of a packet with numbers of our own making, `samples` after the one before.
    pub fn next(&mut self, payload: u8, samples: u32, now: Instant) -> Header {
        let marker = self.last_sent.is_none() || self.source.take().is_some();
        let step = if marker { self.gap(now) } else { samples };
        self.timestamp = self.timestamp.wrapping_add(step);
        self.numbered(payload, marker, now)
    }

    /// A packet re-cut from a forwarded stream: our own sequence, the timestamp `from` mapped to ours.
    pub fn recut(&mut self, from: &Header, payload: u8, now: Instant) -> Header {
        let known = self
            .source
            .as_ref()
            .filter(|source| source.ssrc == from.ssrc);
        let mapped = known.map(|source| from.timestamp.wrapping_add(source.timestamp_offset));
        let marker = match mapped {
            Some(timestamp) => {
                self.timestamp = timestamp;
                from.marker
            }
            None => {
                self.timestamp = self.timestamp.wrapping_add(self.gap(now));
                true
            }
        };
        let header = self.numbered(payload, marker, now);
        // Sequence numbers of the source mean nothing here; a later direct forward starts from the newest.
        self.source = Some(Source {
            ssrc: from.ssrc,
            newest: from.sequence,
            sequence_offset: header.sequence.wrapping_sub(from.sequence),
            timestamp_offset: header.timestamp.wrapping_sub(from.timestamp),
            grown: 0,
        });
        header
    }

    /// One more packet of the same event: the sequence goes on, the timestamp stays (RFC 4733 §2.5.1.2).
    pub fn same_moment(&mut self, payload: u8, now: Instant) -> Header {
        self.numbered(payload, false, now)
    }

    /// The source was silenced on purpose: what comes next from it starts anew and is not seen as loss.
    pub fn pause(&mut self) {
        self.source = None;
    }

    fn numbered(&mut self, payload: u8, marker: bool, now: Instant) -> Header {
        self.sequence = self.sequence.wrapping_add(1);
        self.last_sent = Some(now);
        Header {
            payload,
            marker,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        }
    }

    /// Samples since the last packet, at least one frame.
    fn gap(&self, now: Instant) -> u32 {
        let Some(last) = self.last_sent else { return 0 };
        let millis = now
            .saturating_duration_since(last)
            .as_millis()
            .min(3_600_000);
        (millis as u32 * 8).max(160)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn from(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header {
            payload: 0,
            marker: false,
            sequence,
            timestamp,
            ssrc,
        }
    }

    #[test]
    fn changes_of_source_keep_one_stream() {
        let mut now = Instant::now();
        let mut out = Outgoing::new(1, 65_533, u32::MAX - 200);
        let first = out.next(8, 160, now);
        now += Duration::from_millis(20);
        let second = out.next(8, 160, now);
        assert_eq!((first.marker, second.marker), (true, false));
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 160);
        now += Duration::from_millis(100);
        let bridged = out.forward(&from(77, 9, 5_000), 8, now).unwrap();
        assert!(bridged.marker && bridged.ssrc == 1);
        assert_eq!(bridged.sequence.wrapping_sub(second.sequence), 1);
        assert_eq!(bridged.timestamp.wrapping_sub(second.timestamp), 800);
        let after_loss = out.forward(&from(77, 12, 5_480), 8, now).unwrap();
        assert_eq!(after_loss.sequence.wrapping_sub(bridged.sequence), 3);
        assert_eq!(after_loss.timestamp.wrapping_sub(bridged.timestamp), 480);
        let late = out.forward(&from(77, 11, 5_320), 8, now).unwrap();
        assert_eq!(late.sequence.wrapping_sub(bridged.sequence), 2);
        assert_eq!(
            out.forward(&from(77, 8, 4_840), 8, now),
            None,
            "sent before the switch"
        );
        let again = out.next(8, 160, now);
        assert_eq!(again.sequence.wrapping_sub(after_loss.sequence), 1);
        assert!(again.marker);
    }

    #[test]
    fn a_pause_is_not_seen_as_loss() {
        let now = Instant::now();
        let mut out = Outgoing::new(1, 0, 0);
        let before = out.forward(&from(5, 100, 0), 8, now).unwrap();
        out.pause();
        let later = now + Duration::from_secs(3);
        let after = out.forward(&from(5, 250, 24_000), 8, later).unwrap();
        assert_eq!(after.sequence.wrapping_sub(before.sequence), 1);
        assert_eq!(after.timestamp.wrapping_sub(before.timestamp), 24_000);
        assert!(after.marker);
    }
}
