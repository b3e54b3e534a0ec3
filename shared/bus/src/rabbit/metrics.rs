//! What operators count of the bus.

use opentelemetry::{KeyValue, global, metrics::Counter};
use std::sync::OnceLock;

/// An event of this group went to its dead-letter queue.
pub(super) fn dead_letter(group: &str) {
    static COUNTER: OnceLock<Counter<u64>> = OnceLock::new();
    let counter = COUNTER.get_or_init(|| {
        let meter = global::meter("centro");
        let counter = meter.u64_counter("centro_bus_dead_letters");
        counter
            .with_description("Events that went to the dead-letter queue of a group")
            .build()
    });
    counter.add(1, &[KeyValue::new("group", group.to_owned())]);
}
