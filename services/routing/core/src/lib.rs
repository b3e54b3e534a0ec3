//! The routing rules: who serves whom, decided without clock, I/O or hidden randomness.
//!
//! Two actors. A [`Queue`] owns the order of its waiting contacts and bids for agents without naming a contact. An
//! [`Agent`] is the only authority on one agent: it grants at most one voice reservation, and only its own record can
//! say that a phone may ring or that two parties may be bridged. The third party, the edge, owns the contact; it lives
//! with telephony, chat or the dialer and speaks to both by the messages in [`message`].
//!
//! Each actor is `handle(deadlines, now, message) -> Out`. The caller stores `Out::changes` and `Out::events` under the
//! epoch of its shard, and only then carries out `Out::send` and gives `Out::answer`. When the store refuses the epoch,
//! or `Out::deposed` is set, the actor is dropped and nothing is sent. Deadlines are read from the state (`timers()`).
//!
//! The protocol in words: `docs/protocol.md`.

pub mod agent;
mod deadlines;
mod event;
pub mod message;
pub mod queue;
pub mod strategy;

pub use agent::{Agent, AgentRecord, Chosen, Ended, Slot, SlotPhase, State, View};
pub use deadlines::Deadlines;
pub use event::Event;
pub use message::{
    AgentEffect, AgentMessage, AgentOut, AgentTimer, Answer, Attach, Bid, Caller, EdgeMessage,
    Epoch, Grant, Out, Presence, QueueChange, QueueEffect, QueueMessage, QueueOut, QueueTimer,
    Rank, Terms,
};
pub use queue::{Entry, Place, Queue, QueueRecord, QueueSettings, Tombstone};
pub use strategy::Strategy;
