//! How long a contact will probably wait: an estimate that says how it was made, or that there is none.

use super::measure::Mean;
use serde::{Deserialize, Serialize};

/// Who serves the queue now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// Agents logged in that take its contacts or are busy with one: ready with a phone that can ring, reserved, alerting,
    /// connected, in wrap-up. Whoever is paused or does not respond does not serve.
    pub agents: u32,
    /// Those of them who can take the next contact.
    pub free: u32,
}

/// How an expected wait was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// As many agents are free as contacts stand up to this place: no wait.
    AgentFree,
    /// Place in line x mean of talk and wrap-up / serving agents (spec 5.3).
    HandleTime,
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownWait {
    /// Nobody serves the queue.
    NobodyServes,
    /// Too few contacts were finished in the window.
    SampleTooSmall,
}

/// An expected wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "known")]
pub enum ExpectedWait {
    /// An estimate.
    Yes {
        /// Milliseconds, rounded down.
        wait_ms: u64,
        /// How it was found.
        method: Method,
        /// Contacts finished in the window.
        sample: u64,
    },
    /// None is better than a wrong one.
    No {
        /// Why.
        why: UnknownWait,
        /// Contacts finished in the window.
        sample: u64,
    },
}

/// The expected wait at `position`, from 1, by how long contacts of the window took an agent.
pub(super) fn expected_wait(
    position: u32,
    handled: Mean,
    serving: Serving,
    minimum_sample: u32,
) -> ExpectedWait {
    let sample = handled.count;
    if position <= serving.free {
        return ExpectedWait::Yes {
            wait_ms: 0,
            method: Method::AgentFree,
            sample,
        };
    }
    if serving.agents == 0 {
        let why = UnknownWait::NobodyServes;
        return ExpectedWait::No { why, sample };
    }
    if sample < u64::from(minimum_sample.max(1)) {
        let why = UnknownWait::SampleTooSmall;
        return ExpectedWait::No { why, sample };
    }
    let wait = u128::from(position) * u128::from(handled.sum_ms)
        / (u128::from(sample) * u128::from(serving.agents));
    ExpectedWait::Yes {
        wait_ms: u64::try_from(wait).unwrap_or(u64::MAX),
        method: Method::HandleTime,
        sample,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_OF_3_MINUTES: Mean = Mean {
        sum_ms: 1_800_000,
        count: 10,
    };

    #[test]
    fn the_wait_is_place_times_handle_time_over_agents() {
        let serving = Serving { agents: 3, free: 0 };
        let known = |position, wait_ms| {
            let wait = expected_wait(position, TEN_OF_3_MINUTES, serving, 10);
            let (method, sample) = (Method::HandleTime, 10);
            let expected = ExpectedWait::Yes {
                wait_ms,
                method,
                sample,
            };
            assert_eq!(wait, expected);
        };
        known(1, 60_000);
        known(5, 300_000);
    }

    #[test]
    fn no_estimate_is_made_of_too_little_or_for_a_queue_that_nobody_serves() {
        let nine = Mean {
            sum_ms: 9,
            count: 9,
        };
        let serving = Serving { agents: 3, free: 0 };
        let why = UnknownWait::SampleTooSmall;
        let sample = 9;
        let unknown = ExpectedWait::No { why, sample };
        assert_eq!(expected_wait(1, nine, serving, 10), unknown);
        let nobody = expected_wait(1, TEN_OF_3_MINUTES, Serving::default(), 10);
        let why = UnknownWait::NobodyServes;
        assert_eq!(nobody, ExpectedWait::No { why, sample: 10 });
    }

    #[test]
    fn nobody_waits_while_an_agent_is_free_for_that_place() {
        let serving = Serving { agents: 3, free: 2 };
        let method = |position| match expected_wait(position, TEN_OF_3_MINUTES, serving, 10) {
            ExpectedWait::Yes {
                wait_ms, method, ..
            } => (wait_ms, method),
            ExpectedWait::No { .. } => unreachable!("the sample is large enough"),
        };
        assert_eq!(method(2), (0, Method::AgentFree));
        assert_eq!(method(3), (180_000, Method::HandleTime));
    }
}
