//! The process that owns a queue is killed while callers wait in it and agents take them one after the other.

use super::{
    Outcome, Size, judge,
    judge::Judged,
    load::Load,
    report, shards,
    stage::{SOON, Stage, TAKEN_OVER},
};
use crate::figures::Times;
use anyhow::{Context, Result, ensure};
use centro_testkit::{Cluster, eventually};
use std::time::{Duration, Instant};

/// Callers who wait when the owner is killed.
const WAITING: usize = 50;
/// Callers served before, so that offers are under way.
const BEFORE: usize = 10;
/// Agents, and how long each talks.
const AGENTS: usize = 4;
const TALK: Duration = Duration::from_millis(400);
/// Until offers must have gone on, in ms.
const RESUMED: f64 = 3_000.0;

/// Once, or twenty times.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let mut resumed = Vec::new();
        for _ in 0..size.pick(1, 1, 20) {
            resumed.push(once(stage, outcome).await?);
        }
        let resumed: Times = resumed.into_iter().collect();
        outcome.figure("kills", resumed.count());
        outcome.figure("resume_ms_p50", resumed.quantile_ms(50));
        outcome.at_most("resume_ms_p99", resumed.quantile_ms(99), RESUMED);
        Ok(())
    })
    .await
}

/// One kill with a line of its own. Says how long after it offers went on.
async fn once(stage: &mut Stage, outcome: &mut Outcome) -> Result<Duration> {
    let floor = stage.floor(AGENTS, TALK, false).await?;
    let callers = stage.callers().await?;
    let calls = BEFORE + WAITING;
    let line = Load::start(&callers, &floor.number, 20.0, calls);
    stage.waiting(&floor.queue_id, calls, SOON).await?;
    floor.ready(&stage.api).await?;
    eventually("the first are served", SOON, async || {
        let rung = floor.phones.timing().rung_count();
        ensure!(rung >= BEFORE, "{rung} of {BEFORE}");
        Ok(())
    })
    .await?;
    let owner = shards::owner(&stage.cluster, &floor.queue_id)?;
    stage.cluster.kill(&owner)?;
    let killed = Instant::now();
    let calls = line.over().await;
    let served = Instant::now();
    let judged = Judged::of(&calls, &floor, stage).await;
    judged.note(stage, outcome);
    report::complete(
        &stage.api,
        &floor.queue_id,
        calls.len(),
        TAKEN_OVER,
        outcome,
    )
    .await?;
    stage.cluster.revive(&owner)?;
    stage.cluster.all_ready().await?;
    let pause = judge::longest_pause(&floor, killed, served);
    Ok(pause.context("no offer after the kill")?.0)
}
