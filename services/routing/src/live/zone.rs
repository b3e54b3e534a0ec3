//! Where a tenant's days begin.

use centro_kernel::Timestamp;
use jiff::tz::TimeZone;

/// A tenant's time zone; UTC unless one is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of this IANA name; UTC when there is none, as configuration lets none in.
    pub fn named(name: &str) -> Self {
        TimeZone::get(name).map(Self).unwrap_or_default()
    }

    /// The first moment of the day that `now` is in: midnight, or the end of the gap where the clocks skip it.
    pub fn day_start(&self, now: Timestamp) -> Timestamp {
        let start = jiff::Timestamp::from_millisecond(now.as_millis())
            .and_then(|now| now.to_zoned(self.0.clone()).start_of_day());
        // Beyond the years that calendars know.
        start.map_or(now, |start| {
            Timestamp::from_millis(start.timestamp().as_millisecond())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(text: &str) -> Timestamp {
        let at: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(at.as_millisecond())
    }

    #[test]
    fn a_day_begins_at_its_own_midnight() {
        let now = at("2026-07-01T22:30:00Z");
        for (zone, start) in [
            ("", "2026-07-01T00:00:00Z"),
            ("UTC", "2026-07-01T00:00:00Z"),
            ("Europe/Rome", "2026-07-01T22:00:00Z"),
            ("America/New_York", "2026-07-01T04:00:00Z"),
            ("Asia/Kathmandu", "2026-07-01T18:15:00Z"),
            ("Nowhere/Land", "2026-07-01T00:00:00Z"),
        ] {
            assert_eq!(Zone::named(zone).day_start(now), at(start), "{zone}");
        }
        let midnight = at("2026-07-01T22:00:00Z");
        let rome = Zone::named("Europe/Rome");
        assert_eq!(rome.day_start(midnight), midnight);
        let before = Timestamp::from_millis(midnight.as_millis() - 1);
        assert_eq!(rome.day_start(before), at("2026-06-30T22:00:00Z"));
    }

    /// Clocks go forward on 29 March 2026 and back on 25 October (spec 5.4).
    #[test]
    fn some_days_have_23_or_25_hours() {
        let rome = Zone::named("Europe/Rome");
        let length = |noon: &str| {
            let start = rome.day_start(at(noon));
            let next = Timestamp::from_millis(start.as_millis() + 30 * HOUR);
            (rome.day_start(next).as_millis() - start.as_millis()) / HOUR
        };
        assert_eq!(length("2026-03-28T12:00:00Z"), 24);
        assert_eq!(length("2026-03-29T12:00:00Z"), 23);
        assert_eq!(length("2026-10-25T12:00:00Z"), 25);
    }

    #[test]
    fn a_day_without_midnight_begins_when_its_clocks_do() {
        let santiago = Zone::named("America/Santiago");
        // At midnight of 6 September 2026 it is 1 o'clock there: 04:00 UTC.
        let start = santiago.day_start(at("2026-09-06T12:00:00Z"));
        assert_eq!(start, at("2026-09-06T04:00:00Z"));
        let end_of_time = Timestamp::from_millis(i64::MAX);
        assert_eq!(santiago.day_start(end_of_time), end_of_time);
    }
}
