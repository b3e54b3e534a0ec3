//! Decisions without I/O: who may sign in, where a call goes, what a dial plan does next.

pub mod dialplan;
pub mod digest;
pub mod flood;
pub mod framing;
pub mod lately;
pub mod network;
pub mod nonce;
pub mod number;
pub mod puzzled;
pub mod throttle;
