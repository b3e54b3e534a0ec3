//! Settings: `centro.default.toml` (complete and commented) → file → `CENTRO__SECTION__KEY` → flags.
//!
//! A key that is not in the default file does not exist. Whatever is refused is named with its value and where it came from.

mod mask;
mod merge;
#[cfg(test)]
mod tests;

use crate::{SettingsArguments, secret};
use centro_node::{Limits, Records, TelemetrySettings};
use merge::{Merged, merge};
use serde::Deserialize;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tonic::transport::Uri;

/// The reference of every setting, and the defaults.
pub const DEFAULTS: &str = include_str!("../centro.default.toml");

/// All sections.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub node: NodeSettings,
    pub bus: BusSettings,
    pub cluster: ClusterSettings,
    pub records: RecordsSettings,
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
    /// Where other processes reach this one; empty: at `grpc_bind`.
    pub advertise: String,
    /// Address for probes and metrics over HTTP; empty: none beside the gateway's.
    pub probe_bind: String,
    /// Threads for requests, and as many for actors; 0: half as many as there are cores.
    pub threads: usize,
    /// How long live calls may go on after SIGTERM.
    #[serde(with = "humantime_serde")]
    pub grace: Duration,
    /// Whether an empty installation gets the demo tenant.
    pub demo: bool,
}

/// What carries events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusSettings {
    /// Whether integrators are told of events, through the broker.
    pub integrators: bool,
    /// A broker; an empty URL: this process alone.
    pub rabbitmq: centro_bus::RabbitSettings,
}

/// Which processes are one centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSettings {
    /// Where they meet; an empty URL: this process is alone.
    pub redis: centro_cluster::redis::Settings,
}

/// Where services keep their records.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsSettings {
    /// A PostgreSQL database; empty: SQLite files in the data folder.
    pub url: String,
    /// Connections of one service's pool.
    pub connections: u32,
    /// How long a statement waits for a free connection.
    #[serde(with = "humantime_serde")]
    pub acquire_timeout: Duration,
    /// How long a statement may take.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Duration,
}

impl RecordsSettings {
    /// The place they name; `data` is the data folder.
    ///
    /// # Errors
    /// The key at fault and what to do, without a password.
    pub fn records(&self, data: &Path) -> Result<Records, String> {
        let limits = Limits {
            connections: self.connections,
            acquire_timeout: self.acquire_timeout,
            statement_timeout: self.statement_timeout,
        };
        limits
            .validate()
            .map_err(|what| format!("records.{what}"))?;
        Records::at(&self.url, data, limits).map_err(|what| format!("records.url: {what}"))
    }
}

impl fmt::Debug for RecordsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordsSettings")
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
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

/// Reads and merges the settings, and checks nothing but their form: for commands that need a part of them.
pub fn read(from: &SettingsArguments) -> Result<Settings, Error> {
    let merged = merge(from)?;
    merged
        .read()
        .map_err(|what| Error::Bad(merged.explain(&what)))
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
        if !self.probe_bind.is_empty() && self.probe_bind.parse::<SocketAddr>().is_err() {
            return Err("node.probe_bind: write ADDRESS:PORT, e.g. \"0.0.0.0:9100\"".into());
        }
        if !self.advertise.is_empty() && self.advertise.rsplit_once(':').is_none() {
            return Err("node.advertise: write HOST:PORT, e.g. \"10.0.3.7:7000\"".into());
        }
        if self.threads > 256 {
            return Err("node.threads: 256 at most, 0 for half as many as there are cores".into());
        }
        Ok(())
    }
}

impl NodeSettings {
    /// Where other processes reach this one.
    pub fn reached_at(&self) -> &str {
        if self.advertise.is_empty() {
            &self.grpc_bind
        } else {
            &self.advertise
        }
    }
}

impl Settings {
    /// A process among others needs a name, a door, a way to be heard and what all of them share.
    fn check_cluster(&self) -> Result<(), String> {
        let rabbitmq = &self.bus.rabbitmq;
        if !rabbitmq.url.is_empty() {
            let mut checked = rabbitmq.validate();
            if self.bus.integrators {
                checked = checked.and_then(|()| rabbitmq.for_integrators().validate());
            }
            checked.map_err(|error| format!("bus.rabbitmq: {error}"))?;
        }
        let redis = &self.cluster.redis;
        if redis.url.is_empty() {
            return Ok(());
        }
        redis.validate()?;
        let needed = [
            (
                !self.node.name.is_empty(),
                "node.name: give each process of a cluster a name of its own",
            ),
            (
                !self.node.secret.is_empty(),
                "node.secret: all processes of a cluster need the same",
            ),
            (
                !self.node.grpc_bind.is_empty(),
                "node.grpc_bind: the other processes of a cluster must reach this one",
            ),
            (
                !rabbitmq.url.is_empty(),
                "bus.rabbitmq.url: a cluster needs a broker",
            ),
            (
                !self.records.url.is_empty(),
                "records.url: a cluster needs a PostgreSQL database",
            ),
        ];
        if let Some((_, text)) = needed.iter().find(|(there, _)| !there) {
            return Err((*text).to_owned());
        }
        let nowhere = self.node.reached_at().parse::<SocketAddr>();
        if nowhere.is_ok_and(|address| address.ip().is_unspecified()) {
            return Err(
                "node.advertise: say at which address the other processes reach this one".into(),
            );
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
        self.check_cluster()?;
        self.records.records(&self.node.data).map(drop)?;
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
