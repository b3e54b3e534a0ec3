//! The decision log (spec U7): every step of every queue and agent, so that anybody can repeat it and see that the rules
//! decided that and nothing else. `centro replay --verify` reads it; docs/replay.md says what stands in it.
//!
//! Off unless it is set. Actors hand a copy of what they heard and decided to a thread of its own through a bounded
//! channel and never wait: a full channel costs lines, which is counted, and said in the log in place of them. The actor's
//! next line is then its whole state, from which its steps can be repeated again.
//!
//! | part | does |
//! |---|---|
//! | `rules` | what queues and agents have in common |
//! | `line` | what a line says |
//! | `item` | the same on its way to the disk |
//! | `mask` | takes callers out |
//! | `chain` | ties each line to all before it |
//! | `recording` | one actor's side |
//! | `writer` | the thread, and its files |

pub mod chain;
mod item;
pub mod line;
mod mask;
mod recording;
pub mod rules;
mod writer;

pub use recording::{Heard, Recording};

use crate::metrics::{self, DECISIONS_LOST};
use centro_kernel::Timestamp;
use centro_node::Node;
use centro_routing_core::Deadlines;
use item::Item;
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};
use tokio::sync::oneshot;

/// How often it is said that lines are lost.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Section `routing.decision_log` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionLogSettings {
    /// Whether it is written.
    pub enabled: bool,
    /// Where; empty: `decisions` in the data folder.
    pub folder: PathBuf,
    /// A file that has grown beyond this is closed and the next one begun, 1 to 10000 MiB.
    pub file_mib: u64,
    /// How many files are kept, 2 to 10000; older ones are deleted.
    pub files: usize,
    /// Lines that may wait for the disk, 256 to 1000000; beyond it lines are lost, and said to be.
    pub queue: usize,
}

impl Default for DecisionLogSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            folder: PathBuf::new(),
            file_mib: 64,
            files: 16,
            queue: 16_384,
        }
    }
}

impl DecisionLogSettings {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        if !(1..=10_000).contains(&self.file_mib) {
            return Err("routing.decision_log.file_mib must be between 1 and 10000".into());
        }
        if !(2..=10_000).contains(&self.files) {
            return Err("routing.decision_log.files must be between 2 and 10000".into());
        }
        if !(256..=1_000_000).contains(&self.queue) {
            return Err("routing.decision_log.queue must be between 256 and 1000000".into());
        }
        Ok(())
    }

    /// The folder of the log, for a process with this data folder.
    fn folder(&self, data: &Path) -> PathBuf {
        if self.folder.as_os_str().is_empty() {
            data.join("decisions")
        } else {
            self.folder.clone()
        }
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// It cannot be made; the text says which one.
    pub fn prepare(&self, data: &Path) -> io::Result<()> {
        let folder = self.folder(data);
        fs::create_dir_all(&folder).map_err(|error| {
            let text = format!("routing.decision_log.folder {}: {error}", folder.display());
            io::Error::new(error.kind(), text)
        })
    }
}

/// The way to the writer.
pub struct Recorder {
    items: SyncSender<Item>,
    shared: Arc<Shared>,
}

/// What recorder and writer share.
struct Shared {
    /// Grows with each file: whoever has written no state under it does so.
    generation: AtomicU64,
    /// Lines that found no room.
    lost: AtomicU64,
    said_at: AtomicI64,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            generation: AtomicU64::new(1),
            lost: AtomicU64::new(0),
            said_at: AtomicI64::new(0),
        })
    }

    fn lost(&self, lines: u64, now: Timestamp, why: &str) {
        let lost = self.lost.fetch_add(lines, Ordering::Relaxed) + lines;
        metrics::add(&DECISIONS_LOST, lines);
        let now = now.as_millis();
        let said = self.said_at.load(Ordering::Relaxed);
        let pause = i64::try_from(SAY_AGAIN.as_millis()).unwrap_or(i64::MAX);
        let again = said == 0 || now.saturating_sub(said) > pause;
        let mine = again
            && self
                .said_at
                .compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            tracing::warn!(lost, why, "the decision log has gaps");
        }
    }
}

impl Recorder {
    /// Starts to write, until the process has stopped.
    pub fn start(settings: &DecisionLogSettings, deadlines: Deadlines, node: &Node) -> Arc<Self> {
        metrics::add(&DECISIONS_LOST, 0); // seen from the start, to be alerted on
        let (items, received) = sync_channel(settings.queue);
        let shared = Shared::new();
        let place = writer::Place {
            folder: settings.folder(node.data()),
            file_bytes: settings.file_mib << 20,
            files: settings.files,
            node: node.name().to_owned(),
            deadlines,
            clock: node.clock(),
        };
        let (writer, of_writer) = (writer::Writer::new(place, shared.clone()), received);
        // Not a task: it waits for a disk, and the actors' threads have other things to do.
        let spawned = std::thread::Builder::new()
            .name("decision-log".to_owned())
            .spawn(move || writer.run(&of_writer));
        if let Err(error) = spawned {
            tracing::error!(%error, "no decision log is written: its thread does not start");
        }
        let recorder = Arc::new(Self { items, shared });
        let (ends, quiet) = (recorder.clone(), node.lifecycle().clone());
        node.lifecycle().closing().spawn(async move {
            quiet.quiet().await;
            ends.finish().await;
        });
        recorder
    }

    /// One whose lines a test reads.
    #[cfg(test)]
    fn unread(queue: usize) -> (Arc<Self>, std::sync::mpsc::Receiver<Item>) {
        let (items, received) = sync_channel(queue);
        let shared = Shared::new();
        (Arc::new(Self { items, shared }), received)
    }

    /// Closes the log. What comes after it is lost.
    pub async fn finish(&self) {
        let (done, is_done) = oneshot::channel();
        let mut item = Item::End(done);
        while let Err(TrySendError::Full(back)) = self.items.try_send(item) {
            item = back;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let _ = is_done.await;
    }

    fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::Relaxed)
    }

    /// False when there is no room.
    fn take(&self, item: Item) -> bool {
        self.items.try_send(item).is_ok()
    }

    fn lost(&self, now: Timestamp) {
        self.shared.lost(1, now, "the disk is too slow for it");
    }
}
