//! The WAV file of a recording: a 44-byte header whose sizes are kept right while the file grows, and repaired after a crash.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

const HEADER: u64 = 44;
/// Two channels of 16 bit.
const BLOCK: u64 = 4;
const RATE: u32 = crate::codec::SAMPLE_RATE;
/// Data that still fits the 32-bit sizes of the format; about 37 hours.
const MAX_DATA: u64 = u32::MAX as u64 - HEADER - BLOCK;

/// A stereo WAV file being written.
#[derive(Debug)]
pub(super) struct Wav {
    file: File,
    data: u64,
    buffer: Vec<u8>,
}

impl Wav {
    /// Makes the file and the folders above it.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.write_all(&header(0))?;
        Ok(Self {
            file,
            data: 0,
            buffer: Vec::new(),
        })
    }

    /// Appends samples and corrects the header. Both sides are of the same length.
    pub fn append(&mut self, left: &[i16], right: &[i16]) -> io::Result<()> {
        self.buffer.clear();
        for (left, right) in left.iter().zip(right) {
            self.buffer.extend_from_slice(&left.to_le_bytes());
            self.buffer.extend_from_slice(&right.to_le_bytes());
        }
        if self.buffer.is_empty() || self.data + self.buffer.len() as u64 > MAX_DATA {
            return Ok(());
        }
        self.file.write_all(&self.buffer)?;
        self.data += self.buffer.len() as u64;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(self.data))?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// A second hand on the file, for whoever syncs it.
    pub fn hand(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Length of what was written.
    pub fn duration(&self) -> Duration {
        duration(self.data)
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        HEADER + self.data
    }
}

/// Corrects the sizes in the header of a recording whose process was killed. Gives its length, or `None` when the file is not a
/// recording of ours, which is then left alone.
///
/// # Errors
/// What the system says.
pub fn repair(path: &Path) -> io::Result<Option<Duration>> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let size = file.metadata()?.len();
    let mut found = [0; HEADER as usize];
    if size < HEADER {
        return Ok(None);
    }
    file.read_exact(&mut found)?;
    let ours = header(0);
    let same = |range: std::ops::Range<usize>| found[range.clone()] == ours[range];
    if !(same(0..4) && same(8..40)) {
        return Ok(None);
    }
    let data = (size - HEADER).min(MAX_DATA) / BLOCK * BLOCK;
    let right = header(data);
    if right != found {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&right)?;
    }
    if size != HEADER + data {
        file.set_len(HEADER + data)?;
    }
    Ok(Some(duration(data)))
}

fn duration(data: u64) -> Duration {
    Duration::from_micros(data / BLOCK * 1_000_000 / u64::from(RATE))
}

fn header(data: u64) -> [u8; HEADER as usize] {
    let data = u32::try_from(data).unwrap_or(u32::MAX);
    let mut header = [0; HEADER as usize];
    let parts: [(usize, &[u8]); 13] = [
        (0, b"RIFF"),
        (4, &data.saturating_add(36).to_le_bytes()),
        (8, b"WAVE"),
        (12, b"fmt "),
        (16, &16_u32.to_le_bytes()),
        (20, &1_u16.to_le_bytes()),
        (22, &2_u16.to_le_bytes()),
        (24, &RATE.to_le_bytes()),
        (28, &(RATE * BLOCK as u32).to_le_bytes()),
        (32, &(BLOCK as u16).to_le_bytes()),
        (34, &16_u16.to_le_bytes()),
        (36, b"data"),
        (40, &data.to_le_bytes()),
    ];
    for (at, bytes) in parts {
        header[at..at + bytes.len()].copy_from_slice(bytes);
    }
    header
}
