//! One channel of a recording: packets placed on the time line by their RTP timestamps.
//!
//! The first packet is placed where it arrived, the following relative to it, so that jitter vanishes and loss or hold becomes
//! silence. A stream whose timestamps run more than a second away from the arrivals, or a new stream, is placed anew.

use super::Packet;

/// Samples between arrival and place by timestamp before the anchor is thrown away.
const DRIFT: i64 = 8_000;

/// The not yet written end of one channel.
#[derive(Debug, Default)]
pub(super) struct Track {
    samples: Vec<i16>,
    /// Position of `samples[0]` in the recording.
    start: usize,
    anchor: Option<Anchor>,
    packets: u64,
}

#[derive(Debug, Clone, Copy)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Track {
    /// Puts a packet in its place. What lies before the part already written is lost.
    pub fn place(&mut self, packet: &Packet, payload: &[u8]) {
        let arrived = i64::try_from(packet.arrived.as_millis()).unwrap_or(i64::MAX / 8) * 8;
        let by_timestamp = self
            .anchor
            .filter(|anchor| anchor.ssrc == packet.ssrc)
            .map(|anchor| {
                // The difference is signed: packets may be late.
                let ahead = packet.timestamp.wrapping_sub(anchor.timestamp) as i32;
                anchor.position + i64::from(ahead)
            });
        let position = by_timestamp.filter(|position| (position - arrived).abs() < DRIFT);
        let position = position.unwrap_or(arrived);
        self.anchor = Some(Anchor {
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            position,
        });
        self.packets += 1;
        let from = position - self.start as i64;
        let skipped = usize::try_from(-from.min(0))
            .unwrap_or(usize::MAX)
            .min(payload.len());
        let from = usize::try_from(from.max(0)).unwrap_or(0);
        let payload = &payload[skipped..];
        let end = from + payload.len();
        if self.samples.len() < end {
            self.samples.resize(end, 0);
        }
        for (sample, byte) in self.samples[from..end].iter_mut().zip(payload) {
            *sample = packet.codec.decode(*byte);
        }
    }

    /// Packets placed.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Position after the last sample.
    pub fn end(&self) -> usize {
        self.start + self.samples.len()
    }

    /// Takes the samples up to `position`, silence where nothing came.
    pub fn take_until(&mut self, position: usize) -> Vec<i16> {
        let count = position.saturating_sub(self.start);
        if self.samples.len() < count {
            self.samples.resize(count, 0);
        }
        self.start += count;
        let rest = self.samples.split_off(count);
        std::mem::replace(&mut self.samples, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::Codec, recorder::Side};
    use std::time::Duration;

    fn place(track: &mut Track, ssrc: u32, timestamp: u32, millis: u64, byte: u8) {
        let packet = Packet {
            side: Side::Caller,
            codec: Codec::Pcma,
            ssrc,
            timestamp,
            arrived: Duration::from_millis(millis),
            length: 160,
        };
        track.place(&packet, &[byte; 160]);
    }

    #[test]
    fn jitter_vanishes_and_loss_is_silence() {
        let mut track = Track::default();
        place(&mut track, 1, u32::MAX - 100, 100, 0xaa);
        place(&mut track, 1, (u32::MAX - 100).wrapping_add(320), 155, 0xaa);
        place(&mut track, 1, (u32::MAX - 100).wrapping_add(480), 156, 0xaa);
        let samples = track.take_until(track.end());
        assert_eq!(samples.len(), 800 + 640);
        let loud = |from: usize| samples[from..from + 160].iter().all(|s| *s == 32_256);
        assert!(loud(800) && !loud(960) && loud(1_120) && loud(1_280));
        assert!(
            samples[..800]
                .iter()
                .chain(&samples[960..1_120])
                .all(|s| *s == 0)
        );
    }

    #[test]
    fn a_stream_that_jumps_is_placed_where_it_arrives() {
        let mut track = Track::default();
        place(&mut track, 1, 0, 0, 0xaa);
        place(&mut track, 1, 900_000, 3_000, 0xaa);
        assert_eq!(track.end(), 24_160);
        place(&mut track, 2, 7, 4_000, 0xaa);
        assert_eq!(track.end(), 32_160);
    }

    #[test]
    fn what_is_already_written_is_not_touched() {
        let mut track = Track::default();
        place(&mut track, 1, 1_600, 200, 0xaa);
        assert_eq!(track.take_until(1_680).len(), 1_680);
        place(&mut track, 1, 0, 210, 0xaa);
        assert_eq!(track.take_until(track.end()).len(), 80);
    }
}
