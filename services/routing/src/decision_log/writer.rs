//! The thread that writes the log, and its files: `decisions-000001.jsonl` and so on, each of which can be verified alone.

use super::{
    Shared, chain,
    item::Item,
    line::{Begin, FORMAT, Line},
    mask::Mask,
};
use centro_kernel::{Clock, Timestamp};
use centro_routing_core::Deadlines;
use serde::Serialize;
use serde_json::Value;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};

/// A file that could not be written is tried again so often.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// Where and how is written.
pub struct Place {
    pub folder: PathBuf,
    pub file_bytes: u64,
    pub files: usize,
    pub node: String,
    pub deadlines: Deadlines,
    pub clock: Arc<dyn Clock>,
}

struct Open {
    out: BufWriter<File>,
    written: u64,
    /// The hash of its last line.
    hash: String,
}

impl Open {
    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let (mut line, hash) = chain::seal(&self.hash, &serde_json::to_string(line)?);
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        self.written += line.len() as u64;
        self.hash = hash;
        Ok(())
    }
}

/// Writes lines.
pub struct Writer {
    place: Place,
    shared: Arc<Shared>,
    mask: Mask,
    file: Option<Open>,
    /// Number of the file that was last begun.
    number: u64,
    broken_since: Option<Instant>,
}

impl Writer {
    pub fn new(place: Place, shared: Arc<Shared>) -> Self {
        Self {
            place,
            shared,
            mask: Mask::new(),
            file: None,
            number: 0,
            broken_since: None,
        }
    }

    /// Writes until nobody is left who could say anything. What waits for nothing is on its way to the disk.
    pub fn run(mut self, items: &Receiver<Item>) {
        self.number = numbered(&self.place.folder).last().map_or(0, |(n, _)| *n);
        loop {
            let item = match items.try_recv() {
                Ok(item) => Ok(item),
                Err(TryRecvError::Empty) => {
                    self.flush();
                    items.recv()
                }
                Err(TryRecvError::Disconnected) => break,
            };
            let line = match item {
                Ok(Item::Queue(noted)) => noted.line(&self.mask),
                Ok(Item::Agent(noted)) => noted.line(&self.mask),
                Ok(Item::End(done)) => {
                    self.end();
                    let _ = done.send(());
                    return;
                }
                Err(_) => break,
            };
            let written = line.map_err(io::Error::from).and_then(|l| self.write(&l));
            if let Err(error) = written {
                self.fails(&error);
            }
        }
        self.end();
    }

    fn write(&mut self, line: &Value) -> io::Result<()> {
        if self.broken_since.is_some_and(|at| at.elapsed() < TRY_AGAIN) {
            self.lost();
            return Ok(());
        }
        let full = |file: &Open| file.written >= self.place.file_bytes;
        let follows = match self.file.take_if(|file| full(file)) {
            Some(file) => Some(self.close(file)?),
            None => None,
        };
        if self.file.is_none() {
            self.file = Some(self.begin(follows)?);
        }
        match &mut self.file {
            Some(file) => file.write(line),
            None => Ok(()),
        }
    }

    /// A new file; every actor writes its state into it before its next step.
    fn begin(&mut self, follows: Option<String>) -> io::Result<Open> {
        self.number += 1;
        let path = self.place.folder.join(name(self.number));
        let mut file = Open {
            out: BufWriter::with_capacity(1 << 16, create(&path)?),
            written: 0,
            hash: follows.clone().unwrap_or_else(|| chain::FIRST.to_owned()),
        };
        file.write(&Line::Begin(Begin {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.place.node.clone(),
            file: self.number,
            follows,
            at: self.now(),
            deadlines: self.place.deadlines,
        }))?;
        self.shared.generation.fetch_add(1, Ordering::Relaxed);
        self.broken_since = None;
        let files = numbered(&self.place.folder);
        for (_, old) in &files[..files.len().saturating_sub(self.place.files)] {
            fs::remove_file(old)?;
        }
        Ok(file)
    }

    /// Closes a file, and gives its last hash.
    fn close(&self, mut file: Open) -> io::Result<String> {
        let (at, lost) = (self.now(), self.shared.lost.load(Ordering::Relaxed));
        file.write(&Line::End { at, lost })?;
        file.out.flush()?;
        file.out.get_ref().sync_all()?;
        // Whoever keeps these apart from the files can tell later that nobody wrote them anew.
        tracing::info!(
            file = name(self.number),
            hash = file.hash,
            "a decision log was closed"
        );
        Ok(file.hash)
    }

    fn end(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) = self.close(file)
        {
            self.fails(&error);
        }
    }

    fn flush(&mut self) {
        if let Some(file) = &mut self.file
            && let Err(error) = file.out.flush()
        {
            self.fails(&error);
        }
    }

    /// What was in hand is lost; states are written anew when the disk takes something again.
    fn fails(&mut self, error: &io::Error) {
        tracing::error!(%error, folder = %self.place.folder.display(), "the decision log cannot be written");
        self.file = None;
        self.broken_since = Some(Instant::now());
        self.lost();
    }

    fn lost(&self) {
        self.shared.lost(1, self.now(), "the disk takes nothing");
    }

    fn now(&self) -> Timestamp {
        self.place.clock.now()
    }
}

/// A file's name.
fn name(number: u64) -> String {
    format!("decisions-{number:06}.jsonl")
}

/// A new file that nobody else may read: it tells what people did, when.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The log's files in a folder, the oldest first.
fn numbered(folder: &Path) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let number = name.strip_prefix("decisions-")?.strip_suffix(".jsonl")?;
            Some((number.parse().ok()?, path))
        })
        .collect();
    found.sort_unstable();
    found
}
