//! Answered calls: both hear each other on every path, and either side's hang-up ends both legs.

use anyhow::{Result, ensure};
use centro_testkit::{Baresip, Centre, Transport, eventually, number, recording, sound};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones, stage};

/// The caller calls, Anna answers, both hear each other, one side hangs up.
async fn talk(centre: &mut Centre, caller_ends: bool) -> Result<()> {
    let (anna, supervisor) = (
        centre.credentials().agents[0].clone(),
        centre.supervisor().await?,
    );
    let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
    floor::ready(&supervisor, &anna.user_id).await?;
    let mut caller = phones::caller(centre, "+12025550100").await?;
    caller.answered().await?;
    caller.ear.hears(AGENT_HZ, SOON).await?;
    phone.ear.hears(CALLER_HZ, SOON).await?;
    let status = floor::agent_is(&supervisor, &anna.user_id, "CONNECTED").await?;
    ensure!(
        status["contactQueueId"] == *centre.credentials().queues[0].id,
        "{status}"
    );
    let (first, second) = if caller_ends {
        (&mut caller, &mut phone)
    } else {
        (&mut phone, &mut caller)
    };
    first.hang_up().await?;
    second.is_over(SOON).await?;
    floor::agent_is(&supervisor, &anna.user_id, "WRAP_UP").await?;
    supervisor.end_wrap_up(&anna.user_id).await?;
    floor::agent_is(&supervisor, &anna.user_id, "READY").await?;

    let contact = floor::ended(&supervisor, "HANDLED").await?;
    ensure!(contact["agentId"] == *anna.user_id, "{contact:#}");
    ensure!(
        contact["leftReason"] == "LEFT_REASON_ANSWERED",
        "{contact:#}"
    );
    ensure!(
        contact["endedBy"]
            == if caller_ends {
                "ENDED_BY_CALLER"
            } else {
                "ENDED_BY_AGENT"
            },
        "{contact:#}"
    );
    ensure!(
        number(&contact["offers"]) == 1 && number(&contact["talkMs"]) >= 250,
        "{contact:#}"
    );
    ensure!(
        contact["caller"]["number"] == "+15550001111" && contact["dialled"] == "+12025550100",
        "{contact:#}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_way_audio_queue_caller_hangs_up() -> Result<()> {
    stage::with_centre(async |centre| talk(centre, true).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_way_audio_queue_agent_hangs_up() -> Result<()> {
    stage::with_centre(async |centre| talk(centre, false).await).await
}

/// The same with baresip as the agent's phone: its file holds what it heard.
async fn talk_to_baresip(centre: &mut Centre, transport: Transport) -> Result<()> {
    let (anna, supervisor) = (
        centre.credentials().agents[0].clone(),
        centre.supervisor().await?,
    );
    let phone = Baresip::start(
        centre.folder(),
        centre.sip(),
        &anna.username,
        &anna.secret,
        AGENT_HZ,
        transport,
    )?;
    phone.registered().await?;
    floor::ready(&supervisor, &anna.user_id).await?;
    let mut caller = phones::caller(centre, "+12025550100").await?;
    caller.answered().await?;
    caller.ear.hears(AGENT_HZ, SOON).await?;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await; // speech for the file
    phone.hang_up()?;
    caller.is_over(SOON).await?;
    floor::agent_is(&supervisor, &anna.user_id, "WRAP_UP").await?;
    eventually("baresip kept what it heard", SOON, async || {
        let heard = phone.heard()?;
        ensure!(heard.len() == 1, "{} calls", heard.len());
        let tone = sound::seconds_of(CALLER_HZ, &heard[0]);
        ensure!(
            tone >= 0.5,
            "{tone:.2} s of the caller's tone in {:.2} s",
            heard[0].len() as f64 / 8000.0
        );
        Ok(())
    })
    .await?;
    let contact = floor::ended(&supervisor, "HANDLED").await?;
    ensure!(contact["endedBy"] == "ENDED_BY_AGENT", "{contact:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_way_audio_queue_baresip_over_udp() -> Result<()> {
    stage::with_centre(async |centre| talk_to_baresip(centre, Transport::Udp).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn both_way_audio_queue_baresip_over_tcp() -> Result<()> {
    stage::with_centre(async |centre| talk_to_baresip(centre, Transport::Tcp).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn recording_is_stereo_and_for_supervisors_only() -> Result<()> {
    stage::with_centre(async |centre| {
        talk(centre, true).await?;
        let supervisor = centre.supervisor().await?;
        let contact = floor::ended(&supervisor, "HANDLED").await?;
        let recording = eventually("the recording is finished", SOON, async || {
            let all = supervisor
                .recordings(contact["id"].as_str().unwrap_or_default())
                .await?;
            ensure!(all.len() == 1 && all[0]["finished"] == true, "{all:#?}");
            Ok(all[0].clone())
        })
        .await?;
        let id = recording["id"].as_str().unwrap_or_default();
        let stereo = recording::stereo(&supervisor.download_recording(id).await?)?;
        let (caller, agent) = (
            sound::seconds_of(CALLER_HZ, &stereo.left),
            sound::seconds_of(AGENT_HZ, &stereo.right),
        );
        ensure!(
            caller >= 0.25,
            "the caller's tone is {caller:.2} s of the left side of {:.2} s",
            stereo.seconds()
        );
        ensure!(
            agent >= 0.25,
            "the agent's tone is {agent:.2} s of the right side of {:.2} s",
            stereo.seconds()
        );
        ensure!(
            sound::seconds_of(AGENT_HZ, &stereo.left) == 0.0,
            "the agent is on the caller's side"
        );
        ensure!(
            sound::seconds_of(CALLER_HZ, &stereo.right) == 0.0,
            "the caller is on the agent's side"
        );

        let anna = centre.api(&login(centre)).await?;
        for path in [
            format!("/v1/recordings/{id}/audio"),
            format!("/v1/recordings/{id}"),
            "/v1/recordings".to_owned(),
        ] {
            anna.call(reqwest::Method::GET, &path, None)
                .await?
                .problem(403)?;
        }
        Ok(())
    })
    .await
}

fn login(centre: &Centre) -> centro_testkit::Login {
    let anna = &centre.credentials().agents[0];
    centro_testkit::Login {
        login: anna.login.clone(),
        password: anna.password.clone(),
    }
}
