//! More callers than agents: how busy the agents are kept, and how soon a freed agent's phone rings again.

use crate::{
    centre::{Against, Centre},
    command::{
        agent_tones, caller_number, caller_tones,
        calls::{cost, reasons},
    },
    figures::{self, Times, round},
    floor::{Floor, Plan},
    phone::{Answered, Dial, Dialled, Phones, Script},
};
use anyhow::Result;
use serde_json::{Map, json};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time};

/// Calls per second while the line fills.
const FILL_RATE: f64 = 100.0;

/// The shape of the load.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Agents.
    pub agents: usize,
    /// Callers kept waiting.
    pub waiting: usize,
    /// Calls in all.
    pub calls: usize,
    /// Length of a conversation; the agent hangs up.
    pub talk: Duration,
    /// Whether there is sound.
    pub media: bool,
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
        record: false,
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
        "{} calls, {} waiting for {} agents",
        shape.calls, shape.waiting, shape.agents
    );
    let cpu = centre.cpu();
    let calls = place(&callers, &floor.number, shape).await;
    let cpu = cpu.zip(centre.cpu()).map(|(before, after)| after - before);
    let answered = floor
        .phones
        .wait_answered(shape.calls, Duration::from_secs(2))
        .await;

    let rung = floor.phones.timing().rung();
    let mut offers: Vec<Instant> = rung.iter().map(|rung| rung.at).collect();
    offers.sort_unstable();
    let ideal = shape.agents as f64 / shape.talk.as_secs_f64();
    let agent_use = offers_per_second(&offers, shape.agents).map(|rate| round(rate / ideal));
    let dispatch = dispatch(&answered, &rung_by_phone(&floor.phones));
    let known: HashMap<String, Instant> = rung.into_iter().map(|r| (r.caller, r.at)).collect();
    let reasons = reasons(&calls, &known);
    let failed: usize = reasons.values().sum();

    let mut result = Map::new();
    result.insert("command".into(), json!("backlog"));
    result.insert("agents".into(), json!(shape.agents));
    result.insert("waiting".into(), json!(shape.waiting));
    result.insert("calls".into(), json!(shape.calls));
    result.insert("talk_s".into(), json!(shape.talk.as_secs_f64()));
    result.insert("media".into(), json!(shape.media));
    result.insert("agent_use".into(), json!(agent_use));
    result.insert("dispatches".into(), json!(dispatch.count()));
    dispatch.write("dispatch_ms", &mut result);
    result.insert("failed".into(), json!(failed));
    result.insert("failed_by_reason".into(), json!(reasons));
    cost(&mut result, &centre, cpu, shape.calls);
    figures::print(result);
    Ok(failed == 0)
}

/// Keeps as many calls up as agents and the line hold, until all are placed.
async fn place(phones: &Phones, number: &str, shape: &Shape) -> Vec<Result<Dialled>> {
    let room = Arc::new(Semaphore::new(shape.agents + shape.waiting));
    let mut pace = time::interval(Duration::from_secs_f64(1.0 / FILL_RATE));
    let longest =
        shape.talk * u32::try_from(shape.calls / shape.agents.max(1) + 2).unwrap_or(1_000);
    let mut calls = Vec::with_capacity(shape.calls);
    for n in 0..shape.calls {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        pace.tick().await;
        let dial = Dial {
            from: caller_number(n),
            to: number.to_owned(),
            account: None,
            tones: caller_tones(shape.media),
            hang_up_after: None,
            patience: longest * 3 + Duration::from_secs(60),
        };
        let phones = phones.clone();
        calls.push(tokio::spawn(async move {
            let call = phones.dial(dial).await;
            drop(place);
            call
        }));
    }
    let mut over = Vec::with_capacity(calls.len());
    for call in calls {
        over.push(call.await.unwrap_or_else(|fault| Err(fault.into())));
    }
    over
}

/// Offers per second while all agents were busy. The first and the last round of offers are left out; the span runs from
/// the first offer counted to the first that is not, so that rounds in step do not count one too many.
fn offers_per_second(offers: &[Instant], agents: usize) -> Option<f64> {
    let end = offers.len().checked_sub(agents)?;
    let counted = end.checked_sub(agents).filter(|counted| *counted > 0)?;
    let span = offers
        .get(end)?
        .duration_since(*offers.get(agents)?)
        .as_secs_f64();
    (span > 0.0).then(|| counted as f64 / span)
}

fn rung_by_phone(phones: &Phones) -> HashMap<String, Vec<Instant>> {
    let mut by_phone: HashMap<String, Vec<Instant>> = HashMap::new();
    for rung in phones.timing().rung() {
        by_phone.entry(rung.phone).or_default().push(rung.at);
    }
    by_phone
}

/// From each BYE of an agent to the next INVITE to that agent's phone.
fn dispatch(answered: &[Answered], rung: &HashMap<String, Vec<Instant>>) -> Times {
    let freed = answered.iter().filter(|call| call.by_us);
    freed
        .filter_map(|call| {
            let next = rung.get(&call.phone)?.iter().find(|at| **at > call.ended)?;
            Some(next.duration_since(call.ended))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_in_step_are_not_counted_one_round_too_many() {
        let start = Instant::now();
        // 2 agents that are offered a call together, every second, five times
        let offers: Vec<_> = (0..10)
            .map(|n| start + Duration::from_secs(n / 2))
            .collect();
        assert_eq!(offers_per_second(&offers, 2), Some(2.0));
        assert_eq!(offers_per_second(&offers[..3], 2), None);
    }
}
