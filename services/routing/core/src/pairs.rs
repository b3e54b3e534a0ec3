//! Maps with keys that are no text, written as lists of pairs: JSON knows no other keys.

use crate::few::FewMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A map of pairs.
pub trait Pairs: FromIterator<(Self::Key, Self::Value)> {
    type Key;
    type Value;
}

impl<K: Ord, V> Pairs for BTreeMap<K, V> {
    type Key = K;
    type Value = V;
}

impl<K: Ord, V> Pairs for FewMap<K, V> {
    type Key = K;
    type Value = V;
}

pub fn serialize<'a, M, S>(map: &'a M, serializer: S) -> Result<S::Ok, S::Error>
where
    &'a M: IntoIterator<Item: Serialize>,
    S: Serializer,
{
    serializer.collect_seq(map)
}

pub fn deserialize<'de, M, D>(deserializer: D) -> Result<M, D::Error>
where
    M: Pairs<Key: Deserialize<'de>, Value: Deserialize<'de>>,
    D: Deserializer<'de>,
{
    let pairs = Vec::<(M::Key, M::Value)>::deserialize(deserializer)?;
    Ok(pairs.into_iter().collect())
}
