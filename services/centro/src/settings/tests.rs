use super::*;
use serde::de::{Deserialize, Deserializer, Visitor, value::Error as ValueError};
use std::collections::BTreeSet;

fn with(set: &[&str]) -> Result<Settings, Error> {
    load(&SettingsArguments {
        set: set.iter().map(|&s| s.to_owned()).collect(),
        ..Default::default()
    })
}

fn wrong(set: &[&str]) -> String {
    with(set).unwrap_err().to_string()
}

fn environment(pairs: &[(&str, &str)]) -> SettingsArguments {
    SettingsArguments {
        environment: pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Default::default()
    }
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
    assert_eq!(
        wrong(&["node.grase=7s"]),
        "unknown setting node.grase = 7s (from the command line); did you mean node.grace?"
    );
    let error = wrong(&["analytics.databse=postgres://me:hunter2@db/x"]);
    assert!(
        error.contains("postgres://***@db/x") && !error.contains("hunter2"),
        "{error}"
    );
    let error = wrong(&["node.smtp_password=hunter2"]);
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn what_is_refused_is_named_with_its_value_and_its_origin() {
    for (set, key) in [
        ("node.demo=perhaps", "node.demo"),
        ("node.grace=soon", "node.grace"),
        ("telephony.bind=here", "telephony.bind"),
        ("routing.mailbox=1", "routing.mailbox"),
        ("telephony.digest=[\"SHA-1\"]", "telephony.digest"),
        ("telephony.rtp_ports=[2000, 1000]", "telephony.rtp_ports"),
        ("node.grpc_bind=7000", "node.grpc_bind"),
        ("records.url=mysql://db/centro", "records.url"),
        ("records.connections=1", "records.connections"),
        ("records.statement_timeout=1h", "records.statement_timeout"),
        (
            "telemetry.otlp_endpoint=localhost",
            "telemetry.otlp_endpoint",
        ),
        ("telemetry.format=xml", "telemetry.format"),
    ] {
        let error = wrong(&[set]);
        let value = set.split_once('=').unwrap().1;
        assert!(error.contains(key), "{set}: {error}");
        assert!(error.contains("from the command line"), "{set}: {error}");
        let bare = value.trim_matches(['[', ']']).trim_matches('"');
        assert!(error.contains(bare), "{set}: {error}");
    }
}

/// A process among others that lacks what they need is refused before anything is written.
#[test]
fn what_a_cluster_needs_is_asked_for_one_by_one() {
    let all = [
        ("node.name", "node.name=a"),
        ("node.secret", &format!("node.secret={}", "5a".repeat(32))),
        ("node.grpc_bind", "node.grpc_bind=0.0.0.0:7000"),
        (
            "bus.rabbitmq.url",
            "bus.rabbitmq.url=amqp://me:hunter2@mq/%2f",
        ),
        ("records.url", "records.url=postgres://me:hunter2@db/centro"),
        ("node.advertise", "node.advertise=10.0.0.7:7000"),
    ];
    let mut set = vec!["cluster.redis.url=redis://:hunter2@redis"];
    for (missing, setting) in all {
        let error = wrong(&set);
        assert!(
            error.contains(missing) && !error.contains("hunter2"),
            "{error}"
        );
        set.push(setting);
    }
    let settings = with(&set).unwrap();
    assert_eq!(settings.node.reached_at(), "10.0.0.7:7000");
}

#[test]
fn two_settings_that_do_not_fit_are_both_named_with_their_origins() {
    let error = wrong(&["telephony.realm=elsewhere"]);
    assert!(
        error.contains("telephony.realm = elsewhere from the command line")
            && error.contains("configuration.realm = centro from the built-in defaults"),
        "{error}"
    );
    let from = environment(&[("CENTRO__GATEWAY__REQUEST_TIMEOUT", "2h")]);
    let error = load(&from).unwrap_err().to_string();
    assert!(
        error.contains("gateway.request_timeout = 2h from the environment")
            && error.contains("gateway.longest_request_timeout = 1m"),
        "{error}"
    );
}

#[test]
fn a_bad_secret_is_refused_and_not_shown() {
    let error = wrong(&["node.secret=00ff00ff"]);
    assert!(error.contains("node.secret has 4 bytes"), "{error}");
    assert!(!error.contains("00ff"), "{error}");
    assert!(wrong(&["node.secret=zzz"]).contains("node.secret is not hexadecimal"));
}

#[test]
fn lists_can_be_set_by_environment_and_flag() {
    let from = environment(&[
        ("CENTRO__TELEPHONY__RTP_PORTS", "[30000, 30100]"),
        ("CENTRO__TELEPHONY__DIGEST", "[\"SHA-256\", \"MD5\"]"),
        (
            "CENTRO__GATEWAY__ALLOWED_ORIGINS",
            "[\"https://desk.example.com\"]",
        ),
    ]);
    let settings = load(&from).unwrap();
    assert_eq!(settings.telephony.rtp_ports, (30_000, 30_100));
    assert_eq!(settings.telephony.digest.len(), 2);
    assert_eq!(
        settings.gateway.allowed_origins,
        ["https://desk.example.com"]
    );
    let both = SettingsArguments {
        set: vec!["telephony.rtp_ports=[40000, 40100]".into()],
        ..from
    };
    assert_eq!(load(&both).unwrap().telephony.rtp_ports, (40_000, 40_100));
    let error = wrong(&["telephony.rtp_ports=30000-30100"]);
    assert!(
        error.contains("telephony.rtp_ports is a list") && error.contains("the command line"),
        "{error}"
    );
}

#[test]
fn what_is_shown_has_no_secrets() {
    let from = SettingsArguments {
        set: vec![
            format!("node.secret={}", "ab".repeat(32)),
            "records.url=postgres://me:hunter2@db/x".into(),
        ],
        ..Default::default()
    };
    let merged = merge(&from).unwrap();
    let all: Vec<_> = merged
        .shown()
        .map(|(key, value, origin)| format!("{key} = {value} # {origin}"))
        .collect();
    let text = all.join("\n");
    assert!(
        text.contains("node.secret = *** # the command line"),
        "{text}"
    );
    assert!(text.contains("identity.access_token_ttl = 15m"), "{text}");
    assert!(
        !text.contains("hunter2") && !text.contains("abab"),
        "{text}"
    );
}

/// Asks a type for the names of its fields and gives it nothing.
struct FieldsOf<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for FieldsOf<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(serde::de::Error::custom("only the names are asked for"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.0.extend(fields);
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields_of<'de, T: Deserialize<'de>>() -> Vec<&'static str> {
    let mut fields = Vec::new();
    assert!(T::deserialize(FieldsOf(&mut fields)).is_err());
    assert!(!fields.is_empty());
    fields
}

/// Keys that only the settings' types have, or only the file.
fn differences(file: &str) -> BTreeSet<String> {
    let sections = [
        ("node", fields_of::<NodeSettings>()),
        ("bus", fields_of::<BusSettings>()),
        ("cluster", fields_of::<ClusterSettings>()),
        ("records", fields_of::<RecordsSettings>()),
        ("telemetry", fields_of::<TelemetrySettings>()),
        ("identity", fields_of::<centro_identity::Settings>()),
        (
            "configuration",
            fields_of::<centro_configuration::Settings>(),
        ),
        ("telephony", fields_of::<centro_telephony::Settings>()),
        ("routing", fields_of::<centro_routing::Settings>()),
        ("analytics", fields_of::<centro_analytics::Settings>()),
        ("gateway", fields_of::<centro_gateway::Settings>()),
    ];
    let tested: Vec<_> = sections.iter().map(|(section, _)| *section).collect();
    assert_eq!(
        fields_of::<Settings>(),
        tested,
        "a section is not tested here"
    );
    // Sections within sections.
    let inner = [
        ("bus.rabbitmq", fields_of::<centro_bus::RabbitSettings>()),
        (
            "cluster.redis",
            fields_of::<centro_cluster::redis::Settings>(),
        ),
        (
            "routing.decision_log",
            fields_of::<centro_routing::DecisionLogSettings>(),
        ),
    ];
    let all = sections.iter().chain(&inner);
    let mut typed: BTreeSet<String> = all
        .flat_map(|(section, fields)| fields.iter().map(move |field| format!("{section}.{field}")))
        .collect();
    for (section, _) in &inner {
        assert!(typed.remove(*section), "{section} is no section");
    }
    let written: BTreeSet<String> = merge::keys(file).into_iter().collect();
    typed.symmetric_difference(&written).cloned().collect()
}

#[test]
fn the_default_file_has_every_field_and_no_other() {
    assert_eq!(differences(DEFAULTS), BTreeSet::new());
}

#[test]
fn a_field_that_the_default_file_lacks_is_seen_and_so_is_a_key_too_many() {
    let file = DEFAULTS.replace("max_calls = 5000\n", "");
    assert_eq!(
        differences(&file),
        BTreeSet::from(["telephony.max_calls".into()])
    );
    let file = DEFAULTS.replace("[routing]\n", "[routing]\nnobody_reads_this = 1\n");
    assert_eq!(
        differences(&file),
        BTreeSet::from(["routing.nobody_reads_this".into()])
    );
}
