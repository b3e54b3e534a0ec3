//! A cluster under trouble: real processes, engines and calls, something is killed, stopped or cut off, and what callers and
//! agents notice of it is measured. docs/operators/faults.md says what is promised.
//!
//! Each row is one file with one subject and ends in an [`Outcome`]. What rows share: [`stage`] the cluster, [`load`] the
//! callers, [`judge`] what became of them, [`shards`] who owns what, [`stale`] what a deposed owner still tried,
//! [`report`] what analytics made of it, [`events`] what was told.

mod deposed;
mod events;
mod judge;
mod load;
mod noisy_tenant;
mod outcome;
mod owner_frozen;
mod owner_killed;
mod partition;
mod postgres_down;
mod pulse;
mod rabbitmq_down;
mod redis_down;
mod report;
mod rolling_restart;
mod scale;
mod shards;
mod stage;
mod stale;

pub use outcome::Outcome;
use stage::Stage;

use crate::{figures, machine};
use anyhow::{Result, bail};
use futures::{FutureExt, future::LocalBoxFuture};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// How long everything is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As short as it can be and still mean something, for tests.
    Brief,
    /// Each row once, outages short.
    Quick,
    /// As often and as long as docs/operators/faults.md says.
    Full,
}

impl Size {
    /// One of three figures.
    pub fn pick<T>(self, brief: T, quick: T, full: T) -> T {
        match self {
            Self::Brief => brief,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

type Run = fn(Size) -> LocalBoxFuture<'static, Result<Outcome>>;

/// All rows, in the order in which they run.
const ROWS: [(&str, Run); 9] = [
    ("owner_killed", |size| owner_killed::run(size).boxed_local()),
    ("owner_frozen", |size| owner_frozen::run(size).boxed_local()),
    ("partition", |size| partition::run(size).boxed_local()),
    ("rabbitmq_down", |size| {
        rabbitmq_down::run(size).boxed_local()
    }),
    ("redis_down", |size| redis_down::run(size).boxed_local()),
    ("postgres_down", |size| {
        postgres_down::run(size).boxed_local()
    }),
    ("scale", |size| scale::run(size).boxed_local()),
    ("rolling_restart", |size| {
        rolling_restart::run(size).boxed_local()
    }),
    ("noisy_tenant", |size| noisy_tenant::run(size).boxed_local()),
];

/// Runs a row. What could not be carried out is a row that is not ok.
///
/// # Errors
/// There is no such row.
pub async fn row(name: &str, size: Size) -> Result<Outcome> {
    let Some((_, run)) = ROWS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        bail!("there is no row {name}; the rows are {}", names.join(", "));
    };
    let begun = Instant::now();
    eprintln!("{name} …");
    let mut outcome = run(size).await.unwrap_or_else(|error| {
        let mut outcome = Outcome::default();
        outcome.must(false, format!("{error:#}"));
        outcome
    });
    let seconds = begun.elapsed().as_secs_f64();
    outcome.figure("seconds", figures::round(seconds));
    eprintln!("{name}: {}", outcome.json());
    Ok(outcome)
}

/// Runs the rows named, or all, and prints one line of JSON; true when all are ok.
///
/// # Errors
/// A row that does not exist was named.
pub async fn run(only: &[String], size: Size) -> Result<bool> {
    let all: Vec<String> = ROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = if only.is_empty() { &all } else { only };
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no row {unknown}; the rows are {}", all.join(", "));
    }
    let mut line = Map::new();
    let mut ok = true;
    for name in names {
        let outcome = row(name, size).await?;
        ok &= outcome.is_ok();
        line.insert(name.clone(), outcome.json());
    }
    line.insert("ok".into(), json!(ok));
    line.insert("quick".into(), json!(size == Size::Quick));
    line.insert("machine".into(), machine::describe());
    println!("{}", Value::Object(line));
    Ok(ok)
}
