//! Sorted maps and sets that mostly hold a few.
//!
//! Of most things a queue has none or a handful: contacts, bids, deadlines, free agents of one set of skills. So long as
//! they are few they stand side by side in one piece of memory that is kept when they go; beyond [`FEW`] they stand in a
//! tree, so that every step is O(log n). Which of the two is no part of what they are.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map},
    fmt,
    hash::{Hash, Hasher},
    ops::Bound,
    slice,
};

/// So many stand side by side.
const FEW: usize = 32;
/// A tree that has shrunk to this is given up.
const FEW_AGAIN: usize = 8;

/// A sorted map.
#[derive(Clone)]
pub enum FewMap<K, V> {
    Few(Vec<(K, V)>),
    Many(BTreeMap<K, V>),
}

/// The pairs of a map, in order.
pub enum Pairs<'a, K, V> {
    Few(slice::Iter<'a, (K, V)>),
    Many(btree_map::Range<'a, K, V>),
}

impl<K, V> FewMap<K, V> {
    pub const fn new() -> Self {
        Self::Few(Vec::new())
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Few(few) => few.len(),
            Self::Many(many) => many.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        match self {
            Self::Few(few) => few.clear(),
            Self::Many(_) => *self = Self::new(),
        }
    }
}

impl<K: Ord, V> FewMap<K, V> {
    pub fn iter(&self) -> Pairs<'_, K, V> {
        match self {
            Self::Few(few) => Pairs::Few(few.iter()),
            Self::Many(many) => Pairs::Many(many.range(..)),
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Those that come after this one, which need not be here.
    pub fn after(&self, key: &K) -> Pairs<'_, K, V> {
        match self {
            Self::Few(few) => {
                let from = few.partition_point(|(known, _)| known <= key);
                Pairs::Few(few.get(from..).unwrap_or_default().iter())
            }
            Self::Many(many) => Pairs::Many(many.range((Bound::Excluded(key), Bound::Unbounded))),
        }
    }

    pub fn first(&self) -> Option<(&K, &V)> {
        match self {
            Self::Few(few) => few.first().map(|(key, value)| (key, value)),
            Self::Many(many) => many.first_key_value(),
        }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::Few(few) => {
                let at = spot(few, key).ok()?;
                few.get(at).map(|(_, value)| value)
            }
            Self::Many(many) => many.get(key),
        }
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self {
            Self::Few(few) => {
                let at = spot(few, key).ok()?;
                few.get_mut(at).map(|(_, value)| value)
            }
            Self::Many(many) => many.get_mut(key),
        }
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Adds or replaces; says what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let few = match self {
            Self::Few(few) => few,
            Self::Many(many) => return many.insert(key, value),
        };
        match spot(few, &key) {
            Ok(at) => few
                .get_mut(at)
                .map(|(_, old)| std::mem::replace(old, value)),
            Err(at) if at == few.len() && at < FEW => {
                few.push((key, value));
                None
            }
            Err(at) if few.len() < FEW => {
                few.insert(at, (key, value));
                None
            }
            Err(_) => {
                let few = std::mem::take(few);
                *self = Self::Many(few.into_iter().chain([(key, value)]).collect());
                None
            }
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::Few(few) => {
                let at = spot(few, key).ok()?;
                let gone = if at + 1 == few.len() {
                    few.pop()?
                } else {
                    few.remove(at)
                };
                Some(gone.1)
            }
            Self::Many(many) => {
                let old = many.remove(key)?;
                if many.len() <= FEW_AGAIN {
                    let many = std::mem::take(many);
                    *self = Self::Few(many.into_iter().collect());
                }
                Some(old)
            }
        }
    }
}

/// Where a key stands, or would. What comes is mostly the newest, and goes to the end; what goes is mostly the only one.
fn spot<K: Ord, V>(few: &[(K, V)], key: &K) -> Result<usize, usize> {
    let Some(((last, _), others)) = few.split_last() else {
        return Err(0);
    };
    match last.cmp(key) {
        Ordering::Less => Err(few.len()),
        Ordering::Equal => Ok(others.len()),
        Ordering::Greater => others.binary_search_by(|(known, _)| known.cmp(key)),
    }
}

