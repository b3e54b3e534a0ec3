//! Addresses that are not what the telephone says.

use anyhow::{Result, ensure};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nat_rebind_midcall() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
        floor::ready(&supervisor, &anna.user_id).await?;
        let mut caller = phones::caller(centre, "+12025550100").await?;
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;

        // Judged by what was sent and not heard, not by the clock of a busy machine: 50 packets are a second.
        caller.ear.rebind().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        let missed = caller.ear.missed();
        ensure!(missed <= 50, "the caller missed {missed} packets");
        phone.ear.hears(CALLER_HZ, SOON).await?;
        phone.ear.rebind().await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        let missed = phone.ear.missed();
        ensure!(missed <= 50, "the agent missed {missed} packets");
        caller.hang_up().await?;
        phone.is_over(SOON).await
    })
    .await
}
