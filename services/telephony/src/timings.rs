//! How long calls take to be set up and to be offered, for `/metrics`.

use prometheus::{Histogram, HistogramOpts, register_histogram};
use std::{sync::LazyLock, time::Duration};

/// Absent when its name is taken, which is a fault of wiring and no reason to refuse calls.
type Timing = LazyLock<Option<Histogram>>;

static SET_UP: Timing = LazyLock::new(|| {
    let text = "From a caller's INVITE to our answer";
    let named = HistogramOpts::new("centro_call_setup_seconds", text);
    let buckets = vec![
        0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0,
    ];
    register_histogram!(named.buckets(buckets)).ok()
});

static DISPATCH: Timing = LazyLock::new(|| {
    let text =
        "From entering the queue to the first offer of an agent at the edge; waiting included";
    let named = HistogramOpts::new("centro_call_dispatch_seconds", text);
    let buckets = vec![
        0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0,
    ];
    register_histogram!(named.buckets(buckets)).ok()
});

/// A caller was answered.
pub fn set_up(took: Duration) {
    observe(&SET_UP, took);
}

/// A waiting caller was offered an agent for the first time.
pub fn dispatched(took: Duration) {
    observe(&DISPATCH, took);
}

fn observe(timing: &Timing, took: Duration) {
    if let Some(histogram) = LazyLock::force(timing) {
        histogram.observe(took.as_secs_f64());
    }
}
