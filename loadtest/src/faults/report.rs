//! What analytics made of it.

use super::Outcome;
use crate::{api::Api, figures};
use anyhow::{Result, ensure};
use centro_testkit::eventually;
use serde_json::Value;
use std::{collections::HashSet, time::Duration};

/// The stays of contacts in a queue.
///
/// # Errors
/// The centre does not answer.
pub async fn stays(api: &Api, queue: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut page = String::new();
    loop {
        let path = format!("/v1/contacts?pageSize=200&queueIds={queue}&pageToken={page}");
        let mut answer = api.get(&path).await?;
        if let Value::Array(stays) = answer["contacts"].take() {
            all.extend(stays);
        }
        page = answer["nextPageToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if page.is_empty() {
            return Ok(all);
        }
    }
}

/// Waits until the report knows the whole life of so many calls, and notes how long that took and what is wrong with it.
///
/// # Errors
/// The centre does not answer.
pub async fn complete(
    api: &Api,
    queue: &str,
    calls: usize,
    within: Duration,
    outcome: &mut Outcome,
) -> Result<()> {
    let begun = std::time::Instant::now();
    let known = eventually("the report has all calls", within, async || {
        let stays = stays(api, queue).await?;
        let whole = stays.iter().filter(|stay| is_whole(stay)).count();
        ensure!(whole >= calls, "{whole} of {calls}");
        Ok(())
    })
    .await;
    outcome.most("report_ms", Some(figures::millis(begun.elapsed())));
    let stays = stays(api, queue).await?;
    let ids: HashSet<_> = stays
        .iter()
        .filter_map(|stay| stay["id"].as_str())
        .collect();
    let whole = stays.iter().filter(|stay| is_whole(stay)).count();
    outcome.none("unreported", calls.saturating_sub(whole));
    // A call has one stay here: more are counted twice, and so is one that was given two.
    outcome.none(
        "counted_twice",
        (stays.len() - ids.len()) + stays.len().saturating_sub(calls),
    );
    if let Err(error) = known {
        outcome.must(false, format!("{error:#}"));
    }
    Ok(())
}

/// Entered, connected, left, ended.
fn is_whole(stay: &Value) -> bool {
    let there = |field: &str| stay[field].is_string();
    stay["outcome"] == "OUTCOME_HANDLED"
        && ["enqueueTime", "connectTime", "leaveTime", "endTime"]
            .iter()
            .all(|field| there(field))
}
