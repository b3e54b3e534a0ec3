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
pub mod callback;
mod deadlines;
mod draw;
mod event;
mod few;
pub mod figures;
pub mod invariants;
pub mod message;
#[cfg(feature = "mutants")]
pub mod mutants;
#[cfg(not(feature = "mutants"))]
mod mutants;
mod pairs;
pub mod queue;
pub mod reason;
pub mod settings;
pub mod skills;
pub mod strategy;

pub use agent::{
    Agent, AgentRecord, Chosen, Desktop, Ended, Membership, Part, Rest, Slot, SlotPhase, State,
    View,
};
pub use deadlines::Deadlines;
pub use event::Event;
pub use message::{
    AgentEffect, AgentMessage, AgentOut, AgentTimer, Answer, Attach, Bid, Caller, ContactKind,
    EdgeEpoch, EdgeMessage, Epoch, Grant, LogIn, Medium, NoPickUp, Out, PickUp, Presence,
    QueueChange, QueueEffect, QueueMessage, QueueOut, QueueTimer, Rank,
};
pub use queue::{Boost, Entry, Place, Queue, QueueRecord, Tombstone, Wish};
pub use settings::{
    Ageing, Briefing, EmptyRule, QueueSettings, Rona, RonaAction, Standing, Standings, Terms,
    WrapUp, WrapUpMode,
};
pub use skills::{Capacity, Comparison, Need, Needs, Profile, SkillMatch, Skills, Step};
pub use strategy::Strategy;
