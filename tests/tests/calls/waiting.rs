//! Callers who wait: music, place in line, leaving, a full queue, an unknown number.

use anyhow::{Result, ensure};
use centro_testkit::{Centre, number};
use centro_tests::{SOON, floor, metrics, phones, stage};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn abandoned_in_queue() -> Result<()> {
    stage::with_centre(async |centre| {
        let (supervisor, sales) = (
            centre.supervisor().await?,
            centre.credentials().queues[0].id.clone(),
        );
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        let status = floor::waiting(&supervisor, &sales, 1).await?;
        ensure!(
            status["contacts"][0]["caller"]["number"] == "+15550001111",
            "{status:#}"
        );
        caller.ear.hears_something(SOON).await?;
        caller.hang_up().await?;
        floor::waiting(&supervisor, &sales, 0).await?;
        let contact = floor::ended(&supervisor, "ABANDONED").await?;
        ensure!(
            contact["leftReason"] == "LEFT_REASON_ABANDONED",
            "{contact:#}"
        );
        ensure!(
            contact["agentId"].as_str().unwrap_or_default().is_empty(),
            "{contact:#}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn queue_full() -> Result<()> {
    stage::with_centre(async |centre| {
        let (owner, sales) = (
            centre.owner().await?,
            centre.credentials().queues[0].id.clone(),
        );
        owner
            .patch(
                &format!("/v1/call-queues/{sales}"),
                json!({"maxCallers": 1}),
            )
            .await?;
        let mut first = phones::caller(centre, "+12025550100").await?;
        floor::waiting(&owner, &sales, 1).await?;
        let mut second = phones::caller(centre, "+12025550100").await?;
        second.is_over(Duration::from_secs(20)).await?; // hears that the queue is full, then the centre hangs up
        let contacts = floor::left(&owner, 1).await?;
        ensure!(
            contacts[0]["outcome"] == "OUTCOME_EVICTED_SYSTEM",
            "{contacts:#?}"
        );
        ensure!(
            contacts[0]["leftReason"] == "LEFT_REASON_QUEUE_FULL",
            "{contacts:#?}"
        );
        floor::waiting(&owner, &sales, 1).await?;
        first.hang_up().await?;
        let contacts = floor::left(&owner, 2).await?;
        ensure!(
            contacts[0]["outcome"] == "OUTCOME_ABANDONED",
            "{contacts:#?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn unknown_number_is_404() -> Result<()> {
    stage::with_centre(async |centre| {
        let mut caller = phones::caller_of(centre, "caller_refused", "+12025550199").await?;
        caller.is_over(SOON).await?;
        let contacts = centre.supervisor().await?.contacts().await?;
        ensure!(contacts.is_empty(), "{contacts:#?}");
        let told = metrics::figure(
            centre,
            "centro_sip_refused_total{reason=\"number_unknown\"}",
        )
        .await?;
        ensure!(told == 1.0, "{told} calls were refused for their number");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn callers_have_their_place_in_line() -> Result<()> {
    stage::with_centre(async |centre| {
        let (supervisor, sales) = (
            centre.supervisor().await?,
            centre.credentials().queues[0].id.clone(),
        );
        let mut first = phones::caller(centre, "+12025550100").await?;
        let status = floor::waiting(&supervisor, &sales, 1).await?;
        let earlier = status["contacts"][0]["contactId"].clone();
        let mut second = phones::caller(centre, "+12025550100").await?;
        let status = floor::waiting(&supervisor, &sales, 2).await?;
        let places: Vec<_> = [0, 1]
            .map(|n| number(&status["contacts"][n]["position"]))
            .into();
        ensure!(places == [1, 2], "{status:#}");
        ensure!(status["contacts"][0]["contactId"] == earlier, "{status:#}");
        let later = status["contacts"][1]["contactId"].clone();
        first.hang_up().await?;
        let status = floor::waiting(&supervisor, &sales, 1).await?;
        ensure!(
            status["contacts"][0]["contactId"] == later
                && number(&status["contacts"][0]["position"]) == 1,
            "{status:#}"
        );
        second.hang_up().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_who_sends_no_sound_is_given_up() -> Result<()> {
    stage::with(
        Centre::builder().set("telephony.silence=3s"),
        async |centre| {
            let supervisor = centre.supervisor().await?;
            let mut caller = phones::caller(centre, "+12025550100").await?;
            caller.ear.say(None);
            caller.answered().await?;
            caller.is_over(Duration::from_secs(20)).await?; // the centre hangs up
            let contact = floor::ended(&supervisor, "ABANDONED").await?;
            ensure!(contact["endedBy"] == "ENDED_BY_SYSTEM", "{contact:#}");
            Ok(())
        },
    )
    .await
}
