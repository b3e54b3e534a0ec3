//! Long days of a whole centre by seeds: several routing nodes and several telephony nodes, virtual time, a network that
//! loses, repeats and delays, people who do as they please, machines that crash, freeze and come back.
//!
//! The same seed is always the same day: [`Day::hash`] says so. What goes wrong is drawn from the seed as a list of
//! [`Plan`]s, so that a failing day can be told again with fewer of them ([`shrink`]).

mod aim;
mod centre;
mod chance;
mod day;
mod event;
mod machines;
mod network;
mod people;
mod plan;
pub mod script;
mod shrink;

pub use aim::Aim;
pub use day::{Day, Failure};
pub use plan::Plan;
pub use shrink::{Story, shrink};

use crate::Mutant;
use std::time::Instant;

/// What many days came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Days.
    pub seeds: u64,
    /// Steps of actors.
    pub steps: u64,
    /// Contacts.
    pub contacts: u64,
    /// Faults: messages lost, repeated or late, owners and processes that died or froze, streams that broke.
    pub faults: u64,
    /// Days on which a rule was broken.
    pub violations: u64,
    /// The first of them.
    pub first_failing_seed: Option<u64>,
}

impl Report {
    /// One line of JSON.
    pub fn json(&self) -> String {
        let first = self.first_failing_seed.map(|seed| seed.to_string());
        format!(
            r#"{{"seeds":{},"steps":{},"contacts":{},"faults":{},"violations":{},"first_failing_seed":{}}}"#,
            self.seeds,
            self.steps,
            self.contacts,
            self.faults,
            self.violations,
            first.as_deref().unwrap_or("null")
        )
    }
}

/// Simulates days `from..from + seeds`. With a bug planted, only until it is found. `tell` hears of each failing day.
pub fn run(
    from: u64,
    seeds: u64,
    mutant: Option<Mutant>,
    tell: impl FnMut(u64, &Failure),
) -> Report {
    let mut tell = tell;
    let mut report = Report::default();
    for seed in from..from.saturating_add(seeds) {
        let mut day = Day::new(&Story::of(seed), mutant);
        let result = day.run();
        report.seeds += 1;
        report.steps += day.steps();
        report.contacts += day.contacts();
        report.faults += day.faults();
        if let Err(failure) = result {
            report.violations += 1;
            report.first_failing_seed.get_or_insert(seed);
            tell(seed, &failure);
            if mutant.is_some() {
                break;
            }
        }
    }
    report
}

/// Simulates days and prints what is found; the last line is [`Report::json`]. True when it is what was hoped for.
pub fn habit(
    from: u64,
    seeds: u64,
    mutant: Option<Mutant>,
    only: Option<Vec<usize>>,
    threads: u64,
) -> bool {
    let began = Instant::now();
    if let Some(only) = only {
        return replay(
            &Story {
                seed: from,
                kept: Some(only),
                calm: false,
            },
            mutant,
        );
    }
    if seeds == 1 && mutant.is_none() {
        return replay(&Story::of(from), None);
    }
    let threads = if mutant.is_some() {
        1
    } else {
        threads.clamp(1, seeds.max(1))
    };
    let share = seeds.div_ceil(threads);
    let reports = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|n| {
                let (first, count) = (from + n * share, share.min(seeds.saturating_sub(n * share)));
                scope.spawn(move || {
                    run(first, count, mutant, |seed, failure| {
                        println!("seed {seed}, at {} ms: {}", failure.at, failure.broken);
                    })
                })
            })
            .collect();
        let joined = parts.into_iter().filter_map(|part| part.join().ok());
        joined.collect::<Vec<_>>()
    });
    let mut sum = Report::default();
    for report in &reports {
        sum.seeds += report.seeds;
        sum.steps += report.steps;
        sum.contacts += report.contacts;
        sum.faults += report.faults;
        sum.violations += report.violations;
        sum.first_failing_seed = sum.first_failing_seed.or(report.first_failing_seed);
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{} days in {took:.1} s on {threads} threads: {:.1} seeds/s, {:.0} steps/s",
        sum.seeds,
        sum.seeds as f64 / took,
        sum.steps as f64 / took
    );
    if let Some(seed) = sum.first_failing_seed {
        tell_story(&shrink(seed, mutant), mutant);
    }
    // A thread that panicked is a failure too.
    let whole = reports.len() as u64 == threads;
    println!("{}", sum.json());
    whole && (sum.violations > 0) == mutant.is_some()
}

fn tell_story(story: &Story, mutant: Option<Mutant>) {
    let mut day = Day::new(story, mutant);
    day.trace();
    let result = day.run();
    println!("the shortest story found of seed {}:", story.seed);
    for line in day.told() {
        println!("  {line}");
    }
    println!("  the last steps:");
    for line in day.traced().iter().rev().take(60).rev() {
        println!("    {line}");
    }
    if let Err(failure) = result {
        println!("  {} ms: {}", failure.at, failure.broken);
    }
    let bug = mutant.map(|m| format!(" --break {m}")).unwrap_or_default();
    let kept = story.kept.iter().flatten().map(usize::to_string);
    let kept = kept.collect::<Vec<_>>().join(",");
    println!(
        "again: cargo xtask sim --seeds 1 --from {}{bug} --only {kept}",
        story.seed
    );
}

/// Tells one day with every step.
fn replay(story: &Story, mutant: Option<Mutant>) -> bool {
    let mut day = Day::new(story, mutant);
    day.trace();
    let result = day.run();
    for line in day.traced() {
        println!("{line}");
    }
    let mut report = Report {
        seeds: 1,
        steps: day.steps(),
        contacts: day.contacts(),
        faults: day.faults(),
        ..Report::default()
    };
    if let Err(failure) = &result {
        println!("{} ms: {}", failure.at, failure.broken);
        report.violations = 1;
        report.first_failing_seed = Some(story.seed);
    }
    println!("hash of the day: {:016x}", day.hash());
    println!("{}", report.json());
    result.is_err() == mutant.is_some()
}
