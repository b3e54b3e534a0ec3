//! Callers who wait: music, place in line, leaving, a full queue, an unknown number.

use anyhow::{Result, ensure};
use centro_tests::{SOON, floor, phones, stage};
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
        Ok(())
    })
    .await
}
