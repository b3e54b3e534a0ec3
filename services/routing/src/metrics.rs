//! What is counted, for `/metrics`.

use crate::monitor::Unseen;
use centro_routing_core::invariants::Broken;
use prometheus::{IntCounter, IntCounterVec, register_int_counter, register_int_counter_vec};
use std::sync::LazyLock;

/// A counter; absent when its name is taken, which is a fault of wiring and no reason to refuse calls.
pub type Counter = LazyLock<Option<IntCounter>>;

/// Messages refused because a queue's or an agent's mailbox was full.
pub static MAILBOX_FULL: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_mailbox_full_total",
        "Messages refused by a full mailbox"
    )
    .ok()
});
/// Events lost because the outbox was full.
pub static EVENTS_LOST: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_events_lost_total",
        "Events lost because the outbox was full"
    )
    .ok()
});
/// Messages to actors in other processes that were not sent because too many waited, or the process could not be reached.
pub static PEER_MESSAGES_LOST: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_peer_messages_lost_total",
        "Messages to actors in other processes that were not sent"
    )
    .ok()
});
/// Streams closed because the edge did not read.
pub static EDGES_STUCK: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_edges_stuck_total",
        "Streams closed because the edge did not read"
    )
    .ok()
});
/// Actors stopped because a newer owner exists.
pub static DEPOSED: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_deposed_total",
        "Actors stopped because a newer owner exists"
    )
    .ok()
});

/// Writes refused because the shard has a newer owner.
pub static FENCED: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_fenced_total",
        "Writes refused because the shard has a newer owner"
    )
    .ok()
});

/// Lines of the decision log lost because its channel was full or the disk took nothing.
pub static DECISIONS_LOST: Counter = LazyLock::new(|| {
    register_int_counter!(
        "centro_routing_decision_log_lost_total",
        "Lines of the decision log lost because the disk was too slow or took nothing"
    )
    .ok()
});

/// Rules that must always hold and were seen broken.
static BROKEN: LazyLock<Option<IntCounterVec>> = LazyLock::new(|| {
    register_int_counter_vec!(
        "centro_routing_invariants_broken_total",
        "Times that a rule which must always hold was seen broken",
        &["rule"]
    )
    .ok()
});

/// What the invariant monitor could not look at.
static UNSEEN: LazyLock<Option<IntCounterVec>> = LazyLock::new(|| {
    register_int_counter_vec!(
        "centro_routing_invariants_unseen_total",
        "Times that the invariant monitor had no room to look at something that was due",
        &["what"]
    )
    .ok()
});

/// Shows all rules, none of them broken yet, and all that may go unseen.
pub fn show_rules() {
    if let Some(counters) = LazyLock::force(&BROKEN) {
        for rule in Broken::ALL {
            drop(counters.with_label_values(&[rule.name()]));
        }
    }
    if let Some(counters) = LazyLock::force(&UNSEEN) {
        for what in Unseen::ALL {
            drop(counters.with_label_values(&[what.name()]));
        }
    }
}

/// Counts what the monitor could not look at.
pub fn unseen(what: Unseen, n: u64) {
    if let Some(counters) = LazyLock::force(&UNSEEN) {
        counters.with_label_values(&[what.name()]).inc_by(n);
    }
}

/// Counts a broken rule.
pub fn broken(rule: Broken) {
    if let Some(counters) = LazyLock::force(&BROKEN) {
        counters.with_label_values(&[rule.name()]).inc();
    }
}

/// Counts one.
pub fn count(counter: &Counter) {
    if let Some(counter) = LazyLock::force(counter) {
        counter.inc();
    }
}

/// Counts several.
pub fn add(counter: &Counter, n: u64) {
    if let Some(counter) = LazyLock::force(counter) {
        counter.inc_by(n);
    }
}
