//! The settings of a queue's call back, and what may be typed into them.

use super::NumberType;
use crate::figures;
use centro_kernel::{Code, Fault};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// Longest threshold (spec D18).
const LONGEST_THRESHOLD: Duration = Duration::from_secs(24 * 3_600);
/// Shortest threshold (spec D18).
const SHORTEST_THRESHOLD: Duration = Duration::from_secs(1);

/// When callers of a queue are offered a call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The queue's switch (spec S23).
    pub enabled: bool,
    /// The tenant's plan has call backs.
    pub entitled: bool,
    /// The mean wait must be above this (spec S29, S30). It has no default: 1 s to 24 h.
    pub threshold: Duration,
    /// How far the mean looks back: 1 to 60 minutes.
    pub window: Duration,
    /// Numbers the system may call (spec S33). It overrides what agents may dial.
    pub number_types: BTreeSet<NumberType>,
}

impl Rule {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `threshold_not_positive` at `/threshold`, `duration_out_of_range` at `/threshold` or `/window`.
    pub fn validate(&self) -> Result<(), Fault> {
        check_threshold(self.threshold)?;
        figures::check_window(self.window)
    }

    /// The types that may be called unless somebody chose (spec D18).
    pub fn default_number_types() -> BTreeSet<NumberType> {
        BTreeSet::from([NumberType::Local, NumberType::National, NumberType::Mobile])
    }
}

fn check_threshold(threshold: Duration) -> Result<(), Fault> {
    if threshold.is_zero() {
        return Err(not_positive());
    }
    if (SHORTEST_THRESHOLD..=LONGEST_THRESHOLD).contains(&threshold) {
        return Ok(());
    }
    let text = "the threshold is 1 second to 24 hours";
    Err(Fault::new(Code::Invalid, "duration_out_of_range", text).at("/threshold"))
}

fn not_positive() -> Fault {
    let text = "the threshold must be more than nothing";
    Fault::new(Code::Invalid, "threshold_not_positive", text).at("/threshold")
}

/// The unit of a threshold (spec S29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

impl Unit {
    const fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
        }
    }
}

/// The threshold that was typed: a whole number of ASCII digits, without letters, signs or exponents (spec S29).
///
/// # Errors
/// `threshold_not_numeric`, `threshold_not_positive` (also for a negative number), `duration_out_of_range`.
pub fn threshold(typed: &str, unit: Unit) -> Result<Duration, Fault> {
    let typed = typed.trim();
    let digits = typed.strip_prefix('-').unwrap_or(typed);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let text = "the threshold is a whole number, without letters";
        return Err(Fault::new(Code::Invalid, "threshold_not_numeric", text).at("/threshold"));
    }
    if typed.starts_with('-') {
        return Err(not_positive());
    }
    // More digits than fit are out of range as well.
    let count = digits.parse::<u64>().unwrap_or(u64::MAX);
    let threshold = Duration::from_secs(count.saturating_mul(unit.seconds()));
    check_threshold(threshold)?;
    Ok(threshold)
}
