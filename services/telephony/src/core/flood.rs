//! How many messages one address may send: a bucket of tokens per source, a larger one for those who are known.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Sources kept at once. Beyond it the quiet ones are forgotten, and if that is not enough, all.
const MAX_TRACKED: usize = 20_000;
/// How long a source counts as known, or as unknown, before that is asked again.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Seconds' worth of messages that may come at once.
const BURST: f64 = 4.0;

/// Messages per second.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Of a stranger.
    pub stranger: u32,
    /// Of a trunk's address, or of one where a phone is registered.
    pub known: u32,
}

/// The buckets.
pub struct Flood {
    rates: Rates,
    sources: HashMap<IpAddr, Bucket>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
    known: bool,
    asked: Option<Instant>,
}

impl Flood {
    /// Full buckets for everybody.
    pub fn new(rates: Rates) -> Self {
        Self {
            rates,
            sources: HashMap::new(),
        }
    }

    /// Takes a token of the source; false when it has none. `known` is asked only when a stranger's tokens are used up, and at
    /// most once a second.
    pub fn take(&mut self, source: IpAddr, now: Instant, known: impl FnOnce() -> bool) -> bool {
        if self.sources.len() >= MAX_TRACKED && !self.sources.contains_key(&source) {
            self.make_room(now);
        }
        let rates = self.rates;
        let bucket = self.sources.entry(source).or_insert_with(|| Bucket {
            tokens: f64::from(rates.stranger) * BURST,
            filled: now,
            known: false,
            asked: None,
        });
        bucket.fill(rates, now);
        let stale = |asked: Option<Instant>| {
            asked.is_none_or(|at| now.saturating_duration_since(at) > REMEMBERED)
        };
        if bucket.tokens < 1.0 && stale(bucket.asked) {
            bucket.asked = Some(now);
            let was = std::mem::replace(&mut bucket.known, known());
            if bucket.known && !was {
                bucket.tokens = f64::from(rates.known) * BURST;
            }
        }
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    fn make_room(&mut self, now: Instant) {
        let rates = self.rates;
        self.sources.retain(|_, bucket| {
            bucket.fill(rates, now);
            bucket.tokens < bucket.most(rates)
        });
        if self.sources.len() >= MAX_TRACKED / 2 {
            self.sources.clear();
        }
    }
}

impl Bucket {
    fn most(&self, rates: Rates) -> f64 {
        BURST * self.rate(rates)
    }

    fn rate(&self, rates: Rates) -> f64 {
        f64::from(if self.known {
            rates.known
        } else {
            rates.stranger
        })
    }

    fn fill(&mut self, rates: Rates, now: Instant) {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate(rates);
        self.tokens = (self.tokens + gained).min(self.most(rates));
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const RATES: Rates = Rates {
        stranger: 10,
        known: 100,
    };
    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn taken(flood: &mut Flood, source: IpAddr, now: Instant, known: bool) -> usize {
        (0..10_000)
            .filter(|_| flood.take(source, now, || known))
            .count()
    }

    #[test]
    fn a_flood_takes_nothing_from_others_and_ends_when_it_pauses() {
        let mut flood = Flood::new(RATES);
        let now = Instant::now();
        assert_eq!(taken(&mut flood, ONE, now, false), 40);
        assert_eq!(taken(&mut flood, OTHER, now, false), 40);
        let later = now + Duration::from_secs(2);
        assert_eq!(taken(&mut flood, ONE, later, false), 20);
    }

    #[test]
    fn who_is_known_has_more_and_is_asked_for_once_a_second() {
        let mut flood = Flood::new(RATES);
        let now = Instant::now();
        assert_eq!(taken(&mut flood, ONE, now, true), 440);
        let mut asked = 0;
        for _ in 0..100 {
            let ask = || {
                asked += 1;
                false
            };
            flood.take(OTHER, now, ask);
        }
        assert_eq!(asked, 1);
    }

    #[test]
    fn very_many_sources_do_not_grow_the_table() {
        let mut flood = Flood::new(RATES);
        let now = Instant::now();
        for n in 0..60_000_u32 {
            flood.take(IpAddr::V4(n.into()), now, || false);
        }
        assert!(flood.sources.len() <= MAX_TRACKED);
    }
}
