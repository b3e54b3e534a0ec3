//! Time that cores spent on us, which other programs on the machine do not stretch.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Of this thread so far.
pub fn of_this_thread() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// Of all threads of this process so far.
pub fn of_this_process() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
