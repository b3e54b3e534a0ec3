//! A value that is shared until it changes, and remembers its hash: a checker copies and hashes millions of states that
//! differ in one part.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A part of a state.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    value: Arc<T>,
    /// 0: not known.
    hash: AtomicU64,
}

impl<T> Kept<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
            hash: AtomicU64::new(0),
        }
    }
}

impl<T: Clone> Kept<T> {
    /// To change it.
    pub(crate) fn change(&mut self) -> &mut T {
        *self.hash.get_mut() = 0;
        Arc::make_mut(&mut self.value)
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            hash: AtomicU64::new(self.hash.load(Ordering::Relaxed)),
        }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value) || self.value == other.value
    }
}

impl<T: Eq> Eq for Kept<T> {}

impl<T: Hash> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let known = self.hash.load(Ordering::Relaxed);
        if known != 0 {
            return state.write_u64(known);
        }
        let hash = hash_of(&*self.value).max(1);
        self.hash.store(hash, Ordering::Relaxed);
        state.write_u64(hash);
    }
}

/// A hash that is the same in every run.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
