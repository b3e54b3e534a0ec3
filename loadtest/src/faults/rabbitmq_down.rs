//! RabbitMQ is killed and stays away while calls go on: nobody notices, and everything is told afterwards, once, in order.

use super::{Outcome, Size, events, judge::Judged, load::Load, report, stage::Stage};
use anyhow::Result;
use centro_testkit::{Cluster, engines::Engine};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Calls a second: each of them is some ten events.
const RATE: f64 = 6.0;
const AGENTS: usize = 8;
const TALK: Duration = Duration::from_millis(400);
/// How long calls come before and after.
const AROUND: Duration = Duration::from_secs(3);
/// Until all is told once it is back.
const CAUGHT_UP: Duration = Duration::from_secs(60);

/// Once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let down = Duration::from_secs(size.pick(5, 15, 60));
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let floor = stage.floor(AGENTS, TALK, true).await?;
        events::keep(&stage.cluster.rabbitmq.url()).await?;
        let callers = stage.callers().await?;
        let begun = Instant::now();
        let load = Load::start(&callers, &floor.number, RATE, usize::MAX);
        sleep(AROUND).await;
        stage.cluster.rabbitmq.kill()?;
        sleep(down).await;
        stage.cluster.rabbitmq.revive().await?;
        let back = Instant::now();
        sleep(AROUND).await;
        let calls = load.stop().await;
        let seconds = begun.elapsed().as_secs_f64();
        Judged::of(&calls, &floor, stage).await.note(stage, outcome);
        let rest = CAUGHT_UP.saturating_sub(back.elapsed());
        report::complete(&stage.api, &floor.queue_id, calls.len(), rest, outcome).await?;
        outcome.figure("caught_up_s", back.elapsed().as_secs_f64().round());
        let kept = events::taken(&stage.cluster.rabbitmq.url()).await?;
        kept.note(calls.len(), outcome);
        outcome.figure("events_per_s", (kept.count() as f64 / seconds).round());
        Ok(())
    })
    .await
}
