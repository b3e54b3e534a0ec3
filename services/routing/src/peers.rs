//! Actors in several processes (docs/decisions/0017-actors-in-several-processes.md).
//!
//! | part | what it does |
//! |---|---|
//! | [`link`] | carries what actors here say to actors elsewhere |
//! | [`follow`] | keeps what lists show of the actors elsewhere |
//! | [`door`] | the other side of both |
//! | [`elsewhere`] | sends a person's request on to the process that has whom it names |

mod door;
pub mod elsewhere;
pub mod follow;
mod link;

pub use link::Links;
