//! Maps by id. Every step looks a dozen of them up, and ids are made by us: a hash that nobody could aim at is not needed.

use dashmap::DashMap;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// A map by id.
pub type ById<K, V> = HashMap<K, V, RandomState>;

/// One that threads share.
pub type SharedById<K, V> = DashMap<K, V, RandomState>;
