//! Routing's section of the settings.

use crate::{decision_log::DecisionLogSettings, store::Shared};
use centro_routing_core::Deadlines;
use serde::Deserialize;
use std::time::Duration;

/// What an operator can turn. The defaults suit every size we measured.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long a freed agent waits for the bids of all its queues.
    #[serde(with = "humantime_serde")]
    pub solicit: Duration,
    /// How long an agent stays reserved for a queue that brings no contact.
    #[serde(with = "humantime_serde")]
    pub reserved: Duration,
    /// How much longer than the ring an agent is kept for an edge that went silent.
    #[serde(with = "humantime_serde")]
    pub ring_margin: Duration,
    /// How long a contact whose connection to its queue broke keeps its place.
    #[serde(with = "humantime_serde")]
    pub reattach: Duration,
    /// Messages that may wait for one queue or one agent; a full one answers `mailbox_full`.
    pub mailbox: usize,
    /// Events that may wait for the bus; beyond it new events are lost, and counted. Calls go on. In a cluster a sixteenth of
    /// it may wait for each shard.
    pub outbox: usize,
    /// Whether rules that must always hold are watched; a broken one becomes an incident.
    pub invariant_monitor: bool,
    /// What every queue and agent heard and decided, for whoever wants to see it proved.
    pub decision_log: DecisionLogSettings,
    /// Where the hot state of a cluster is; none: in this process. Given by whoever puts the process together.
    #[serde(skip)]
    pub shared: Option<Shared>,
}

impl Default for Settings {
    fn default() -> Self {
        let deadlines = Deadlines::default();
        Self {
            solicit: deadlines.solicit,
            reserved: deadlines.reserved,
            ring_margin: deadlines.ring_margin,
            reattach: deadlines.reattach,
            mailbox: 4_096,
            outbox: 200_000,
            invariant_monitor: true,
            decision_log: DecisionLogSettings::default(),
            shared: None,
        }
    }
}

impl Settings {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        let second = Duration::from_secs(1);
        if self.solicit < Duration::from_millis(1) || self.solicit > second {
            return Err("routing.solicit must be between 1ms and 1s".into());
        }
        if self.reserved < second || self.reserved > 60 * second {
            return Err("routing.reserved must be between 1s and 60s".into());
        }
        if self.ring_margin < second || self.ring_margin > 60 * second {
            return Err("routing.ring_margin must be between 1s and 60s".into());
        }
        if self.reattach < second || self.reattach > 300 * second {
            return Err("routing.reattach must be between 1s and 300s".into());
        }
        if !(16..=1_000_000).contains(&self.mailbox) {
            return Err("routing.mailbox must be between 16 and 1000000".into());
        }
        if !(1_000..=10_000_000).contains(&self.outbox) {
            return Err("routing.outbox must be between 1000 and 10000000".into());
        }
        self.decision_log.validate()
    }

    /// The protocol's deadlines.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines {
            solicit: self.solicit,
            reserved: self.reserved,
            ring_margin: self.ring_margin,
            reattach: self.reattach,
            ..Deadlines::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_a_bad_value_names_its_key() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let bad = Settings {
            mailbox: 0,
            ..Settings::default()
        };
        assert!(bad.validate().is_err_and(|e| e.contains("routing.mailbox")));
    }
}
