//! An owner that does not know that it is one no longer: it is stopped or cut off for longer than its lease, while calls
//! come and others wait. What it does when it is back must change nothing, and it must come back without help.

use super::{
    Outcome, judge,
    judge::Judged,
    load::Load,
    report, shards,
    stage::{SOON, Stage, TAKEN_OVER},
    stale::Watch,
};
use crate::{figures::millis, floor::Floor};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Calls a second.
const RATE: f64 = 5.0;
/// Callers who wait all the time.
const WAITING: usize = 20;
const AGENTS: usize = 6;
const TALK: Duration = Duration::from_millis(400);
/// How long calls come before, and after it is back.
const AROUND: Duration = Duration::from_secs(3);
/// Until offers must have gone on, in ms.
const RESUMED: f64 = 3_000.0;

/// A trouble that begins and ends.
pub trait Trouble {
    /// It begins.
    fn begin(&self, stage: &mut Stage, owner: &str) -> Result<()>;

    /// It ends.
    fn end(&self, stage: &mut Stage, owner: &str) -> Result<()>;
}

/// Does it to the owner of a queue for so long. `of` names who that must be, if it matters.
///
/// # Errors
/// It could not be carried out.
pub async fn outlived(
    stage: &mut Stage,
    of: Option<&str>,
    trouble: &impl Trouble,
    time: Duration,
    outcome: &mut Outcome,
) -> Result<()> {
    let busy = floor_of(stage, of, AGENTS, true).await?;
    let owner = shards::owner(&stage.cluster, &busy.queue_id)?;
    let quiet = floor_of(stage, Some(&owner), 2, false).await?;
    let everybody: Vec<String> = shards::shares(&stage.cluster)?.into_keys().collect();
    let callers = stage.callers().await?;
    let line = Load::start(&callers, &quiet.number, 20.0, WAITING);
    stage.waiting(&quiet.queue_id, WAITING, SOON).await?;
    let order = stage.line(&quiet.queue_id).await?;
    let watch = Watch::begin(&stage.cluster)?;
    let load = Load::start(&callers, &busy.number, RATE, usize::MAX);
    sleep(AROUND).await;

    trouble.begin(stage, &owner)?;
    let begun = Instant::now();
    sleep(time).await;
    trouble.end(stage, &owner)?;
    let ended = Instant::now();
    // It has its share again, and nobody helped.
    let names: Vec<&str> = everybody.iter().map(String::as_str).collect();
    shards::owned_by(&stage.cluster, &names, TAKEN_OVER).await?;
    outcome.most("healed_ms", Some(ended.elapsed().as_millis() as f64));
    sleep(AROUND).await;

    let last = Instant::now();
    let calls = load.stop().await;
    let gone = judge::longest_pause(&busy, begun, ended).context("no offers")?;
    outcome.at_most("resume_ms", Some(millis(gone.0)), RESUMED);
    let back = judge::longest_pause(&busy, ended, last).context("no offers")?;
    outcome.at_most("return_pause_ms", Some(millis(back.1)), RESUMED);
    Judged::of(&calls, &busy, stage).await.note(stage, outcome);
    let kept = stage.line(&quiet.queue_id).await? == order;
    outcome.must(kept, "who waited is not in the same order".into());
    quiet.ready(&stage.api).await?;
    let waited = line.over().await;
    Judged::of(&waited, &quiet, stage)
        .await
        .note(stage, outcome);
    let stale = watch.end()?;
    outcome.none("stale_accepted", stale.accepted);
    outcome.count("refused", stale.refused);
    outcome.must(stale.good > 0, "no commit was seen at all".into());
    for (floor, calls) in [(&busy, &calls), (&quiet, &waited)] {
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
}

/// A floor whose queue has this owner.
async fn floor_of(stage: &Stage, owner: Option<&str>, agents: usize, ready: bool) -> Result<Floor> {
    for _ in 0..20 {
        let floor = stage.floor(agents, TALK, ready).await?;
        let owned = shards::owner(&stage.cluster, &floor.queue_id)?;
        if owner.is_none_or(|owner| owner == owned) {
            return Ok(floor);
        }
    }
    anyhow::bail!("none of 20 queues belongs to {owner:?}")
}
