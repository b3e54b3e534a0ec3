//! Sound files: the recordings of a centre and what telephones play and keep.

use anyhow::{Context, Result, ensure};
use std::{io::Cursor, path::Path};

/// A recording: the caller left, the agent right.
pub struct Stereo {
    /// What the caller said.
    pub left: Vec<i16>,
    /// What the agent said.
    pub right: Vec<i16>,
}

impl Stereo {
    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.left.len() as f64 / f64::from(crate::sound::RATE)
    }
}

/// Reads a stereo WAV file of 8000 samples per second and 16 bit.
pub fn stereo(file: &[u8]) -> Result<Stereo> {
    let reader = hound::WavReader::new(Cursor::new(file)).context("not a WAV file")?;
    let form = reader.spec();
    ensure!(
        form.channels == 2 && form.sample_rate == crate::sound::RATE,
        "not 8 kHz stereo: {form:?}"
    );
    let samples = reader
        .into_samples::<i16>()
        .collect::<Result<Vec<_>, _>>()?;
    let (left, right) = samples
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .unzip();
    Ok(Stereo { left, right })
}

/// Reads a mono WAV file of 16 bit.
pub fn mono(path: &Path) -> Result<Vec<i16>> {
    let reader = hound::WavReader::open(path).with_context(|| path.display().to_string())?;
    ensure!(reader.spec().channels == 1, "not mono: {:?}", reader.spec());
    Ok(reader
        .into_samples::<i16>()
        .collect::<Result<Vec<_>, _>>()?)
}

/// Writes a mono WAV file of 8000 samples per second and 16 bit.
pub fn write_mono(path: &Path, sound: &[i16]) -> Result<()> {
    let form = hound::WavSpec {
        channels: 1,
        sample_rate: crate::sound::RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, form)?;
    for &sample in sound {
        writer.write_sample(sample)?;
    }
    Ok(writer.finalize()?)
}
