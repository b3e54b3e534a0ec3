//! SIGTERM with a live call: nothing new is taken, what lives may end by itself, and after the grace time it is ended.

use anyhow::{Result, ensure};
use centro_testkit::Centre;
use centro_tests::{
    AGENT_HZ, CALLER_HZ, SOON, floor,
    phones::{self, Phone},
    stage,
};
use std::time::Duration;

/// Within the grace time, and long enough for a busy machine to end.
const END: Duration = Duration::from_secs(15);

/// A caller and Anna who talk to each other.
async fn talking(centre: &Centre) -> Result<(Phone, Phone)> {
    let (anna, owner) = (
        centre.credentials().agents[0].clone(),
        centre.owner().await?,
    );
    let phone = phones::agent(centre, &anna, "agent_answer").await?;
    floor::ready(&owner, &anna.user_id).await?;
    let caller = phones::caller(centre, "+12025550100").await?;
    caller.answered().await?;
    caller.ear.hears(AGENT_HZ, SOON).await?;
    phone.ear.hears(CALLER_HZ, SOON).await?;
    Ok((caller, phone))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_live_call_outlives_sigterm_and_no_new_one_is_taken() -> Result<()> {
    let builder = Centre::builder().set("node.grace=10m");
    stage::with(builder, async |centre| {
        let (mut caller, mut phone) = talking(centre).await?;
        centre.terminate()?;
        centro_testkit::eventually("the centre says that it stops", SOON, async || {
            ensure!(centre.log().contains("Stopping: no new calls"));
            Ok(())
        })
        .await?;
        let mut unwanted = phones::caller_of(centre, "caller_unwanted", "+12025550100").await?;
        unwanted.is_over(SOON).await?;

        // Both still hear each other, from now on.
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        let status = centre.ends(END).await?;
        ensure!(status.code() == Some(0), "{status}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_the_grace_time_both_get_a_bye() -> Result<()> {
    stage::with(Centre::builder().set("node.grace=1s"), async |centre| {
        let (mut caller, mut phone) = talking(centre).await?;
        centre.terminate()?;
        caller.sipp.receives("BYE", SOON).await?;
        phone.sipp.receives("BYE", SOON).await?;
        caller.is_over(SOON).await?;
        phone.is_over(SOON).await?;
        let status = centre.ends(END).await?;
        ensure!(status.code() == Some(0), "{status}");
        Ok(())
    })
    .await
}
