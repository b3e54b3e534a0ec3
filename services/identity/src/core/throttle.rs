//! Slows down guessing: after some failures each further try must wait, longer each time.
//!
//! A try counts as failed until it has succeeded, so that many at once are not let through before the first has failed.

use centro_kernel::Timestamp;
use std::{collections::HashMap, time::Duration};

/// When a key has to pause, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Failures before the first pause.
    pub failures: u32,
    /// The first pause; it doubles with each further failure.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// Quiet time after which failures are forgotten.
    pub window: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    failed: u32,
    last: Timestamp,
}

/// Counts failed tries per key. Holds at most `capacity` keys; the quietest makes room.
#[derive(Debug)]
pub struct Throttle {
    rule: Rule,
    capacity: usize,
    tries: HashMap<String, Tries>,
}

impl Throttle {
    /// Nobody has failed yet.
    pub fn new(rule: Rule, capacity: usize) -> Self {
        Self {
            rule,
            capacity: capacity.max(1),
            tries: HashMap::new(),
        }
    }

    /// Lets one try through and counts it as failed.
    ///
    /// # Errors
    /// How long to wait before the next try. A refused try is not counted.
    pub fn admit(&mut self, key: &str, now: Timestamp) -> Result<(), Duration> {
        if let Some(wait) = self.wait(key, now) {
            return Err(wait);
        }
        self.make_room(key, now);
        let tries = self.tries.entry(key.to_owned()).or_insert(Tries {
            failed: 0,
            last: now,
        });
        if now.since(tries.last) > self.rule.window {
            tries.failed = 0;
        }
        tries.failed = tries.failed.saturating_add(1);
        tries.last = now;
        Ok(())
    }

    /// How long the key still has to pause; `None` when it may try.
    pub fn wait(&self, key: &str, now: Timestamp) -> Option<Duration> {
        let tries = self.tries.get(key)?;
        let over = tries.failed.checked_sub(self.rule.failures)?;
        let pause = self
            .rule
            .pause
            .saturating_mul(1u32.checked_shl(over).unwrap_or(u32::MAX))
            .min(self.rule.pause_max);
        let wait = (tries.last + pause).since(now);
        (!wait.is_zero()).then_some(wait)
    }

    /// The try did not fail after all: it counts no more.
    pub fn forgive(&mut self, key: &str) {
        if let Some(tries) = self.tries.get_mut(key) {
            tries.failed = tries.failed.saturating_sub(1);
            if tries.failed == 0 {
                self.tries.remove(key);
            }
        }
    }

    /// Forgets every failure of the key.
    pub fn clear(&mut self, key: &str) {
        self.tries.remove(key);
    }

    fn make_room(&mut self, key: &str, now: Timestamp) {
        if self.tries.len() < self.capacity || self.tries.contains_key(key) {
            return;
        }
        let window = self.rule.window;
        self.tries
            .retain(|_, tries| now.since(tries.last) <= window);
        if self.tries.len() >= self.capacity {
            let quietest = self
                .tries
                .iter()
                .min_by_key(|(_, tries)| (tries.failed, tries.last));
            if let Some(quietest) = quietest.map(|(key, _)| key.clone()) {
                self.tries.remove(&quietest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        failures: 3,
        pause: Duration::from_secs(5),
        pause_max: Duration::from_secs(12),
        window: Duration::from_secs(60),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + seconds * 1000)
    }

    #[test]
    fn the_pause_begins_after_the_allowed_failures_and_doubles_up_to_its_limit() {
        let mut throttle = Throttle::new(RULE, 10);
        for _ in 0..3 {
            assert_eq!(throttle.admit("anna", at(0)), Ok(()));
        }
        assert_eq!(throttle.admit("anna", at(1)), Err(Duration::from_secs(4)));
        assert_eq!(throttle.admit("anna", at(5)), Ok(()));
        assert_eq!(throttle.admit("anna", at(5)), Err(Duration::from_secs(10)));
        assert_eq!(throttle.admit("anna", at(15)), Ok(()));
        assert_eq!(throttle.admit("anna", at(15)), Err(Duration::from_secs(12)));
        assert_eq!(throttle.admit("bruno", at(15)), Ok(()));
    }

    #[test]
    fn success_and_quiet_time_forget_failures() {
        let mut throttle = Throttle::new(RULE, 10);
        for _ in 0..3 {
            let _ = throttle.admit("anna", at(0));
        }
        assert_eq!(throttle.admit("anna", at(61)), Ok(()));
        assert_eq!(throttle.wait("anna", at(61)), None);
        for _ in 0..2 {
            let _ = throttle.admit("anna", at(61));
        }
        throttle.clear("anna");
        assert_eq!(throttle.admit("anna", at(61)), Ok(()));
    }

    #[test]
    fn a_try_that_succeeded_does_not_count() {
        let mut throttle = Throttle::new(RULE, 10);
        for _ in 0..20 {
            assert_eq!(throttle.admit("office", at(0)), Ok(()));
            throttle.forgive("office");
        }
    }

    #[test]
    fn a_flood_of_names_does_not_grow_without_limit() {
        let mut throttle = Throttle::new(RULE, 2);
        for _ in 0..3 {
            let _ = throttle.admit("anna", at(0));
        }
        for name in 0..100 {
            let _ = throttle.admit(&name.to_string(), at(0));
        }
        assert!(throttle.tries.len() <= 2);
        assert!(
            throttle.wait("anna", at(0)).is_some(),
            "who failed most is kept"
        );
    }
}
