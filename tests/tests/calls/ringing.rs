//! What happens while an agent's phone rings: the caller leaves, nobody answers, the agent rejects.

use anyhow::{Result, ensure};
use centro_testkit::{Centre, number};
use centro_tests::{CALLER_HZ, SOON, floor, phones, stage};
use serde_json::json;
use std::time::Duration;

/// The caller leaves while the phone has been called; the phone is cancelled and Anna is ready again, without a missed offer.
async fn leaves(centre: &mut Centre, phone: &str) -> Result<()> {
    let (anna, supervisor) = (
        centre.credentials().agents[0].clone(),
        centre.supervisor().await?,
    );
    let mut phone = phones::agent(centre, &anna, phone).await?;
    floor::ready(&supervisor, &anna.user_id).await?;
    let mut caller = phones::caller(centre, "+12025550100").await?;
    phone.rings(SOON).await?;
    floor::agent_is(&supervisor, &anna.user_id, "ALERTING").await?;
    caller.hang_up().await?;
    phone.is_over(SOON).await?;
    ensure!(
        phone.sipp.received_requests("CANCEL") == 1,
        "{}",
        phone.sipp.evidence()
    );
    floor::agent_is(&supervisor, &anna.user_id, "READY").await?;
    let contact = floor::ended(&supervisor, "ABANDONED").await?;
    ensure!(
        contact["leftReason"] == "LEFT_REASON_ABANDONED",
        "{contact:#}"
    );
    ensure!(number(&contact["offers"]) == 1, "{contact:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn abandoned_while_ringing_p15() -> Result<()> {
    stage::with_centre(async |centre| leaves(centre, "agent_ring").await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn caller_gone_while_dialing() -> Result<()> {
    stage::with_centre(async |centre| leaves(centre, "agent_mute").await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_answer_next_agent_place_kept_p15() -> Result<()> {
    stage::with_centre(async |centre| {
        let (agents, sales) = (
            centre.credentials().agents.clone(),
            centre.credentials().queues[0].id.clone(),
        );
        let (anna, bruno) = (&agents[0].user_id, &agents[1].user_id);
        let owner = centre.owner().await?;
        owner
            .patch(
                &format!("/v1/call-queues/{sales}"),
                json!({"agentRingTimeout": "5s"}),
            )
            .await?;
        let mut ringing = phones::agent(centre, &agents[0], "agent_ring").await?;
        floor::ready(&owner, anna).await?;
        let mut first = phones::caller(centre, "+12025550100").await?;
        first.answered().await?;
        ringing.rings(SOON).await?;
        let mut second = phones::caller(centre, "+12025550100").await?;
        second.answered().await?;
        let before = floor::waiting(&owner, &sales, 2).await?;

        ringing.is_over(Duration::from_secs(10)).await?; // cancelled after 5 s
        floor::agent_is(&owner, anna, "NOT_RESPONDING").await?;
        let after = floor::waiting(&owner, &sales, 2).await?;
        for place in 0..2 {
            for key in ["contactId", "enqueueTime", "position"] {
                let (was, is) = (
                    &before["contacts"][place][key],
                    &after["contacts"][place][key],
                );
                ensure!(was == is, "{key} of place {place} was {was} and is {is}");
            }
        }

        let mut answering = phones::agent(centre, &agents[1], "agent_answer").await?;
        floor::ready(&owner, bruno).await?;
        answering.ear.hears(CALLER_HZ, SOON).await?;
        let talking = floor::agent_is(&owner, bruno, "CONNECTED").await?;
        ensure!(
            talking["contactId"] == before["contacts"][0]["contactId"],
            "not the first caller: {talking:#}"
        );
        first.hang_up().await?;
        answering.is_over(SOON).await?;
        second.hang_up().await?;
        let contacts = floor::left(&owner, 2).await?;
        ensure!(
            contacts[0]["outcome"] == "OUTCOME_HANDLED" && contacts[0]["agentId"] == **bruno,
            "{contacts:#?}"
        );
        ensure!(
            number(&contacts[0]["offers"]) == 2 && number(&contacts[0]["waitMs"]) >= 5000,
            "{contacts:#?}"
        );
        ensure!(
            contacts[1]["outcome"] == "OUTCOME_ABANDONED",
            "{contacts:#?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn reject_memory() -> Result<()> {
    stage::with_centre(async |centre| {
        let (agents, supervisor) = (
            centre.credentials().agents.clone(),
            centre.supervisor().await?,
        );
        let mut rejecting = phones::agent(centre, &agents[0], "agent_rejects").await?;
        floor::ready(&supervisor, &agents[0].user_id).await?;
        let mut answering = phones::agent(centre, &agents[1], "agent_answer").await?;
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        rejecting.is_over(SOON).await?;
        floor::ready(&supervisor, &agents[1].user_id).await?;
        answering.ear.hears(CALLER_HZ, SOON).await?;
        caller.hang_up().await?;
        answering.is_over(SOON).await?;
        let contact = floor::ended(&supervisor, "HANDLED").await?;
        ensure!(
            contact["agentId"] == *agents[1].user_id && number(&contact["offers"]) == 2,
            "{contact:#}"
        );
        Ok(())
    })
    .await
}
