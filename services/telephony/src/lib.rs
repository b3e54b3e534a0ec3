//! Telephony: phones register, calls come in, dial plans run, callers wait, agents' phones ring, both talk.
//!
//! | Module | Owns |
//! |---|---|
//! | `core` | decisions without I/O: digest, nonces, limits, numbers, dial plans |
//! | `ua` | SIP sockets, sign-in, registrations, admission |
//! | `call` | one task per call with both its legs |
//! | `directory`, `feed` | the configuration in memory |
//! | `recordings`, `store` | files and index of recordings |
//! | `notify` | events out |
//! | `grpc` | doors: CallEdge, Registrations, Recordings |
//!
//! An INVITE goes `ua::dispatch` → `ua::invite` (who, where, room) → `call` → `shared/edge` ⇄ routing.

pub mod call;
pub mod core;
pub mod directory;
mod feed;
mod grpc;
mod metrics;
pub mod notify;
pub mod recordings;
mod service;
pub mod settings;
mod store;
mod timings;
pub mod ua;

pub use service::{Doors, Telephony, serve};
pub use settings::Settings;
pub use store::first_look;
