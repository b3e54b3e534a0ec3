//! How long this machine itself held a thread up: on a busy one, sound is late for no fault of what is tried.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

const BEAT: Duration = Duration::from_millis(20);
const WORK: Duration = Duration::from_micros(500);

/// Two threads that want to run every 20 ms, and work a little then, as those do that move sound.
pub struct Pulse {
    stop: Arc<AtomicBool>,
    late_us: Arc<AtomicU64>,
}

impl Pulse {
    /// Begins.
    pub fn begin() -> Self {
        let pulse = Self {
            stop: Arc::default(),
            late_us: Arc::default(),
        };
        for _ in 0..2 {
            let (stop, late_us) = (pulse.stop.clone(), pulse.late_us.clone());
            thread::spawn(move || {
                while !stop.load(Relaxed) {
                    let asleep = Instant::now();
                    thread::sleep(BEAT);
                    let late = asleep.elapsed().saturating_sub(BEAT).as_micros();
                    late_us.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Relaxed);
                    let woken = Instant::now();
                    while woken.elapsed() < WORK {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        pulse
    }

    /// The longest that a thread was late so far.
    pub fn late(&self) -> Duration {
        Duration::from_micros(self.late_us.load(Relaxed))
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
    }
}
