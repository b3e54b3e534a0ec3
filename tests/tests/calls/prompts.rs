//! What callers are told: the spoken clips, recognised by their sound.

use anyhow::{Context, Result, ensure};
use centro_testkit::sound;
use centro_tests::{
    SOON,
    clips::{clip, hears_clip},
    floor, phones, stage,
};
use serde_json::json;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_place_in_line_is_announced_over_the_music() -> Result<()> {
    stage::with_centre(async |centre| {
        let (owner, sales) = (
            centre.owner().await?,
            centre.credentials().queues[0].id.clone(),
        );
        let path = format!("/v1/call-queues/{sales}");
        owner
            .patch(&path, json!({"announcePositionEvery": "5s"}))
            .await?;
        let began = Instant::now();
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        floor::waiting(&owner, &sales, 1).await?;
        hears_clip(&caller.ear, began, "english", "queue_next").await?;
        let after = Instant::now();
        caller.ear.hears_something(SOON).await?; // the music goes on
        hears_clip(&caller.ear, after, "english", "queue_next").await?;
        caller.hang_up().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_plan_speaks_italian() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        let plan = json!({
            "displayName": "Benvenuti", "entry": "say",
            "nodes": [
                {"id": "say", "playClip": {"clip": "goodbye", "language": "it", "onDone": "end"}},
                {"id": "end", "hangUp": {}},
            ],
        });
        let plan = owner.create_dial_plan(plan).await?;
        owner
            .create_number(
                "+12025550153",
                plan["id"].as_str().context("a plan without id")?,
            )
            .await?;
        let began = Instant::now();
        let mut caller = phones::caller(centre, "+12025550153").await?;
        caller.answered().await?;
        caller.is_over(2 * SOON).await?; // when the clip is over
        let heard = caller.ear.heard_since(began);
        ensure!(
            sound::contains(&clip("italian", "goodbye")?, &heard),
            "{} samples",
            heard.len()
        );
        ensure!(
            !sound::contains(&clip("english", "goodbye")?, &heard),
            "in English"
        );
        Ok(())
    })
    .await
}
