//! Where a tenant's days begin.

use centro_kernel::Timestamp;
use jiff::{ToSpan, tz::TimeZone};
use parking_lot::Mutex;
use std::sync::{Arc, LazyLock};

/// That of tenants who have set none.
static UTC: LazyLock<Zone> = LazyLock::new(|| Zone::new(TimeZone::UTC));

/// A tenant's time zone; UTC unless one is set. Clones share what they know of the day.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    /// The day that was asked for last, from its first moment until before the next one's: every step asks for it, and a
    /// calendar takes its time.
    day: Arc<Mutex<(Timestamp, Timestamp)>>,
}

impl Default for Zone {
    fn default() -> Self {
        UTC.clone()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone
    }
}

impl Zone {
    fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            day: Arc::default(),
        }
    }

    /// The zone of this IANA name; UTC when there is none, as configuration lets none in.
    pub fn named(name: &str) -> Self {
        TimeZone::get(name).map(Self::new).unwrap_or_default()
    }

    /// The first moment of the day that `now` is in: midnight, or the end of the gap where the clocks skip it.
    pub fn day_start(&self, now: Timestamp) -> Timestamp {
        let mut day = self.day.lock();
        if !(day.0..day.1).contains(&now) {
            // Beyond the years that calendars know a day is a moment.
            *day = self.day(now).unwrap_or((now, now));
        }
        day.0
    }

    fn day(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), jiff::Error> {
        let now = jiff::Timestamp::from_millisecond(now.as_millis())?;
        let start = now.to_zoned(self.zone.clone()).start_of_day()?;
        let next = start.checked_add(1.day())?.start_of_day()?;
        let at = |at: &jiff::Zoned| Timestamp::from_millis(at.timestamp().as_millisecond());
        Ok((at(&start), at(&next)))
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
