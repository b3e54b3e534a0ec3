//! The Simple dial node: one device rings.

use anyhow::{Context, Result};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, phones, stage};
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn simple_dial_rings_and_connects_or_goes_on() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, owner) = (centre.credentials().agents[0].clone(), centre.owner().await?);
        let plan = json!({
            "displayName": "Anna's line", "entry": "ring",
            "nodes": [
                {"id": "ring", "simpleDial": {"extension": anna.extension, "timeout": "5s", "onNoAnswer": "end"}},
                {"id": "end", "hangUp": {}},
            ],
        });
        let plan = owner.create_dial_plan(plan).await?;
        owner.create_number("+12025550151", plan["id"].as_str().context("a plan without id")?).await?;

        let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
        let mut caller = phones::caller(centre, "+12025550151").await?;
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        phone.hang_up().await?;
        caller.is_over(SOON).await?;

        // The same phone again, and nobody answers it: the plan goes on and ends the call.
        let mut phone = phones::agent(centre, &anna, "agent_ring").await?;
        let mut caller = phones::caller_of(centre, "caller_480", "+12025550151").await?;
        phone.rings(SOON).await?;
        phone.is_over(Duration::from_secs(12)).await?;
        caller.is_over(SOON).await
    })
    .await
}
