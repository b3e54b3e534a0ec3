//! Which refused calls are told as events: a carrier's each, but nobody may fill the line of events with them.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);
/// Sources kept at once.
const MAX_TRACKED: usize = 10_000;
/// Events of one source within a minute: of a carrier or phone, and of a stranger.
const OURS: u32 = 60;
const STRANGERS: u32 = 1;

/// Counts refusals per source and minute. The metric `centro_sip_refused_total` counts them all.
#[derive(Default)]
pub struct Refusals(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    sources: HashMap<IpAddr, (Instant, u32)>,
    swept: Option<Instant>,
}

impl Refusals {
    /// Whether this one is told.
    pub fn tells(&self, source: IpAddr, ours: bool, now: Instant) -> bool {
        let mut counts = self.0.lock();
        let old = |since: Instant| now.saturating_duration_since(since) >= WINDOW;
        if counts.sources.len() >= MAX_TRACKED && !counts.sources.contains_key(&source) {
            if counts.swept.is_none_or(old) {
                counts.sources.retain(|_, (since, _)| !old(*since));
                counts.swept = Some(now);
            }
            if counts.sources.len() >= MAX_TRACKED {
                return false; // an attack from very many sources
            }
        }
        let (since, told) = counts.sources.entry(source).or_insert((now, 0));
        if old(*since) {
            (*since, *told) = (now, 0);
        }
        *told = told.saturating_add(1);
        *told <= if ours { OURS } else { STRANGERS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_told_of_so_often_a_minute() {
        let refusals = Refusals::default();
        let (source, now) = (IpAddr::from([192, 0, 2, 1]), Instant::now());
        let told = |ours, at| {
            (0..1_000)
                .filter(|_| refusals.tells(source, ours, at))
                .count()
        };
        assert_eq!(told(false, now), 1);
        assert_eq!(told(true, now + WINDOW), OURS as usize);
        assert_eq!(told(false, now + WINDOW), 0);
    }

    #[test]
    fn very_many_sources_do_not_grow_the_table() {
        let refusals = Refusals::default();
        let now = Instant::now();
        let tells = |n: u32| refusals.tells(IpAddr::V4(n.into()), false, now);
        let told = (0..50_000).filter(|n| tells(*n)).count();
        assert_eq!(told, MAX_TRACKED);
    }
}
