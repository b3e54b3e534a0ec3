//! Composes and synthesises the music on hold into `clips/music.ulaw`: 64 s of slow broken chords that close into a loop.
//! The piece is ours and dedicated to the public domain (CC0).

use centro_media::codec::Codec;
use std::{f64::consts::TAU, fs, io, path::Path};

const RATE: f64 = 8_000.0;
/// Seconds of a bar of eight quavers.
const BAR: f64 = 2.0;
/// Four phrases of eight bars: root, third, fifth, seventh as semitones from A at 220 Hz.
const CHORDS: [[i32; 4]; 8] = [
    [3, 7, 10, 14],
    [0, 3, 7, 10],
    [8, 12, 15, 19],
    [10, 14, 17, 20],
    [3, 7, 10, 14],
    [5, 8, 12, 15],
    [8, 12, 15, 17],
    [10, 12, 17, 19],
];
const PATTERNS: [[usize; 8]; 4] = [
    [0, 1, 2, 3, 2, 1, 2, 1],
    [0, 2, 1, 3, 2, 3, 1, 2],
    [0, 1, 3, 2, 1, 2, 3, 2],
    [0, 2, 3, 1, 2, 1, 0, 1],
];
/// Melody: (bar, quaver, semitones, quavers long).
const MELODY: [(usize, usize, i32, usize); 12] = [
    (0, 0, 22, 3),
    (0, 4, 19, 4),
    (1, 0, 15, 6),
    (2, 0, 24, 3),
    (2, 4, 22, 4),
    (3, 2, 26, 6),
    (4, 0, 27, 3),
    (4, 4, 22, 4),
    (5, 0, 24, 6),
    (6, 0, 20, 4),
    (6, 4, 24, 4),
    (7, 0, 22, 8),
];

fn main() -> io::Result<()> {
    let bars = CHORDS.len() * PATTERNS.len();
    let length = (bars as f64 * BAR * RATE) as usize;
    let mut mix = vec![0.0; length];
    for bar in 0..bars {
        let chord = CHORDS[bar % CHORDS.len()];
        let pattern = PATTERNS[bar / CHORDS.len()];
        let start = bar as f64 * BAR;
        note(&mut mix, start, chord[0] - 12, 1.9, 0.30);
        for (n, voice) in pattern.into_iter().enumerate() {
            note(
                &mut mix,
                start + n as f64 * BAR / 8.0,
                chord[voice],
                1.1,
                0.22,
            );
        }
        if bar / CHORDS.len() % 2 == 1 {
            for (at, quaver, tone, quavers) in MELODY {
                if at == bar % CHORDS.len() {
                    let begin = start + quaver as f64 * BAR / 8.0;
                    note(
                        &mut mix,
                        begin,
                        tone,
                        quavers as f64 * BAR / 8.0 + 0.4,
                        0.26,
                    );
                }
            }
        }
    }
    let peak = mix
        .iter()
        .fold(0.0_f64, |peak, sample| peak.max(sample.abs()));
    let bytes: Vec<u8> = mix
        .iter()
        .map(|sample| Codec::Pcmu.encode((sample / peak * 11_000.0) as i16))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clips/music.ulaw");
    fs::write(&path, &bytes)?;
    println!("{}: {} s", path.display(), bytes.len() as f64 / RATE);
    Ok(())
}

/// A plucked note: three partials that fade, a soft start. Runs over the end into the beginning, so that the loop closes.
fn note(mix: &mut [f64], start: f64, semitones: i32, seconds: f64, level: f64) {
    let hertz = 220.0 * 2_f64.powf(f64::from(semitones) / 12.0);
    let first = (start * RATE) as usize;
    for n in 0..(seconds * RATE) as usize {
        let t = n as f64 / RATE;
        let envelope = (t / 0.012).min(1.0) * (-3.2 * t).exp() * ((seconds - t) / 0.05).min(1.0);
        let tone = [(1.0, 1.0), (2.0, 0.35), (3.0, 0.12)]
            .iter()
            .map(|(partial, share)| {
                let fading = (-t * partial * 1.5).exp();
                (TAU * hertz * partial * t).sin() * share * fading
            });
        let at = (first + n) % mix.len();
        mix[at] += tone.sum::<f64>() * envelope * level;
    }
}
