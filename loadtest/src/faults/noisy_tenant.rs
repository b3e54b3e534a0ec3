//! One tenant gets ten times its load, and another one must not feel it: how long its calls take to an agent's phone, in pairs
//! of spans, one without and one with the noise.

use super::{Outcome, Size, judge::Judged, load::Load, stage::Stage};
use crate::{
    api::Api,
    figures::{Times, round},
    floor::Floor,
    phone::Dialled,
};
use anyhow::{Context, Result};
use centro_testkit::Cluster;
use serde_json::json;
use std::{collections::HashMap, time::Duration};
use tokio::time::sleep;

/// Calls a second of each tenant, and how many times as many of the noisy one.
const RATE: f64 = 5.0;
const NOISE: f64 = 10.0;
const TALK: Duration = Duration::from_millis(300);
const PAIRS: usize = 3;
/// How much slower the quiet tenant's calls may be in the noise.
const MOVED: f64 = 0.25;

/// Three pairs.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let span = Duration::from_secs(size.pick(4, 6, 30));
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let quiet = stage.floor(8, TALK, true).await?;
        let noisy = other_tenant(stage, 40).await?;
        let (mut moved, mut calm, mut loud) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let before = figure(stage, (&quiet, &noisy), 1.0, span, outcome).await?;
            let after = figure(stage, (&quiet, &noisy), NOISE, span, outcome).await?;
            moved.push(after / before - 1.0);
            calm.push(before);
            loud.push(after);
        }
        outcome.figure("dispatch_ms_p99_calm", median(calm));
        outcome.figure("dispatch_ms_p99_noise", median(loud));
        outcome.at_most("moved", Some(round(median(moved))), MOVED);
        Ok(())
    })
    .await
}

/// The 99th percentile of the quiet tenant's dispatch over a span with so much noise, in ms.
async fn figure(
    stage: &Stage,
    (quiet, noisy): (&Floor, &Floor),
    noise: f64,
    span: Duration,
    outcome: &mut Outcome,
) -> Result<f64> {
    let callers = stage.callers().await?;
    let others = stage.callers().await?;
    let load = Load::start(&callers, &quiet.number, RATE, usize::MAX);
    let noise = Load::start(&others, &noisy.number, RATE * noise, usize::MAX);
    sleep(span).await;
    let (calls, noise) = tokio::join!(load.stop(), noise.stop());
    let judged = Judged::of(&calls, quiet, stage).await;
    judged.note_served(outcome);
    Judged::of(&noise, noisy, stage).await.note_served(outcome);
    let times = dispatch(&calls, quiet);
    times.quantile_ms(99).context("no call reached an agent")
}

/// From the caller's INVITE to the agent's.
fn dispatch(calls: &[Result<Dialled>], floor: &Floor) -> Times {
    let rung = floor.phones.timing().rung().into_iter().rev();
    let rung: HashMap<_, _> = rung.map(|rung| (rung.caller, rung.at)).collect();
    let times = calls.iter().flatten().filter_map(|call| {
        let at = rung.get(&call.from)?;
        Some(at.saturating_duration_since(call.invited?))
    });
    times.collect()
}

async fn other_tenant(stage: &Stage, agents: usize) -> Result<Floor> {
    let owner = stage.cluster.create_tenant("Noisy", "owner@noisy.test")?;
    let http = stage.cluster.http();
    let api = Api::sign_in(&http, "noisy", &owner.login, &owner.password);
    let api = api.await.context("the other tenant's owner signs in")?;
    // Its callers come from this machine too.
    let trunk = json!({"displayName": "Here", "addresses": ["127.0.0.1"]});
    api.post("/v1/trunks", trunk).await?;
    stage.floor_of(&api, agents, TALK, true).await
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
