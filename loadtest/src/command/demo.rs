//! One call through the demo queue, from a caller's phone to an agent's, and everything that must be true about it.

use crate::{
    api::{self, Api},
    centre::{Against, Centre},
    command::{AGENT_TONE, CALLER_TONE, agent_tones, caller_number, caller_tones},
    figures,
    floor::{self, Agent},
    phone::{Account, Answered, Dial, Dialled, Ending, Phones, Script},
};
use anyhow::{Context, Result};
use centro_media::tone;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// Length of the conversation.
const TALK: Duration = Duration::from_secs(3);
/// Until the report and the recording must be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs it; true when all held.
///
/// # Errors
/// When it could not be carried out.
pub async fn run(against: &Against) -> Result<bool> {
    let centre = Centre::open(against).await?;
    let api = centre.owner().await?;
    let (call, answered) = call(&centre, &api).await?;
    let contact = contact(&api, &call.from).await?;
    let recording = match contact["recordingId"].as_str() {
        Some(id) if !id.is_empty() => Some(recording(&api, id).await?),
        _ => None,
    };

    let rung = answered.as_ref().map(|(_, at)| *at);
    let ring = call
        .invited
        .zip(rung)
        .map(|(invited, rung)| rung.saturating_duration_since(invited));
    let caller_hears_agent = call.heard.the_other();
    let agent_hears_caller = answered.is_some_and(|(call, _)| call.heard.the_other());
    let recorded = recording.as_ref().map_or(0.0, |channels| channels.seconds);
    let recording_has_both = recording.is_some_and(|channels| channels.both);
    let outcome = contact["outcome"].as_str().unwrap_or("OUTCOME_UNSPECIFIED");
    let outcome = outcome.trim_start_matches("OUTCOME_").to_ascii_lowercase();
    let ok = ring.is_some()
        && call.ending == Ending::ByThem
        && caller_hears_agent
        && agent_hears_caller
        && recording_has_both
        && (recorded - TALK.as_secs_f64()).abs() < 1.0
        && outcome == "handled";
    let mut result = Map::new();
    result.insert("ok".into(), json!(ok));
    result.insert("ring_ms".into(), json!(ring.map(figures::millis)));
    result.insert("caller_hears_agent".into(), json!(caller_hears_agent));
    result.insert("agent_hears_caller".into(), json!(agent_hears_caller));
    result.insert("recording_seconds".into(), json!(figures::round(recorded)));
    result.insert("recording_has_both".into(), json!(recording_has_both));
    result.insert("outcome".into(), json!(outcome));
    if !ok {
        result.insert("ending".into(), json!(format!("{:?}", call.ending)));
    }
    figures::print(result);
    Ok(ok)
}

async fn call(centre: &Centre, api: &Api) -> Result<(Dialled, Option<(Answered, Instant)>)> {
    let credentials = &centre.credentials;
    let queue = credentials.queues.first().context("no queue")?;
    let agent = match credentials.agents.first() {
        Some(known) => Agent {
            user_id: known.user_id.clone(),
            device_id: known.device_id.clone(),
            account: Account {
                username: known.username.clone(),
                secret: known.secret.clone(),
            },
        },
        None => floor::agent(api, &queue.id, rand::random(), 0).await?,
    };
    let number = floor::line_to(api, &queue.id).await?;
    let bind = "127.0.0.1:0".parse()?;
    let script = Script {
        talk: Some(TALK),
        tones: agent_tones(true),
        ..Script::default()
    };
    let agents = Phones::open(bind, credentials.sip, script).await?;
    let callers = Phones::open(bind, credentials.sip, Script::default()).await?;
    floor::register(&agents, &agent.account).await?;
    floor::log_in(api, &agent, &queue.id, true).await?;
    let dial = Dial {
        from: caller_number(rand::random::<u32>() as usize % 10_000_000),
        to: number,
        account: None,
        tones: caller_tones(true),
        hang_up_after: None,
        patience: TALK + Duration::from_secs(20),
    };
    let call = callers.dial(dial).await?;
    let answered = agents
        .wait_answered(1, Duration::from_secs(2))
        .await
        .into_iter()
        .next();
    let rung = agents.timing().rung().first().map(|rung| rung.at);
    agents.close();
    callers.close();
    Ok((call, answered.zip(rung)))
}

/// The report's row of the call, once it tells its end.
async fn contact(api: &Api, caller: &str) -> Result<Value> {
    let begun = Instant::now();
    loop {
        let list = api.get("/v1/contacts?pageSize=50").await?;
        let rows = list["contacts"].as_array().cloned().unwrap_or_default();
        let row = rows
            .into_iter()
            .find(|row| row["caller"]["number"].as_str() == Some(caller));
        match row {
            Some(row) if complete(&row) => return Ok(row),
            row if begun.elapsed() > PATIENCE => return Ok(row.unwrap_or_default()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Both the end of the conversation and its recording are known.
fn complete(row: &Value) -> bool {
    row["endTime"].is_string() && row["recordingId"].as_str().is_some_and(|id| !id.is_empty())
}

struct Channels {
    seconds: f64,
    both: bool,
}

/// Fetches the finished recording and listens to both channels.
async fn recording(api: &Api, id: &str) -> Result<Channels> {
    let begun = Instant::now();
    let path = format!("/v1/recordings/{id}");
    let document = loop {
        match api.get(&path).await {
            Ok(document) if document["finished"] == json!(true) => break document,
            // Not known yet, or still being written.
            last if begun.elapsed() > PATIENCE => break last?,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    api::text(&document, "id")?;
    let wav = api.bytes(&format!("{path}/audio")).await?;
    let blocks = wav.get(44..).unwrap_or_default().chunks_exact(4);
    let channel = |at: usize| -> Vec<i16> {
        blocks
            .clone()
            .map(|block| i16::from_le_bytes([block[at], block[at + 1]]))
            .collect()
    };
    let (left, right) = (channel(0), channel(2));
    let both = tone::frames_with(&left, CALLER_TONE) > 0.8
        && tone::frames_with(&right, AGENT_TONE) > 0.8
        && tone::frames_with(&left, AGENT_TONE) < 0.05
        && tone::frames_with(&right, CALLER_TONE) < 0.05;
    Ok(Channels {
        seconds: left.len() as f64 / 8_000.0,
        both,
    })
}
