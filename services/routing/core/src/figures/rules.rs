//! By which rules a queue's figures are made.

use centro_kernel::{Code, Fault};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a queue promises, and what counts against it (spec D14, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceLevel {
    /// The promise in per cent, 1 to 100.
    pub target_percent: u8,
    /// Answered within so many whole seconds counts; exactly so many is in time. 1 to 3,600.
    pub within_seconds: u16,
    /// Flow-outs belong to the base.
    pub include_flow_outs: bool,
    /// Short abandons belong to the base.
    pub include_short_abandons: bool,
    /// Abandons belong to the base.
    pub include_abandons: bool,
}

impl Default for ServiceLevel {
    fn default() -> Self {
        Self {
            target_percent: 80,
            within_seconds: 20,
            include_flow_outs: false,
            include_short_abandons: false,
            include_abandons: true,
        }
    }
}

/// A queue's rules for its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// What the queue promises.
    pub service_level: ServiceLevel,
    /// An abandon sooner than this is short (spec D15). 0 to 60.
    pub short_abandon_seconds: u16,
    /// How far back means look (spec D18, D19). 1 to 60 minutes.
    pub window: Duration,
    /// Samples below which no wait is foretold. At least 1.
    pub minimum_sample: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            service_level: ServiceLevel::default(),
            short_abandon_seconds: 5,
            window: Duration::from_secs(15 * 60),
            minimum_sample: 10,
        }
    }
}

impl Rules {
    /// Checks the ranges.
    ///
    /// # Errors
    /// `number_out_of_range` or `duration_out_of_range`, at the field.
    pub fn validate(&self) -> Result<(), Fault> {
        let level = &self.service_level;
        if !(1..=100).contains(&level.target_percent) {
            let text = "a service level is promised for 1 to 100 per cent";
            return Err(number(text, "/serviceLevel/targetPercent"));
        }
        if self.minimum_sample == 0 {
            let text = "a wait is foretold from at least one sample";
            return Err(number(text, "/minimumSample"));
        }
        if !(1..=3_600).contains(&level.within_seconds) {
            let text = "the service level's time is 1 to 3600 seconds";
            return Err(duration(text, "/serviceLevel/withinSeconds"));
        }
        if self.short_abandon_seconds > 60 {
            let text = "a short abandon is at most 60 seconds";
            return Err(duration(text, "/shortAbandonSeconds"));
        }
        check_window(self.window)
    }
}

/// Checks how far back a mean looks.
///
/// # Errors
/// `duration_out_of_range`, at `/window`.
pub(crate) fn check_window(window: Duration) -> Result<(), Fault> {
    let allowed = Duration::from_secs(60)..=Duration::from_secs(3_600);
    if allowed.contains(&window) {
        return Ok(());
    }
    Err(duration("the window is 1 to 60 minutes", "/window"))
}

fn number(text: &str, pointer: &str) -> Fault {
    Fault::new(Code::Invalid, "number_out_of_range", text).at(pointer)
}

fn duration(text: &str, pointer: &str) -> Fault {
    Fault::new(Code::Invalid, "duration_out_of_range", text).at(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_specification() {
        let rules = Rules::default();
        assert_eq!(rules.validate(), Ok(()));
        assert_eq!(rules.service_level.target_percent, 80);
        assert_eq!(rules.service_level.within_seconds, 20);
        assert_eq!(rules.short_abandon_seconds, 5);
        assert_eq!(rules.window, Duration::from_secs(900));
    }

    #[test]
    fn a_value_out_of_range_names_its_field() {
        let change = |change: fn(&mut Rules)| {
            let mut rules = Rules::default();
            change(&mut rules);
            let fault = rules.validate().expect_err("refused");
            (fault.reason, fault.field)
        };
        let table: [(fn(&mut Rules), _, _); 7] = [
            (
                |r| r.service_level.target_percent = 101,
                "number_out_of_range",
                "/serviceLevel/targetPercent",
            ),
            (
                |r| r.service_level.within_seconds = 0,
                "duration_out_of_range",
                "/serviceLevel/withinSeconds",
            ),
            (
                |r| r.service_level.within_seconds = 3_601,
                "duration_out_of_range",
                "/serviceLevel/withinSeconds",
            ),
            (
                |r| r.short_abandon_seconds = 61,
                "duration_out_of_range",
                "/shortAbandonSeconds",
            ),
            (
                |r| r.minimum_sample = 0,
                "number_out_of_range",
                "/minimumSample",
            ),
            (
                |r| r.window = Duration::from_secs(59),
                "duration_out_of_range",
                "/window",
            ),
            (
                |r| r.window = Duration::from_secs(3_601),
                "duration_out_of_range",
                "/window",
            ),
        ];
        for (wrong, reason, field) in table {
            assert_eq!(change(wrong), (reason, field.to_owned()));
        }
    }
}
