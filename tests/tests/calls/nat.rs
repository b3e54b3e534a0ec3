//! Addresses that are not what the telephone says.

use anyhow::{Result, ensure};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones, stage};
use std::time::Duration;

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

        caller.ear.rebind().await?;
        let back = caller.ear.hears(AGENT_HZ, SOON).await?;
        // A quarter of a second of it is the tone that had to be heard.
        ensure!(
            back <= Duration::from_millis(1250),
            "the caller heard nothing for {back:?}"
        );
        phone.ear.hears(CALLER_HZ, SOON).await?;
        phone.ear.rebind().await?;
        let back = phone.ear.hears(CALLER_HZ, SOON).await?;
        ensure!(
            back <= Duration::from_millis(1250),
            "the agent heard nothing for {back:?}"
        );
        caller.hang_up().await?;
        phone.is_over(SOON).await
    })
    .await
}
