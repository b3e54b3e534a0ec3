//! What a process costs, from /proc.

use std::{fs, time::Duration};

/// Clock ticks of /proc/PID/stat per second; 100 on every Linux (USER_HZ).
const TICKS: u64 = 100;

/// User and system time of a process so far; `None` when it is gone.
pub fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ticks(&stat)
}

/// User and system time of this process's threads whose name begins with `name`.
pub fn threads_cpu(name: &str) -> Duration {
    let tasks = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let named = tasks.filter_map(|task| {
        let comm = fs::read_to_string(task.path().join("comm")).ok()?;
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        comm.starts_with(name).then(|| ticks(&stat)).flatten()
    });
    named.sum()
}

/// Resident memory in MB.
pub fn rss_mb(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn ticks(stat: &str) -> Option<Duration> {
    // The name in parentheses may contain spaces; utime and stime are the 12th and 13th words after it.
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = words.next()?.parse().ok()?;
    let system: u64 = words.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_costs_something() {
        let pid = std::process::id();
        assert!(cpu(pid).is_some());
        assert!(rss_mb(pid).unwrap() > 1.0);
        assert_eq!(
            ticks("7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0"),
            Some(Duration::from_secs(2))
        );
    }
}
