//! What one line of a decision log says.

use super::{
    mask::Mask,
    rules::{Rules, Step},
};
use centro_kernel::{TenantId, Timestamp};
use centro_routing_core::{Agent, Answer, Deadlines, Queue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Grows when lines change their meaning.
pub const FORMAT: u32 = 1;

/// One line, beside its hash.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first of a file.
    Begin(Begin),
    /// Something of a queue.
    Queue(Of<Queue>),
    /// Something of an agent.
    Agent(Box<Of<Agent>>),
    /// The last of a file that was closed in order.
    End {
        /// When.
        at: Timestamp,
        /// Lines that found no room since the process started, in all files.
        lost: u64,
    },
}

/// How a file begins.
#[derive(Debug, Serialize, Deserialize)]
pub struct Begin {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the software that decided.
    pub version: String,
    /// Name of the process.
    pub node: String,
    /// The file's number in its folder.
    pub file: u64,
    /// The last hash of the file before, when the same process wrote it.
    pub follows: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The deadlines under which was decided.
    pub deadlines: Deadlines,
}

/// Something of one queue or agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Rules", deserialize = "R: Rules"))]
pub struct Of<R: Rules> {
    /// Which one.
    pub id: R::Id,
    /// Whose.
    pub tenant: TenantId,
    /// When.
    pub at: Timestamp,
    /// Steps of this activation before this line.
    pub step: u64,
    /// What.
    pub what: What<R>,
}

/// What is said of a queue or agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    bound(serialize = "R: Rules", deserialize = "R: Rules")
)]
pub enum What<R: Rules> {
    /// It took a record over.
    Activated {
        /// What it was set to; the version of the configuration is in it.
        settings: R::Settings,
        /// The epoch under which it acts.
        epoch: u64,
        /// What was stored.
        record: R::Record,
        /// What it said to that.
        said: Said,
    },
    /// All of it, as it was before its next step: the first of a file, and after a gap.
    State {
        /// Steps that found no room in the log.
        lost: u64,
        /// The state.
        state: Box<R>,
    },
    /// One step.
    Step {
        /// What it heard.
        heard: R::Message,
        /// What it decided.
        said: Said,
    },
    /// It ended: another owner, or its last step could not be stored and was not carried out.
    Stopped,
}

/// What a step brought about: what people may want to read in full, and a digest of all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// As in `centro_routing_core::Out`.
    pub fence: bool,
    /// As in `centro_routing_core::Out`.
    pub deposed: bool,
    /// What was answered to whoever asked.
    pub answer: Option<Answer>,
    /// What was told to the world: decisions and what became of them.
    pub events: Vec<Value>,
    /// How many changes were stored.
    pub stored: usize,
    /// Who was told what, without the details.
    pub sent: Vec<String>,
    /// SHA-256 of all of it, stored records and messages included.
    pub digest: String,
}

impl Said {
    /// What `out` says. `mask` takes callers out; what was read from a log has none any more.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn of<R: Rules>(out: &Step<R>, mask: Option<&Mask>) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(out)?;
        if let Some(mask) = mask {
            mask.apply(&mut all);
        }
        let mut hash = Sha256::new();
        digest(&all, &mut hash);
        let sent = all.get("send").and_then(Value::as_array);
        let sent = sent.map(|all| all.iter().map(word).collect());
        let events = all.get_mut("events").map(Value::take);
        Ok(Self {
            fence: out.fence,
            deposed: out.deposed,
            answer: out.answer,
            events: match events {
                Some(Value::Array(events)) => events,
                _ => Vec::new(),
            },
            stored: out.changes.len(),
            sent: sent.unwrap_or_default(),
            digest: hex::encode(hash.finalize()),
        })
    }
}

/// An effect in a few words: `queue que_…: Presence`, `CancelOffer`.
fn word(effect: &Value) -> String {
    let Some((name, rest)) = only(effect) else {
        return String::new();
    };
    match rest.as_array().map(Vec::as_slice) {
        Some([Value::String(to), what]) => {
            let what = only(what).map(|(what, _)| what).or(what.as_str());
            format!("{} {to}: {}", name.to_lowercase(), what.unwrap_or_default())
        }
        _ => name.to_owned(),
    }
}

/// The only field of an object: a variant and what it carries.
pub fn only(value: &Value) -> Option<(&str, &Value)> {
    let (name, rest) = value.as_object()?.iter().next()?;
    Some((name, rest))
}

/// Feeds a value to the hash, in a form that does not depend on the order of fields in memory.
fn digest(value: &Value, hash: &mut Sha256) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(true) => hash.update(b"t"),
        Value::Bool(false) => hash.update(b"f"),
        Value::Number(number) => text(b'#', &number.to_string(), hash),
        Value::String(string) => text(b'"', string, hash),
        Value::Array(all) => {
            length(b'[', all.len(), hash);
            all.iter().for_each(|value| digest(value, hash));
        }
        Value::Object(fields) => {
            length(b'{', fields.len(), hash);
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in fields {
                text(b'"', name, hash);
                digest(value, hash);
            }
        }
    }
}

fn text(kind: u8, text: &str, hash: &mut Sha256) {
    length(kind, text.len(), hash);
    hash.update(text);
}

fn length(kind: u8, length: usize, hash: &mut Sha256) {
    hash.update([kind]);
    hash.update((length as u64).to_be_bytes());
}
