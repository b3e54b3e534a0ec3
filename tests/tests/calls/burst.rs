//! Many at once.

use anyhow::{Context, Result, ensure};
use centro_testkit::{RtpPeer, eventually, free_sip_port, number};
use centro_tests::{AGENT_HZ, CALLER_HZ, floor, phones, stage};
use std::{collections::HashSet, time::Duration};

const CALLS: usize = 20;
const LONG: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn burst_distinct_agents() -> Result<()> {
    stage::with_centre(async |centre| {
        let (owner, sales) = (
            centre.owner().await?,
            centre.credentials().queues[0].id.clone(),
        );
        let (mut users, mut accounts) = (Vec::new(), Vec::new());
        for n in 0..CALLS {
            let user = owner
                .create_user(&format!("Agent{n}"), "ROLE_AGENT", "a long enough password")
                .await?;
            let user = user["id"].as_str().context("a user without id")?.to_owned();
            let device = owner.create_device(&format!("Phone {n}"), &user).await?;
            let text = |key: &str| {
                device[key]
                    .as_str()
                    .map(str::to_owned)
                    .with_context(|| format!("no {key}: {device}"))
            };
            accounts.push((text("username")?, text("secret")?));
            owner.assign(&sales, &user).await?;
            users.push(user);
        }
        let port = free_sip_port()?;
        let named: Vec<(&str, &str)> = accounts
            .iter()
            .map(|(user, secret)| (&**user, &**secret))
            .collect();
        // Devices reach telephony in the order they were made.
        let last = &named[CALLS - 1..];
        let elsewhere = free_sip_port()?;
        eventually("telephony knows the last phone", LONG, async || {
            phones::register(centre, last, elsewhere).await
        })
        .await?;
        phones::register(centre, &named, port).await?;
        let ear = RtpPeer::mu_law(AGENT_HZ).await?;
        let mut answering = phones::answering(centre, "agent_answer", port, &ear)?
            .calls(CALLS as u32)
            .start()?;
        answering.listening().await?;
        for user in &users {
            floor::ready(&owner, user).await?;
        }

        let voice = RtpPeer::a_law(CALLER_HZ).await?;
        let callers = phones::scenario(centre, "caller")?
            .to(centre.sip())
            .dial("+12025550100")
            .audio(&voice)?;
        let mut callers = callers.burst(CALLS as u32).start()?;
        let busy = eventually("every agent talks", LONG, async || {
            let (mut contacts, mut busy) = (HashSet::new(), 0);
            for user in &users {
                let status = owner.agent_status(user).await?;
                if status["state"] == "AGENT_STATE_CONNECTED" {
                    busy += 1;
                    contacts.insert(status["contactId"].to_string());
                }
            }
            ensure!(busy == CALLS, "{busy} of {CALLS} talk");
            Ok(contacts)
        })
        .await?;
        ensure!(
            busy.len() == CALLS,
            "{} contacts for {CALLS} agents",
            busy.len()
        );
        ensure!(
            answering.received_requests("INVITE") == CALLS,
            "{} INVITEs",
            answering.received_requests("INVITE")
        );
        callers.cue_all()?;
        callers.succeeds(LONG).await?;
        answering.succeeds(LONG).await?;
        let contacts = floor::left(&owner, CALLS).await?;
        let agents: HashSet<String> = contacts
            .iter()
            .map(|contact| contact["agentId"].to_string())
            .collect();
        ensure!(
            agents.len() == CALLS,
            "{} agents served {CALLS} calls",
            agents.len()
        );
        ensure!(
            contacts
                .iter()
                .all(|contact| number(&contact["offers"]) == 1),
            "{contacts:#?}"
        );
        Ok(())
    })
    .await
}
