//! Settings: `centro.default.toml` (complete and commented) → file → `CENTRO__SECTION__KEY` → flags.
//!
//! A key that is not in the default file does not exist. Whatever is refused is named with its value and where it came from.

mod mask;
mod merge;
#[cfg(test)]
mod tests;

use crate::{SettingsArguments, secret};
use centro_node::TelemetrySettings;
use merge::{Merged, merge};
use serde::Deserialize;
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use tonic::transport::Uri;

/// The reference of every setting, and the defaults.
pub const DEFAULTS: &str = include_str!("../centro.default.toml");

/// All sections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub node: NodeSettings,
    pub telemetry: TelemetrySettings,
    pub identity: centro_identity::Settings,
    pub configuration: centro_configuration::Settings,
    pub telephony: centro_telephony::Settings,
    pub routing: centro_routing::Settings,
    pub analytics: centro_analytics::Settings,
    pub gateway: centro_gateway::Settings,
}

/// The process itself.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// Name in the cluster; empty: `centro`.
    pub name: String,
    /// Folder for databases and recordings.
    pub data: PathBuf,
    /// The installation's signing secret in hex; empty: made once and kept in the data folder.
    pub secret: String,
    /// Address to serve gRPC on; empty: not outside this process.
    pub grpc_bind: String,
    /// Threads for requests, and as many for actors; 0: half as many as there are cores.
    pub threads: usize,
    /// How long live calls may go on after SIGTERM.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// Whether an empty installation gets the demo tenant.
    pub demo: bool,
}

impl fmt::Debug for NodeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSettings")
            .field("name", &self.name)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// What is wrong with the settings, in one sentence for the person who wrote them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("unknown setting {key} = {value} (from {origin}){hint}")]
    Unknown {
        key: String,
        value: String,
        origin: String,
        hint: String,
    },
    #[error("--set {0} is not KEY=VALUE, e.g. --set telephony.bind=0.0.0.0:5060")]
    NotAPair(String),
    #[error("{0}")]
    Bad(String),
}

/// Reads, merges and checks the settings.
pub fn load(from: &SettingsArguments) -> Result<Settings, Error> {
    let merged = merge(from)?;
    checked(&merged).map_err(|what| Error::Bad(merged.explain(&what)))
}

/// Prints every setting, its value and where it came from.
pub fn show(from: &SettingsArguments) -> Result<(), Error> {
    let merged = merge(from)?;
    for (key, value, origin) in merged.shown() {
        crate::say(&format!("{:<60} # {origin}\n", format!("{key} = {value}")));
    }
    load(from).map(drop)
}

fn checked(merged: &Merged) -> Result<Settings, String> {
    let settings: Settings = merged.read()?;
    settings.validate()?;
    Ok(settings)
}

impl NodeSettings {
    fn validate(&self) -> Result<(), String> {
        if self.data.as_os_str().is_empty() {
            return Err("node.data: name a folder".into());
        }
        if !self.secret.is_empty() {
            secret::decode(&self.secret).map_err(|what| format!("node.secret {what}"))?;
        }
        if !self.grpc_bind.is_empty() && self.grpc_bind.parse::<SocketAddr>().is_err() {
            return Err("node.grpc_bind: write ADDRESS:PORT, e.g. \"0.0.0.0:7000\"".into());
        }
        if self.threads > 256 {
            return Err("node.threads: 256 at most, 0 for half as many as there are cores".into());
        }
        Ok(())
    }
}

/// A collector is spoken to by gRPC, so it has a scheme and a host.
fn check_collector(endpoint: &str) -> Result<(), String> {
    let good =
        |uri: &Uri| uri.authority().is_some() && matches!(uri.scheme_str(), Some("http" | "https"));
    if endpoint.is_empty() || endpoint.parse::<Uri>().is_ok_and(|uri| good(&uri)) {
        return Ok(());
    }
    Err("telemetry.otlp_endpoint: write http:// or https:// and the collector's host, e.g. \"http://localhost:4317\"".into())
}

impl Settings {
    fn validate(&self) -> Result<(), String> {
        self.node.validate()?;
        self.telemetry.validate()?;
        check_collector(&self.telemetry.otlp_endpoint)?;
        self.identity.validate()?;
        self.configuration.validate()?;
        self.telephony.validate()?;
        self.routing.validate()?;
        self.analytics.validate()?;
        self.gateway.validate()?;
        if self.configuration.realm != self.telephony.realm {
            return Err(
                "configuration.realm and telephony.realm must be the same: device passwords are hashed with it".into(),
            );
        }
        Ok(())
    }
}
