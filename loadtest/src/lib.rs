//! Proves Centro from outside: scripted phones place and take real calls over SIP and RTP, and tell what they heard and when.
//!
//! | Module | Owns |
//! |---|---|
//! | [`phone`] | many phones on one SIP socket: registering, calling, answering, tones |
//! | [`api`] | what an administrator does over REST |
//! | [`centre`] | the centre under test: spawned here, or running elsewhere |
//! | [`process`], [`machine`] | what it costs, and on what |
//! | [`faults`] | a cluster under trouble, row by row |
//! | [`command`] | one measurement each; its result is one line of JSON |

pub mod api;
pub mod centre;
pub mod command;
pub mod faults;
pub mod figures;
pub mod floor;
pub mod machine;
pub mod phone;
pub mod process;
