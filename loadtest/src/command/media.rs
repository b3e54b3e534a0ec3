//! Calls that are bridged and recorded at the same time: what each costs, what was lost, how long packets were under way.

use crate::{
    centre::{Against, Centre},
    command::{agent_tones, calls},
    figures::{self, round},
    floor::{Floor, Plan},
    phone::{Heard, Phones, Script},
    process,
};
use anyhow::{Context, Result};
use centro_media::{Bridge, Direction, Media, MediaSettings};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;

use super::caller_tones;
use crate::phone::Voice;

/// The shape of the load.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Calls at once.
    pub calls: usize,
    /// How long they are up.
    pub time: Duration,
}

/// Runs it against a whole centre; true when nothing failed or was lost.
///
/// # Errors
/// When it could not be carried out.
pub async fn run(against: &Against, shape: &Shape) -> Result<bool> {
    let centre = Centre::open(against).await?;
    let api = centre.owner().await?;
    let ramp = Duration::from_secs_f64(shape.calls as f64 / 50.0);
    let script = Script {
        talk: Some(ramp + shape.time + Duration::from_secs(2)),
        tones: agent_tones(true),
        ..Script::default()
    };
    let talk = script.talk.unwrap_or_default();
    let plan = Plan {
        agents: shape.calls,
        record: true,
        script,
        ready: true,
    };
    let floor = Floor::open(&centre, &api, &plan).await?;
    let callers = Phones::open(
        "127.0.0.1:0".parse()?,
        centre.credentials.sip,
        Script::default(),
    )
    .await?;
    let load = calls::Shape {
        rate: 50.0,
        calls: shape.calls,
        agents: shape.calls,
        talk,
        media: true,
        record: true,
    };
    let number = floor.number.clone();
    let placed = tokio::spawn(async move { calls::place(&callers, &number, &load).await });
    tokio::time::sleep(ramp + Duration::from_secs(1)).await;
    let (cpu, begun) = (centre.cpu(), Instant::now());
    tokio::time::sleep(shape.time).await;
    let cpu = cpu.zip(centre.cpu()).map(|(before, after)| after - before);
    let wall = begun.elapsed();
    let rss = centre.rss_mb();
    let calls = placed.await?;
    let answered = floor
        .phones
        .wait_answered(shape.calls, Duration::from_secs(2))
        .await;
    let metrics = relay_metrics(&centre).await;

    let up = calls
        .iter()
        .flatten()
        .filter(|call| calls::handled(call))
        .count();
    let heard: Vec<Heard> = answered
        .into_iter()
        .map(|call| call.heard)
        .chain(calls.into_iter().flatten().map(|call| call.heard))
        .collect();
    let mut result = summary("media", shape, up, cpu, wall, &heard);
    result.insert("relay_us_p99".into(), metrics);
    result.insert("rss_mb".into(), json!(rss.map(f64::round)));
    let ok = up == shape.calls
        && heard
            .iter()
            .all(|heard| heard.lost == 0 && heard.the_other());
    figures::print(result);
    Ok(ok)
}

