//! PostgreSQL is killed and stays away: calls, routing and queues go on with what is known, changes are refused by a code,
//! and the report has everything when it is back.

use super::{Outcome, Size, judge::Judged, load::Load, report, stage::Stage};
use anyhow::{Context, Result};
use centro_testkit::{Api, Cluster, engines::Engine};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const RATE: f64 = 5.0;
const AGENTS: usize = 8;
const TALK: Duration = Duration::from_millis(400);
/// How long calls come before and after.
const AROUND: Duration = Duration::from_secs(3);
/// Until the report has all once it is back.
const CAUGHT_UP: Duration = Duration::from_secs(60);
/// Until a change is refused, in ms: `records.acquire_timeout` and what lies around it.
const REFUSED: f64 = 6_000.0;
/// What a change is refused with.
const CODE: &str = "storage_unavailable";

/// Once.
///
/// # Errors
/// No cluster can be had.
pub async fn run(size: Size) -> Result<Outcome> {
    let down = Duration::from_secs(size.pick(5, 15, 60));
    Stage::with(Cluster::builder(2), async |stage, outcome| {
        let floor = stage.floor(AGENTS, TALK, true).await?;
        let owner = stage.cluster.owner().await?;
        let callers = stage.callers().await?;
        let load = Load::start(&callers, &floor.number, RATE, usize::MAX);
        sleep(AROUND).await;
        stage.cluster.postgres.kill()?;
        let killed = Instant::now();
        refused(&owner, outcome).await?;
        sleep(down.saturating_sub(killed.elapsed())).await;
        stage.cluster.postgres.revive().await?;
        let back = Instant::now();
        sleep(AROUND).await;
        let calls = load.stop().await;
        Judged::of(&calls, &floor, stage).await.note(stage, outcome);
        let rest = CAUGHT_UP.saturating_sub(back.elapsed());
        report::complete(&stage.api, &floor.queue_id, calls.len(), rest, outcome).await?;
        outcome.figure("caught_up_s", back.elapsed().as_secs_f64().round());
        // And changes are taken again.
        let name = json!({"displayName": "After the outage"});
        stage
            .api
            .post("/v1/call-queues", name)
            .await
            .context("a change afterwards")?;
        Ok(())
    })
    .await
}

/// Changes of several services, each refused clearly and soon.
async fn refused(owner: &Api, outcome: &mut Outcome) -> Result<()> {
    let user = json!({"login": "o@load.test", "displayName": "O", "roles": ["ROLE_AGENT"], "password": "correct horse battery"});
    for (path, body) in [
        ("/v1/call-queues", json!({"displayName": "Outage"})),
        ("/v1/users", user),
    ] {
        let asked = Instant::now();
        let answer = owner.call(Method::POST, path, Some(&body)).await?;
        outcome.at_most(
            "refused_ms",
            Some(asked.elapsed().as_millis() as f64),
            REFUSED,
        );
        let code = answer.body["code"].as_str().unwrap_or_default();
        let clear = answer.status == 503 && code == CODE;
        outcome.must(
            clear,
            format!("{path} in the outage: {} {}", answer.status, answer.body),
        );
        outcome.count("refused", usize::from(clear));
    }
    Ok(())
}
