//! The thread that writes all recordings: twice a second it takes what waits, places it, and writes what is old enough; once a
//! second a thread of its own makes the disk have it all ([`sync`]), so that a power cut costs little more than a crash does.

use super::{
    Command, Finished, Packet, RecordingError, Shared, Side, Waiting, track::Track, wav::Wav,
};
use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};
use tracing::warn;

/// Time between writes.
const PERIOD: Duration = Duration::from_millis(500);
/// Samples kept back for late packets: 400 ms.
const KEPT_BACK: usize = 3_200;

/// Runs until all senders of commands are gone, then finishes what is open.
pub(super) fn run(commands: &Receiver<Command>, open: &AtomicU64, syncs: &SyncSender<File>) {
    let mut files: Vec<Writing> = Vec::new();
    let mut next = Instant::now() + PERIOD;
    let (mut turn, mut last) = (false, None);
    loop {
        match commands.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Command::Begin(shared)) => files.push(Writing::begin(shared)),
            Ok(Command::End(shared, told)) => {
                let at = files
                    .iter()
                    .position(|file| Arc::ptr_eq(&file.shared, &shared));
                if let Some(at) = at {
                    let file = files.swap_remove(at);
                    last = file.hand().or(last.take());
                    let result = file.finish();
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
                turn = !turn;
                last = files.iter().find_map(Writing::hand).or(last.take());
                if turn && let Some(file) = last.take() {
                    // While the disk is still busy with the last one, the next turn asks again.
                    last = syncs.try_send(file).err().map(|refused| match refused {
                        TrySendError::Full(file) | TrySendError::Disconnected(file) => file,
                    });
                }
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

    fn hand(&self) -> Option<File> {
        self.wav.as_ref().ok()?.hand().ok()
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

/// Makes the disk have what was written, of all recordings at once: they lie in one file system, and a call for each would take
/// too long. Never on the writer's thread, which must empty the buffers of live calls.
pub(super) fn sync(files: &Receiver<File>) {
    for file in files {
        if let Err(fault) = sync_all(&file) {
            warn!(%fault, "recordings could not be synced to the disk");
        }
    }
}

#[cfg(target_os = "linux")]
fn sync_all(file: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(file)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all(file: &File) -> io::Result<()> {
    file.sync_data()
}
