//! What queues and agents have in common for whoever writes their steps down or repeats them.

use super::item::{Item, Noted};
use centro_kernel::{QueueId, Timestamp, UserId};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentRecord, Deadlines, Out, Queue, QueueChange, QueueEffect,
    QueueMessage, QueueRecord, QueueSettings,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt::{Debug, Display},
    hash::Hash,
};

/// Data that can be written down and read again.
pub trait Data: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {}
impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static> Data for T {}

/// A decider of `centro_routing_core`: a function of its state, a message and the time.
pub trait Rules: Data {
    /// `queue` or `agent`, as in `line::Line`.
    const KIND: &'static str;
    /// Which one it is.
    type Id: Data + Copy + Display + Eq + Hash;
    /// What it is set to when it starts.
    type Settings: Data;
    /// What is stored of it.
    type Record: Data;
    /// What it hears.
    type Message: Data;
    /// What a step stores.
    type Change: Data;
    /// What a step wants done.
    type Effect: Data;

    /// Takes a record over.
    fn recover(
        settings: Self::Settings,
        epoch: u64,
        record: Self::Record,
        cfg: &Deadlines,
        now: Timestamp,
    ) -> (Self, Step<Self>);

    /// One step.
    fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: Self::Message) -> Step<Self>;

    /// Something of it, on its way to the log.
    fn item(noted: Box<Noted<Self>>) -> Item;
}

/// What a step brought about.
pub type Step<R> = Out<<R as Rules>::Change, <R as Rules>::Effect>;

impl Rules for Queue {
    const KIND: &'static str = "queue";
    type Id = QueueId;
    type Settings = QueueSettings;
    type Record = QueueRecord;
    type Message = QueueMessage;
    type Change = QueueChange;
    type Effect = QueueEffect;

    fn recover(
        settings: QueueSettings,
        epoch: u64,
        record: QueueRecord,
        cfg: &Deadlines,
        now: Timestamp,
    ) -> (Self, Step<Self>) {
        let queue = Self::recover(settings, epoch, record, cfg, now);
        (queue, Out::default())
    }

    fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: QueueMessage) -> Step<Self> {
        self.handle(cfg, now, message)
    }

    fn item(noted: Box<Noted<Self>>) -> Item {
        Item::Queue(noted)
    }
}

impl Rules for Agent {
    const KIND: &'static str = "agent";
    type Id = UserId;
    type Settings = ();
    type Record = AgentRecord;
    type Message = AgentMessage;
    type Change = AgentRecord;
    type Effect = AgentEffect;

    fn recover(
        (): (),
        _: u64,
        record: AgentRecord,
        cfg: &Deadlines,
        now: Timestamp,
    ) -> (Self, Step<Self>) {
        Self::recover(record, cfg, now)
    }

    fn handle(&mut self, cfg: &Deadlines, now: Timestamp, message: AgentMessage) -> Step<Self> {
        self.handle(cfg, now, message)
    }

    fn item(noted: Box<Noted<Self>>) -> Item {
        Item::Agent(noted)
    }
}
