//! The last keys of something, to know a repeat.

use std::collections::{BTreeSet, VecDeque};

/// Keys remembered. A repeat that comes later than so many others counts again.
const REMEMBERED: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct Recent<K> {
    known: BTreeSet<K>,
    order: VecDeque<K>,
}

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self {
            known: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Ord + Copy> Recent<K> {
    /// Whether the key is new.
    pub(super) fn learn(&mut self, key: K) -> bool {
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_known_as_long_as_it_is_remembered() {
        let mut recent = Recent::default();
        assert!(recent.learn(0) && !recent.learn(0));
        for key in 1..=REMEMBERED {
            assert!(recent.learn(key));
        }
        assert_eq!(recent.known.len(), REMEMBERED);
        assert!(recent.learn(0), "forgotten");
    }
}
