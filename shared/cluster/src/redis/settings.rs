//! The section `cluster.redis` of the settings.

use crate::lease::Timing;
use serde::Deserialize;
use std::{fmt, time::Duration};

/// Where Redis is, and how fast a death is noticed.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `redis://user:password@host:6379/0`, or `rediss://` with TLS, trusted by the certificates of the machine.
    pub url: String,
    /// Before every key; another one for each installation on the same Redis.
    pub prefix: String,
    /// A process that was not heard of for so long is dead. Below 1.5 s a busy machine gives false deaths.
    #[serde(with = "humantime_serde")]
    pub session: Duration,
    /// How often a process says that it lives.
    #[serde(with = "humantime_serde")]
    pub beat: Duration,
    /// How often it looks who owns what.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// How long a write of a queue or an agent may take.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".to_owned(),
            prefix: "centro".to_owned(),
            session: Duration::from_secs(2),
            beat: Duration::from_millis(500),
            poll: Duration::from_millis(250),
            write_timeout: Duration::from_millis(1_500),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.place();
        f.debug_struct("Settings")
            .field("url", &at)
            .field("prefix", &self.prefix)
            .field("session", &self.session)
            .field("beat", &self.beat)
            .field("poll", &self.poll)
            .field("write_timeout", &self.write_timeout)
            .finish()
    }
}

impl Settings {
    /// Where Redis is, without who we are there and the password.
    pub(super) fn place(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{host}")
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        let known = ["redis://", "rediss://"];
        if !known.iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err("cluster.redis.url must begin with redis:// or rediss://".into());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.chars().all(plain) {
            return Err("cluster.redis.prefix must be 1 to 64 letters, digits, -, _ or .".into());
        }
        let (second, millis) = (Duration::from_secs(1), Duration::from_millis);
        if self.session < millis(500) || self.session > 60 * second {
            return Err("cluster.redis.session must be between 500ms and 60s".into());
        }
        if self.beat < millis(20) || self.beat > self.session / 4 {
            return Err("cluster.redis.beat must be between 20ms and a quarter of session".into());
        }
        if self.poll < millis(10) || self.poll > self.session / 4 {
            return Err("cluster.redis.poll must be between 10ms and a quarter of session".into());
        }
        if self.write_timeout < millis(50) || self.write_timeout > 30 * second {
            return Err("cluster.redis.write_timeout must be between 50ms and 30s".into());
        }
        Ok(())
    }

    pub(super) const fn timing(&self) -> Timing {
        Timing {
            session: self.session,
            beat: self.beat,
            poll: self.poll,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_shown() {
        let secret = Settings {
            url: "rediss://centro:hunter2@redis:6379/3".into(),
            ..Settings::default()
        };
        let shown = format!("{secret:?}");
        assert!(shown.contains("rediss://redis:6379/3") && !shown.contains("hunter2"));
    }

    #[test]
    fn the_defaults_are_valid_and_a_bad_value_names_its_key() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let bad = [
            Settings {
                url: "http://x".into(),
                ..Settings::default()
            },
            Settings {
                prefix: "a{b}".into(),
                ..Settings::default()
            },
            Settings {
                beat: Duration::from_secs(1),
                ..Settings::default()
            },
        ];
        for (bad, key) in bad.iter().zip(["url", "prefix", "beat"]) {
            let named = format!("cluster.redis.{key}");
            assert!(bad.validate().is_err_and(|e| e.contains(&named)), "{key}");
        }
    }
}
