//! From a failing day to a short story: plans are left out as long as the same rule is broken.

use super::{Day, script::Script};
use crate::Mutant;
use centro_routing_core::invariants::Broken;
use std::time::{Duration, Instant};

/// How long it may take.
const BUDGET: Duration = Duration::from_secs(20);

/// A day, perhaps with plans left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The day.
    pub seed: u64,
    /// The plans that are kept, by number; all without it.
    pub kept: Option<Vec<usize>>,
    /// The network does nothing wrong.
    pub calm: bool,
}

impl Story {
    /// The whole day.
    pub const fn of(seed: u64) -> Self {
        Self {
            seed,
            kept: None,
            calm: false,
        }
    }
}

fn breaks(story: &Story, mutant: Option<Mutant>) -> Option<Broken> {
    Day::new(story, mutant).run().err().map(|f| f.broken)
}

/// The shortest story found within a few seconds that breaks the same rule.
pub fn shrink(seed: u64, mutant: Option<Mutant>) -> Story {
    let all: Vec<usize> = (0..Script::of(seed).plans.len()).collect();
    let mut best = Story {
        kept: Some(all.clone()),
        ..Story::of(seed)
    };
    let Some(rule) = breaks(&best, mutant) else {
        return best;
    };
    let (began, mut kept) = (Instant::now(), all);
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 && began.elapsed() < BUDGET {
        let (mut at, mut shrunk) = (0, false);
        while at < kept.len() && began.elapsed() < BUDGET {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + chunk).min(kept.len()));
            let story = Story {
                kept: Some(fewer.clone()),
                ..Story::of(seed)
            };
            if breaks(&story, mutant) == Some(rule) {
                (kept, best, shrunk) = (fewer, story, true);
            } else {
                at += chunk;
            }
        }
        if !shrunk || chunk > 1 {
            chunk /= 2;
        }
    }
    best
}
