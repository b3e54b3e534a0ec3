//! Calls through a cluster.

use crate::stage;
use anyhow::{Result, ensure};
use centro_testkit::{Api, Cluster, eventually};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones};
use std::time::Duration;

/// Longer than a lease lasts and the next owner takes to begin.
pub const TAKEN_OVER: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_call_goes_through_four_processes_and_both_hear_each_other() -> Result<()> {
    stage::with(2, async |cluster| {
        let (anna, supervisor) = (
            cluster.credentials().agents[0].clone(),
            cluster.supervisor().await?,
        );
        let mut phone = phones::agent(cluster, &anna, "agent_answer").await?;
        ready(&supervisor, &anna.user_id).await?;
        let mut caller = phones::caller(cluster, "+12025550100").await?;
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        floor::agent_is(&supervisor, &anna.user_id, "CONNECTED").await?;
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        let contact = floor::ended(&supervisor, "HANDLED").await?;
        ensure!(contact["agentId"] == *anna.user_id, "{contact:#}");
        Ok(())
    })
    .await
}

/// Logs the agent in as soon as somebody owns the agent's shard.
pub async fn ready(supervisor: &Api, agent: &str) -> Result<()> {
    eventually("the agent logs in", TAKEN_OVER, async || {
        supervisor.log_in(agent, true).await.map(drop)
    })
    .await?;
    floor::ready(supervisor, agent).await
}

/// The callers who wait in Sales, in their order.
pub async fn line(api: &Api, queue: &str) -> Result<Vec<String>> {
    let status = api.queue_status(queue).await?;
    let contacts = status["contacts"].as_array().cloned().unwrap_or_default();
    let ids = contacts
        .iter()
        .map(|c| c["contactId"].as_str().unwrap_or_default().to_owned());
    Ok(ids.collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_waits_keeps_place_and_music_when_the_queues_owner_is_killed() -> Result<()> {
    stage::with(2, async |cluster: &mut Cluster| {
        let supervisor = cluster.supervisor().await?;
        let sales = cluster.credentials().queues[0].id.clone();
        let mut callers = Vec::new();
        for n in 1..=5 {
            let caller = phones::caller(cluster, "+12025550100").await?;
            caller.answered().await?;
            floor::waiting(&supervisor, &sales, n).await?;
            callers.push(caller);
        }
        let before = line(&supervisor, &sales).await?;
        // Whichever has the queue: both die, one after the other, and each comes back.
        for name in ["routing-1", "routing-2"] {
            cluster.kill(name)?;
            cluster.revive(name)?;
            eventually(
                "all callers are back in their order",
                TAKEN_OVER,
                async || {
                    let now = line(&supervisor, &sales).await?;
                    ensure!(now == before, "{now:?} instead of {before:?}");
                    Ok(())
                },
            )
            .await?;
            for caller in &callers {
                caller.ear.hears_something(SOON).await?;
            }
            cluster.all_ready().await?;
        }
        // They are served as if nothing had been.
        let anna = cluster.credentials().agents[0].clone();
        let mut phone = phones::agent(cluster, &anna, "agent_answer").await?;
        ready(&supervisor, &anna.user_id).await?;
        phone.ear.hears(CALLER_HZ, TAKEN_OVER).await?;
        callers[0].ear.hears(AGENT_HZ, SOON).await?;
        for caller in &mut callers {
            caller.hang_up().await?;
        }
        phone.is_over(SOON).await?;
        Ok(())
    })
    .await
}
