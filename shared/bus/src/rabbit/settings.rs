//! Where the broker is and what it may keep.

use super::RabbitError;
use lapin::uri::AMQPUri;
use serde::Deserialize;
use std::{fmt, time::Duration};

/// Settings of [`RabbitBus`](super::RabbitBus).
///
/// What a queue or the log may keep is laid down when the broker makes it; a change here does not reach one that is there
/// (a warning says so): delete it while it is empty, or set a policy at the broker.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RabbitSettings {
    /// Where the broker is: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. `/` in a vhost is written `%2f`.
    pub url: String,
    /// The topic exchange of all events, and the beginning of the names of all queues. 1 to 64 of `a-z A-Z 0-9 . _ -`;
    /// 57 where integrators are told.
    pub exchange: String,
    /// Events a member of a group may have in hand: read and not acknowledged, and waiting to be read. 50 to 10,000.
    pub prefetch: u16,
    /// How long `publish`, `subscribe`, `watch` and each try to connect at the start wait for the broker. 100 ms to 60 s.
    #[serde(with = "humantime_serde")]
    pub publish_timeout: Duration,
    /// A broker that is silent for twice as long is given up. 1 s to 60 s, in seconds.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// How often a member may give an event back before it goes to the group's dead-letter queue. It rests up to 5 s after
    /// each, so 200 outlast a quarter of an hour without a database. 1 to 10,000.
    pub delivery_limit: u32,
    /// Events a group may have unread; then the broker takes no more. 1,000 to 100,000,000.
    pub unread: u32,
    /// Events a watcher may have unread before it loses the oldest. 1 to 1,000,000.
    pub watched: u32,
    /// How long the log keeps events for replay, in seconds. 1 minute to 10 years.
    #[serde(with = "humantime_serde")]
    pub log_max_age: Duration,
    /// Bytes the log keeps at most; the oldest go first. At least 1 MiB.
    pub log_max_bytes: u64,
    /// How long a start waits for a broker that is not there yet. 0 fails at the first try.
    #[serde(with = "humantime_serde")]
    pub start_patience: Duration,
}

impl Default for RabbitSettings {
    fn default() -> Self {
        Self {
            url: "amqp://guest:guest@127.0.0.1:5672/%2f".into(),
            exchange: "centro.events".into(),
            prefetch: 256,
            publish_timeout: Duration::from_secs(5),
            heartbeat: Duration::from_secs(5),
            delivery_limit: 200,
            unread: 1_000_000,
            watched: 4_096,
            log_max_age: Duration::from_secs(7 * 24 * 3_600),
            log_max_bytes: 10 << 30,
            start_patience: Duration::ZERO,
        }
    }
}

impl RabbitSettings {
    /// The same broker, and the exchange that integrators read.
    #[must_use]
    pub fn for_integrators(&self) -> Self {
        Self {
            exchange: format!("{}.public", self.exchange),
            ..self.clone()
        }
    }

    /// The vhost that the address names.
    ///
    /// # Errors
    /// The first value that is wrong.
    pub fn vhost(&self) -> Result<String, RabbitError> {
        self.uri().map(|uri| uri.vhost)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`RabbitError::Settings`] names the first that is wrong.
    pub fn validate(&self) -> Result<(), RabbitError> {
        self.uri().map(drop)
    }

