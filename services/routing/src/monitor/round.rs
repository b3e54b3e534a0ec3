//! Everybody's turn: whoever is passed over today is first tomorrow.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

/// A place in the round over all keys of a map, in their order and over again. What comes and goes meanwhile shifts nobody
/// else's turn.
#[derive(Debug)]
pub struct Round<K> {
    /// Whose turn it was last.
    last: Option<K>,
}

impl<K> Default for Round<K> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<K: Ord + Copy> Round<K> {
    /// Walks on over at most `walked` keys, once around at the most. Gives the first `most` of those that are wanted, and
    /// how many more were: they come first the next time.
    pub fn next<V, T>(
        &mut self,
        all: &BTreeMap<K, V>,
        walked: usize,
        most: usize,
        wanted: impl Fn(K, &V) -> Option<T>,
    ) -> (Vec<T>, u64) {
        let (mut taken, mut left) = (Vec::new(), 0);
        let (from, mut last) = (self.last, self.last);
        let ahead = all.range((from.map_or(Unbounded, Excluded), Unbounded));
        let behind = all.range(..).take_while(|(key, _)| Some(**key) <= from);
        for (key, value) in ahead.chain(behind).take(walked) {
            match wanted(*key, value) {
                Some(_) if taken.len() >= most => left += 1,
                Some(one) => taken.push(one),
                None => {}
            }
            if left == 0 {
                last = Some(*key);
            }
        }
        self.last = last;
        (taken, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(n: u32) -> BTreeMap<u32, ()> {
        (0..n).map(|key| (key, ())).collect()
    }

    #[test]
    fn everybody_has_a_turn_before_anybody_has_another() {
        let (all, mut round) = (all(200), Round::default());
        let mut turns = Vec::new();
        for left in [136, 136, 136] {
            let (taken, more) = round.next(&all, 1_000, 64, |key, ()| Some(key));
            assert_eq!((taken.len(), more), (64, left));
            turns.extend(taken);
        }
        assert_eq!(turns, (0..192).collect::<Vec<_>>());
        let (taken, _) = round.next(&all, 1_000, 64, |key, ()| Some(key));
        assert_eq!(taken[..10], [192, 193, 194, 195, 196, 197, 198, 199, 0, 1]);
    }

    #[test]
    fn a_round_that_is_too_long_for_one_walk_goes_on_where_it_ended() {
        let (all, mut round) = (all(100), Round::default());
        let even = |key: u32, (): &()| key.is_multiple_of(2).then_some(key);
        assert_eq!(round.next(&all, 10, 64, even), (vec![0, 2, 4, 6, 8], 0));
        assert_eq!(round.next(&all, 10, 3, even), (vec![10, 12, 14], 2));
        assert_eq!(round.next(&all, 4, 64, even), (vec![16, 18], 0));
    }

    #[test]
    fn who_comes_and_goes_moves_nobody_elses_turn() {
        let (mut all, mut round) = (all(6), Round::default());
        let any = |key, (): &()| Some(key);
        assert_eq!(round.next(&all, 9, 3, any), (vec![0, 1, 2], 3));
        all.remove(&2);
        all.remove(&3);
        all.insert(9, ());
        assert_eq!(round.next(&all, 9, 2, any), (vec![4, 5], 3));
        assert_eq!(round.next(&all, 9, 0, any), (vec![], 5));
        assert_eq!(round.next(&all, 9, 9, any), (vec![9, 0, 1, 4, 5], 0));
        assert_eq!(round.next(&BTreeMap::new(), 9, 9, any), (vec![], 0));
    }
}
