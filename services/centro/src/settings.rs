//! Settings: `centro.default.toml` (complete and commented) → file → `CENTRO__SECTION__KEY` → flags.
//!
//! A key that is not in the default file does not exist and is refused, with its value and where it came from.

use crate::SettingsArguments;
use centro_node::TelemetrySettings;
use config::{Config, Environment, File, FileFormat, Map, Source, Value, ValueKind};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

/// The reference of every setting, and the defaults.
pub const DEFAULTS: &str = include_str!("../centro.default.toml");

/// Keys whose values are never shown.
const SECRETS: &[&str] = &["node.secret"];

/// Keys that may be absent: the default file writes them as an empty text.
const OPTIONAL: &[&str] = &["telephony.external_address"];

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

/// Every setting with its value and its origin, as merged.
pub struct Merged {
    config: Config,
    origins: BTreeMap<String, (String, String)>,
}

/// Reads, merges and checks the settings.
pub fn load(from: &SettingsArguments) -> Result<Settings, Error> {
    let settings: Settings = merge(from)?
        .config
        .try_deserialize()
        .map_err(|error| Error::Bad(error.to_string()))?;
    settings.validate()?;
    Ok(settings)
}

/// Prints every setting, its value and where it came from.
pub fn show(from: &SettingsArguments) -> Result<(), Error> {
    let merged = merge(from)?;
    for (key, (value, origin)) in &merged.origins {
        let value = if SECRETS.contains(&key.as_str()) && !value.is_empty() {
            "***"
        } else {
            value
        };
        crate::say(&format!("{:<60} # {origin}\n", format!("{key} = {value}")));
    }
    load(from).map(drop)
}

fn merge(from: &SettingsArguments) -> Result<Merged, Error> {
    let mut layers: Vec<(String, Config)> = vec![layer(
        "the built-in defaults",
        File::from_str(DEFAULTS, FileFormat::Toml),
    )?];
    if let Some(path) = &from.config {
        layers.push(layer(
            &path.display().to_string(),
            File::from(path.as_path()).format(FileFormat::Toml),
        )?);
    }
    let environment = Environment::with_prefix("CENTRO")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true);
    layers.push(layer("the environment", environment)?);
    let mut flags = Config::builder();
    let data = from
        .data
        .as_ref()
        .map(|path| ("node.data".to_owned(), path.display().to_string()));
    let pairs = from.set.iter().map(|pair| {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::NotAPair(pair.clone()))?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    });
    for pair in pairs.chain(data.map(Ok)) {
        let (key, value) = pair?;
        flags = flags
            .set_override(&key, value)
            .map_err(|error| Error::Bad(error.to_string()))?;
    }
    layers.push((
        "the command line".to_owned(),
        flags
            .build()
            .map_err(|error| Error::Bad(error.to_string()))?,
    ));

    let mut origins = BTreeMap::new();
    let mut builder = Config::builder();
    for (index, (origin, config)) in layers.into_iter().enumerate() {
        let mut flat = BTreeMap::new();
        flatten("", config.collect().unwrap_or_default(), &mut flat);
        for (key, value) in flat {
            if index > 0 && !origins.contains_key(&key) {
                let hint = nearest(&key, origins.keys());
                return Err(Error::Unknown {
                    key,
                    value,
                    origin,
                    hint,
                });
            }
            origins.insert(key, (value, origin.clone()));
        }
        builder = builder.add_source(config);
    }
    for key in OPTIONAL.iter().filter(|key| {
        origins
            .get(**key)
            .is_some_and(|(value, _)| value.is_empty())
    }) {
        builder = builder
            .set_override(key, None::<String>)
            .map_err(|error| Error::Bad(error.to_string()))?;
    }
    let config = builder
        .build()
        .map_err(|error| Error::Bad(error.to_string()))?;
    Ok(Merged { config, origins })
}

fn layer(
    origin: &str,
    source: impl Source + Send + Sync + 'static,
) -> Result<(String, Config), Error> {
    let config = Config::builder().add_source(source).build();
    config
        .map(|config| (origin.to_owned(), config))
        .map_err(|error| Error::Bad(format!("{origin}: {error}")))
}

fn flatten(prefix: &str, table: Map<String, Value>, flat: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value.kind {
            ValueKind::Table(table) => flatten(&key, table, flat),
            ref kind => {
                flat.insert(key, kind.to_string());
            }
        }
    }
}

/// " (did you mean …?)" for the known key that is most like a mistyped one.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a String>) -> String {
    let score = |candidate: &str| {
        let same = candidate
            .chars()
            .zip(key.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let tail = candidate
            .chars()
            .rev()
            .zip(key.chars().rev())
            .take_while(|(a, b)| a == b)
            .count();
        same + tail
    };
    known
        .max_by_key(|candidate| score(candidate))
        .filter(|candidate| score(candidate) * 2 > key.len())
        .map(|candidate| format!("; did you mean {candidate}?"))
        .unwrap_or_default()
}

impl Settings {
    fn validate(&self) -> Result<(), Error> {
        self.telemetry
            .validate()
            .and_then(|()| self.identity.validate())
            .and_then(|()| self.configuration.validate())
            .and_then(|()| self.telephony.validate())
            .and_then(|()| self.routing.validate())
            .and_then(|()| self.analytics.validate())
            .and_then(|()| self.gateway.validate())
            .map_err(Error::Bad)?;
        if self.node.threads > 256 {
            return Err(Error::Bad(format!(
                "node.threads = {}: 256 at most, 0 for half as many as there are cores",
                self.node.threads
            )));
        }
        if self.configuration.realm != self.telephony.realm {
            return Err(Error::Bad(
                "configuration.realm and telephony.realm must be the same: device passwords are hashed with it".into(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[&str]) -> Result<Settings, Error> {
        load(&SettingsArguments {
            set: set.iter().map(|&s| s.to_owned()).collect(),
            ..Default::default()
        })
    }

    #[test]
    fn the_defaults_are_complete_and_good() {
        with(&[]).unwrap();
    }

    #[test]
    fn a_flag_beats_the_default() {
        let settings = with(&["node.grace=7s", "node.demo=false"]).unwrap();
        assert_eq!(settings.node.grace, Duration::from_secs(7));
        assert!(!settings.node.demo);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_value_and_origin() {
        let error = with(&["node.grase=7s"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown setting node.grase = 7s (from the command line); did you mean node.grace?"
        );
    }

    #[test]
    fn a_wrong_type_is_refused_with_its_key() {
        let error = with(&["node.demo=perhaps"]).unwrap_err().to_string();
        assert!(error.contains("node.demo"), "{error}");
    }
}
