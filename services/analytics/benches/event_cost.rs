//! What the way from the bus to the table costs.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

#[path = "../tests/centre/mod.rs"]
mod centre;

use centre::*;
use centro_analytics::Settings;
use centro_bus::{Event, EventBus as _};
use centro_kernel::ContactId;
use centro_proto::types::AgentState;
use std::time::Duration;

/// What a call costs from the bus to the table: `cargo bench -p centro-analytics`, one line of JSON.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    const CALLS: i64 = 2_000;
    const PER_SECOND: i64 = 100;
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::with(data.path(), &clock(), Settings::default()).await;
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let mut script: Vec<(i64, Vec<Event>)> = (0..CALLS)
        .map(|n| {
            (
                n,
                [
                    answered_call(ContactId::generate(), n),
                    vec![state(n, AgentState::Ready)],
                ]
                .concat(),
            )
        })
        .collect();
    let before = cpu_ticks();
    // A call's events come one at a time, mixed with those of the calls around it.
    for step in 0..CALLS + 9 * PER_SECOND / 4 {
        pace.tick().await;
        let begun = usize::try_from(step + 1).unwrap().min(script.len());
        for (start, events) in &mut script[..begun] {
            if !events.is_empty() && (step - *start) % (PER_SECOND / 4) == 0 {
                centre.bus.publish(events.remove(0)).await.unwrap();
            }
        }
    }
    centre.contacts_when(|seen| seen[0].wrap_up_ms > 0).await;
    let spent = (cpu_ticks() - before) * 10;
    let each = spent as f64 / CALLS as f64;
    println!(r#"{{"bench":"event_cost","calls":{CALLS},"cpu_ms_per_call":{each:.3}}}"#);
    centre.stop().await;
}

/// CPU time of this process in 1/100 s (proc(5), `stat`, fields 14 and 15).
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
