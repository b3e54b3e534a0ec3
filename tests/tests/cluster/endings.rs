//! Processes that are told to end, or to take nothing new, while calls go on.

use crate::{calls::ready, stage};
use anyhow::{Context, Result, ensure};
use centro_testkit::{Cluster, eventually};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, metrics::figure_at, phones};
use std::time::{Duration, Instant};

/// Readiness is off within this.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn is_ready(probe: &str) -> Result<bool> {
    Ok(reqwest::get(probe).await?.status() == 200)
}

/// A caller is turned away: 503, with a time to try again.
async fn turned_away(cluster: &Cluster) -> Result<()> {
    let mut caller = phones::caller_of(cluster, "caller_turned_away", "+12025550100").await?;
    caller.is_over(SOON).await?;
    let received = caller.sipp.received();
    let refusal = received
        .iter()
        .find(|message| message.starts_with("SIP/2.0 503"));
    let refusal = refusal.context("no refusal")?;
    ensure!(refusal.contains("Retry-After:"), "{refusal}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn telephony_ends_when_its_calls_are_over_and_takes_no_new_ones() -> Result<()> {
    stage::with(1, async |cluster: &mut Cluster| {
        let (anna, supervisor) = (
            cluster.credentials().agents[0].clone(),
            cluster.supervisor().await?,
        );
        let mut phone = phones::agent(cluster, &anna, "agent_answer").await?;
        ready(&supervisor, &anna.user_id).await?;
        let mut talker = phones::caller(cluster, "+12025550100").await?;
        talker.answered().await?;
        talker.ear.hears(AGENT_HZ, SOON).await?;
        let probe = format!("{}/health/ready", cluster.probes("telephony")?);
        ensure!(is_ready(&probe).await?);

        let telephony = cluster.probes("telephony")?;
        let offers = figure_at(&telephony, "centro_call_dispatch_seconds_count").await?;
        ensure!(offers == 1.0, "{offers} callers were offered an agent");

        // Drained by an operator it refuses, and takes calls again when it is resumed.
        let drained = cluster.operated(&["drain", "telephony"])?;
        ensure!(
            drained["calls"] == 1 && drained["shards"] == 0,
            "{drained:#}"
        );
        eventually("it is not ready", AT_ONCE, async || {
            ensure!(!is_ready(&probe).await?);
            Ok(())
        })
        .await?;
        turned_away(cluster).await?;
        cluster.operated(&["resume", "telephony"])?;
        eventually("it is ready again", AT_ONCE, async || {
            ensure!(is_ready(&probe).await?);
            Ok(())
        })
        .await?;

        // Told to end it refuses too, and the talk goes on.
        cluster.process("telephony")?.terminate()?;
        eventually("it is not ready", AT_ONCE, async || {
            ensure!(!is_ready(&probe).await?);
            Ok(())
        })
        .await?;
        turned_away(cluster).await?;
        talker.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        let status = cluster.operated(&["status"])?.to_string();
        ensure!(status.contains("MEMBER_STATE_LEAVING"), "{status}");
        let telephony = cluster.process("telephony")?;
        ensure!(telephony.ended()?.is_none(), "a call goes on");
        talker.hang_up().await?;
        let ended = telephony.end(SOON).await?;
        ensure!(ended.code() == Some(0), "{ended}");
        ensure!(
            telephony.log().contains("1 live ones"),
            "{}",
            telephony.log_tail(5)
        );
        phone.is_over(SOON).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn calls_have_the_time_that_is_set_and_a_second_signal_ends_them() -> Result<()> {
    stage::with(1, async |cluster: &mut Cluster| {
        // The grace time passes: the calls are told how many they are, and end.
        let mut waits = phones::caller(cluster, "+12025550100").await?;
        waits.answered().await?;
        let telephony = cluster.process("telephony")?;
        telephony.terminate()?;
        let told = Instant::now();
        eventually("it says how many are left", SOON, async || {
            let said = telephony.log().contains("1 calls are left");
            ensure!(said, "{}", telephony.log_tail(3));
            Ok(())
        })
        .await?;
        ensure!(telephony.ended()?.is_none());
        // Nobody wants to wait for it any longer.
        telephony.terminate()?;
        let ended = telephony.end(SOON).await?;
        ensure!(ended.code() == Some(0), "{ended}");
        ensure!(
            told.elapsed() < Duration::from_secs(25),
            "{:?}",
            told.elapsed()
        );
        waits.is_over(SOON).await?;

        cluster.settings_from_now(&["node.grace=1s"]);
        cluster.revive("telephony")?;
        cluster.all_ready().await?;
        let mut waits = phones::caller(cluster, "+12025550100").await?;
        waits.answered().await?;
        let telephony = cluster.process("telephony")?;
        telephony.terminate()?;
        let ended = telephony.end(SOON).await?;
        ensure!(ended.code() == Some(0), "{ended}");
        waits.is_over(SOON).await
    })
    .await
}
