//! Hosts services in a process: what they get ([`Node`]), where they put their doors ([`Mount`]), how they reach each
//! other ([`Conn`]), how well they are ([`Health`]), what they tell operators ([`telemetry`]), and how they stop
//! ([`Lifecycle`]).

mod conn;
pub mod health;
mod lifecycle;
mod mount;
mod moved;
#[allow(clippy::module_inception)]
mod node;
mod peers;
mod revocations;
pub mod telemetry;
pub mod trace;

pub use centro_store::{Limits, Records};
pub use conn::{Conn, To};
pub use health::Health;
pub use lifecycle::Lifecycle;
pub use mount::Mount;
pub use node::{Node, NodeBuilder, Role, Service};
pub use peers::{Peers, PeersOf};
pub use telemetry::{Telemetry, TelemetrySettings};
