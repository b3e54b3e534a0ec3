//! Tones and G.711: what a test sends, and how it recognises what it hears.

use std::{f64::consts::TAU, sync::LazyLock};

/// Samples per second of everything here.
pub const RATE: u32 = 8000;

/// Length of the stretches that are examined one by one.
const STRETCH: usize = 400;

/// Share of a stretch's power that must lie at one frequency for it to be that tone.
const PURITY: f64 = 0.6;

/// Below this root mean square (of 32768) a stretch counts as silence.
const SILENCE: f64 = 200.0;

/// `samples` samples of a tone, beginning at sample number `from`; amplitude half of full scale.
pub fn tone(hz: f64, from: u64, samples: usize) -> Vec<i16> {
    let at = |n: u64| {
        (f64::sin(TAU * hz * (n % u64::from(RATE)) as f64 / f64::from(RATE)) * 16_000.0) as i16
    };
    (from..from + samples as u64).map(at).collect()
}

/// How many seconds of the sound are the tone.
pub fn seconds_of(hz: f64, sound: &[i16]) -> f64 {
    let stretches = sound
        .chunks_exact(STRETCH)
        .filter(|stretch| is(hz, stretch))
        .count();
    (stretches * STRETCH) as f64 / f64::from(RATE)
}

/// Whether a clip is heard in the sound: its loudest fifth of a second, as it was sent. Codecs and gaps elsewhere do not matter.
pub fn contains(clip: &[i16], sound: &[i16]) -> bool {
    const PIECE: usize = RATE as usize / 5;
    let energy = |samples: &[i16]| samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
    let Some(piece) = clip
        .windows(PIECE)
        .step_by(80)
        .max_by(|a, b| energy(a).total_cmp(&energy(b)))
    else {
        return false;
    };
    let (own, loud) = (energy(piece), energy(piece) / 2.0);
    let mut around = energy(sound.get(..PIECE).unwrap_or_default());
    for (at, part) in sound.windows(PIECE).enumerate() {
        if at > 0 {
            around += f64::from(part[PIECE - 1]).powi(2) - f64::from(sound[at - 1]).powi(2);
        }
        if around < loud || around > own * 2.0 {
            continue;
        }
        let product: f64 = part
            .iter()
            .zip(piece)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum();
        if product / (own * around).sqrt() > 0.95 {
            return true;
        }
    }
    false
}

/// How many seconds of the sound are not silence.
pub fn seconds_loud(sound: &[i16]) -> f64 {
    let stretches = sound
        .chunks_exact(STRETCH)
        .filter(|stretch| power(stretch).sqrt() >= SILENCE)
        .count();
    (stretches * STRETCH) as f64 / f64::from(RATE)
}

/// Whether the stretch is the tone and little else (Goertzel against the total power).
fn is(hz: f64, stretch: &[i16]) -> bool {
    let total = power(stretch);
    if total.sqrt() < SILENCE {
        return false;
    }
    let coefficient = 2.0 * f64::cos(TAU * hz / f64::from(RATE));
    let (mut one, mut two) = (0.0, 0.0);
    for &sample in stretch {
        (one, two) = (f64::from(sample) + coefficient * one - two, one);
    }
    let n = stretch.len() as f64;
    let at_hz = 2.0 * (one * one + two * two - coefficient * one * two) / (n * n);
    at_hz / total >= PURITY
}

fn power(stretch: &[i16]) -> f64 {
    stretch.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / stretch.len().max(1) as f64
}

/// One A-law byte to a sample (ITU-T G.711).
pub fn from_a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = ((byte >> 4) & 7, i16::from(byte & 15));
    let size = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if byte & 0x80 == 0 { -size } else { size }
}

/// One µ-law byte to a sample (ITU-T G.711).
pub fn from_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let size = (((i16::from(byte & 15) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84;
    if byte & 0x80 == 0 { size } else { -size }
}

/// The nearest A-law byte of a sample.
pub fn to_a_law(sample: i16) -> u8 {
    static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| table(from_a_law));
    TABLE[usize::from(sample as u16 >> 2)]
}

/// The nearest µ-law byte of a sample.
pub fn to_mu_law(sample: i16) -> u8 {
    static TABLE: LazyLock<Vec<u8>> = LazyLock::new(|| table(from_mu_law));
    TABLE[usize::from(sample as u16 >> 2)]
}

/// The nearest byte of every fourth sample.
fn table(decode: fn(u8) -> i16) -> Vec<u8> {
    let nearest = |sample: i16| {
        (0..=u8::MAX).min_by_key(|&byte| (i32::from(decode(byte)) - i32::from(sample)).abs())
    };
    (0..1_u16 << 14)
        .map(|n| nearest((n << 2) as i16).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_recognised_through_both_laws() {
        for (encode, decode) in [
            (to_a_law as fn(i16) -> u8, from_a_law as fn(u8) -> i16),
            (to_mu_law, from_mu_law),
        ] {
            let heard: Vec<i16> = tone(700.0, 0, 8000)
                .into_iter()
                .map(|s| decode(encode(s)))
                .collect();
            assert!(seconds_of(700.0, &heard) > 0.99);
            assert_eq!(seconds_of(1000.0, &heard), 0.0);
        }
    }

    #[test]
    fn the_laws_agree_with_the_standard() {
        assert_eq!(
            (
                from_a_law(0xd5),
                from_a_law(0x55),
                from_a_law(0x2a),
                from_a_law(0xaa)
            ),
            (8, -8, -32256, 32256)
        );
        assert_eq!(
            (from_mu_law(0xff), from_mu_law(0x80), from_mu_law(0x00)),
            (0, 32124, -32124)
        );
    }

    #[test]
    fn silence_and_noise_are_no_tone() {
        assert_eq!(seconds_of(700.0, &[0; 8000]), 0.0);
        assert_eq!(seconds_loud(&[3; 8000]), 0.0);
        let noise: Vec<i16> = (0..8000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 16) as i16)
            .collect();
        assert_eq!(seconds_of(700.0, &noise), 0.0);
        assert!(seconds_loud(&noise) > 0.99);
    }

    #[test]
    fn a_clip_is_found_in_the_middle_of_other_sound_and_only_there() {
        let noise = |seed: u64, length: usize| {
            (0..length as u64)
                .map(|n| ((n * n * 31 + n * seed * 7919 + seed) % 20_011) as i16 - 10_000)
                .collect::<Vec<_>>()
        };
        let clip = noise(3, 4_000);
        let through: Vec<i16> = clip.iter().map(|s| from_a_law(to_a_law(*s))).collect();
        let sound = [noise(5, 3_000), through, tone(600.0, 0, 3_000)].concat();
        assert!(contains(&clip, &sound));
        assert!(!contains(
            &clip,
            &[noise(5, 3_000), tone(600.0, 0, 9_000)].concat()
        ));
    }
}
