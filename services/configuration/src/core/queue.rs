//! Call queues: what is set when nothing is said, and which values fit (spec D1–D16).

use super::{extension, invalid};
use centro_kernel::{Fault, name};
use centro_proto::{
    configuration::{CallQueue, ServiceLevel},
    types::RingStrategy,
};
use prost_types::Duration;

const fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}

/// Fills in what was left out.
pub fn with_defaults(mut queue: CallQueue) -> CallQueue {
    if queue.ring_strategy == RingStrategy::Unspecified as i32 {
        queue.ring_strategy = RingStrategy::LongestIdle as i32;
    }
    queue.agent_ring_timeout.get_or_insert(seconds(15));
    queue.wrap_up.get_or_insert(seconds(10));
    queue.max_callers.get_or_insert(0);
    queue.missed_offers.get_or_insert(1);
    queue.announce_position_every.get_or_insert(seconds(0));
    let level = queue.service_level.get_or_insert_default();
    if level.target_percent == 0 {
        level.target_percent = 80;
    }
    level.within.get_or_insert(seconds(20));
    queue.short_abandon.get_or_insert(seconds(5));
    queue.record.get_or_insert(true);
    queue.reject_delay.get_or_insert(seconds(10));
    queue
}

/// Checks a queue and trims its name. An empty extension is not looked at: it is given later.
///
/// # Errors
/// Those of names and extensions, `duration_out_of_range`, `number_out_of_range`, `value_unknown`.
pub fn check(queue: &mut CallQueue) -> Result<(), Fault> {
    queue.display_name = name::check(&queue.display_name)?;
    if !queue.extension.is_empty() {
        extension::check(&queue.extension)?;
    }
    if RingStrategy::try_from(queue.ring_strategy).is_err() {
        return Err(invalid(
            "value_unknown",
            "there is no such ring strategy",
            "/ringStrategy",
        ));
    }
    if !matches!(queue.language.as_str(), "" | "en" | "it") {
        return Err(invalid(
            "value_unknown",
            "prompts exist in en and it",
            "/language",
        ));
    }
    duration(
        queue.agent_ring_timeout.as_ref(),
        5,
        900,
        "/agentRingTimeout",
    )?;
    duration(queue.wrap_up.as_ref(), 0, 900, "/wrapUp")?;
    duration(
        queue.announce_position_every.as_ref(),
        0,
        3600,
        "/announcePositionEvery",
    )?;
    duration(queue.short_abandon.as_ref(), 0, 60, "/shortAbandon")?;
    duration(queue.reject_delay.as_ref(), 0, 600, "/rejectDelay")?;
    number(queue.max_callers, 0, 10_000, "/maxCallers")?;
    number(queue.weight, 1, 1000, "/weight")?;
    number(queue.missed_offers, 1, 10, "/missedOffers")?;
    if let Some(ServiceLevel {
        target_percent,
        within,
    }) = &queue.service_level
    {
        number(Some(*target_percent), 1, 100, "/serviceLevel/targetPercent")?;
        duration(within.as_ref(), 1, 3600, "/serviceLevel/within")?;
    }
    Ok(())
}

/// Checks that a duration lies between two numbers of seconds, both included. An absent one is fine.
pub(super) fn duration(
    value: Option<&Duration>,
    min: i64,
    max: i64,
    field: &str,
) -> Result<(), Fault> {
    let Some(value) = value else { return Ok(()) };
    let millis = value
        .seconds
        .saturating_mul(1000)
        .saturating_add(i64::from(value.nanos) / 1_000_000);
    if value.nanos < 0 || millis < min * 1000 || millis > max * 1000 {
        let message = format_args!("give {min} to {max} seconds");
        return Err(invalid("duration_out_of_range", message, field)
            .with("min", min)
            .with("max", max));
    }
    Ok(())
}

fn number(value: Option<u32>, min: u32, max: u32, field: &str) -> Result<(), Fault> {
    if value.is_some_and(|value| value < min || value > max) {
        let message = format_args!("give {min} to {max}");
        return Err(invalid("number_out_of_range", message, field)
            .with("min", min)
            .with("max", max));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sales() -> CallQueue {
        with_defaults(CallQueue {
            display_name: "Sales".to_owned(),
            ..CallQueue::default()
        })
    }

    #[test]
    fn what_is_left_out_gets_the_published_default() {
        let queue = sales();
        assert_eq!(queue.ring_strategy(), RingStrategy::LongestIdle);
        assert_eq!(queue.agent_ring_timeout, Some(seconds(15)));
        assert_eq!(
            queue.service_level,
            Some(ServiceLevel {
                target_percent: 80,
                within: Some(seconds(20))
            })
        );
        assert_eq!(
            (queue.record, queue.missed_offers, queue.weight),
            (Some(true), Some(1), None)
        );
    }

    #[test]
    fn values_out_of_range_name_their_field() {
        assert_eq!(check(&mut sales()), Ok(()));
        let wrong = |change: fn(&mut CallQueue)| {
            let mut queue = sales();
            change(&mut queue);
            let fault = check(&mut queue).unwrap_err();
            (fault.reason, fault.field)
        };
        assert_eq!(
            wrong(|q| q.wrap_up = Some(seconds(901))),
            ("duration_out_of_range", "/wrapUp".to_owned())
        );
        assert_eq!(
            wrong(|q| q.agent_ring_timeout = Some(seconds(4))).1,
            "/agentRingTimeout"
        );
        assert_eq!(
            wrong(|q| q.weight = Some(0)),
            ("number_out_of_range", "/weight".to_owned())
        );
        assert_eq!(wrong(|q| q.ring_strategy = 99).0, "value_unknown");
        assert_eq!(
            wrong(|q| q.extension = "12".to_owned()).0,
            "extension_bad_format"
        );
        assert_eq!(wrong(|q| q.display_name = " ".to_owned()).0, "name_empty");
    }
}
