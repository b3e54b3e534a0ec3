//! The figures of routing, as one line of JSON; docs/figures.md says what each of them is.
//!
//! `cargo xtask bench routing`, or some of them only: `cargo bench --package centro-routing --features bench --bench routing
//! -- rules protocol idle ring_all`.

#![allow(clippy::expect_used)] // a bench stops at the first surprise

mod bare;
mod cpu;
mod draw;
mod edge;
mod floor;
mod idle;
#[path = "../../../../loadtest/src/machine.rs"]
mod machine;
#[allow(dead_code, unused_imports)] // of what the load generator reads of a process, memory is enough here
#[path = "../../../../loadtest/src/process.rs"]
mod process;
mod protocol;
mod ring_all;
mod rules;

use serde_json::{Map, Value, json};
use std::time::Duration;

/// The product's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each figure; the median counts.
const RUNS: usize = 5;
/// They are many times as fast as those with rules.
const BARE_EVENTS: u64 = 2_000_000;

fn main() {
    // Cargo adds `--bench`.
    let wanted: Vec<_> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let wants = |name| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let mut figures = Map::new();
    figures.insert("command".into(), json!("routing"));
    // First, while the process is small.
    if wants("idle") {
        idle(&mut figures);
    }
    if wants("rules") {
        rules(&mut figures);
    }
    if wants("protocol") {
        protocol(&mut figures);
    }
    if wants("ring_all") {
        ring_all(&mut figures);
    }
    figures.insert("machine".into(), machine::describe());
    println!("{}", Value::Object(figures));
}

fn idle(figures: &mut Map<String, Value>) {
    told("100,000 idle queues");
    let cost = idle::run(100_000, Duration::from_secs(10));
    figures.insert("idle_queue_actors_100k_mb".into(), whole(cost.memory_mb));
    let cpu = cost.cpu_percent;
    figures.insert("idle_queue_actors_cpu_percent".into(), decimals(cpu));
}

fn rules(figures: &mut Map<String, Value>) {
    let shape = |agents, queues, waiting| rules::Shape {
        agents,
        queues,
        waiting,
    };
    let seconds = |what: &str, shape, events| {
        told(what);
        median((0..RUNS).map(|_| rules::run(shape, events)))
    };
    let small = seconds("rules, 1,000 agents", shape(1_000, 100, 0), 500_000);
    let middle = seconds("rules, 10,000 agents", shape(10_000, 1_000, 0), 500_000);
    let large = seconds("rules, 100,000 agents", shape(100_000, 1_000, 0), 500_000);
    let full = seconds("rules, lines", shape(10_000, 1_000, 10), 200_000);
    let mut rate = |name: &str, cost: &rules::Cost| {
        figures.insert(name.into(), whole(1.0 / cost.seconds_per_event()));
    };
    rate("events_per_second_1k_100", &small);
    rate("events_per_second_10k_1k", &middle);
    rate("events_per_second_100k_1k", &large);
    rate("events_per_second_10k_1k_saturated", &full);
    let messages = middle.messages as f64 / middle.cpu.as_secs_f64();
    figures.insert("messages_per_second_10k_1k".into(), whole(messages));
    told("bare sets, 10,000 agents");
    let mut bare: Vec<_> = (0..RUNS)
        .map(|_| bare::run(shape(10_000, 1_000, 0), BARE_EVENTS))
        .collect();
    bare.sort_unstable();
    let bare = BARE_EVENTS as f64 / bare[RUNS / 2].as_secs_f64();
    figures.insert("bare_events_per_second_10k_1k".into(), whole(bare));
    let ratio = large.seconds_per_event() / small.seconds_per_event();
    figures.insert("cost_ratio_100k_1k".into(), decimals(ratio));
}

fn protocol(figures: &mut Map<String, Value>) {
    for (serves, name) in [(1, "actors"), (5, "actors_5_queues_each")] {
        told(&format!(
            "contacts through the actors, {serves} queues each"
        ));
        let shape = protocol::Shape {
            agents: 1_000,
            queues: 100,
            serves,
        };
        let mut runs: Vec<_> = (0..RUNS).map(|_| protocol::run(shape, 30_000)).collect();
        runs.sort_by_key(|cost| cost.wall);
        let cost = &runs[RUNS / 2];
        let per_second = cost.contacts as f64 / cost.wall.as_secs_f64();
        let cpu = cost.cpu.as_secs_f64() * 1e6 / cost.contacts as f64;
        told(&format!(
            "{per_second:.0} contacts per second, {cpu:.1} µs of CPU each"
        ));
        figures.insert(format!("contacts_per_second_{name}"), whole(per_second));
        figures.insert(format!("cpu_us_per_contact_{name}"), decimals(cpu));
    }
}

fn ring_all(figures: &mut Map<String, Value>) {
    told("100 agents ring");
    let mut times = ring_all::run(100, 500);
    times.sort_unstable();
    for percent in [50, 99] {
        let time = times[(times.len() * percent).div_ceil(100) - 1];
        let name = format!("ring_all_100_release_p{percent}_ms");
        figures.insert(name, decimals(time.as_secs_f64() * 1e3));
    }
}

fn median(runs: impl Iterator<Item = rules::Cost>) -> rules::Cost {
    let mut runs: Vec<_> = runs.collect();
    runs.sort_by_key(|cost| cost.cpu);
    runs[runs.len() / 2]
}

fn told(what: &str) {
    eprintln!("{what} …");
}

fn whole(figure: f64) -> Value {
    json!(figure.round())
}

fn decimals(figure: f64) -> Value {
    json!((figure * 1_000.0).round() / 1_000.0)
}
