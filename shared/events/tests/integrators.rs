//! What integrators are promised, on a real broker: who may read what, and that the examples read each event once.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod integrators {
    mod again;
    mod confined;
    mod examples;
    mod support;
}
