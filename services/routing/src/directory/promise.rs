//! What a queue promises, as the rules of its figures.

use crate::wire;
use centro_proto::configuration::CallQueue;
use centro_routing_core::figures::{Rules, ServiceLevel};

/// What the queue promises. Whole seconds: fractions are cut. A promise that is out of range counts as none.
pub(super) fn rules(queue: &CallQueue) -> Rules {
    let seconds = |duration: &prost_types::Duration| {
        u16::try_from(wire::duration(duration).as_secs()).unwrap_or(u16::MAX)
    };
    let default = Rules::default();
    let promised = queue.service_level.as_ref();
    let target = promised.and_then(|level| u8::try_from(level.target_percent).ok());
    let within = promised.and_then(|level| level.within.as_ref());
    let rules = Rules {
        service_level: ServiceLevel {
            target_percent: target.unwrap_or(default.service_level.target_percent),
            within_seconds: within.map_or(default.service_level.within_seconds, seconds),
            ..default.service_level
        },
        short_abandon_seconds: queue
            .short_abandon
            .as_ref()
            .map_or(default.short_abandon_seconds, seconds),
        ..default
    };
    if rules.validate().is_ok() {
        rules
    } else {
        default
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::configuration::ServiceLevel as ServiceLevelConfig;

    #[test]
    fn what_a_queue_promises_is_the_rule_of_its_figures() {
        let seconds = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
        let promising = |target_percent, within| CallQueue {
            service_level: Some(ServiceLevelConfig {
                target_percent,
                within,
            }),
            short_abandon: seconds(8, 900_000_000),
            ..CallQueue::default()
        };
        let promised = rules(&promising(90, seconds(30, 500_000_000)));
        assert_eq!(promised.service_level.target_percent, 90);
        assert_eq!(promised.service_level.within_seconds, 30);
        assert_eq!(promised.short_abandon_seconds, 8);
        assert_eq!(rules(&CallQueue::default()), Rules::default());
        let impossible = promising(0, seconds(0, 0));
        assert_eq!(rules(&impossible), Rules::default());
    }
}
