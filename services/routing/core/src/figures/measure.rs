//! Means and shares that keep their sums, so that nothing is rounded before it is shown.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A sum of durations and how many they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mean {
    /// Milliseconds in all.
    pub sum_ms: u64,
    /// How many.
    pub count: u64,
}

impl Mean {
    /// The mean in milliseconds, rounded down; `None` when there is nothing, which is neither zero nor endless.
    pub const fn millis(self) -> Option<u64> {
        self.sum_ms.checked_div(self.count)
    }

    /// Whether the mean is strictly above the limit. Exact: 60.0001 s is above a minute, 60 s is not. Nothing never is.
    pub fn exceeds(self, limit: Duration) -> bool {
        u128::from(self.sum_ms) > limit.as_millis() * u128::from(self.count)
    }

    pub(super) const fn add(&mut self, ms: u64) {
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.count += 1;
    }

    pub(super) const fn take(&mut self, other: Self) {
        self.sum_ms = self.sum_ms.saturating_sub(other.sum_ms);
        self.count = self.count.saturating_sub(other.count);
    }
}

/// The mean wait of those who left a queue lately (spec D19).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeanWait {
    /// Sum and number of the waits.
    pub mean: Mean,
    /// How far back it looks, in milliseconds.
    pub window_ms: u64,
    /// False while the figures are younger than the window, or when more left than are kept: then it is the mean of those
    /// that are known.
    pub complete: bool,
}

/// A part of a base. A share of nothing is unknown, not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// The part.
    pub part: u64,
    /// What it is a part of.
    pub base: u64,
}

impl Ratio {
    /// Hundredths of a per cent, rounded down: 10,000 is all of it. `None` without a base.
    pub fn basis_points(self) -> Option<u32> {
        let scaled = (u128::from(self.part) * 10_000).checked_div(u128::from(self.base))?;
        Some(u32::try_from(scaled).unwrap_or(u32::MAX))
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_compared_without_rounding() {
        let minute = Duration::from_secs(60);
        let mean = |sum_ms, count| Mean { sum_ms, count };
        assert!(!mean(0, 0).exceeds(minute));
        assert!(!mean(60_000, 1).exceeds(minute));
        assert!(mean(60_001, 1).exceeds(minute));
        assert!(mean(180_001, 3).exceeds(minute));
        assert_eq!(mean(180_001, 3).millis(), Some(60_000));
        assert_eq!(mean(0, 0).millis(), None);
    }

    #[test]
    fn a_share_of_nothing_is_unknown() {
        assert_eq!(Ratio { part: 0, base: 0 }.basis_points(), None);
        assert_eq!(Ratio { part: 0, base: 3 }.basis_points(), Some(0));
        assert_eq!(Ratio { part: 2, base: 3 }.basis_points(), Some(6_666));
        assert_eq!(Ratio { part: 3, base: 3 }.basis_points(), Some(10_000));
    }
}
