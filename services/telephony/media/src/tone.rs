//! Pure tones: making them at a level, and telling whether samples contain one (Goertzel). For tests and load, where every
//! voice is a tone, and a tone heard proves the whole path.

use crate::codec::{FRAME, SAMPLE_RATE};
use std::f64::consts::TAU;

/// Peak of a sine of 0 dBm0: G.711's largest sine is +3.14 (A-law) or +3.17 dBm0 (µ-law).
const PEAK_0_DBM0: f64 = 22_400.0;
/// Mean square below which a frame is silence: −45 dBm0.
const SILENCE: f64 = 7_900.0;
/// Share of a frame's energy a tone must have to count as heard.
const DOMINANT: f64 = 0.6;

/// A sine of endless length.
#[derive(Debug, Clone)]
pub struct Sine {
    step: f64,
    phase: f64,
    peak: f64,
}

impl Sine {
    /// `hertz` below 4,000; `dbm0` at most 3.
    pub fn new(hertz: f64, dbm0: f64) -> Self {
        let peak = (PEAK_0_DBM0 * 10_f64.powf(dbm0 / 20.0)).min(f64::from(i16::MAX));
        Self {
            step: TAU * hertz / f64::from(SAMPLE_RATE),
            phase: 0.0,
            peak,
        }
    }

    /// The next `count` samples.
    pub fn samples(&mut self, count: usize) -> Vec<i16> {
        self.take(count).collect()
    }
}

impl Iterator for Sine {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        let sample = (self.phase.sin() * self.peak).round();
        self.phase = (self.phase + self.step) % TAU;
        Some(sample as i16)
    }
}

/// Share of the samples' energy at `hertz`, 0 to 1. Silence has none.
pub fn share(samples: &[i16], hertz: f64) -> f64 {
    let energy: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    let length = samples.len() as f64;
    if samples.is_empty() || energy / length < SILENCE {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hertz / f64::from(SAMPLE_RATE)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        let now = f64::from(*sample) + coefficient * last - before;
        before = last;
        last = now;
    }
    let power = last * last + before * before - coefficient * last * before;
    (2.0 * power / length / energy).min(1.0)
}

/// Which of `tones` these samples are; `None` for silence or anything else. Tones must be 100 Hz apart for 20 ms to tell them.
pub fn detect(samples: &[i16], tones: &[f64]) -> Option<f64> {
    let shares = tones.iter().map(|hertz| (*hertz, share(samples, *hertz)));
    let best = shares.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (best.1 >= DOMINANT).then_some(best.0)
}

/// Share of the 20 ms frames of `samples` in which `hertz` dominates, 0 to 1.
pub fn frames_with(samples: &[i16], hertz: f64) -> f64 {
    let frames = samples.chunks_exact(FRAME);
    let count = frames.len();
    let heard = frames
        .filter(|frame| share(frame, hertz) >= DOMINANT)
        .count();
    if count == 0 {
        0.0
    } else {
        heard as f64 / count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Codec;

    #[test]
    fn a_tone_is_heard_through_both_codecs_and_no_other() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for hertz in [440.0, 620.0, 1_000.0, 3_000.0] {
                let coded = Sine::new(hertz, -10.0).samples(1_600).into_iter();
                let samples: Vec<i16> = coded
                    .map(|sample| codec.decode(codec.encode(sample)))
                    .collect();
                assert_eq!(frames_with(&samples, hertz), 1.0, "{hertz}");
                assert_eq!(frames_with(&samples, hertz + 150.0), 0.0, "{hertz}");
                let tones = [440.0, 620.0, 1_000.0, 3_000.0];
                assert_eq!(detect(&samples[..FRAME], &tones), Some(hertz));
            }
        }
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        assert_eq!(detect(&[0; FRAME], &[440.0]), None);
        let mut state = 1_u32;
        let noise: Vec<i16> = (0..1_600)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 18) as i16
            })
            .collect();
        assert!(frames_with(&noise, 440.0) < 0.1);
    }
}
