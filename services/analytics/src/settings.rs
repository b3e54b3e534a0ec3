//! The `analytics` section of the settings.

use serde::Deserialize;
use std::time::Duration;

/// How facts are gathered and kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How long events are gathered before they are written together. A report is at most this late.
    #[serde(with = "humantime_serde")]
    pub gather: Duration,
    /// Most events written together.
    pub batch: usize,
    /// How long events are known, so that a repeat is not counted again.
    #[serde(with = "humantime_serde")]
    pub remember_events: Duration,
    /// Whether calls die with this process: then what was open when it died is closed when it starts again.
    pub close_open_at_start: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(250),
            batch: 512,
            remember_events: Duration::from_secs(3600),
            close_open_at_start: true,
        }
    }
}

impl Settings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        if self.gather > Duration::from_secs(10) {
            return Err("analytics.gather: must be at most 10s, or reports lag".into());
        }
        if !(1..=1000).contains(&self.batch) {
            return Err("analytics.batch: must be from 1 to 1000".into());
        }
        if self.remember_events < Duration::from_secs(60) {
            return Err(
                "analytics.remember_events: must be at least 1m, or repeats are counted".into(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_a_bad_value_names_its_key() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let bad = Settings {
            batch: 0,
            ..Settings::default()
        };
        assert!(bad.validate().unwrap_err().starts_with("analytics.batch"));
    }
}
