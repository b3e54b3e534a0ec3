//! Carriers that sign in, and callers over TCP.

use anyhow::{Context, Result};
use centro_testkit::{RtpPeer, eventually};
use centro_tests::{AGENT_HZ, CALLER_HZ, SOON, floor, metrics, phones, stage};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_trunk_signs_in_by_digest() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        // The demo's trunk is this computer: whoever calls from here needs no password until it is gone.
        let trunks = owner.get("/v1/trunks").await?;
        let id = trunks["trunks"][0]["id"].as_str().context("no trunk")?;
        owner.delete(&format!("/v1/trunks/{id}")).await?;
        let made = owner
            .post(
                "/v1/trunks",
                json!({"displayName": "Carrier", "digest": true}),
            )
            .await?;
        let text = |key: &str| {
            made[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no {key}: {made:#}"))
        };
        let (user, secret) = (text("username")?, text("secret")?);
        let ear = RtpPeer::a_law(CALLER_HZ).await?;
        eventually("the carrier's call is answered", 2 * SOON, async || {
            let carrier = phones::scenario(centre, "carrier_digest")?
                .to(centre.sip())
                .dial("+12025550100")
                .audio(&ear)?
                .calls(1);
            carrier
                .accounts([(&*user, &*secret)])?
                .start()?
                .succeeds(SOON)
                .await
        })
        .await
    })
    .await
}

/// A caller over TCP talks; the agent hangs up, and the centre's BYE goes over the caller's connection, if it is still there.
async fn over_tcp(vanishes: bool) -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
        floor::ready(&supervisor, &anna.user_id).await?;
        let ear = RtpPeer::a_law(CALLER_HZ).await?;
        let sipp = phones::scenario(centre, "caller")?
            .to(centre.sip())
            .dial("+12025550100")
            .audio(&ear)?
            .calls(1)
            .arguments(&["-t", "t1"])
            .start()?;
        let mut caller = phones::Phone { sipp, ear };
        caller.answered().await?;
        caller.ear.hears(AGENT_HZ, SOON).await?;
        phone.ear.hears(CALLER_HZ, SOON).await?;
        if vanishes {
            // The connection is closed without a BYE.
            caller.sipp.kill()?;
            phone.hang_up().await?;
        } else {
            phone.hang_up().await?;
            caller.is_over(SOON).await?;
        }
        floor::ended(&supervisor, "HANDLED").await?;
        drop((caller, phone));
        metrics::nothing_is_left(centre, 10 * SOON).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_over_tcp_is_told_that_the_agent_hung_up() -> Result<()> {
    over_tcp(false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_over_tcp_who_vanishes_leaves_nothing_behind() -> Result<()> {
    over_tcp(true).await
}
