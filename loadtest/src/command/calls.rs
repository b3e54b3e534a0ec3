//! Calls at a steady rate into a queue with idle agents: how fast the agent's phone rings, what fails, what it costs.

use crate::{
    centre::{Against, Centre},
    command::{agent_tones, caller_number, caller_tones},
    figures::{self, Times, round},
    floor::{Floor, Plan},
    phone::{Dial, Dialled, Ending, Phones, Script},
};
use anyhow::Result;
use serde_json::{Map, json};
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};
use tokio::time;

/// The shape of the load.
#[derive(Debug, Clone)]
pub struct Shape {
    /// New calls per second.
    pub rate: f64,
    /// Calls in all.
    pub calls: usize,
    /// Agents.
    pub agents: usize,
    /// Length of a conversation; the agent hangs up.
    pub talk: Duration,
    /// Whether there is sound.
    pub media: bool,
    /// Whether calls are recorded.
    pub record: bool,
}

/// Places calls evenly and waits for their ends.
pub async fn place(phones: &Phones, number: &str, shape: &Shape) -> Vec<Result<Dialled>> {
    let mut pace = time::interval(Duration::from_secs_f64(1.0 / shape.rate));
    let mut calls = Vec::with_capacity(shape.calls);
    for n in 0..shape.calls {
        pace.tick().await;
        let dial = Dial {
            from: caller_number(n),
            to: number.to_owned(),
            account: None,
            tones: caller_tones(shape.media),
            hang_up_after: None,
            patience: shape.talk + Duration::from_secs(60),
        };
        let phones = phones.clone();
        calls.push(tokio::spawn(async move { phones.dial(dial).await }));
    }
    let mut over = Vec::with_capacity(calls.len());
    for call in calls {
        over.push(call.await.unwrap_or_else(|fault| Err(fault.into())));
    }
    over
}

/// Runs it; true when nothing failed.
///
/// # Errors
/// When it could not be carried out.
pub async fn run(against: &Against, shape: &Shape) -> Result<bool> {
    let centre = Centre::open(against).await?;
    let api = centre.owner().await?;
    let script = Script {
        talk: Some(shape.talk),
        tones: agent_tones(shape.media),
        ..Script::default()
    };
    let plan = Plan {
        agents: shape.agents,
        record: shape.record,
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
    eprintln!(
        "{} calls at {}/s to {} agents",
        shape.calls, shape.rate, shape.agents
    );
    let cpu = centre.cpu();
    let begun = Instant::now();
    let calls = place(&callers, &floor.number, shape).await;
    let wall = begun.elapsed();
    let cpu = cpu.zip(centre.cpu()).map(|(before, after)| after - before);
    let answered = floor
        .phones
        .wait_answered(shape.calls, Duration::from_secs(2))
        .await;

    let rung: HashMap<String, Instant> = floor
        .phones
        .timing()
        .rung()
        .into_iter()
        .rev()
        .map(|r| (r.caller, r.at))
        .collect();
    let good: Vec<&Dialled> = calls
        .iter()
        .flatten()
        .filter(|call| handled(call))
        .collect();
    let ring: Times = good
        .iter()
        .filter_map(|call| {
            Some(
                rung.get(&call.from)?
                    .saturating_duration_since(call.invited?),
            )
        })
        .collect();
    let by_caller: HashMap<&str, _> = answered
        .iter()
        .map(|call| (call.caller.as_str(), &call.heard))
        .collect();
    let both = good
        .iter()
        .filter(|call| call.heard.the_other())
        .filter(|call| {
            by_caller
                .get(call.from.as_str())
                .is_some_and(|heard| heard.the_other())
        })
        .count();
    let lost: u64 = good.iter().map(|call| call.heard.lost).sum::<u64>()
        + answered.iter().map(|call| call.heard.lost).sum::<u64>();
    let reasons = reasons(&calls, &rung);
    let failed: usize = reasons.values().sum();
    // The last call is placed one gap before the end of the span the rate is counted over.
    let span = wall.saturating_sub(shape.talk).as_secs_f64();
    let rate = (shape.calls as f64 / span).min(shape.rate);

    let mut result = Map::new();
    result.insert("command".into(), json!("calls"));
    result.insert("rate".into(), json!(round(rate)));
    result.insert("calls".into(), json!(shape.calls));
    result.insert("agents".into(), json!(shape.agents));
    result.insert("talk_s".into(), json!(shape.talk.as_secs_f64()));
    result.insert("media".into(), json!(shape.media));
    result.insert("recorded".into(), json!(shape.record));
    result.insert("failed".into(), json!(failed));
    result.insert("failed_by_reason".into(), json!(reasons));
    ring.write("ring_ms", &mut result);
    let share = both as f64 / good.len().max(1) as f64;
    result.insert(
        "both_way_audio_share".into(),
        json!(shape.media.then_some(round(share))),
    );
    result.insert("rtp_lost".into(), json!(shape.media.then_some(lost)));
    cost(&mut result, &centre, cpu, shape.calls);
    figures::print(result);
    Ok(failed == 0)
}

/// CPU per call and memory, where the process is known.
pub fn cost(
    result: &mut Map<String, serde_json::Value>,
    centre: &Centre,
    cpu: Option<Duration>,
    calls: usize,
) {
    let per_call = cpu.map(|cpu| round(cpu.as_secs_f64() * 1_000.0 / calls.max(1) as f64));
    result.insert("cpu_ms_per_call".into(), json!(per_call));
    result.insert("rss_mb".into(), json!(centre.rss_mb().map(f64::round)));
}

/// Answered by the centre and ended by the agent's BYE.
pub fn handled(call: &Dialled) -> bool {
    call.ending == Ending::ByThem
}

/// Calls that were not handled by an agent, by reason.
pub fn reasons(
    calls: &[Result<Dialled>],
    rung: &HashMap<String, Instant>,
) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for call in calls {
        let reason = match call {
            Err(fault) => format!("not_sent: {fault}"),
            Ok(call) => match &call.ending {
                Ending::ByThem if rung.contains_key(&call.from) => continue,
                Ending::ByThem => "no_agent_rang".to_owned(),
                Ending::ByUs | Ending::Endless => "not_ended_in_time".to_owned(),
                Ending::Refused(status) => format!("status_{status}"),
            },
        };
        *reasons.entry(reason).or_default() += 1;
    }
    reasons
}
