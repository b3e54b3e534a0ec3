//! The machine a figure was measured on, to be printed beside it.

use serde_json::{Value, json};
use std::fs;

/// Cores, processor, memory, load and build profile.
pub fn describe() -> Value {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(key))?
            .split_once(':')?;
        Some(line.1.trim().to_owned())
    };
    let memory = after(&read("/proc/meminfo"), "MemTotal").and_then(|total| {
        total
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
            .map(|kilobytes| kilobytes / 1024)
    });
    let load: Vec<f64> = read("/proc/loadavg")
        .split_whitespace()
        .take(3)
        .filter_map(|word| word.parse().ok())
        .collect();
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": after(&read("/proc/cpuinfo"), "model name"),
        "memory_mb": memory,
        "load": load,
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
    })
}
