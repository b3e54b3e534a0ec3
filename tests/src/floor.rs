//! Questions about the floor, asked until the answer is the expected one.

use crate::SOON;
use anyhow::{Context, Result, ensure};
use centro_testkit::{Api, eventually, number};
use serde_json::Value;
use std::time::Duration;

/// Waits until the agent is in the state, e.g. `READY`.
pub async fn agent_is(api: &Api, agent: &str, state: &str) -> Result<Value> {
    agent_is_within(api, agent, state, SOON).await
}

/// Waits longer or shorter until the agent is in the state.
pub async fn agent_is_within(
    api: &Api,
    agent: &str,
    state: &str,
    within: Duration,
) -> Result<Value> {
    let wanted = format!("AGENT_STATE_{state}");
    eventually(&format!("the agent is {state}"), within, async || {
        let status = api.agent_status(agent).await?;
        ensure!(status["state"] == *wanted, "{status}");
        Ok(status)
    })
    .await
}

/// Logs the agent in, ready, once the phone is known to be online.
pub async fn ready(api: &Api, agent: &str) -> Result<()> {
    api.log_in(agent, true).await?;
    eventually("the agent is ready and reachable", SOON, async || {
        let status = api.agent_status(agent).await?;
        ensure!(
            // a waiting caller may have been offered already, so what counts is what the agent chose
            status["chosen"] == "AGENT_STATE_READY" && status["deviceOnline"] == true,
            "{status}"
        );
        Ok(())
    })
    .await
}

/// Waits until so many callers wait in the queue.
pub async fn waiting(api: &Api, queue: &str, callers: u64) -> Result<Value> {
    eventually(&format!("{callers} callers wait"), SOON, async || {
        let status = api.queue_status(queue).await?;
        ensure!(number(&status["waiting"]) == callers, "{status}");
        Ok(status)
    })
    .await
}

/// Waits until the report knows so many contacts that left their queue, and gives them, the first first.
pub async fn left(api: &Api, contacts: usize) -> Result<Vec<Value>> {
    eventually(&format!("{contacts} contacts left"), SOON, async || {
        let mut all = api.contacts().await?;
        all.retain(|contact| contact["leaveTime"].is_string());
        ensure!(all.len() == contacts, "{all:#?}");
        all.reverse();
        Ok(all)
    })
    .await
}

/// Waits until the report knows how the only contact ended, and gives it.
pub async fn ended(api: &Api, outcome: &str) -> Result<Value> {
    let wanted = format!("OUTCOME_{outcome}");
    eventually(
        &format!("the contact ends as {outcome}"),
        SOON,
        async || {
            let contacts = api.contacts().await?;
            ensure!(contacts.len() == 1, "{contacts:#?}");
            let contact = contacts.into_iter().next().context("no contact")?;
            ensure!(contact["outcome"] == *wanted, "{contact:#}");
            ensure!(
                outcome != "HANDLED" || contact["endTime"].is_string(),
                "it goes on: {contact:#}"
            );
            Ok(contact)
        },
    )
    .await
}
