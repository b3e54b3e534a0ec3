//! Times and durations as people write them: `15s`, `2m30s`, `09:00:05`, `+20s`, `2s..8s`.

use humantime_serde::re::humantime::{format_duration, parse_duration};
use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

const DAY: u64 = 86_400;

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        span(&String::deserialize(from)?)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// From one length of time to another; one alone is both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The shortest.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Range {
    /// One of its lengths, to the millisecond, for a number drawn by lot.
    pub fn pick(self, lot: u64) -> Duration {
        let wide = (self.most - self.least).as_millis();
        let wide = u64::try_from(wide).unwrap_or(u64::MAX - 1);
        self.least + Duration::from_millis(lot % (wide + 1))
    }

    /// Whether it is one of its lengths.
    pub fn has(self, length: Duration) -> bool {
        (self.least..=self.most).contains(&length)
    }

    /// As it was written.
    pub fn words(self) -> String {
        if self.least == self.most {
            words(self.least)
        } else {
            format!("{}..{}", words(self.least), words(self.most))
        }
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let (least, most) = text.split_once("..").unwrap_or((&text, &text));
        let least = span(least).map_err(D::Error::custom)?;
        let most = span(most).map_err(D::Error::custom)?;
        if most < least {
            return Err(D::Error::custom(format!(
                "`{text}` ends before it begins: write the shorter time first"
            )));
        }
        Ok(Self { least, most })
    }
}

/// A moment of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long after the story began: `90s`.
    FromStart(Duration),
    /// At this time of day: `09:00:05`.
    OfDay(Duration),
    /// So long after the entry before: `+20s`.
    Later(Duration),
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        moment(&text).map_err(D::Error::custom)
    }
}

/// A time of day, since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(pub Duration);

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || D::Error::custom(format!("`{text}` is no time of day: write 09:00:00"));
        of_day(&text).map(Self).ok_or_else(wrong)
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    if let Some(later) = text.strip_prefix('+') {
        return span(later).map(Moment::Later);
    }
    if text.contains(':') {
        let wrong = || format!("`{text}` is no time of day: write 09:00:05");
        return of_day(text).map(Moment::OfDay).ok_or_else(wrong);
    }
    span(text).map(Moment::FromStart)
}

fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let length = parse_duration(text)
        .map_err(|_| format!("`{text}` is no length of time: write 15s, 2m30s or 250ms"))?;
    if length > Duration::from_secs(30 * DAY) {
        return Err(format!("`{text}` is too long: 30 days at most"));
    }
    // The centre counts in milliseconds.
    Ok(Duration::from_millis(
        u64::try_from(length.as_millis()).unwrap_or(0),
    ))
}

fn of_day(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("0");
    let number = |text: &str, below: u64| text.parse::<u64>().ok().filter(|n| *n < below);
    let seconds = number(hours, 24)? * 3600 + number(minutes, 60)? * 60 + number(seconds, 60)?;
    parts.next().is_none().then(|| Duration::from_secs(seconds))
}

/// A length of time as people read it.
pub fn words(length: Duration) -> String {
    format_duration(length).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_counted_from_the_start_from_midnight_or_from_the_entry_before() {
        let seconds = Duration::from_secs;
        assert_eq!(moment("2m30s"), Ok(Moment::FromStart(seconds(150))));
        assert_eq!(moment("09:00:05"), Ok(Moment::OfDay(seconds(32_405))));
        assert_eq!(moment("09:01"), Ok(Moment::OfDay(seconds(32_460))));
        assert_eq!(moment("+20s"), Ok(Moment::Later(seconds(20))));
        for wrong in ["9", "24:00", "10:61", "1:2:3:4", "-5s", "soon", "60d"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_length_of_a_range_can_be_drawn_and_none_outside() {
        let (least, most) = (Duration::from_millis(3), Duration::from_millis(5));
        let range = Range { least, most };
        let drawn: std::collections::BTreeSet<_> = (0..100).map(|lot| range.pick(lot)).collect();
        assert_eq!(drawn.len(), 3);
        assert!(drawn.into_iter().all(|length| range.has(length)));
    }
}
