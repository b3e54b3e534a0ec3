//! Every process is told to end and started again, one after the other, while calls come. Nobody who was answered notices.
//! With one process of the role telephony, calls that come while it restarts are refused.

use super::{
    Outcome, Size,
    judge::Judged,
    load::Load,
    report, shards,
    stage::{SOON, Stage, TAKEN_OVER},
};
use crate::{
    figures::millis,
    floor::{Floor, register_all},
    phone::{Account, Dialled, Ending},
};
use anyhow::{Result, ensure};
use centro_testkit::Cluster;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const TALK: Duration = Duration::from_secs(1);
/// How long calls come before, between and after.
const AROUND: Duration = Duration::from_secs(3);
const ROUTING: [&str; 2] = ["routing-1", "routing-2"];

/// Once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let (rate, agents) = size.pick((5.0, 10), (5.0, 10), (10.0, 20));
    let cluster = Cluster::builder(ROUTING.len()).set("node.grace=1m");
    Stage::with(cluster, async |stage, outcome| {
        let floor = stage.floor(agents, TALK, true).await?;
        let callers = stage.callers().await?;
        let load = Load::start(&callers, &floor.number, rate, usize::MAX);
        sleep(AROUND).await;
        for name in ROUTING {
            restart(stage, name, outcome).await?;
            shards::owned_by(&stage.cluster, &ROUTING, TAKEN_OVER).await?;
            sleep(AROUND).await;
        }
        stage.cluster.restart_office().await?;
        sleep(AROUND).await;
        let closed = Instant::now();
        restart(stage, "telephony", outcome).await?;
        register_all(&floor.phones, &accounts(&floor)).await?;
        let open = Instant::now();
        sleep(AROUND).await;

        let calls = load.stop().await;
        let refused = |call: &Result<Dialled>| {
            call.as_ref().is_ok_and(|call| {
                let called_before = call.invited.is_none_or(|at| at < open);
                matches!(call.ending, Ending::Refused(_)) && call.ended >= closed && called_before
            })
        };
        let (refused, calls): (Vec<_>, Vec<_>) = calls.into_iter().partition(refused);
        outcome.count("refused", refused.len());
        outcome.most("closed_ms", Some(millis(open - closed)));
        Judged::of(&calls, &floor, stage).await.note(stage, outcome);
        report::complete(
            &stage.api,
            &floor.queue_id,
            calls.len(),
            2 * TAKEN_OVER,
            outcome,
        )
        .await
    })
    .await
}

/// Ends a process in order and starts it again.
async fn restart(stage: &mut Stage, name: &str, outcome: &mut Outcome) -> Result<()> {
    let begun = Instant::now();
    let process = stage.cluster.process(name)?;
    process.terminate()?;
    let status = process.end(4 * SOON).await?;
    ensure!(status.success(), "{name} ended with {status}");
    stage.cluster.revive(name)?;
    stage.cluster.all_ready().await?;
    outcome.most("restart_ms_max", Some(millis(begun.elapsed())));
    Ok(())
}

fn accounts(floor: &Floor) -> Vec<Account> {
    let agents = floor.agents.iter();
    agents.map(|agent| agent.account.clone()).collect()
}
