//! What callers are told: the spoken clips, recognised by their sound.

use anyhow::{Context, Result, ensure};
use centro_testkit::{RtpPeer, eventually, sound};
use centro_tests::{SOON, floor, phones, stage};
use serde_json::json;
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// A shipped clip.
fn clip(language: &str, name: &str) -> Result<Vec<i16>> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let file = folder.join(format!(
        "../services/telephony/media/clips/{language}/{name}.ulaw"
    ));
    let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
    Ok(bytes.into_iter().map(sound::from_mu_law).collect())
}

async fn hears_clip(ear: &RtpPeer, since: Instant, language: &str, name: &str) -> Result<()> {
    let clip = clip(language, name)?;
    eventually(
        &format!("{name} is heard in {language}"),
        3 * SOON,
        async || {
            tokio::time::sleep(Duration::from_millis(500)).await; // a stretch to listen to
            let heard = ear.heard_since(since);
            ensure!(
                sound::contains(&clip, &heard),
                "not in {} samples",
                heard.len()
            );
            Ok(())
        },
    )
    .await
}

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
