//! Time as data. Nobody reads the system clock but [`SystemClock`], so tests can advance time instead of sleeping.

use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Add, Sub},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine: the time of day at the first question, and from then on as long as has really passed.
///
/// Deadlines and durations are differences of its answers, so it never goes back, and somebody who sets the machine's
/// clock neither ends nor prolongs anything. It follows the time of day by going up to a twentieth faster or slower, which
/// is far less than what the protocol allows two clocks to differ; a minute is made up in 20. Only when the time of day is
/// [`SLEPT`] ahead does it jump: the machine slept, and what was due meanwhile is due.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A time of day so far ahead is believed at once.
const SLEPT: Duration = Duration::from_secs(600);
/// How often the time of day is looked at.
const LOOK: i64 = 1_000_000;
/// One of so many microseconds is made up at most.
const SLEW: i64 = 20;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        static START: OnceLock<(Instant, Steady)> = OnceLock::new();
        let (start, steady) = START.get_or_init(|| (Instant::now(), Steady::new(time_of_day())));
        Timestamp(steady.at(micros(start.elapsed()), time_of_day) / 1_000)
    }
}

/// Microseconds since 1970 by the machine's own clock, which may jump.
fn time_of_day() -> i64 {
    micros(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Time that only goes forward, in microseconds, after a time of day that may do anything.
struct Steady {
    /// The time of day at the start, and what was made up since.
    base: AtomicI64,
    /// When the time of day is looked at next, counted from the start.
    look_at: AtomicI64,
    /// The latest answer.
    told: AtomicI64,
}

impl Steady {
    const fn new(time_of_day: i64) -> Self {
        Self {
            base: AtomicI64::new(time_of_day),
            look_at: AtomicI64::new(LOOK),
            told: AtomicI64::new(time_of_day),
        }
    }

    /// The time when `elapsed` has passed since the start.
    fn at(&self, elapsed: i64, time_of_day: impl FnOnce() -> i64) -> i64 {
        let look_at = self.look_at.load(Ordering::Relaxed);
        let next = elapsed + LOOK;
        let order = Ordering::Relaxed;
        if elapsed >= look_at
            && self
                .look_at
                .compare_exchange(look_at, next, order, order)
                .is_ok()
        {
            let error = time_of_day() - (self.base.load(order) + elapsed);
            let most = (elapsed - look_at + LOOK) / SLEW;
            let slept = error >= micros(SLEPT);
            let step = if slept {
                error
            } else {
                error.clamp(-most, most)
            };
            self.base.fetch_add(step, order);
        }
        let now = self.base.load(order) + elapsed;
        self.told.fetch_max(now, order).max(now)
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Clone, Default)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// Starts at `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millis())))
    }

    /// Moves time forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(
            i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_moment_minus_an_earlier_one_is_the_time_between() {
        let clock = TestClock::at(Timestamp::from_millis(1_000));
        let before = clock.now();
        clock.advance(Duration::from_millis(250));
        assert_eq!(clock.now().since(before), Duration::from_millis(250));
        assert_eq!(before.since(clock.now()), Duration::ZERO);
    }

    const SECOND: i64 = 1_000_000;

    /// A time of day that is `off` from the start on. Says how far the steady clock is from the true time, each second.
    fn follows(off: i64, seconds: i64) -> Vec<i64> {
        let steady = Steady::new(0);
        let mut before = 0;
        (1..=seconds)
            .map(|second| {
                let true_time = second * SECOND;
                let now = steady.at(true_time, || true_time + off);
                let passed = now - before;
                let rate = (SECOND - SECOND / SLEW)..=(SECOND + SECOND / SLEW);
                assert!(off >= micros(SLEPT) || rate.contains(&passed), "{passed}");
                assert!(passed > 0);
                before = now;
                now - true_time
            })
            .collect()
    }

    #[test]
    fn a_clock_that_is_set_is_followed_slowly_and_never_back() {
        for off in [-60 * SECOND, 60 * SECOND] {
            let error = follows(off, 1_300);
            assert_eq!(error[9], off / 120, "10 s of 1,200");
            assert_eq!(error[1_299], off, "in the end it is right");
        }
        let hour_back = follows(-3_600 * SECOND, 100);
        assert_eq!(hour_back[99], -5 * SECOND);
    }

    #[test]
    fn a_machine_that_slept_is_believed_at_once() {
        assert_eq!(follows(7_200 * SECOND, 1), [7_200 * SECOND]);
    }

    #[test]
    fn between_two_looks_and_from_many_threads_it_does_not_go_back() {
        let steady = Steady::new(50);
        assert_eq!(steady.at(10, || panic!("not asked yet")), 60);
        assert_eq!(steady.at(5, || panic!("not asked yet")), 60);
        let first = SystemClock.now();
        assert!(SystemClock.now() >= first);
    }
}
