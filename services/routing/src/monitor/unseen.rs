//! What the monitor had to look at and had no room for: counted, and said once a minute.

use crate::metrics;
use centro_kernel::Timestamp;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// It is said so often at most.
const ONCE_IN: Duration = Duration::from_secs(60);

/// Something that was due to be looked at, and was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// A contact that seems to be in two places waits for a later look.
    Suspicion,
    /// A queue or agent whose deadline has passed waits for a later look.
    Deadline,
    /// A queue in which somebody waits beside somebody who is ready waits for a later look.
    Queue,
    /// A contact that seems to be in two places, and will not be looked at.
    LostSuspicion,
    /// A contact of which is not remembered where it is.
    Contact,
}

impl Unseen {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Suspicion,
        Self::Deadline,
        Self::Queue,
        Self::LostSuspicion,
        Self::Contact,
    ];

    /// The metric's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspicion => "suspicion",
            Self::Deadline => "deadline",
            Self::Queue => "queue",
            Self::LostSuspicion => "lost_suspicion",
            Self::Contact => "contact",
        }
    }
}

/// How often, since it was said last.
#[derive(Default)]
pub struct Unlooked([AtomicU64; Unseen::ALL.len()]);

impl Unlooked {
    /// This was not looked at `n` times.
    pub fn add(&self, what: Unseen, n: u64) {
        if n > 0 {
            metrics::unseen(what, n);
            self.0[what as usize].fetch_add(n, Ordering::Relaxed);
        }
    }

    /// What was not looked at and not said yet, when there is something and it may be said again. `said` is when that was
    /// the case last.
    pub fn news(&self, now: Timestamp, said: &mut Option<Timestamp>) -> Option<[u64; 5]> {
        if said.is_some_and(|said| now.since(said) < ONCE_IN) {
            return None;
        }
        let news = Unseen::ALL.map(|what| self.0[what as usize].swap(0, Ordering::Relaxed));
        let any = news.iter().any(|n| *n > 0);
        any.then(|| {
            *said = Some(now);
            news
        })
    }
}
