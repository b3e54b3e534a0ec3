//! Limits on failed sign-ins: per source address (then it is banned for a while) and per account.

use centro_kernel::Timestamp;
use std::{collections::HashMap, net::IpAddr, time::Duration};

/// Limits of a [`Throttle`].
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Failures of one source within `window` before it is banned.
    pub per_source: u32,
    /// Failures on one account within `window` before its answers are not looked at any more, except from where it is
    /// registered: a stranger cannot lock the owner out.
    pub per_user: u32,
    /// The window.
    pub window: Duration,
    /// How long a ban lasts.
    pub ban: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failures: u32,
    since: Timestamp,
}

/// Counts failures. Bounded: at most [`MAX_TRACKED`] sources, accounts and bans together.
pub struct Throttle {
    limits: Limits,
    sources: HashMap<IpAddr, Count>,
    users: HashMap<String, Count>,
    bans: HashMap<IpAddr, Timestamp>,
}

/// Most sources, accounts and bans that are kept at once.
pub const MAX_TRACKED: usize = 20_000;

impl Throttle {
    /// Nothing counted yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            sources: HashMap::new(),
            users: HashMap::new(),
            bans: HashMap::new(),
        }
    }

    /// Until when the source is banned.
    pub fn banned(&self, source: IpAddr, now: Timestamp) -> Option<Timestamp> {
        self.bans.get(&source).copied().filter(|until| *until > now)
    }

    /// Whether an account has too many failures to look at another answer from a stranger.
    pub fn worn_out(&self, user: &str, now: Timestamp) -> bool {
        let count = self
            .users
            .get(user)
            .filter(|c| now.since(c.since) <= self.limits.window);
        count.is_some_and(|c| c.failures >= self.limits.per_user)
    }

    /// Counts a failure. Returns the end of the ban when it starts one.
    pub fn failed(&mut self, source: IpAddr, user: &str, now: Timestamp) -> Option<Timestamp> {
        self.make_room(now);
        let window = self.limits.window;
        let raise = |count: &mut Count| {
            if now.since(count.since) > window {
                *count = Count {
                    failures: 0,
                    since: now,
                };
            }
            count.failures += 1;
            count.failures
        };
        let fresh = Count {
            failures: 0,
            since: now,
        };
        raise(self.users.entry(user.to_owned()).or_insert(fresh));
        if raise(self.sources.entry(source).or_insert(fresh)) < self.limits.per_source {
            return None;
        }
        self.sources.remove(&source);
        let until = now + self.limits.ban;
        self.bans.insert(source, until);
        Some(until)
    }

    /// The owner of the account signed in.
    pub fn succeeded(&mut self, source: IpAddr) {
        self.sources.remove(&source);
    }

    fn make_room(&mut self, now: Timestamp) {
        let window = self.limits.window;
        if self.sources.len() + self.users.len() + self.bans.len() < MAX_TRACKED {
            return;
        }
        self.sources.retain(|_, c| now.since(c.since) <= window);
        self.users.retain(|_, c| now.since(c.since) <= window);
        self.bans.retain(|_, until| *until > now);
        if self.sources.len() + self.users.len() + self.bans.len() >= MAX_TRACKED / 2 {
            // An attack from very many sources: start over instead of growing, and instead of sweeping for each failure.
            self.sources.clear();
            self.users.clear();
            if self.bans.len() >= MAX_TRACKED / 2 {
                self.bans.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn throttle() -> Throttle {
        let (window, ban) = (Duration::from_secs(60), Duration::from_secs(300));
        Throttle::new(Limits {
            per_source: 3,
            per_user: 2,
            window,
            ban,
        })
    }

    #[test]
    fn a_source_that_fails_too_often_is_banned_for_a_while() {
        let mut throttle = throttle();
        let now = Timestamp::from_millis(0);
        assert_eq!(throttle.failed(SOURCE, "a", now), None);
        assert_eq!(throttle.failed(SOURCE, "b", now), None);
        let until = throttle.failed(SOURCE, "c", now);
        assert_eq!(until, Some(now + Duration::from_secs(300)));
        assert_eq!(throttle.banned(SOURCE, now), until);
        assert_eq!(
            throttle.banned(SOURCE, now + Duration::from_secs(300)),
            None
        );
    }

    #[test]
    fn failures_far_apart_do_not_add_up() {
        let mut throttle = throttle();
        for minute in 0..10 {
            let now = Timestamp::from_millis(minute * 61_000);
            assert_eq!(throttle.failed(SOURCE, "a", now), None);
            assert!(!throttle.worn_out("a", now));
        }
    }

    #[test]
    fn an_account_under_attack_from_many_sources_is_worn_out() {
        let mut throttle = throttle();
        let now = Timestamp::from_millis(0);
        for last in 1..=2 {
            throttle.failed(IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)), "a", now);
        }
        assert!(throttle.worn_out("a", now));
        assert!(!throttle.worn_out("b", now));
    }

    #[test]
    fn an_attack_from_very_many_sources_does_not_grow_the_tables() {
        let mut throttle = throttle();
        let now = Timestamp::from_millis(0);
        for n in 0..60_000_u32 {
            throttle.failed(IpAddr::V4(Ipv4Addr::from(n)), &n.to_string(), now);
        }
        assert!(throttle.sources.len() + throttle.users.len() <= MAX_TRACKED + 2);
    }
}
