//! Peers that were challenged and ask again without an answer: they do not know what to do with a hash they never heard of.

use centro_kernel::Timestamp;
use std::{collections::HashMap, time::Duration};

/// How long a challenge is remembered.
const MEMORY: Duration = Duration::from_secs(300);
/// Most challenges remembered.
const MOST: usize = 10_000;

/// Calls (by Call-ID) that were challenged and have not answered.
#[derive(Default)]
pub struct Puzzled(HashMap<String, Timestamp>);

impl Puzzled {
    /// Notes a challenge; true when the same call was challenged before and did not answer.
    pub fn asks_again(&mut self, call_id: &str, now: Timestamp) -> bool {
        let again = self
            .0
            .get(call_id)
            .is_some_and(|at| now.since(*at) <= MEMORY);
        if self.0.len() >= MOST {
            self.0.retain(|_, at| now.since(*at) <= MEMORY);
            if self.0.len() >= MOST {
                self.0.clear();
            }
        }
        self.0.insert(call_id.to_owned(), now);
        again
    }

    /// The call answered.
    pub fn understood(&mut self, call_id: &str) {
        self.0.remove(call_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_asks_again_is_puzzled_until_it_answers() {
        let mut puzzled = Puzzled::default();
        let now = Timestamp::from_millis(0);
        assert!(!puzzled.asks_again("a", now));
        assert!(!puzzled.asks_again("b", now));
        assert!(puzzled.asks_again("a", now));
        puzzled.understood("a");
        assert!(!puzzled.asks_again("a", now));
        assert!(!puzzled.asks_again("b", now + MEMORY * 2));
    }
}
