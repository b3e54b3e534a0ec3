//! Addresses that proved something not long ago.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// How long it is remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Addresses remembered at once; the oldest gives way.
const MOST: usize = 10_000;

/// The addresses, and when each last proved it.
#[derive(Default)]
pub struct Lately(HashMap<IpAddr, Instant>);

impl Lately {
    /// The address has just proved it.
    pub fn remember(&mut self, source: IpAddr, now: Instant) {
        if self.0.len() >= MOST && !self.0.contains_key(&source) {
            self.0
                .retain(|_, at| now.saturating_duration_since(*at) < REMEMBERED);
            let oldest = self.0.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(ip, _)| *ip).filter(|_| self.0.len() >= MOST) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(source, now);
    }

    /// Whether the address proved it within the hour.
    pub fn knows(&self, source: IpAddr, now: Instant) -> bool {
        let at = self.0.get(&source);
        at.is_some_and(|at| now.saturating_duration_since(*at) < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_for_an_hour_and_the_oldest_gives_way() {
        let (mut lately, now) = (Lately::default(), Instant::now());
        let address = |n: usize| IpAddr::V4(u32::try_from(n).unwrap().into());
        lately.remember(address(0), now);
        assert!(lately.knows(address(0), now + REMEMBERED / 2));
        assert!(!lately.knows(address(0), now + REMEMBERED));
        assert!(!lately.knows(address(1), now));
        for n in 1..=MOST {
            lately.remember(address(n), now + Duration::from_millis(n as u64));
        }
        assert_eq!(lately.0.len(), MOST);
        assert!(!lately.knows(address(0), now) && lately.knows(address(1), now));
    }
}
