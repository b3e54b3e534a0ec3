//! Routing processes come and go while calls come: one becomes three, and the first of them is told to end.

use super::{
    Outcome, Size,
    judge::Judged,
    load::Load,
    report, shards,
    stage::{Stage, TAKEN_OVER},
};
use crate::figures::round;
use anyhow::{Result, ensure};
use centro_testkit::Cluster;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const TALK: Duration = Duration::from_millis(400);
/// How long calls come at each size.
const AT_EACH: Duration = Duration::from_secs(5);
/// How much more or less than its even share a process may own.
const UNEVEN: f64 = 0.2;

/// Once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let (rate, agents) = size.pick((5.0, 8), (5.0, 8), (20.0, 30));
    Stage::with(Cluster::builder(1), async |stage, outcome| {
        let floor = stage.floor(agents, TALK, true).await?;
        let callers = stage.callers().await?;
        let load = Load::start(&callers, &floor.number, rate, usize::MAX);
        sleep(AT_EACH).await;

        let begun = Instant::now();
        stage.cluster.add("routing-2", "routing")?;
        stage.cluster.add("routing-3", "routing")?;
        stage.cluster.all_ready().await?;
        let three = ["routing-1", "routing-2", "routing-3"];
        shards::owned_by(&stage.cluster, &three, TAKEN_OVER).await?;
        outcome.most("scaled_ms", Some(begun.elapsed().as_millis() as f64));
        sleep(AT_EACH).await;
        even(stage, outcome)?;

        let begun = Instant::now();
        let first = stage.cluster.process("routing-1")?;
        first.terminate()?;
        let status = first.end(TAKEN_OVER).await?;
        ensure!(status.success(), "routing-1 ended with {status}");
        shards::owned_by(&stage.cluster, &three[1..], TAKEN_OVER).await?;
        outcome.most("scaled_ms", Some(begun.elapsed().as_millis() as f64));
        sleep(AT_EACH).await;
        even(stage, outcome)?;

        let calls = load.stop().await;
        Judged::of(&calls, &floor, stage).await.note(stage, outcome);
        report::complete(
            &stage.api,
            &floor.queue_id,
            calls.len(),
            TAKEN_OVER,
            outcome,
        )
        .await
    })
    .await
}

/// Notes how far from even the shares are.
fn even(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let shares = shards::shares(&stage.cluster)?;
    let all: usize = shares.values().sum();
    let share = all as f64 / shares.len() as f64;
    let uneven = shares
        .values()
        .map(|owned| (*owned as f64 / share - 1.0).abs());
    let uneven = uneven.reduce(f64::max).map(round);
    outcome.at_most("uneven_max", uneven, UNEVEN);
    Ok(())
}
