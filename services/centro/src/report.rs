//! What a person reads when the centre is ready: where to look, what to dial, how to log in.

use crate::{demo::Demo, secret, settings::Settings};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use centro_proto::configuration::{
    SnapshotRequest, change::Object, configuration_feed_client::ConfigurationFeedClient,
};
use serde_json::json;
use std::{fmt::Write as _, path::Path, time::Instant};

/// Numbers that are named at a start; a tenant may have thousands.
const NUMBERS_SHOWN: usize = 8;

/// Prints the ready message, and writes the generated passwords where the caller asked for them.
pub async fn ready(
    node: &Node,
    settings: &Settings,
    roles: &[Role],
    made: Option<&Demo>,
    credentials: Option<&Path>,
    started: Instant,
) -> Result<()> {
    let mut text = format!(
        "\nCentro is ready after {:.1} s.\n",
        started.elapsed().as_secs_f64()
    );
    if roles.contains(&Role::Gateway) {
        writeln!(text, "  Look   http://{}", settings.gateway.bind)?;
    }
    if roles.contains(&Role::Telephony) {
        writeln!(
            text,
            "  Phones register at {} (UDP or TCP), realm {}",
            settings.telephony.bind, settings.telephony.realm
        )?;
    }
    match made {
        Some(demo) => write_demo(&mut text, settings, demo)?,
        None if roles.contains(&Role::Configuration) => {
            write_numbers(&mut text, node, settings).await?
        }
        None => {}
    }
    writeln!(text, "  Stop   Ctrl C\n")?;
    crate::say(&text);

    if let (Some(path), Some(demo)) = (credentials, made) {
        let mut document = serde_json::to_value(demo)?;
        document["http"] = json!(format!("http://{}", settings.gateway.bind));
        document["sip"] = json!(settings.telephony.bind.to_string());
        secret::write_private(path, document.to_string().as_bytes())
            .context("the credentials file")?;
    }
    Ok(())
}

fn write_demo(text: &mut String, settings: &Settings, demo: &Demo) -> Result<()> {
    writeln!(
        text,
        "  Dial   from any soft phone on this computer, without registering:"
    )?;
    for queue in &demo.queues {
        writeln!(
            text,
            "           sip:{}@{}   {}",
            queue.number, settings.telephony.bind, queue.display_name
        )?;
    }
    writeln!(
        text,
        "\nThis installation was empty, so it has a demo tenant now. These passwords are shown once; change them in"
    )?;
    writeln!(text, "the pages or with POST /v1/me:changePassword.\n")?;
    writeln!(
        text,
        "  {:<12} {:<24} {:<18} SIP user and password",
        "person", "login", "password"
    )?;
    for (name, login) in [("Owner", &demo.owner), ("Supervisor", &demo.supervisor)] {
        writeln!(
            text,
            "  {name:<12} {:<24} {:<18}",
            login.login, login.password
        )?;
    }
    for agent in &demo.agents {
        writeln!(
            text,
            "  {:<12} {:<24} {:<18} {} {}",
            agent.display_name, agent.login, agent.password, agent.username, agent.secret
        )?;
    }
    writeln!(
        text,
        "\nAn agent's phone: register it, dial *50 to log in and be ready, *52 to pause, *51 to log out."
    )?;
    Ok(())
}

async fn write_numbers(text: &mut String, node: &Node, settings: &Settings) -> Result<()> {
    let mut feed = ConfigurationFeedClient::new(node.conn(Role::Configuration));
    let snapshot = feed
        .snapshot(SnapshotRequest::default())
        .await
        .context("cannot read the configuration")?;
    let changes = snapshot.into_inner().changes;
    let numbers = changes.iter().filter_map(|change| match &change.object {
        Some(Object::Number(number)) if !change.deleted => Some(number),
        _ => None,
    });
    writeln!(text, "  Dial   from a line this centre knows:")?;
    for number in numbers.take(NUMBERS_SHOWN) {
        writeln!(
            text,
            "           sip:{}@{}   {}",
            number.e164, settings.telephony.bind, number.display_name
        )?;
    }
    Ok(())
}
