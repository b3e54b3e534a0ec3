//! How long packets stay inside this process, counted without locks: 1 µs steps up to 1 ms, then doubling.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

const FINE: usize = 1_000;
const COARSE: usize = 16;

/// A histogram of short times.
#[derive(Debug)]
pub struct Histogram {
    buckets: Vec<AtomicU64>,
    longest: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = (0..FINE + COARSE).map(|_| AtomicU64::new(0)).collect();
        Self {
            buckets,
            longest: AtomicU64::new(0),
        }
    }
}

/// What a histogram holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Measurements.
    pub count: u64,
    /// Half of them were at most this.
    pub p50: Duration,
    /// 99 % of them were at most this.
    pub p99: Duration,
    /// The longest of all.
    pub longest: Duration,
}

impl Histogram {
    /// Counts one time.
    pub fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let index = match usize::try_from(micros) {
            Ok(fine) if fine < FINE => fine,
            _ => {
                let doublings = (micros / FINE as u64).ilog2() as usize;
                FINE + doublings.min(COARSE - 1)
            }
        };
        self.buckets[index].fetch_add(1, Relaxed);
        self.longest.fetch_max(micros, Relaxed);
    }

    /// What was counted so far.
    pub fn times(&self) -> Times {
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Relaxed))
            .collect();
        let count: u64 = counts.iter().sum();
        let longest = Duration::from_micros(self.longest.load(Relaxed));
        let quantile = |percent: u64| {
            let wanted = (count * percent).div_ceil(100);
            let mut seen = 0;
            let index = counts.iter().position(|bucket| {
                seen += bucket;
                seen >= wanted
            });
            upper_edge(index.unwrap_or(0)).min(longest)
        };
        Times {
            count,
            p50: quantile(50),
            p99: quantile(99),
            longest,
        }
    }
}

fn upper_edge(index: usize) -> Duration {
    let micros = if index < FINE {
        index as u64 + 1
    } else {
        1_000 << (index - FINE + 1)
    };
    Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_upper_edges() {
        let histogram = Histogram::default();
        for micros in 1..=100 {
            histogram.record(Duration::from_micros(micros));
        }
        let times = histogram.times();
        assert_eq!(times.count, 100);
        assert_eq!(times.p50, Duration::from_micros(51));
        assert_eq!(times.p99, Duration::from_micros(100));
        histogram.record(Duration::from_secs(9_999));
        assert_eq!(histogram.times().longest, Duration::from_secs(9_999));
    }
}