    /// The address with the heartbeat, when all is valid.
    pub(super) fn uri(&self) -> Result<AMQPUri, RabbitError> {
        let wrong = |key, problem: &str| RabbitError::Settings {
            key,
            problem: problem.to_owned(),
        };
        let seconds = Duration::from_secs;
        let check = |fine: bool, key, problem| fine.then_some(()).ok_or(wrong(key, problem));
        let word = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        check(
            (1..=64).contains(&self.exchange.len()) && self.exchange.chars().all(word),
            "exchange",
            "must be 1 to 64 letters, digits, '.', '-' or '_'",
        )?;
        check(
            (50..=10_000).contains(&self.prefetch),
            "prefetch",
            "must be 50 to 10000",
        )?;
        check(
            (Duration::from_millis(100)..=seconds(60)).contains(&self.publish_timeout),
            "publish_timeout",
            "must be 100ms to 60s",
        )?;
        check(
            (seconds(1)..=seconds(60)).contains(&self.heartbeat),
            "heartbeat",
            "must be 1s to 60s",
        )?;
        check(
            (1..=10_000).contains(&self.delivery_limit),
            "delivery_limit",
            "must be 1 to 10000",
        )?;
        check(
            (1_000..=100_000_000).contains(&self.unread),
            "unread",
            "must be 1000 to 100000000",
        )?;
        check(
            (1..=1_000_000).contains(&self.watched),
            "watched",
            "must be 1 to 1000000",
        )?;
        check(
            (seconds(60)..=seconds(10 * 366 * 24 * 3_600)).contains(&self.log_max_age),
            "log_max_age",
            "must be 1min to 10years",
        )?;
        check(
            (1 << 20..=1 << 60).contains(&self.log_max_bytes),
            "log_max_bytes",
            "must be at least 1048576",
        )?;
        // The parser's own words may repeat what it was given, and with it the password.
        let mut uri: AMQPUri = self.url.parse().map_err(|_| {
            wrong(
                "url",
                "is no amqp:// or amqps:// address; write user, password and vhost percent-encoded",
            )
        })?;
        uri.query.heartbeat = u16::try_from(self.heartbeat.as_secs()).ok();
        Ok(uri)
    }
}

impl fmt::Debug for RabbitSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitSettings")
            .field("url", &"***")
            .field("exchange", &self.exchange)
            .field("prefetch", &self.prefetch)
            .field("publish_timeout", &self.publish_timeout)
            .field("heartbeat", &self.heartbeat)
            .field("delivery_limit", &self.delivery_limit)
            .field("unread", &self.unread)
            .field("watched", &self.watched)
            .field("log_max_age", &self.log_max_age)
            .field("log_max_bytes", &self.log_max_bytes)
            .field("start_patience", &self.start_patience)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RabbitSettings)) -> RabbitSettings {
        let mut settings = RabbitSettings::default();
        change(&mut settings);
        settings
    }

    #[test]
    fn the_default_is_valid() {
        RabbitSettings::default().validate().unwrap();
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (key, settings) in [
            ("exchange", with(|s| s.exchange = "a b".into())),
            ("exchange", with(|s| s.exchange = String::new())),
            ("prefetch", with(|s| s.prefetch = 49)),
            (
                "publish_timeout",
                with(|s| s.publish_timeout = Duration::ZERO),
            ),
            ("heartbeat", with(|s| s.heartbeat = Duration::ZERO)),
            ("delivery_limit", with(|s| s.delivery_limit = 0)),
            ("unread", with(|s| s.unread = 0)),
            ("watched", with(|s| s.watched = 0)),
            ("log_max_age", with(|s| s.log_max_age = Duration::ZERO)),
            ("log_max_bytes", with(|s| s.log_max_bytes = 0)),
            ("url", with(|s| s.url = "http://u:secret@host".into())),
        ] {
            match settings.validate() {
                Err(RabbitError::Settings { key: named, .. }) => assert_eq!(named, key),
                other => panic!("{key}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_password_is_shown_nowhere() {
        let settings = with(|s| s.url = "amqp://u:secret@host/%2f".into());
        assert!(!format!("{settings:?}").contains("secret"));
        let broken = with(|s| s.url = "amqp://u:secret@host:port".into()).validate();
        let error = broken.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn a_section_of_a_file_is_read() {
        let text = r#"{"url": "amqps://u:p@mq/centro", "heartbeat": "10s"}"#;
        let settings: RabbitSettings = serde_json::from_str(text).unwrap();
        assert_eq!(settings.uri().unwrap().query.heartbeat, Some(10));
        assert!(serde_json::from_str::<RabbitSettings>(r#"{"hearbeat": "10s"}"#).is_err());
    }
}
