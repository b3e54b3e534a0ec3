//! Guards sign-ins against guessing: one throttle per login, one per source address; one per source address for API keys.

use crate::{
    Settings,
    core::throttle::{Rule, Throttle},
};
use centro_kernel::{Code, Fault, Timestamp};
use parking_lot::Mutex;
use std::time::Duration;

/// Keys each throttle remembers: enough for an attack from a botnet, some megabytes at most.
const CAPACITY: usize = 50_000;

/// The throttles. Kept in memory: a restart forgives.
#[derive(Debug)]
pub struct Guesses {
    logins: Mutex<Throttle>,
    sources: Mutex<Throttle>,
    keys: Mutex<Throttle>,
}

impl Guesses {
    /// By the settings.
    pub fn new(settings: &Settings) -> Self {
        let rule = |failures| Rule {
            failures,
            pause: settings.sign_in_pause,
            pause_max: settings.sign_in_pause_max,
            window: settings.sign_in_window,
        };
        Self {
            logins: Mutex::new(Throttle::new(rule(settings.sign_in_failures), CAPACITY)),
            sources: Mutex::new(Throttle::new(
                rule(settings.sign_in_failures_per_source),
                CAPACITY,
            )),
            keys: Mutex::new(Throttle::new(
                rule(settings.sign_in_failures_per_source),
                CAPACITY,
            )),
        }
    }

    /// Lets one try of a password through. It counts as failed until [`Guesses::succeeded`] or [`Guesses::unanswered`]
    /// says otherwise. An empty source is not known and not counted.
    ///
    /// # Errors
    /// `too_many_attempts` with `retry_after_seconds`.
    pub fn admit(&self, login: &str, source: &str, now: Timestamp) -> Result<(), Fault> {
        if !source.is_empty() {
            self.sources.lock().admit(source, now).map_err(too_many)?;
        }
        self.logins.lock().admit(login, now).map_err(|wait| {
            self.sources.lock().forgive(source);
            too_many(wait)
        })
    }

    /// Lets one API key be looked up. It counts as unknown until [`Guesses::key_answered`] says otherwise. Nobody guesses
    /// a key; this keeps strangers from making the database look.
    ///
    /// # Errors
    /// `too_many_attempts` with `retry_after_seconds`.
    pub fn admit_key(&self, source: &str, now: Timestamp) -> Result<(), Fault> {
        if source.is_empty() {
            return Ok(());
        }
        self.keys.lock().admit(source, now).map_err(too_many)
    }

    /// The key is known, or could not be looked up.
    pub fn key_answered(&self, source: &str) {
        self.keys.lock().forgive(source);
    }

    /// The password was right.
    pub fn succeeded(&self, login: &str, source: &str) {
        self.logins.lock().clear(login);
        self.sources.lock().forgive(source);
    }

    /// The password was not looked at.
    pub fn unanswered(&self, login: &str, source: &str) {
        self.logins.lock().forgive(login);
        self.sources.lock().forgive(source);
    }
}

fn too_many(wait: Duration) -> Fault {
    let seconds = wait.as_millis().div_ceil(1000);
    Fault::new(
        Code::Busy,
        "too_many_attempts",
        format_args!("too many failed attempts; try again in {seconds} seconds"),
    )
    .with("retry_after_seconds", seconds)
}
