//! What is looked at from time to time, for `/metrics`: how long messages wait in mailboxes, and what waits for the bus.

use crate::{router::Router, store::RedisStore};
use centro_cluster::Shard;
use centro_kernel::Timestamp;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntGauge, IntGaugeVec, register_gauge, register_histogram,
    register_int_gauge, register_int_gauge_vec,
};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);
/// Actors of each kind that are looked at each time.
const MOST: usize = 32;

/// Absent when its name is taken, which is a fault of wiring and no reason to refuse calls.
type Metric<T> = LazyLock<Option<T>>;

static ACTORS: Metric<IntGaugeVec> = LazyLock::new(|| {
    let text = "Actors that run in this process";
    register_int_gauge_vec!("centro_routing_actors", text, &["kind"]).ok()
});

static MAILBOX: Metric<Histogram> = LazyLock::new(|| {
    let text =
        "How long a message waited in the mailbox of a queue or an agent, by a sample every 2 s";
    let buckets = vec![0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 3.0];
    let named = HistogramOpts::new("centro_routing_mailbox_wait_seconds", text);
    register_histogram!(named.buckets(buckets)).ok()
});

static OUTBOX: Metric<IntGauge> = LazyLock::new(|| {
    let text = "Events of this process's shards that wait to be published";
    register_int_gauge!("centro_routing_outbox_events", text).ok()
});

static OUTBOX_AGE: Metric<Gauge> = LazyLock::new(|| {
    let text = "How long the oldest event of this process's shards waits to be published";
    register_gauge!("centro_routing_outbox_oldest_seconds", text).ok()
});

/// Looks for ever.
pub async fn look(router: Arc<Router>, store: Option<RedisStore>) {
    loop {
        let (queues, agents) = router.actors();
        if let Some(actors) = LazyLock::force(&ACTORS) {
            for (kind, running) in [("queue", queues), ("agent", agents)] {
                let running = i64::try_from(running).unwrap_or(i64::MAX);
                actors.with_label_values(&[kind]).set(running);
            }
        }
        for wait in router.mailbox_waits(MOST).await {
            if let Some(mailbox) = LazyLock::force(&MAILBOX) {
                mailbox.observe(wait.as_secs_f64());
            }
        }
        if let Some(store) = &store {
            outbox(&router, store).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn outbox(router: &Router, store: &RedisStore) {
    let ownership = router.node.ownership();
    let ours = Shard::all().filter(|shard| ownership.epoch(*shard).is_some());
    let Ok((events, since)) = store.backlog(ours).await else {
        return; // what cannot be read is no news; the store says so itself
    };
    if let Some(gauge) = LazyLock::force(&OUTBOX) {
        gauge.set(i64::try_from(events).unwrap_or(i64::MAX));
    }
    // Redis wrote the time, so a clock of ours that is wrong makes this wrong by as much.
    let since = since.and_then(|since| i64::try_from(since).ok());
    let age = since.map(|since| router.now().since(Timestamp::from_millis(since)));
    if let Some(gauge) = LazyLock::force(&OUTBOX_AGE) {
        gauge.set(age.unwrap_or_default().as_secs_f64());
    }
}
