//! The thread that writes all recordings: twice a second it takes what waits, places it, and writes what is old enough.

use super::{
    Command, Finished, Packet, RecordingError, Shared, Side, Waiting, track::Track, wav::Wav,
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use tracing::warn;

/// Time between writes.
const PERIOD: Duration = Duration::from_millis(500);
/// Samples kept back for late packets: 400 ms.
const KEPT_BACK: usize = 3_200;

/// Runs until all senders of commands are gone, then finishes what is open.
pub(super) fn run(commands: &Receiver<Command>, open: &AtomicU64) {
    let mut files: Vec<Writing> = Vec::new();
    let mut next = Instant::now() + PERIOD;
    loop {
        match commands.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Command::Begin(shared)) => files.push(Writing::begin(shared)),
            Ok(Command::End(shared, told)) => {
                let at = files
                    .iter()
                    .position(|file| Arc::ptr_eq(&file.shared, &shared));
                if let Some(at) = at {
                    let result = files.swap_remove(at).finish();
                    if let Err(fault) = &result {
                        warn!(%fault, "recording is incomplete");
                    }
                    if let Some(told) = told {
                        let _ = told.send(result);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                next = Instant::now() + PERIOD;
                files.iter_mut().for_each(Writing::flush);
            }
            Err(RecvTimeoutError::Disconnected) => {
                for file in files.drain(..) {
                    if let Err(fault) = file.finish() {
                        warn!(%fault, "recording is incomplete");
                    }
                }
                return;
            }
        }
        open.store(files.len() as u64, Relaxed);
    }
}

struct Writing {
    shared: Arc<Shared>,
    wav: io::Result<Wav>,
    tracks: [Track; 2],
    taken: Waiting,
}

impl Writing {
    fn begin(shared: Arc<Shared>) -> Self {
        let wav = Wav::create(&shared.path);
        Self {
            shared,
            wav,
            tracks: Default::default(),
            taken: Waiting::default(),
        }
    }

    /// Places what waits and writes all but the last moments.
    fn flush(&mut self) {
        self.place();
        let until = self.elapsed().saturating_sub(KEPT_BACK);
        self.write(until);
    }

    fn finish(mut self) -> Result<Finished, RecordingError> {
        self.place();
        let until = self
            .tracks
            .iter()
            .map(Track::end)
            .fold(self.elapsed(), usize::max);
        self.write(until);
        let shared = &self.shared;
        let path = shared.path.clone();
        match self.wav {
            Ok(wav) => Ok(Finished {
                duration: wav.duration(),
                frames: [self.tracks[0].packets(), self.tracks[1].packets()],
                dropped: shared.dropped.load(Relaxed),
                size_bytes: wav.size(),
                path,
            }),
            Err(source) => Err(RecordingError::Disk { path, source }),
        }
    }

    /// Samples since the start.
    fn elapsed(&self) -> usize {
        let millis = self.shared.started.elapsed().as_millis();
        usize::try_from(millis)
            .unwrap_or(usize::MAX / 8)
            .saturating_mul(8)
    }

    fn place(&mut self) {
        std::mem::swap(&mut self.taken, &mut *self.shared.waiting.lock());
        let mut at = 0;
        for packet in self.taken.packets.drain(..) {
            let Packet { side, length, .. } = packet;
            let track = match side {
                Side::Caller => &mut self.tracks[0],
                Side::Agent => &mut self.tracks[1],
            };
            if let Some(payload) = self.taken.bytes.get(at..at + length) {
                track.place(&packet, payload);
            }
            at += length;
        }
        self.taken.bytes.clear();
    }

    fn write(&mut self, until: usize) {
        let [left, right] = &mut self.tracks;
        let (left, right) = (left.take_until(until), right.take_until(until));
        if let Ok(wav) = &mut self.wav
            && let Err(fault) = wav.append(&left, &right)
        {
            self.wav = Err(fault);
        }
    }
}
