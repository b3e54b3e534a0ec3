//! The door as its callers see it: real HTTP, real WebSocket.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod bench;
mod live;
mod mistakes;
mod pages;
mod repeats;
mod rest;
