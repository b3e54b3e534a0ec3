//! Telephones at a centre: agents' phones that registered, and callers.

use anyhow::{Context, Result};
use centro_testkit::{Agent, Centre, RtpPeer, Sipp, SippBuilder, free_sip_port};
use std::{path::PathBuf, time::Duration};

use crate::SOON;

/// A telephone with its ear and its voice.
pub struct Phone {
    /// The signalling.
    pub sipp: Sipp,
    /// The sound.
    pub ear: RtpPeer,
}

/// A scenario of `tests/sip`.
pub fn scenario(centre: &Centre, name: &str) -> Result<SippBuilder> {
    let file = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?)
        .join("sip")
        .join(name)
        .with_extension("xml");
    Sipp::scenario(&file, centre.folder())
}

/// Registers accounts (user name and secret) from one port.
pub async fn register(centre: &Centre, accounts: &[(&str, &str)], port: u16) -> Result<()> {
    let sipp = scenario(centre, "register")?
        .to(centre.sip())
        .port(port)
        .calls(accounts.len() as u32);
    let mut sipp = sipp.accounts(accounts.iter().copied())?.start()?;
    sipp.succeeds(SOON).await.context("registration")
}

/// The agent's phone, registered and waiting for one call of the scenario. It speaks µ-law, as callers speak A-law.
pub async fn agent(centre: &Centre, agent: &Agent, name: &str) -> Result<Phone> {
    let port = free_sip_port()?;
    register(centre, &[(&agent.username, &agent.secret)], port).await?;
    let ear = RtpPeer::mu_law(crate::AGENT_HZ).await?;
    let sipp = answering(centre, name, port, &ear)?.calls(1);
    let mut sipp = sipp.start()?;
    sipp.listening().await?;
    Ok(Phone { sipp, ear })
}

/// A phone that waits to be called on the port; not started yet.
pub fn answering(centre: &Centre, name: &str, port: u16, ear: &RtpPeer) -> Result<SippBuilder> {
    Ok(scenario(centre, name)?
        .port(port)
        .audio(ear)?
        .key("payload", "0")
        .key("codec", "PCMU"))
}

/// A caller who dials the number.
pub async fn caller(centre: &Centre, number: &str) -> Result<Phone> {
    caller_of(centre, "caller", number).await
}

/// A caller with another scenario.
pub async fn caller_of(centre: &Centre, name: &str, number: &str) -> Result<Phone> {
    let ear = RtpPeer::a_law(crate::CALLER_HZ).await?;
    let sipp = scenario(centre, name)?
        .to(centre.sip())
        .dial(number)
        .audio(&ear)?
        .calls(1)
        .start()?;
    Ok(Phone { sipp, ear })
}

impl Phone {
    /// Waits until the other side answered, and speaks to where it wants to be spoken to.
    pub async fn answered(&self) -> Result<()> {
        self.sipp.receives("SIP/2.0 200", SOON).await?;
        self.ear.speak_to(self.sipp.remote_audio()?);
        Ok(())
    }

    /// Hangs up and waits until the call is over in order.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.sipp.cue()?;
        self.is_over(SOON).await
    }

    /// Waits until the call is over and went as its scenario says.
    pub async fn is_over(&mut self, within: Duration) -> Result<()> {
        self.sipp.succeeds(within).await
    }

    /// Waits until it rings.
    pub async fn rings(&self, within: Duration) -> Result<()> {
        self.sipp.receives("INVITE", within).await
    }
}
