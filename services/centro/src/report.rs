//! What a person reads when the centre is ready: where to look, what to dial, how to log in.

use crate::{demo::Demo, folder, settings::Settings, wiring::Started};
use anyhow::{Context, Result};
use centro_node::{Node, Role};
use centro_proto::configuration::{
    SnapshotRequest, change::Object, configuration_feed_client::ConfigurationFeedClient,
};
use serde_json::json;
use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::{Duration, Instant},
};

/// How long the gateway may take to say where it answers.
const BOUND: Duration = Duration::from_secs(10);

/// Numbers that are named at a start; a tenant may have thousands.
const NUMBERS_SHOWN: usize = 8;

/// Prints the ready message, and writes the generated passwords where the caller asked for them.
pub async fn ready(
    running: &Started,
    settings: &Settings,
    roles: &[Role],
    made: Option<&Demo>,
    credentials: Option<&Path>,
    started: Instant,
) -> Result<()> {
    let http = match roles.contains(&Role::Gateway) {
        true => Some(bound(running).await?),
        false => None,
    };
    let mut text = format!(
        "\nCentro is ready after {:.1} s.\n",
        started.elapsed().as_secs_f64()
    );
    if let Some(http) = http {
        let everywhere = if settings.gateway.bind.ip().is_unspecified() {
            "   (and on every other address of this machine)"
        } else {
            ""
        };
        writeln!(text, "  Look   http://{http}{everywhere}")?;
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
            write_numbers(&mut text, &running.node, settings).await?
        }
        None => {}
    }
    writeln!(text, "  Stop   Ctrl C\n")?;
    crate::say(&text);

    if let (Some(path), Some(demo)) = (credentials, made) {
        let mut document = serde_json::to_value(demo)?;
        document["http"] = json!(http.map(|address| format!("http://{address}")));
        document["sip"] = json!(settings.telephony.bind.to_string());
        folder::write_private(path, document.to_string().as_bytes())
            .context("the credentials file")?;
    }
    Ok(())
}

/// Where a browser on this computer finds the pages: port 0 and 0.0.0.0 are no addresses to go to.
async fn bound(running: &Started) -> Result<SocketAddr> {
    let mut http = running.http.clone();
    let told = tokio::time::timeout(BOUND, http.wait_for(Option::is_some))
        .await
        .context("the gateway does not answer HTTP")??;
    Ok(reachable(
        (*told).context("the gateway does not answer HTTP")?,
    ))
}

fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_to_an_address_that_exists() {
        for (bound, shown) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.1:81", "192.0.2.1:81"),
        ] {
            assert_eq!(
                reachable(bound.parse().unwrap()),
                shown.parse().unwrap(),
                "{bound}"
            );
        }
    }
}
