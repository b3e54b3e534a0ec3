//! Hold by re-INVITE.

use anyhow::{Result, ensure};
use centro_testkit::{eventually, number, sound};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, phones, stage};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hold_by_reinvite() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
        floor::ready(&supervisor, &anna.user_id).await?;
        let mut caller = phones::caller_of(centre, "caller_hold", "+12025550100").await?;
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;

        let answers = |count: usize| {
            let sipp = &caller.sipp;
            eventually("the re-INVITE is answered", SOON, async move || {
                let seen = sipp
                    .received()
                    .iter()
                    .filter(|m| m.starts_with("SIP/2.0 200") && m.contains(" INVITE"))
                    .count();
                ensure!(seen == count, "{seen} answers");
                Ok(())
            })
        };
        caller.sipp.cue()?;
        answers(2).await?;
        eventually(
            "the held caller hears the agent no more",
            SOON,
            async || {
                let since = Instant::now();
                tokio::time::sleep(std::time::Duration::from_millis(400)).await; // a stretch to listen to
                let tone = sound::seconds_of(AGENT_HZ, &caller.ear.heard_since(since));
                ensure!(tone == 0.0, "{tone:.2} s");
                Ok(())
            },
        )
        .await?;
        eventually(
            "the held agent hears music, not the caller",
            SOON,
            async || {
                let since = Instant::now();
                tokio::time::sleep(std::time::Duration::from_millis(400)).await; // a stretch to listen to
                let heard = phone.ear.heard_since(since);
                let (tone, loud) = (
                    sound::seconds_of(CALLER_HZ, &heard),
                    sound::seconds_loud(&heard),
                );
                ensure!(
                    tone == 0.0 && loud >= 0.2,
                    "{tone:.2} s of the caller, {loud:.2} s of sound"
                );
                Ok(())
            },
        )
        .await?;
        caller.sipp.cue()?;
        answers(3).await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        caller.hang_up().await?;
        phone.is_over(SOON).await?;
        let contact = floor::ended(&supervisor, "HANDLED").await?;
        ensure!(number(&contact["holdMs"]) >= 300, "{contact:#}");
        Ok(())
    })
    .await
}
