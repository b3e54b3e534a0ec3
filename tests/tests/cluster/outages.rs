//! Engines that die while people wait and talk.

use crate::{
    calls::{TAKEN_OVER, line, ready},
    stage,
};
use anyhow::{Result, ensure};
use centro_testkit::{engines::Engine, eventually};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_rabbitmq_calls_go_on_and_what_happened_is_told_later() -> Result<()> {
    stage::with(1, async |cluster| {
        let (anna, supervisor) = (
            cluster.credentials().agents[0].clone(),
            cluster.supervisor().await?,
        );
        let mut phone = phones::agent(cluster, &anna, "agent_answer").await?;
        ready(&supervisor, &anna.user_id).await?;
        cluster.rabbitmq.kill()?;
        let mut caller = phones::caller(cluster, "+12025550100").await?;
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        ensure!(
            supervisor.contacts().await?.is_empty(),
            "nobody could tell of it"
        );
        cluster.rabbitmq.revive().await?;
        eventually("the report has it, once", 6 * SOON, async || {
            let contacts = supervisor.contacts().await?;
            ensure!(contacts.len() == 1, "{contacts:#?}");
            ensure!(contacts[0]["outcome"] == "OUTCOME_HANDLED", "{contacts:#?}");
            ensure!(contacts[0]["agentId"] == *anna.user_id, "{contacts:#?}");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_redis_who_waits_keeps_the_music_and_who_talks_keeps_the_talk() -> Result<()> {
    stage::with(1, async |cluster| {
        let supervisor = cluster.supervisor().await?;
        let (anna, bruno) = (
            cluster.credentials().agents[0].clone(),
            cluster.credentials().agents[1].clone(),
        );
        let sales = cluster.credentials().queues[0].id.clone();
        let mut phone = phones::agent(cluster, &anna, "agent_answer").await?;
        ready(&supervisor, &anna.user_id).await?;
        let mut talker = phones::caller(cluster, "+12025550100").await?;
        talker.answered().await?;
        talker.ear.hears(AGENT_HZ, SOON).await?;
        let mut waiting = Vec::new();
        for n in 1..=3 {
            let caller = phones::caller(cluster, "+12025550100").await?;
            caller.answered().await?;
            floor::waiting(&supervisor, &sales, n).await?;
            waiting.push(caller);
        }
        let before = line(&supervisor, &sales).await?;
        cluster.redis.kill()?;
        for caller in &waiting {
            caller.ear.hears_something(SOON).await?;
        }
        talker.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        cluster.redis.revive().await?;
        eventually("all wait as before", TAKEN_OVER, async || {
            let now = line(&supervisor, &sales).await?;
            ensure!(now == before, "{now:?} instead of {before:?}");
            Ok(())
        })
        .await?;
        talker.ear.hears(AGENT_HZ, SOON).await?;
        let mut second = phones::agent(cluster, &bruno, "agent_answer").await?;
        ready(&supervisor, &bruno.user_id).await?;
        second.ear.hears(CALLER_HZ, TAKEN_OVER).await?;
        waiting[0].ear.hears(AGENT_HZ, SOON).await?;
        for caller in waiting.iter_mut().chain([&mut talker]) {
            caller.hang_up().await?;
        }
        phone.is_over(SOON).await?;
        second.is_over(SOON).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn routing_processes_come_and_go_at_noon() -> Result<()> {
    stage::with(1, async |cluster| {
        let supervisor = cluster.supervisor().await?;
        let sales = cluster.credentials().queues[0].id.clone();
        let mut callers = Vec::new();
        for n in 1..=3 {
            let caller = phones::caller(cluster, "+12025550100").await?;
            caller.answered().await?;
            floor::waiting(&supervisor, &sales, n).await?;
            callers.push(caller);
        }
        let before = line(&supervisor, &sales).await?;
        // Two come, and the first is told to end: it gives away what it has and says that all went well.
        cluster.add("routing-2", "routing")?;
        cluster.add("routing-3", "routing")?;
        cluster.all_ready().await?;
        let first = cluster.process("routing-1")?;
        first.terminate()?;
        let status = first.end(TAKEN_OVER).await?;
        ensure!(status.success(), "{status}");
        eventually("all wait as before", TAKEN_OVER, async || {
            let now = line(&supervisor, &sales).await?;
            ensure!(now == before, "{now:?} instead of {before:?}");
            Ok(())
        })
        .await?;
        for caller in &mut callers {
            caller.ear.hears_something(SOON).await?;
            caller.hang_up().await?;
        }
        floor::left(&supervisor, 3).await.map(drop)
    })
    .await
}
