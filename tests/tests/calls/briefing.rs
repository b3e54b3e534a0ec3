//! What an agent hears between the answer and the customer (spec G15, D4): a pause, the queue's announcement, how long the
//! customer waited. The customer hears music until then, and was not answered before.

use anyhow::{Result, ensure};
use centro_testkit::{Centre, sound};
use centro_tests::{
    AGENT_HZ, CALLER_HZ, SOON, clips::hears_clip, floor, phones, phones::Phone, stage,
};
use serde_json::json;
use std::time::Instant;

/// Sales tells its agents that it is Sales, and how long the caller waited; Anna is ready.
async fn briefed(centre: &Centre) -> Result<Phone> {
    let (owner, sales) = (centre.owner().await?, &centre.credentials().queues[0].id);
    let change = json!({
        "connectDelay": "1s", "agentAnnouncement": "welcome", "reportWaitToAgent": true,
    });
    owner
        .patch(&format!("/v1/call-queues/{sales}"), change)
        .await?;
    let anna = &centre.credentials().agents[0];
    let phone = phones::agent(centre, anna, "agent_answer").await?;
    floor::ready(&centre.supervisor().await?, &anna.user_id).await?;
    Ok(phone)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_agent_is_briefed_before_the_customer_is_connected() -> Result<()> {
    stage::with_centre(async |centre| {
        let supervisor = centre.supervisor().await?;
        let anna = centre.credentials().agents[0].clone();
        let mut phone = briefed(centre).await?;
        let began = Instant::now();
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        hears_clip(&phone.ear, began, "english", "welcome").await?;
        floor::agent_is(&supervisor, &anna.user_id, "ALERTING").await?;
        hears_clip(&phone.ear, began, "english", "wait_moment").await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        floor::agent_is(&supervisor, &anna.user_id, "CONNECTED").await?;

        let heard = phone.ear.heard_since(began);
        let (said, tone) = (
            sound::seconds_loud(&heard),
            sound::seconds_of(CALLER_HZ, &heard),
        );
        ensure!(
            said - tone >= 3.0,
            "{said:.2} s of sound, {tone:.2} s of it the caller"
        );
        let caller_heard = caller.ear.heard_since(began);
        let music = sound::seconds_loud(&caller_heard) - sound::seconds_of(AGENT_HZ, &caller_heard);
        ensure!(
            music >= 3.0,
            "the caller heard {music:.2} s of music meanwhile"
        );
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        let contact = floor::ended(&supervisor, "HANDLED").await?;
        let wait = centro_testkit::number(&contact["waitMs"]);
        ensure!(wait >= 4_000, "a wait until the bridge: {contact:#}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_customer_who_leaves_during_the_briefing_was_not_answered() -> Result<()> {
    stage::with_centre(async |centre| {
        let supervisor = centre.supervisor().await?;
        let anna = centre.credentials().agents[0].clone();
        let mut phone = briefed(centre).await?;
        let began = Instant::now();
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        hears_clip(&phone.ear, began, "english", "welcome").await?;
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        floor::agent_is(&supervisor, &anna.user_id, "READY").await?;
        let contact = floor::ended(&supervisor, "ABANDONED").await?;
        let tone = sound::seconds_of(CALLER_HZ, &phone.ear.heard_since(began));
        ensure!(
            tone == 0.0,
            "{tone:.2} s of the caller before the connection"
        );
        ensure!(contact["agentId"] != *anna.user_id, "{contact:#}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_who_hangs_up_during_the_briefing_has_rejected_and_the_customer_waits_on()
-> Result<()> {
    stage::with_centre(async |centre| {
        let supervisor = centre.supervisor().await?;
        let (anna, sales) = (
            centre.credentials().agents[0].clone(),
            centre.credentials().queues[0].id.clone(),
        );
        let mut phone = briefed(centre).await?;
        let began = Instant::now();
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        hears_clip(&phone.ear, began, "english", "welcome").await?;
        phone.hang_up().await?;
        floor::waiting(&supervisor, &sales, 1).await?;
        let status = floor::agent_is(&supervisor, &anna.user_id, "READY").await?;
        ensure!(status["rest"] == "REST_REJECTED", "{status}");
        caller.ear.hears_something(SOON).await?; // the music goes on
        caller.hang_up().await?;
        floor::ended(&supervisor, "ABANDONED").await?;
        Ok(())
    })
    .await
}
