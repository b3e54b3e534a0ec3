//! Layers of settings: which key has which value, and which layer said so.

use super::{DEFAULTS, Error, mask};
use crate::SettingsArguments;
use config::{Config, Environment, File, FileFormat, Map, Source, Value, ValueKind};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Keys that may be absent: the default file writes them as an empty text.
const OPTIONAL: &[&str] = &["telephony.external_address"];

/// A value as it is written, and the layer that gave it.
struct Given {
    value: String,
    origin: String,
}

/// Every setting with its value and its origin, as merged.
pub struct Merged {
    config: Config,
    given: BTreeMap<String, Given>,
}

impl Merged {
    /// The settings as a type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let config = self.config.clone();
        serde_path_to_error::deserialize(config).map_err(|error| {
            let key = error.path().to_string();
            // A list's items are named by the list's key.
            let key = key.split('[').next().unwrap_or_default().to_owned();
            let what = error.into_inner().to_string();
            if key == "." || what.contains(&key) {
                what
            } else {
                format!("{key}: {what}")
            }
        })
    }

    /// Key, value and origin of each setting, as they may be shown.
    pub fn shown(&self) -> impl Iterator<Item = (&str, String, &str)> {
        self.given
            .iter()
            .map(|(key, given)| (&**key, mask::shown(key, &given.value), &*given.origin))
    }

    /// What is wrong, and for each key that the sentence names: its value and who gave it.
    pub fn explain(&self, what: &str) -> String {
        let mut named: Vec<&str> = Vec::new();
        let mut section = "";
        for word in what.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.') {
            let word = word.trim_matches('.');
            let in_section = format!("{section}.{word}");
            let known = self.given.get_key_value(word).or_else(|| {
                word.contains('_')
                    .then(|| self.given.get_key_value(&in_section))?
            });
            if let Some((key, _)) = known
                && !named.contains(&key.as_str())
            {
                named.push(key);
                section = key.split('.').next().unwrap_or_default();
            }
        }
        let facts: Vec<_> = named
            .iter()
            .filter_map(|key| {
                let given = self.given.get(*key)?;
                let value = mask::shown(key, &given.value);
                Some(format!("{key} = {value} from {}", given.origin))
            })
            .collect();
        let what = mask::text(what);
        if facts.is_empty() {
            what
        } else {
            format!("{what} ({})", facts.join("; "))
        }
    }
}

/// Reads every layer and lays them over each other.
pub fn merge(from: &SettingsArguments) -> Result<Merged, Error> {
    let mut given: BTreeMap<String, Given> = BTreeMap::new();
    let mut lists = BTreeSet::new();
    let mut builder = Config::builder();
    for (index, (origin, config)) in layers(from)?.into_iter().enumerate() {
        let mut flat = BTreeMap::new();
        flatten("", config.collect().unwrap_or_default(), &mut flat);
        builder = builder.add_source(config);
        for (key, kind) in flat {
            let value = kind.to_string();
            if index == 0 {
                if matches!(kind, ValueKind::Array(_)) {
                    lists.insert(key.clone());
                }
            } else if !given.contains_key(&key) {
                let hint = nearest(&key, given.keys());
                let value = mask::shown(&key, &value);
                return Err(Error::Unknown {
                    key,
                    value,
                    origin,
                    hint,
                });
            }
            // The environment and the command line know only texts.
            if let ValueKind::String(text) = &kind
                && lists.contains(&key)
            {
                let list = list(&key, text, &origin)?;
                builder = builder.set_override(&key, list).map_err(bad)?;
            }
            let origin = origin.clone();
            given.insert(key, Given { value, origin });
        }
    }
    for key in OPTIONAL {
        if given.get(*key).is_some_and(|given| given.value.is_empty()) {
            builder = builder.set_override(key, None::<String>).map_err(bad)?;
        }
    }
    let config = builder.build().map_err(bad)?;
    Ok(Merged { config, given })
}

/// A list that was written as a text, in TOML.
fn list(key: &str, text: &str, origin: &str) -> Result<Vec<Value>, Error> {
    let document = format!("list = {text}");
    let parsed = Config::builder()
        .add_source(File::from_str(&document, FileFormat::Toml))
        .build()
        .and_then(|config| config.get_array("list"));
    parsed.map_err(|_| {
        let value = mask::shown(key, text);
        Error::Bad(format!(
            "{key} is a list; write it as in the file, e.g. {key}=[1, 2] or {key}=[\"a\"] ({key} = {value} from {origin})"
        ))
    })
}

fn layers(from: &SettingsArguments) -> Result<Vec<(String, Config)>, Error> {
    let mut layers = vec![layer(
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
    #[cfg(test)]
    let environment = environment.source(Some(from.environment.clone().into_iter().collect()));
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
        flags = flags.set_override(&key, value).map_err(bad)?;
    }
    layers.push(("the command line".to_owned(), flags.build().map_err(bad)?));
    Ok(layers)
}

fn bad(error: config::ConfigError) -> Error {
    Error::Bad(mask::text(&error.to_string()))
}

fn layer(
    origin: &str,
    source: impl Source + Send + Sync + 'static,
) -> Result<(String, Config), Error> {
    let config = Config::builder().add_source(source).build();
    config
        .map(|config| (origin.to_owned(), config))
        .map_err(|error| Error::Bad(mask::text(&format!("{origin}: {error}"))))
}

fn flatten(prefix: &str, table: Map<String, Value>, flat: &mut BTreeMap<String, ValueKind>) {
    for (key, value) in table {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value.kind {
            ValueKind::Table(table) => flatten(&key, table, flat),
            kind => {
                flat.insert(key, kind);
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

/// The keys of a settings file.
#[cfg(test)]
pub fn keys(file: &str) -> Vec<String> {
    let file = Config::builder()
        .add_source(File::from_str(file, FileFormat::Toml))
        .build()
        .unwrap();
    let mut flat = BTreeMap::new();
    flatten("", file.collect().unwrap(), &mut flat);
    flat.into_keys().collect()
}
