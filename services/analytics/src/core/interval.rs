//! What an agent did from when to when.
//!
//! Intervals of an agent touch: one ends where the next begins. So the time in each state adds up to the time between
//! the first and the last change exactly.

use centro_kernel::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What an agent does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doing {
    /// The state, as `centro.types.v1.AgentState` numbers it.
    pub state: i32,
    /// Why the agent is paused; empty otherwise.
    pub pause_reason: String,
    /// Ready, but with a phone that cannot be rung: no contact could come.
    pub unreachable: bool,
}

/// A stretch of time in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    pub doing: Doing,
    pub start: Timestamp,
    /// Absent while it goes on.
    pub end: Option<Timestamp>,
}

/// The intervals of one agent, or the latest of them, by their start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline(BTreeMap<Timestamp, Interval>);

impl Timeline {
    /// From stored intervals.
    pub fn of(intervals: impl IntoIterator<Item = Interval>) -> Self {
        Self(
            intervals
                .into_iter()
                .map(|interval| (interval.start, interval))
                .collect(),
        )
    }

    /// Puts a change of state into its place and returns the starts of the intervals that changed. Of two changes in
    /// the same millisecond the later told counts.
    pub fn place(&mut self, doing: &Doing, since: Timestamp) -> BTreeSet<Timestamp> {
        let mut touched = BTreeSet::from([since]);
        let end = self
            .0
            .range(since..)
            .find(|(start, _)| **start > since)
            .map(|(start, _)| *start);
        if let Some((start, before)) = self.0.range_mut(..since).next_back()
            && before.end.is_none_or(|end| end > since)
        {
            before.end = Some(since);
            touched.insert(*start);
        }
        // An interval that was closed by a restart keeps its end when nothing follows.
        let end = end.or_else(|| self.0.get(&since).and_then(|known| known.end));
        self.0.insert(
            since,
            Interval {
                doing: doing.clone(),
                start: since,
                end,
            },
        );
        touched
    }

    /// The interval that began then.
    pub fn get(&self, start: Timestamp) -> Option<&Interval> {
        self.0.get(&start)
    }

    /// The latest interval.
    pub fn latest(&self) -> Option<&Interval> {
        self.0.values().next_back()
    }

    /// Forgets all but the latest, which is what the next change needs.
    pub fn trim(&mut self) {
        while self.0.len() > 1 {
            self.0.pop_first();
        }
    }

    #[cfg(test)]
    fn intervals(&self) -> impl Iterator<Item = &Interval> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn doing(state: i32, pause_reason: &str) -> Doing {
        Doing {
            state,
            pause_reason: pause_reason.to_owned(),
            unreachable: false,
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_change_ends_the_interval_before_it() {
        let mut timeline = Timeline::default();
        timeline.place(&doing(2, ""), at(10));
        assert_eq!(timeline.latest().unwrap().end, None);
        assert_eq!(
            timeline.place(&doing(7, "lunch"), at(30)),
            BTreeSet::from([at(10), at(30)])
        );
        assert_eq!(timeline.get(at(10)).unwrap().end, Some(at(30)));
        assert_eq!(timeline.latest().unwrap().doing.pause_reason, "lunch");
        timeline.trim();
        assert_eq!(timeline.intervals().count(), 1);
    }

    #[test]
    fn what_a_restart_closed_stays_closed_when_the_agent_comes_back() {
        let closed = Interval {
            doing: doing(2, ""),
            start: at(10),
            end: Some(at(20)),
        };
        let mut timeline = Timeline::of([closed]);
        assert_eq!(
            timeline.place(&doing(2, ""), at(50)),
            BTreeSet::from([at(50)])
        );
        assert_eq!(timeline.get(at(10)).unwrap().end, Some(at(20)));
    }

    #[test]
    fn a_pause_for_another_reason_and_an_unreachable_phone_have_their_own_time() {
        let mut timeline = Timeline::default();
        let unreachable = Doing {
            unreachable: true,
            ..doing(2, "")
        };
        timeline.place(&doing(7, "lunch"), at(10));
        timeline.place(&doing(7, "meeting"), at(30));
        timeline.place(&unreachable, at(60));
        timeline.place(&doing(2, ""), at(70));
        let told: Vec<_> = timeline
            .intervals()
            .map(|i| (i.doing.pause_reason.as_str(), i.doing.unreachable, i.end))
            .collect();
        assert_eq!(
            told,
            [
                ("lunch", false, Some(at(30))),
                ("meeting", false, Some(at(60))),
                ("", true, Some(at(70))),
                ("", false, None)
            ]
        );
    }

    proptest! {
        /// Late and repeated changes: the intervals touch, so the time in all states is the time logged in.
        #[test]
        fn time_in_states_adds_up_and_order_does_not_matter(
            changes in prop::collection::btree_map(0_i64..1_000, 1_i32..9, 1..40)
                .prop_flat_map(|map| {
                    let changes: Vec<_> = map.into_iter().collect();
                    let twice = [changes.clone(), changes].concat();
                    Just(twice).prop_shuffle()
                })
        ) {
            let mut timeline = Timeline::default();
            for (millis, state) in &changes {
                timeline.place(&doing(*state, ""), at(*millis));
            }
            let first = changes.iter().map(|(millis, _)| *millis).min().unwrap();
            let last = changes.iter().map(|(millis, _)| *millis).max().unwrap();
            let total: i64 = timeline
                .intervals()
                .filter_map(|interval| Some(interval.end?.as_millis() - interval.start.as_millis()))
                .sum();
            prop_assert_eq!(total, last - first);
            let open = timeline.intervals().filter(|interval| interval.end.is_none()).count();
            prop_assert_eq!(open, 1);
        }
    }
}
