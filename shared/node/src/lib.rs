//! Hosts services in a process: what they get ([`Node`]), where they put their doors ([`Mount`]), how they reach each
//! other ([`Conn`]), and how they stop ([`Lifecycle`]).

mod conn;
mod lifecycle;
mod mount;
#[allow(clippy::module_inception)]
mod node;

pub use conn::Conn;
pub use lifecycle::Lifecycle;
pub use mount::Mount;
pub use node::{Node, NodeBuilder, Role, Service};
