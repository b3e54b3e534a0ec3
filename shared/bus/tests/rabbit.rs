//! What the bus of a cluster adds to the contract: outages, dead letters, the log, and refusals at the start.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod rabbit {
    mod dead_letters;
    mod limits;
    mod log;
    mod outages;
    mod start;
    mod support;
    mod watchers;
}
