//! Repeats what a decision log says that queues and agents heard, through the rules of this program, and compares what they
//! decide with what the log says that they decided: bit for bit (spec U7).
//!
//! Read line by line; what is kept is the state of those who act. Three things are told apart: the file was tampered with
//! (the chain is broken, steps are missing), the rules decide otherwise (a difference), and the log has a gap that it says
//! itself. A file whose last line was cut off, or that has no end, is as a process leaves it that was killed.

mod actors;
mod difference;
mod story;

pub use difference::Difference;

use crate::decision_log::{
    chain::{self, Link},
    line::{Begin, FORMAT, Line},
};
use actors::Actors;
use centro_kernel::{ContactId, TenantId};
use centro_routing_core::{Agent, Deadlines, Queue};
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

/// Longer lines are none of ours.
const LONGEST_LINE: u64 = 1 << 30;

/// What is to be verified.
#[derive(Debug, Default)]
pub struct Asked {
    /// The files, the oldest first.
    pub files: Vec<PathBuf>,
    /// Only what is this tenant's; the chain is checked all the same.
    pub tenant: Option<TenantId>,
    /// Tells what became of this contact.
    pub contact: Option<ContactId>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Steps that were repeated.
    pub steps: u64,
    /// Among them: offers of a contact to an agent, and comparisons of several queues' bids.
    pub decisions: u64,
    /// Places where the log says that it has no room for what happened.
    pub gaps: u64,
    /// Places where the log is not what was written, or not what the rules decide.
    pub differences: u64,
    /// Queues and agents that acted.
    pub actors: u64,
    /// Steps whose queue or agent is not known: the files before are missing, or a difference came before.
    pub unverified: u64,
    /// Lines that were read.
    pub lines: u64,
    /// The first difference.
    pub first: Option<Difference>,
    /// What is worth knowing and no difference.
    pub notes: Vec<String>,
    /// What became of the contact that was asked for, a line for each event.
    pub story: Vec<String>,
    /// The hash of the last line: whoever noted it down can tell that nobody wrote the files anew.
    pub last_hash: String,
}

impl Found {
    fn differs(&mut self, difference: Difference) {
        self.differences += 1;
        self.first.get_or_insert(difference);
    }
}

/// Repeats the files.
///
/// # Errors
/// A file cannot be read, or all of them are empty.
pub fn verify(asked: &Asked) -> io::Result<Found> {
    let mut replay = Replay {
        asked,
        found: Found::default(),
        before: None,
        deadlines: Deadlines::default(),
        queues: Actors::default(),
        agents: Actors::default(),
        story: story::Story::default(),
    };
    for path in &asked.files {
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(named)?;
        replay.file(path, BufReader::new(file)).map_err(named)?;
    }
    if replay.found.lines == 0 {
        let nothing = "nothing is written there: no step could be repeated";
        return Err(io::Error::new(io::ErrorKind::InvalidData, nothing));
    }
    let mut found = replay.found;
    found.actors = (replay.queues.met() + replay.agents.met()) as u64;
    found.last_hash = replay.before.unwrap_or_default();
    found.story = replay.story.lines;
    Ok(found)
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a Path,
    line: u64,
}

struct Replay<'a> {
    asked: &'a Asked,
    found: Found,
    /// The hash of the line before.
    before: Option<String>,
    deadlines: Deadlines,
    queues: Actors<Queue>,
    agents: Actors<Agent>,
    story: story::Story,
}

impl Replay<'_> {
    fn file(&mut self, path: &Path, mut lines: impl BufRead) -> io::Result<()> {
        let mut at = At {
            file: path,
            line: 0,
        };
        let (mut text, mut ended) = (Vec::new(), false);
        loop {
            text.clear();
            let mut limited = io::Read::take(&mut lines, LONGEST_LINE);
            if limited.read_until(b'\n', &mut text)? == 0 {
                break;
            }
            at.line += 1;
            self.found.lines += 1;
            let whole = text.pop_if(|last| *last == b'\n').is_some();
            if !whole && lines.fill_buf()?.is_empty() {
                self.note(at, "the last line is cut off: the process was killed while it wrote, or it still writes");
                return Ok(());
            }
            if ended {
                self.tampered(at, "there is more behind the end");
            }
            ended = self.line(at, &text);
        }
        match (at.line, ended) {
            (0, _) => self.note(at, "the file is empty"),
            (_, false) => self.note(
                at,
                "the file has no end: the process was killed, it still writes, or the end was cut off",
            ),
            (_, true) => {}
        }
        Ok(())
    }

    /// One line. True when it is the end of a file.
    fn line(&mut self, at: At<'_>, text: &[u8]) -> bool {
        let link = std::str::from_utf8(text).ok().and_then(Link::read);
        let Some(link) = link else {
            self.tampered(at, "this is no line of a decision log");
            return false;
        };
        let line = serde_json::from_str(&link.object());
        let before = match (&line, at.line) {
            (Ok(Line::Begin(begin)), 1) => self.begins(at, begin),
            (_, 1) => {
                self.tampered(at, "the beginning of the file is missing");
                None
            }
            _ => self.before.take(),
        };
        if before.is_some_and(|before| !link.follows(&before)) {
            self.tampered(
                at,
                "the hash is wrong: this line or the one before was altered, removed or moved",
            );
        }
        self.before = Some(link.hash.to_owned());
        match line {
            Ok(Line::Begin(_)) if at.line > 1 => self.tampered(at, "a file begins in the middle"),
            Ok(Line::Begin(_)) => {}
            Ok(Line::Queue(of)) => {
                let (asked, cfg) = (self.asked, &self.deadlines);
                self.queues
                    .line(at, of, asked, cfg, &mut self.found, &mut self.story);
            }
            Ok(Line::Agent(of)) => {
                let (asked, cfg) = (self.asked, &self.deadlines);
                self.agents
                    .line(at, *of, asked, cfg, &mut self.found, &mut self.story);
            }
            Ok(Line::End { lost, .. }) => {
                if lost > 0 {
                    let text = format!("{lost} lines found no room since the process started");
                    self.note(at, &text);
                }
                return true;
            }
            Err(error) => self.tampered(at, &format!("the line cannot be read: {error}")),
        }
        false
    }

    /// A file begins; gives the hash that it follows.
    fn begins(&mut self, at: At<'_>, begin: &Begin) -> Option<String> {
        let text = format!(
            "written by {} {}, file {}, from {}",
            begin.node,
            begin.version,
            begin.file,
            story::moment(begin.at)
        );
        self.note(at, &text);
        if begin.format != FORMAT {
            let text = format!(
                "its format is {}, and this program reads {FORMAT}",
                begin.format
            );
            self.tampered(at, &text);
        }
        self.deadlines = begin.deadlines;
        match (&begin.follows, self.before.take()) {
            (Some(follows), Some(before)) if *follows != before => {
                self.tampered(at, "the file before this one is missing, or was altered");
                self.queues.forget();
                self.agents.forget();
                Some(follows.clone())
            }
            (Some(follows), _) => Some(follows.clone()),
            (None, _) => {
                // Another life of the process: it knows nothing of the one before.
                self.queues.forget();
                self.agents.forget();
                Some(chain::FIRST.to_owned())
            }
        }
    }

    fn note(&mut self, at: At<'_>, text: &str) {
        self.found
            .notes
            .push(format!("{}:{}: {text}", at.file.display(), at.line));
    }

    fn tampered(&mut self, at: At<'_>, text: &str) {
        self.found.differs(Difference::new(at, text.to_owned()));
    }
}
