//! Working life from the phone: `*50` log in and ready, `*52` pause, `*53` ready, `*51` log out.

use anyhow::{Result, ensure};
use centro_testkit::{Baresip, Transport, free_sip_port};
use centro_tests::{AGENT_HZ, SOON, floor, phones, stage};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn feature_code_login() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let port = free_sip_port()?;
        phones::register(centre, &[(&anna.username, &anna.secret)], port).await?;
        for (code, state) in [
            ("*50", "READY"),
            ("*52", "PAUSED"),
            ("*53", "READY"),
            ("*51", "LOGGED_OUT"),
        ] {
            let ear = centro_testkit::RtpPeer::a_law(AGENT_HZ).await?;
            let sipp = phones::scenario(centre, "feature_code")?
                .to(centre.sip())
                .port(port)
                .dial(code)
                .audio(&ear)?;
            let mut sipp = sipp
                .accounts([(&*anna.username, &*anna.secret)])?
                .calls(1)
                .start()?;
            ear.hears_something(SOON).await?; // the confirmation
            sipp.succeeds(Duration::from_secs(20)).await?;
            floor::agent_is(&supervisor, &anna.user_id, state).await?;
        }
        let contacts = supervisor.contacts().await?;
        ensure!(contacts.is_empty(), "a code is no contact: {contacts:#?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn feature_code_login_baresip() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let phone = Baresip::start(
            centre.folder(),
            centre.sip(),
            &anna.username,
            &anna.secret,
            AGENT_HZ,
            Transport::Udp,
        )?;
        phone.registered().await?;
        phone.dial("*50")?;
        floor::agent_is(&supervisor, &anna.user_id, "READY").await?;
        phone.says("session closed", Duration::from_secs(20)).await
    })
    .await
}
