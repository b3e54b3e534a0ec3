//! How many calls are let in: at once, and per second.

use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// Counts calls.
pub struct Admission {
    live: Arc<AtomicUsize>,
    most: usize,
    bucket: Mutex<Bucket>,
    per_second: f64,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// A call that was let in; its place is free again when this is dropped.
pub struct Admitted(Arc<AtomicUsize>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Admission {
    /// At most `most` calls at once, `per_second` new ones each second, with bursts of one second's worth.
    pub fn new(most: usize, per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        let bucket = Bucket {
            tokens: per_second,
            filled: Instant::now(),
        };
        Self {
            live: Arc::default(),
            most,
            bucket: Mutex::new(bucket),
            per_second,
        }
    }

    /// Lets a call in, or not.
    pub fn enter(&self, now: Instant) -> Option<Admitted> {
        if self.live.load(Ordering::Acquire) >= self.most {
            return None;
        }
        let mut bucket = self.bucket.lock();
        let gained = now.saturating_duration_since(bucket.filled).as_secs_f64() * self.per_second;
        bucket.tokens = (bucket.tokens + gained).min(self.per_second);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return None;
        }
        bucket.tokens -= 1.0;
        self.live.fetch_add(1, Ordering::AcqRel);
        Some(Admitted(self.live.clone()))
    }

    /// Calls at this moment.
    pub fn live(&self) -> usize {
        self.live.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn calls_at_once_are_bounded_and_a_call_that_ends_makes_room() {
        let admission = Admission::new(2, 100);
        let now = Instant::now();
        let first = admission.enter(now);
        let _second = admission.enter(now);
        assert!(first.is_some() && admission.enter(now).is_none());
        drop(first);
        assert!(admission.enter(now).is_some());
    }

    #[test]
    fn calls_per_second_are_bounded() {
        let admission = Admission::new(1_000, 10);
        let now = Instant::now();
        let taken: Vec<_> = (0..50).filter_map(|_| admission.enter(now)).collect();
        assert_eq!(taken.len(), 10);
        let later = now + Duration::from_millis(500);
        let more: Vec<_> = (0..50).filter_map(|_| admission.enter(later)).collect();
        assert_eq!(more.len(), 5);
    }
}
