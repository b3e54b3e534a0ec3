//! The example for Docker Compose says to the program what the program understands.

use crate::{SettingsArguments, run, settings};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = include_str!("../../../k8s/compose/docker-compose.yaml");
const EXAMPLE: &str = include_str!("../../../k8s/compose/example.env");

type Environment = BTreeMap<String, String>;

/// What a person would write into `.env`.
fn written(name: &str) -> &'static str {
    match name {
        "CENTRO_SECRET" => "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "CENTRO_PUBLIC_ADDRESS" => "192.0.2.7",
        _ => "0123456789abcdef",
    }
}

/// Puts what is written into `.env` in place of `${NAME:?…}`; each has to be in the example.
fn filled_in(value: &str) -> String {
    let mut parts = value.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').expect("it is closed");
        let name = name.split(':').next().expect("a name");
        assert!(
            EXAMPLE.lines().any(|line| line == format!("{name}=")),
            "{name} is not in example.env"
        );
        text.push_str(written(name));
        text.push_str(rest);
    }
    text
}

/// The settings that all share and the services with their commands and settings, as this file writes them.
fn read() -> (Environment, BTreeMap<String, (String, Environment)>) {
    let mut shared = Environment::new();
    let mut services = BTreeMap::<String, (String, Environment)>::new();
    let (mut section, mut service) = ("", "");
    for line in FILE.lines() {
        let trimmed = line.trim();
        match line.len() - line.trim_start().len() {
            _ if trimmed.is_empty() || trimmed.starts_with('#') => {}
            0 => section = trimmed.split(':').next().unwrap_or_default(),
            2 if section == "services" => service = trimmed.trim_end_matches(':'),
            _ => {
                let Some((key, value)) = trimmed.split_once(": ") else {
                    continue;
                };
                let value = value.trim_matches('"');
                if section == "x-settings" {
                    shared.insert(key.to_owned(), filled_in(value));
                } else if section == "services" && key == "command" {
                    services.entry(service.to_owned()).or_default().0 = value.to_owned();
                } else if section == "services" && key.starts_with("CENTRO__") {
                    let of_service = services.entry(service.to_owned()).or_default();
                    of_service.1.insert(key.to_owned(), filled_in(value));
                }
            }
        }
    }
    services.retain(|_, (_, environment)| !environment.is_empty());
    (shared, services)
}

#[test]
fn every_process_of_the_example_has_good_settings_and_together_they_have_every_role() {
    let (shared, services) = read();
    assert_eq!(services.len(), 9, "{services:?}");
    let mut seen = BTreeSet::new();
    let mut routing = 0;
    for (name, (command, own)) in services {
        let command: Vec<String> = serde_json::from_str(&command).expect("a list of words");
        let [verb, flag, role] = command.as_slice() else {
            panic!("{command:?}");
        };
        assert_eq!((verb.as_str(), flag.as_str()), ("run", "--role"));
        let roles = run::roles(std::slice::from_ref(role)).unwrap();
        routing += usize::from(role == "routing");
        seen.extend(roles.into_iter().map(|role| role.name()));
        let mut environment = shared.clone();
        environment.extend(own);
        let loaded = settings::load(&SettingsArguments {
            environment: environment.into_iter().collect(),
            ..SettingsArguments::default()
        });
        let loaded = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(loaded.node.name, name);
        assert_eq!(loaded.node.reached_at(), format!("{name}:7000"));
        assert!(!loaded.cluster.redis.url.is_empty(), "{name} is alone");
    }
    assert_eq!(routing, 2);
    let all: BTreeSet<_> = centro_node::Role::ALL
        .iter()
        .map(|role| role.name())
        .collect();
    assert_eq!(seen, all);
}