impl<'a, K, V> Iterator for Pairs<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(few) => few.next().map(|(key, value)| (key, value)),
            Self::Many(many) => many.next(),
        }
    }
}

impl<'a, K: Ord, V> IntoIterator for &'a FewMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Pairs<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K, V> Default for FewMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> From<BTreeMap<K, V>> for FewMap<K, V> {
    fn from(many: BTreeMap<K, V>) -> Self {
        if many.len() > FEW {
            Self::Many(many)
        } else {
            Self::Few(many.into_iter().collect())
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for FewMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        pairs.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for FewMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Ord, V: PartialEq> PartialEq for FewMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for FewMap<K, V> {}

impl<K: Ord + Hash, V: Hash> Hash for FewMap<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|pair| pair.hash(state));
    }
}

impl<K: Ord + Serialize, V: Serialize> Serialize for FewMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for FewMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

/// A sorted set.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FewSet<T: Ord>(FewMap<T, ()>);

impl<T: Ord> FewSet<T> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.keys()
    }

    /// Those that come after this one, which need not be here.
    pub fn after(&self, item: &T) -> impl Iterator<Item = &T> {
        self.0.after(item).map(|(item, ())| item)
    }

    pub fn first(&self) -> Option<&T> {
        self.0.first().map(|(item, ())| item)
    }

    /// Adds one; false: it is here already.
    pub fn insert(&mut self, item: T) -> bool {
        self.0.insert(item, ()).is_none()
    }

    /// False: it is not here.
    pub fn remove(&mut self, item: &T) -> bool {
        self.0.remove(item).is_some()
    }
}

impl<T: Ord> Default for FewSet<T> {
    fn default() -> Self {
        Self(FewMap::new())
    }
}

impl<T: Ord> Extend<T> for FewSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        for item in items {
            self.insert(item);
        }
    }
}

impl<T: Ord> FromIterator<T> for FewSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().map(|item| (item, ())).collect())
    }
}

impl<T: Ord + fmt::Debug> fmt::Debug for FewSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T: Ord + Serialize> Serialize for FewSet<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: Ord + Deserialize<'de>> Deserialize<'de> for FewSet<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::<T>::deserialize(deserializer)?;
        Ok(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(map: &impl Serialize) -> String {
        serde_json::to_string(map).unwrap()
    }

    proptest! {
        #[test]
        fn a_map_is_a_sorted_map_whether_few_or_many(
            steps in proptest::collection::vec((0..60_u8, any::<u16>(), 0..5_u8), 0..400),
        ) {
            let (mut map, mut plain) = (FewMap::new(), BTreeMap::new());
            for (key, value, kind) in steps {
                if kind < 3 {
                    prop_assert_eq!(map.insert(key, value), plain.insert(key, value));
                } else {
                    prop_assert_eq!(map.remove(&key), plain.remove(&key));
                }
                prop_assert!(map.iter().eq(plain.iter()));
                prop_assert_eq!(map.len(), plain.len());
                prop_assert_eq!(map.first(), plain.first_key_value());
                prop_assert_eq!(map.get(&key), plain.get(&key));
                let rest = plain.range((Bound::Excluded(key), Bound::Unbounded));
                prop_assert!(map.after(&key).eq(rest));
                let again: FewMap<_, _> = plain.clone().into();
                prop_assert_eq!(&map, &again);
                prop_assert_eq!(text(&map), text(&plain));
            }
        }
    }

    #[test]
    fn what_was_many_is_few_again() {
        let mut set: FewSet<_> = (0..100).collect();
        assert!(matches!(set.0, FewMap::Many(_)));
        (0..95).for_each(|n| assert!(set.remove(&n)));
        assert!(matches!(set.0, FewMap::Few(_)));
        assert!(set.iter().eq(&[95, 96, 97, 98, 99]));
        assert_eq!(text(&set), "[95,96,97,98,99]");
    }
}