/// Runs it against the media engine alone, inside this process; only the engine's threads are counted.
///
/// # Errors
/// When it could not be carried out.
pub async fn run_engine(shape: &Shape) -> Result<bool> {
    let folder = TempDir::new()?;
    let media = Media::start(MediaSettings {
        bind: [127, 0, 0, 1].into(),
        first_port: 30_000,
        last_port: 39_999,
        ..MediaSettings::default()
    })?;
    let ip = [127, 0, 0, 1].into();
    let mut up = Vec::new();
    for n in 0..shape.calls {
        let (caller, agent) = (
            Voice::open(ip, caller_tones(true)).await?,
            Voice::open(ip, agent_tones(true)).await?,
        );
        let (caller_leg, _) = media.open_leg(None)?;
        let (agent_leg, _) = media.open_leg_beside(&caller_leg, None)?;
        caller.accept(caller_leg.answer(&caller.offer())?.as_bytes())?;
        let offer = agent_leg.offer(Direction::SendRecv, None);
        agent_leg.accept(&agent.answer(offer.as_bytes())?)?;
        let recording = media.record(folder.path().join(format!("{n}.wav")));
        let bridge = Bridge::join(&caller_leg, &agent_leg, Some(&recording));
        up.push((caller, agent, caller_leg, agent_leg, recording, bridge));
        // Spread over the 20 ms between packets.
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let engine = || process::threads_cpu("centro-media") + process::threads_cpu("centro-recorder");
    let (cpu, begun) = (engine(), Instant::now());
    tokio::time::sleep(shape.time).await;
    let (cpu, wall) = (engine() - cpu, begun.elapsed());
    let stats = media.stats();
    let mut heard = Vec::new();
    let mut frames = 0;
    for (caller, agent, _, _, recording, bridge) in up {
        drop(bridge);
        heard.extend([caller.finish(), agent.finish()]);
        let finished = recording.finish().await.context("a recording")?;
        frames += finished.frames.iter().sum::<u64>();
    }
    let mut result = summary("media engine", shape, shape.calls, Some(cpu), wall, &heard);
    let micros = |time: Duration| time.as_micros();
    result.insert("relay_us_p50".into(), json!(micros(stats.relay.p50)));
    result.insert("relay_us_p99".into(), json!(micros(stats.relay.p99)));
    result.insert(
        "relay_us_longest".into(),
        json!(micros(stats.relay.longest)),
    );
    result.insert("recorded_packets".into(), json!(frames));
    result.insert("recording_dropped".into(), json!(stats.recording_dropped));
    result.insert("rejected".into(), json!(stats.rejected));
    figures::print(result);
    Ok(heard
        .iter()
        .all(|heard| heard.lost == 0 && heard.the_other()))
}

fn summary(
    command: &str,
    shape: &Shape,
    up: usize,
    cpu: Option<Duration>,
    wall: Duration,
    heard: &[Heard],
) -> Map<String, Value> {
    let mut under_way: Vec<u32> = heard
        .iter()
        .flat_map(|heard| heard.under_way.iter().copied())
        .collect();
    under_way.sort_unstable();
    let quantile = |percent: usize| {
        let at = (under_way.len() * percent).div_ceil(100).checked_sub(1)?;
        under_way
            .get(at)
            .map(|micros| round(f64::from(*micros) / 1_000.0))
    };
    let share = cpu.map(|cpu| cpu.as_secs_f64() / wall.as_secs_f64() / shape.calls.max(1) as f64);
    let sum = |field: fn(&Heard) -> u64| heard.iter().map(field).sum::<u64>();
    let both = heard.iter().filter(|heard| heard.the_other()).count();
    let mut result = Map::new();
    result.insert("command".into(), json!(command));
    result.insert("calls".into(), json!(shape.calls));
    result.insert("up".into(), json!(up));
    result.insert("seconds".into(), json!(shape.time.as_secs_f64()));
    result.insert(
        "cpu_percent_per_call".into(),
        json!(share.map(|share| round(share * 100.0))),
    );
    result.insert("rtp_sent".into(), json!(sum(|heard| heard.sent)));
    result.insert("rtp_received".into(), json!(sum(|heard| heard.received)));
    result.insert("rtp_lost".into(), json!(sum(|heard| heard.lost)));
    result.insert("ears_that_heard".into(), json!(both));
    for percent in [50, 99] {
        result.insert(
            format!("end_to_end_ms_p{percent}"),
            json!(quantile(percent)),
        );
    }
    result
}

/// The centre's own figure, from its metrics: 99 % of packets left within so many microseconds.
async fn relay_metrics(centre: &Centre) -> Value {
    let url = format!("{}/metrics", centre.credentials.http);
    let Ok(answer) = reqwest::get(url).await else {
        return Value::Null;
    };
    let text = answer.text().await.unwrap_or_default();
    let line = text.lines().find(|line| {
        line.starts_with("centro_media_relay_seconds") && line.contains("quantile=\"0.99\"")
    });
    let seconds = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    json!(seconds.map(|seconds| (seconds * 1e6).round()))
}
