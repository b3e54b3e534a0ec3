//! Redis is killed and stays away: who talks goes on, who waits keeps music and place, who calls hears music, and when it is
//! back everybody is served once, in order.

use super::{
    Outcome, Size,
    judge::Judged,
    load::Load,
    report, shards,
    stage::{SOON, Stage, TAKEN_OVER},
};
use anyhow::{Result, ensure};
use centro_testkit::{Cluster, engines::Engine, eventually};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const TALKING: usize = 3;
const WAITING: usize = 20;
/// Who call while it is away, and how many a second.
const NEW: usize = 5;
const RATE: f64 = 2.0;
const TALK: Duration = Duration::from_millis(400);

/// Once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let down = Duration::from_secs(size.pick(5, 10, 30));
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let callers = stage.callers().await?;
        let long = down + Duration::from_secs(20);
        let talking = stage.floor(TALKING, long, true).await?;
        let talks = Load::start(&callers, &talking.number, 20.0, TALKING);
        let waiting = stage.floor(2, TALK, false).await?;
        let line = Load::start(&callers, &waiting.number, 20.0, WAITING);
        stage.waiting(&waiting.queue_id, WAITING, SOON).await?;
        let order = stage.line(&waiting.queue_id).await?;
        eventually("all talk", SOON, async || {
            let rung = talking.phones.timing().rung_count();
            ensure!(rung == TALKING, "{rung} do");
            Ok(())
        })
        .await?;

        stage.cluster.redis.kill()?;
        sleep(down / 2).await;
        let new = Load::start(&callers, &waiting.number, RATE, NEW);
        sleep(down / 2).await;
        stage.cluster.redis.revive().await?;
        let back = Instant::now();
        let all = WAITING + NEW;
        stage.waiting(&waiting.queue_id, all, TAKEN_OVER).await?;
        shards::owned_by(&stage.cluster, &["routing-1", "routing-2"], TAKEN_OVER).await?;
        outcome.figure("back_ms", back.elapsed().as_millis() as u64);
        let line_now = stage.line(&waiting.queue_id).await?;
        let kept = line_now.starts_with(&order);
        outcome.must(kept, "who waited is not in the same order".into());

        waiting.ready(&stage.api).await?;
        let mut calls = line.over().await;
        calls.extend(new.over().await);
        Judged::of(&calls, &waiting, stage)
            .await
            .note(stage, outcome);
        let talks = talks.over().await;
        Judged::of(&talks, &talking, stage)
            .await
            .note(stage, outcome);
        for (floor, calls) in [(&waiting, &calls), (&talking, &talks)] {
            report::complete(
                &stage.api,
                &floor.queue_id,
                calls.len(),
                TAKEN_OVER,
                outcome,
            )
            .await?;
        }
        Ok(())
    })
    .await
}
