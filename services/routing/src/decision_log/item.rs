//! What actors hand to the writer: copies, before callers are taken out and anything is written as JSON.

use super::{
    line::Said,
    mask::Mask,
    rules::{Rules, Step},
};
use centro_kernel::{TenantId, Timestamp};
use centro_routing_core::{Agent, Queue};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// Something on its way to the log.
pub enum Item {
    /// Of a queue.
    Queue(Box<Noted<Queue>>),
    /// Of an agent.
    Agent(Box<Noted<Agent>>),
    /// Close the file, and say that it is done.
    End(oneshot::Sender<()>),
}

/// Something of one queue or agent; see `line::Of`.
pub struct Noted<R: Rules> {
    pub id: R::Id,
    pub tenant: TenantId,
    pub at: Timestamp,
    pub step: u64,
    pub what: Raw<R>,
}

/// What it is; see `line::What`.
pub enum Raw<R: Rules> {
    Activated {
        settings: R::Settings,
        epoch: u64,
        record: R::Record,
        out: Step<R>,
    },
    State {
        lost: u64,
        state: Box<R>,
    },
    Step {
        heard: R::Message,
        out: Step<R>,
    },
    Stopped,
}

impl<R: Rules> Noted<R> {
    /// The line, without callers: a `line::Line` as JSON.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn line(self, mask: &Mask) -> Result<Value, serde_json::Error> {
        let what = match self.what {
            Raw::Activated {
                settings,
                epoch,
                record,
                out,
            } => json!({"activated": {
                "settings": settings,
                "epoch": epoch,
                "record": masked(&record, mask)?,
                "said": Said::of::<R>(&out, Some(mask))?,
            }}),
            Raw::State { lost, state } => json!({"state": {
                "lost": lost,
                "state": masked(&state, mask)?,
            }}),
            Raw::Step { heard, out } => json!({"step": {
                "heard": masked(&heard, mask)?,
                "said": Said::of::<R>(&out, Some(mask))?,
            }}),
            Raw::Stopped => json!("stopped"),
        };
        Ok(json!({R::KIND: {
            "id": self.id,
            "tenant": self.tenant,
            "at": self.at,
            "step": self.step,
            "what": what,
        }}))
    }
}

fn masked<T: Serialize>(value: &T, mask: &Mask) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(value)?;
    mask.apply(&mut value);
    Ok(value)
}
