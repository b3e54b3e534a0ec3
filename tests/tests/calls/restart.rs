//! What a centre keeps over a restart: configuration, history, recordings, devices.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Api, Centre, eventually, number};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones, stage};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn keeps(centre: &mut Centre, power_cut: bool) -> Result<()> {
    let (anna, owner) = (
        centre.credentials().agents[0].clone(),
        centre.owner().await?,
    );
    let queue = owner
        .create_call_queue(json!({"displayName": "Returns", "wrapUp": "3s"}))
        .await?;
    one_call(centre, &owner).await?;
    let contact = floor::ended(&owner, "HANDLED").await?;
    let recording = eventually("the recording is finished", SOON, async || {
        let all = owner
            .recordings(contact["id"].as_str().unwrap_or_default())
            .await?;
        ensure!(all.len() == 1 && all[0]["finished"] == true, "{all:#?}");
        Ok(all[0].clone())
    })
    .await?;
    let figures = settled(&owner, &anna.user_id).await?;
    if power_cut {
        centre.kill()?;
    }
    centre.restart().await?;

    let owner = centre.owner().await?;
    same_figures(&owner, &anna.user_id, &figures).await?;
    let id = queue["id"].as_str().context("a queue without id")?;
    let kept = owner.get(&format!("/v1/call-queues/{id}")).await?;
    ensure!(kept == queue, "the queue was {queue:#} and is {kept:#}");
    let contacts = owner.contacts().await?;
    ensure!(
        contacts.len() == 1 && contacts[0]["id"] == contact["id"],
        "{contacts:#?}"
    );
    ensure!(
        contacts[0]["outcome"] == "OUTCOME_HANDLED" && contacts[0]["talkMs"] == contact["talkMs"],
        "{contacts:#?}"
    );
    let audio = owner
        .download_recording(recording["id"].as_str().unwrap_or_default())
        .await?;
    ensure!(audio.len() > 4000, "{} bytes of recording", audio.len());
    ensure!(owner.agent_status(&anna.user_id).await.is_ok());
    one_call(centre, &owner).await
}

/// The live figures of the day, of the queues and of Anna, when she is done with her call and analytics has heard of it.
async fn settled(owner: &Api, anna: &str) -> Result<(Value, Value)> {
    owner.end_wrap_up(anna).await?;
    eventually("the call is wrapped up everywhere", SOON, async || {
        let contacts = owner.contacts().await?;
        ensure!(number(&contacts[0]["wrapUpMs"]) > 0, "{contacts:#?}");
        let path = format!("/v1/agent-intervals?agentId={anna}");
        let intervals = owner.get(&path).await?["intervals"].clone();
        let last = intervals.as_array().and_then(|all| all.last());
        let state = last.context("no intervals")?["state"].clone();
        ensure!(state == "AGENT_STATE_READY", "{intervals:#}");
        let figures = today(owner, anna).await?;
        ensure!(number(&figures.1["handled"]) == 1, "{figures:#?}");
        Ok(figures)
    })
    .await
}

/// What is known of the day, without since when: the process may be some milliseconds older than what it writes to.
async fn today(owner: &Api, anna: &str) -> Result<(Value, Value)> {
    let queues = owner.queue_statuses().await?;
    let days = queues.iter().map(|queue| {
        let (mut today, mean) = (queue["today"].clone(), &queue["meanWait"]);
        if let Some(today) = today.as_object_mut() {
            today.remove("since");
        }
        json!({"id": queue["queueId"], "today": today, "mean": mean["meanMs"], "of": mean["sample"]})
    });
    let agent = owner.agent_status(anna).await?["today"].clone();
    Ok((days.collect(), agent))
}

/// The day goes on where it was: each figure of the queues, and of the agent all that does not grow with the clock.
async fn same_figures(owner: &Api, anna: &str, before: &(Value, Value)) -> Result<()> {
    let contact = owner.contacts().await?[0].clone();
    let entered = contact["enqueueTime"]
        .as_str()
        .context("never entered")?
        .to_owned();
    eventually("the figures are back", SOON, async || {
        let (queues, agent) = today(owner, anna).await?;
        let since = agent["since"].as_str().context("no day")?;
        if since > entered.as_str() && since.ends_with("T00:00:00Z") {
            return Ok(()); // midnight has passed: this is another day
        }
        ensure!(
            queues == before.0,
            "were {:#}\nand are {queues:#}",
            before.0
        );
        for figure in ["handled", "missed", "alertingMs", "connectedMs", "wrapUpMs"] {
            let (is, was) = (&agent[figure], &before.1[figure]);
            ensure!(is == was, "{figure} was {was} and is {is}");
        }
        ensure!(since < entered.as_str(), "{since} is after {entered}");
        Ok(())
    })
    .await
}

/// Anna logs in and serves one call.
async fn one_call(centre: &Centre, owner: &centro_testkit::Api) -> Result<()> {
    let anna = centre.credentials().agents[0].clone();
    let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
    floor::ready(owner, &anna.user_id).await?;
    let mut caller = phones::caller(centre, "+12025550100").await?;
    caller.answered().await?;
    caller.ear.hears(AGENT_HZ, SOON).await?;
    phone.ear.hears(CALLER_HZ, SOON).await?;
    caller.hang_up().await?;
    phone.is_over(SOON).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn restart_keeps_configuration_and_history() -> Result<()> {
    stage::with_centre(async |centre| keeps(centre, false).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn power_cut_keeps_configuration_and_history() -> Result<()> {
    stage::with_centre(async |centre| keeps(centre, true).await).await
}

/// Sound that must be on disk before the power is cut: 4 s of 8 kHz stereo at 16 bit.
const WRITTEN: u64 = 4 * 8_000 * 2 * 2;
/// What a crash may cost.
const LOST: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn power_cut_in_a_call_loses_at_most_2_s_of_its_recording() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, owner) = (
            centre.credentials().agents[0].clone(),
            centre.owner().await?,
        );
        let phone = phones::agent(centre, &anna, "agent_answer").await?;
        floor::ready(&owner, &anna.user_id).await?;
        let caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        let heard = Instant::now();
        let contact = owner.agent_status(&anna.user_id).await?["contactId"].clone();
        let contact = contact.as_str().context("no contact")?.to_owned();
        eventually("4 s are on disk", 2 * SOON, async || {
            let all = owner.recordings(&contact).await?;
            ensure!(
                all.len() == 1 && number(&all[0]["sizeBytes"]) >= WRITTEN,
                "{all:#?}"
            );
            Ok(())
        })
        .await?;
        let talked = heard.elapsed();
        centre.kill()?;
        drop((phone, caller));
        centre.restart().await?;

        let owner = centre.owner().await?;
        let recording = owner
            .recordings(&contact)
            .await?
            .pop()
            .context("the recording is gone")?;
        ensure!(recording["finished"] == true, "{recording:#}");
        let text = recording["duration"].as_str().unwrap_or_default();
        let kept = Duration::from_secs_f64(text.trim_end_matches('s').parse()?);
        ensure!(kept + LOST >= talked, "kept {kept:?} of {talked:?}");
        let audio = owner
            .download_recording(recording["id"].as_str().unwrap_or_default())
            .await?;
        ensure!(audio.len() as u64 >= WRITTEN, "{} bytes", audio.len());
        let contacts = owner.contacts().await?;
        ensure!(
            contacts.len() == 1 && contacts[0]["endTime"].is_string(),
            "{contacts:#?}"
        );
        Ok(())
    })
    .await
}
