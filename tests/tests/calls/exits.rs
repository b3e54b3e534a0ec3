//! Ways out of a queue: `*` and the time-out, both of which beat a running ring (P16).

use anyhow::{Context, Result, ensure};
use centro_testkit::{Api, Centre};
use centro_tests::{SOON, floor, phones, stage};
use serde_json::json;
use std::time::Duration;

/// A number that leads to a queue with a time-out, and hangs up after it.
async fn line_with_timeout(owner: &Api, queue: &str, seconds: u32) -> Result<String> {
    let plan = json!({
        "displayName": "Short line", "entry": "wait",
        "nodes": [
            {"id": "wait", "queue": {"queueId": queue, "timeout": format!("{seconds}s"), "onTimeout": "end"}},
            {"id": "end", "hangUp": {}},
        ],
    });
    let plan = owner.create_dial_plan(plan).await?;
    let number = "+12025550150".to_owned();
    owner
        .create_number(&number, plan["id"].as_str().context("a plan without id")?)
        .await?;
    Ok(number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn timeout_exit_p16() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, owner) = (
            centre.credentials().agents[0].clone(),
            centre.owner().await?,
        );
        let number = line_with_timeout(&owner, &centre.credentials().queues[0].id, 3).await?;
        let mut phone = phones::agent(centre, &anna, "agent_ring").await?;
        floor::ready(&owner, &anna.user_id).await?;
        let mut caller = phones::caller(centre, &number).await?;
        phone.rings(SOON).await?;
        caller.is_over(Duration::from_secs(8)).await?; // the queue rings for 15 s, the node gives it 3 s
        phone.is_over(SOON).await?;
        floor::agent_is(&owner, &anna.user_id, "READY").await?;
        let contact = floor::ended(&owner, "EVICTED_SYSTEM").await?;
        ensure!(
            contact["leftReason"] == "LEFT_REASON_TIMEOUT",
            "{contact:#}"
        );
        Ok(())
    })
    .await
}

/// The caller presses `*` while Anna's phone rings.
async fn star(centre: &mut Centre, by_info: bool) -> Result<()> {
    let (anna, supervisor) = (
        centre.credentials().agents[0].clone(),
        centre.supervisor().await?,
    );
    let mut phone = phones::agent(centre, &anna, "agent_ring").await?;
    floor::ready(&supervisor, &anna.user_id).await?;
    let name = if by_info {
        "caller_info_star"
    } else {
        "caller"
    };
    let mut caller = phones::caller_of(centre, name, "+12025550100").await?;
    caller.answered().await?;
    phone.rings(SOON).await?;
    if by_info {
        caller.sipp.cue()?;
    } else {
        caller.ear.press('*');
    }
    phone.is_over(SOON).await?;
    caller.is_over(Duration::from_secs(20)).await?; // hears a good-bye, then the centre hangs up
    floor::agent_is(&supervisor, &anna.user_id, "READY").await?;
    let contact = floor::ended(&supervisor, "EVICTED_CUSTOMER").await?;
    ensure!(
        contact["leftReason"] == "LEFT_REASON_DTMF_EXIT",
        "{contact:#}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn star_exit_p16_rfc4733() -> Result<()> {
    stage::with_centre(async |centre| star(centre, false).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn star_exit_p16_sip_info() -> Result<()> {
    stage::with_centre(async |centre| star(centre, true).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_exit_that_leads_nowhere_ends_the_call_s16() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        let queue = centre.credentials().queues[0].id.clone();
        let plan = json!({
            "displayName": "No way on", "entry": "wait",
            "nodes": [{"id": "wait", "queue": {"queueId": queue}}],
        });
        let plan = owner.create_dial_plan(plan).await?;
        let number = "+12025550152";
        owner
            .create_number(number, plan["id"].as_str().context("a plan without id")?)
            .await?;
        let mut caller = phones::caller(centre, number).await?;
        caller.answered().await?;
        floor::waiting(&owner, &queue, 1).await?;
        caller.ear.press('*');
        caller.is_over(SOON).await?; // the centre hangs up
        let contact = floor::ended(&owner, "EVICTED_CUSTOMER").await?;
        ensure!(contact["endedBy"] == "ENDED_BY_SYSTEM", "{contact:#}");
        Ok(())
    })
    .await
}
