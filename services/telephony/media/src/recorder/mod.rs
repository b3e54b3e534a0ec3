//! Recordings of calls: stereo WAV, 8 kHz, 16 bit, caller left, agent right.
//!
//! The packet path only copies a payload into a bounded buffer ([`Tap`]). One thread for all recordings ([`writer`]) places the
//! packets by their RTP timestamps ([`track`]), writes twice a second, syncs once a second and keeps the header's sizes right
//! ([`wav`]), so that a killed process leaves a playable file that lacks about a second, and a power cut one that lacks about two. Telephone-events never get here: card numbers are not recorded.

mod track;
mod wav;
mod writer;

pub use wav::repair;

use crate::{codec::Codec, rtp::Header};
use parking_lot::Mutex;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Bytes of payload that may wait for the writer: 4 s of both sides.
const MAX_WAITING: usize = 64_000;

/// Which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Caller,
    /// Right.
    Agent,
}

/// Why there is no good recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The disk refused; what was written before may be there.
    #[error("recording {path}: {source}")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The writer is gone: the process is ending.
    #[error("the recorder has stopped")]
    Stopped,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub duration: Duration,
    /// Packets of caller and agent in it.
    pub frames: [u64; 2],
    /// Packets not in it, because the disk did not keep up.
    pub dropped: u64,
    /// Size of the file.
    pub size_bytes: u64,
}

/// One recording being made. Dropping it finishes it too, without telling the result.
#[derive(Debug)]
pub struct Recording {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

/// Where one leg's packets enter a recording.
#[derive(Debug)]
pub(crate) struct Tap {
    side: Side,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    started: Instant,
    waiting: Mutex<Waiting>,
    paused: AtomicBool,
    dropped: AtomicU64,
    all_dropped: Arc<AtomicU64>,
}

/// Packets not yet placed.
#[derive(Debug, Default)]
struct Waiting {
    packets: Vec<Packet>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    side: Side,
    codec: Codec,
    ssrc: u32,
    timestamp: u32,
    /// Since the start of the recording.
    arrived: Duration,
    length: usize,
}

enum Command {
    Begin(Arc<Shared>),
    End(
        Arc<Shared>,
        Option<oneshot::Sender<Result<Finished, RecordingError>>>,
    ),
}

/// The writer's thread and what it counts.
#[derive(Debug)]
pub(crate) struct Recorder {
    commands: mpsc::Sender<Command>,
    open: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// Starts the thread; it ends, finishing everything, when the last sender of commands is gone.
    pub fn start() -> io::Result<Self> {
        let (commands, inbox) = mpsc::channel();
        let open = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&open);
        let (syncs, files) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("centro-recorder".into())
            .spawn(move || writer::run(&inbox, &counted, &syncs))?;
        thread::Builder::new()
            .name("centro-sync".into())
            .spawn(move || writer::sync(&files))?;
        Ok(Self {
            commands,
            open,
            dropped: Arc::default(),
        })
    }

    pub fn record(&self, path: PathBuf) -> Recording {
        let shared = Arc::new(Shared {
            path,
            started: Instant::now(),
            waiting: Mutex::default(),
            paused: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            all_dropped: Arc::clone(&self.dropped),
        });
        // A writer that is gone shows in `finish`.
        let _ = self.commands.send(Command::Begin(Arc::clone(&shared)));
        Recording {
            shared,
            commands: self.commands.clone(),
        }
    }

    /// Recordings being written.
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// Packets dropped in all recordings.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

impl Recording {
    /// From now on silence is recorded, while card data is spoken.
    pub fn pause(&self) {
        self.shared.paused.store(true, Relaxed);
    }

    /// Records again.
    pub fn resume(&self) {
        self.shared.paused.store(false, Relaxed);
    }

    /// Ends the recording and waits until the file is complete.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub async fn finish(self) -> Result<Finished, RecordingError> {
        let (told, result) = oneshot::channel();
        let command = Command::End(Arc::clone(&self.shared), Some(told));
        self.commands
            .send(command)
            .map_err(|_| RecordingError::Stopped)?;
        result.await.map_err(|_| RecordingError::Stopped)?
    }

    pub(crate) fn tap(&self, side: Side) -> Tap {
        Tap {
            side,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // After `finish` the writer knows it no more and ignores this.
        let _ = self
            .commands
            .send(Command::End(Arc::clone(&self.shared), None));
    }
}

impl Tap {
    /// Copies one packet for the writer, or counts it as dropped when too many wait.
    pub fn take(&self, codec: Codec, header: &Header, payload: &[u8], now: Instant) {
        let shared = &*self.shared;
        if shared.paused.load(Relaxed) {
            return;
        }
        let mut waiting = shared.waiting.lock();
        if waiting.bytes.len() + payload.len() > MAX_WAITING {
            drop(waiting);
            shared.dropped.fetch_add(1, Relaxed);
            shared.all_dropped.fetch_add(1, Relaxed);
            return;
        }
        waiting.bytes.extend_from_slice(payload);
        waiting.packets.push(Packet {
            side: self.side,
            codec,
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            arrived: now.saturating_duration_since(shared.started),
            length: payload.len(),
        });
    }
}

#[cfg(test)]
mod tests;
