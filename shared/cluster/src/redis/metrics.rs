//! What is counted of shards and their owners, for `/metrics`.

use crate::lease::Lease;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, register_histogram,
    register_int_counter, register_int_counter_vec, register_int_gauge,
};
use std::{sync::LazyLock, time::Duration};

/// Absent when its name is taken, which is a fault of wiring and no reason to refuse calls.
type Metric<T> = LazyLock<Option<T>>;

static OWNED: Metric<IntGauge> = LazyLock::new(|| {
    register_int_gauge!("centro_cluster_shards_owned", "Shards this process owns").ok()
});

static UNOWNED: Metric<IntGauge> = LazyLock::new(|| {
    let text = "Shards that nobody owns, as far as this process knows";
    register_int_gauge!("centro_cluster_shards_unowned", text).ok()
});

/// `handed_over`: its owner had given it back; `taken_over`: its owner was dead; `free`: it had none for long.
static GAINED: Metric<IntCounterVec> = LazyLock::new(|| {
    let text = "Shards that came to this process";
    register_int_counter_vec!("centro_cluster_shards_gained_total", text, &["how"]).ok()
});

static GIVEN_BACK: Metric<IntCounter> = LazyLock::new(|| {
    let text = "Shards that this process gave back for another";
    register_int_counter!("centro_cluster_shards_given_back_total", text).ok()
});

static PAUSE: Metric<Histogram> = LazyLock::new(|| {
    let text = "Time in which nobody owned a shard that was handed over to this process";
    let buckets = vec![
        0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0, 2.5, 10.0,
    ];
    let named = HistogramOpts::new("centro_cluster_handover_pause_seconds", text);
    register_histogram!(named.buckets(buckets)).ok()
});

/// The table was looked at.
pub fn looked(lease: &Lease) {
    let set = |gauge: &Metric<IntGauge>, n: usize| {
        if let Some(gauge) = LazyLock::force(gauge) {
            gauge.set(i64::try_from(n).unwrap_or(i64::MAX));
        }
    };
    set(&OWNED, lease.holds());
    set(&UNOWNED, lease.unowned());
}

/// A shard came. `pause`: how long nobody had it, if it was given back.
pub fn gained(from_nobody: bool, pause: Option<Duration>) {
    let how = match (from_nobody, pause) {
        (true, Some(_)) => "handed_over",
        (true, None) => "free",
        (false, _) => "taken_over",
    };
    if let Some(counters) = LazyLock::force(&GAINED) {
        counters.with_label_values(&[how]).inc();
    }
    if let (Some(histogram), true, Some(pause)) = (LazyLock::force(&PAUSE), from_nobody, pause) {
        histogram.observe(pause.as_secs_f64());
    }
}

/// A shard was given back.
pub fn given_back() {
    if let Some(counter) = LazyLock::force(&GIVEN_BACK) {
        counter.inc();
    }
}
