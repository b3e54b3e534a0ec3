//! The places of a line, sorted, and the number of each.
//!
//! They stand in runs of bounded length. A place is found in O(log n); its number is the sum of the lengths of the runs
//! before its own, which for ten thousand waiting are less than a hundred.

use super::entry::Place;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};

/// A run that grows beyond this is cut in two.
const LONGEST_RUN: usize = 256;

/// Places in order. None of the runs is empty but the only one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Places(Vec<Vec<Place>>);

impl Places {
    /// Adds a place; one that is there stays as it is.
    pub(super) fn insert(&mut self, place: Place) {
        let at = self.run_of(&place).min(self.0.len().saturating_sub(1));
        let Some(run) = self.0.get_mut(at) else {
            self.0.push(vec![place]);
            return;
        };
        if let Err(spot) = run.binary_search(&place) {
            run.insert(spot, place);
        }
        if run.len() > LONGEST_RUN {
            let rest = run.split_off(LONGEST_RUN / 2);
            self.0.insert(at + 1, rest);
        }
    }

    /// Takes a place out.
    pub(super) fn remove(&mut self, place: &Place) {
        let at = self.run_of(place);
        if let Some(run) = self.0.get_mut(at)
            && let Ok(spot) = run.binary_search(place)
        {
            run.remove(spot);
            if run.is_empty() && self.0.len() > 1 {
                self.0.remove(at);
            }
        }
    }

    /// A place's number, from 1, if it is there.
    pub(super) fn number(&self, place: &Place) -> Option<usize> {
        let at = self.run_of(place);
        let spot = self.0.get(at)?.binary_search(place).ok()?;
        let before: usize = self.0.iter().take(at).map(Vec::len).sum();
        Some(before + spot + 1)
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().flatten()
    }

    /// The run that holds the place, if any does.
    fn run_of(&self, place: &Place) -> usize {
        self.0
            .partition_point(|run| run.last().is_some_and(|last| last < place))
    }
}

/// How they are cut into runs is no part of what they are.
impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Places {}

impl Hash for Places {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|place| place.hash(state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::{ContactId, Timestamp};
    use proptest::prelude::*;
    use std::{cmp::Reverse, collections::BTreeSet};

    fn place(n: u32) -> Place {
        let since = Timestamp::from_millis(i64::from(n / 4));
        (Reverse(n % 4), since, ContactId::from_u128(u128::from(n)))
    }

    proptest! {
        #[test]
        fn places_are_a_sorted_set_with_numbers(
            grow in proptest::collection::vec(0..3_000u32, 0..3_000),
            shrink in proptest::collection::vec(0..3_000u32, 0..3_000),
        ) {
            let (mut places, mut plain) = (Places::default(), BTreeSet::new());
            for n in grow {
                places.insert(place(n));
                plain.insert(place(n));
            }
            for n in shrink {
                places.remove(&place(n));
                plain.remove(&place(n));
            }
            prop_assert!(places.iter().eq(plain.iter()));
            let empty = usize::from(places.0.len() > 1);
            prop_assert!(places.0.iter().all(|run| (empty..=LONGEST_RUN).contains(&run.len())));
            for (at, place) in plain.iter().enumerate() {
                prop_assert_eq!(places.number(place), Some(at + 1));
            }
            let absent = place(5_000);
            prop_assert_eq!(places.number(&absent), None);
        }
    }

    #[test]
    fn a_long_line_stands_in_few_runs() {
        let mut places = Places::default();
        (0..10_000).for_each(|n| places.insert(place(n)));
        assert!(places.0.len() < 100, "{}", places.0.len());
    }
}
