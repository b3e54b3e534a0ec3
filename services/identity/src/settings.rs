//! The `[identity]` section of the settings.

use centro_contract::revocation::LONGEST_LIFE;
use serde::Deserialize;
use std::time::Duration;

/// How people and programs sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long an access token is good for, unless it is called back; 1h at most.
    #[serde(with = "humantime_serde")]
    pub access_token_ttl: Duration,
    /// How long a session lasts without use.
    #[serde(with = "humantime_serde")]
    pub refresh_token_ttl: Duration,
    /// Password checks that run at once; each takes one core and 19 MiB for some 35 ms.
    pub hash_workers: usize,
    /// Password checks that may wait for a worker; more are answered `busy_signing_in`.
    pub hash_queue: usize,
    /// Failed sign-ins of one login before it has to pause.
    pub sign_in_failures: u32,
    /// Failed sign-ins from one source address before it has to pause.
    pub sign_in_failures_per_source: u32,
    /// The first pause; it doubles with each further failure.
    #[serde(with = "humantime_serde")]
    pub sign_in_pause: Duration,
    /// The longest pause.
    #[serde(with = "humantime_serde")]
    pub sign_in_pause_max: Duration,
    /// After this time without a failure, earlier ones are forgotten.
    #[serde(with = "humantime_serde")]
    pub sign_in_window: Duration,
    /// How often the last use of API keys is written down.
    #[serde(with = "humantime_serde")]
    pub api_key_use_flush: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_ttl: Duration::from_secs(15 * 60),
            refresh_token_ttl: Duration::from_secs(30 * 24 * 3600),
            hash_workers: 2,
            hash_queue: 64,
            sign_in_failures: 5,
            sign_in_failures_per_source: 50,
            sign_in_pause: Duration::from_secs(5),
            sign_in_pause_max: Duration::from_secs(300),
            sign_in_window: Duration::from_secs(15 * 60),
            api_key_use_flush: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The key at fault and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let durations = [
            ("access_token_ttl", self.access_token_ttl),
            ("refresh_token_ttl", self.refresh_token_ttl),
            ("sign_in_pause", self.sign_in_pause),
            ("sign_in_window", self.sign_in_window),
            ("api_key_use_flush", self.api_key_use_flush),
        ];
        if let Some((key, _)) = durations.iter().find(|(_, d)| *d < Duration::from_secs(1)) {
            return Err(format!("identity.{key} is too short; give at least 1s"));
        }
        if self.access_token_ttl > LONGEST_LIFE {
            return Err(
                "identity.access_token_ttl is above 1h; make it shorter, sessions last for refresh_token_ttl".into(),
            );
        }
        if self.access_token_ttl > self.refresh_token_ttl {
            return Err(
                "identity.access_token_ttl outlives identity.refresh_token_ttl; make it shorter"
                    .into(),
            );
        }
        if self.sign_in_pause_max < self.sign_in_pause {
            return Err(
                "identity.sign_in_pause_max is below identity.sign_in_pause; make it longer".into(),
            );
        }
        if self.hash_workers == 0 || self.hash_workers > 1024 {
            return Err(
                "identity.hash_workers must be 1 to 1024; use at most the number of cores".into(),
            );
        }
        if self.hash_queue > 100_000 {
            return Err("identity.hash_queue is above 100000; nobody waits that long".into());
        }
        if self.sign_in_failures == 0 || self.sign_in_failures_per_source == 0 {
            return Err(
                "identity.sign_in_failures and sign_in_failures_per_source must be at least 1"
                    .into(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_names_its_key() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let wrong = Settings {
            hash_workers: 0,
            ..Settings::default()
        };
        assert!(
            wrong
                .validate()
                .unwrap_err()
                .contains("identity.hash_workers")
        );
        let long = Settings {
            access_token_ttl: LONGEST_LIFE + Duration::from_secs(1),
            ..Settings::default()
        };
        let refused = long.validate().unwrap_err();
        assert!(refused.contains("identity.access_token_ttl"), "{refused}");
    }
}
