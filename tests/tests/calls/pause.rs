//! Pausing and logging out while the phone rings.

use anyhow::{Result, ensure};
use centro_testkit::Centre;
use centro_tests::{SOON, floor, phones, stage};

/// Anna's phone rings; she pauses or logs out: one CANCEL, the choice is kept, the caller waits on.
async fn withdraws(centre: &mut Centre, log_out: bool) -> Result<()> {
    let (anna, supervisor) = (
        centre.credentials().agents[0].clone(),
        centre.supervisor().await?,
    );
    let sales = centre.credentials().queues[0].id.clone();
    let mut phone = phones::agent(centre, &anna, "agent_ring").await?;
    floor::ready(&supervisor, &anna.user_id).await?;
    let mut caller = phones::caller(centre, "+12025550100").await?;
    phone.rings(SOON).await?;
    floor::agent_is(&supervisor, &anna.user_id, "ALERTING").await?;
    let state = if log_out {
        supervisor.log_out(&anna.user_id).await?;
        "LOGGED_OUT"
    } else {
        supervisor.pause(&anna.user_id, "break").await?;
        "PAUSED"
    };
    phone.is_over(SOON).await?;
    ensure!(
        phone.sipp.received_requests("CANCEL") == 1,
        "{}",
        phone.sipp.evidence()
    );
    floor::agent_is(&supervisor, &anna.user_id, state).await?;
    let status = floor::waiting(&supervisor, &sales, 1).await?;
    ensure!(
        status["contacts"][0]["offeredTo"]
            .as_str()
            .unwrap_or_default()
            .is_empty(),
        "{status:#}"
    );
    caller.hang_up().await?;
    floor::ended(&supervisor, "ABANDONED").await?;
    floor::agent_is(&supervisor, &anna.user_id, state).await?;
    ensure!(
        phone.sipp.received_requests("INVITE") == 1,
        "{}",
        phone.sipp.evidence()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pause_during_offer() -> Result<()> {
    stage::with_centre(async |centre| withdraws(centre, false).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn log_out_during_offer() -> Result<()> {
    stage::with_centre(async |centre| withdraws(centre, true).await).await
}
