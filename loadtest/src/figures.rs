//! Quantiles of times, and the line of JSON every command ends with.

use crate::machine;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Times of one kind.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Times {
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of all do not exceed, in milliseconds.
    pub fn quantile_ms(&self, percent: usize) -> Option<f64> {
        let at = (self.0.len() * percent).div_ceil(100).checked_sub(1)?;
        self.0.get(at).map(|time| millis(*time))
    }

    /// Adds `NAME_p50`, `NAME_p95` and `NAME_p99` in milliseconds.
    pub fn write(&self, name: &str, into: &mut Map<String, Value>) {
        for percent in [50, 95, 99] {
            into.insert(
                format!("{name}_p{percent}"),
                json!(self.quantile_ms(percent)),
            );
        }
    }
}

/// Milliseconds with three decimals.
pub fn millis(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1_000.0)
}

/// Three decimals.
pub fn round(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}

/// Prints the result as one line, with the machine beside it.
pub fn print(mut result: Map<String, Value>) {
    result.insert("machine".into(), machine::describe());
    println!("{}", Value::Object(result));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_times_given() {
        let times: Times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(times.quantile_ms(50), Some(100.0));
        assert_eq!(times.quantile_ms(99), Some(198.0));
        assert_eq!(Times::default().quantile_ms(50), None);
    }
}
