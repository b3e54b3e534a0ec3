//! Whether this process lives, has started, and may get work; with the reasons.
//!
//! Services register what they need; the node adds what it knows itself: its doors are open, it is not draining.

use parking_lot::Mutex;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What a check is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Needed once: tables are migrated, the first snapshot is loaded.
    Startup,
    /// Needed all the time: the process gets no new work while it fails.
    Ready,
}

type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The checks of a process. Cheap to clone; clones are the same registry.
#[derive(Clone, Default)]
pub struct Health(Arc<Mutex<BTreeMap<(Kind, String), Check>>>);

impl Health {
    /// Registers a check; one of the same kind and name is replaced. It is asked often and must answer at once: no I/O.
    /// Its error says in lower case what is missing.
    pub fn check(
        &self,
        kind: Kind,
        name: &str,
        check: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0
            .lock()
            .insert((kind, name.to_owned()), Arc::new(check));
    }

    /// Registers a check that fails, for `reason`, until the flag is raised.
    pub fn flag(&self, kind: Kind, name: &str, reason: &str) -> Flag {
        let flag = Flag(Arc::new(Mutex::new(Some(reason.to_owned()))));
        let asked = flag.clone();
        self.check(kind, name, move || {
            asked.0.lock().clone().map_or(Ok(()), Err)
        });
        flag
    }

    /// What the checks of a kind say now.
    pub(crate) fn ask(&self, kind: Kind) -> Vec<CheckReport> {
        // The registry is not locked while a check runs: it may register another.
        let checks: Vec<_> = self
            .0
            .lock()
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, name), check)| (name.clone(), check.clone()))
            .collect();
        checks
            .into_iter()
            .map(|(name, check)| CheckReport::of(name, check()))
            .collect()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.lock().keys()).finish()
    }
}

/// A check's state, set by whoever knows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Flag(Arc<Mutex<Option<String>>>);

impl Flag {
    /// All is well from now on.
    pub fn raise(&self) {
        *self.0.lock() = None;
    }

    /// It fails from now on, for this reason.
    pub fn lower(&self, reason: &str) {
        *self.0.lock() = Some(reason.to_owned());
    }
}

/// An answer to a probe; JSON-able.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether every check passed.
    pub ok: bool,
    /// Each of them, by name.
    pub checks: Vec<CheckReport>,
}

/// One check's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Which one, e.g. `analytics.facts`.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What is missing; empty when it passed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl CheckReport {
    pub(crate) fn of(name: impl Into<String>, answer: Result<(), String>) -> Self {
        let ok = answer.is_ok();
        Self {
            name: name.into(),
            ok,
            reason: answer.err().unwrap_or_default(),
        }
    }
}

impl Report {
    pub(crate) fn of(checks: Vec<CheckReport>) -> Self {
        Self {
            ok: checks.iter().all(|check| check.ok),
            checks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_fails_with_its_reason_until_it_is_raised() {
        let health = Health::default();
        let flag = health.flag(Kind::Startup, "store", "tables are being made");
        let report = Report::of(health.ask(Kind::Startup));
        assert!(!report.ok);
        assert_eq!(report.checks[0].reason, "tables are being made");
        flag.raise();
        assert!(Report::of(health.ask(Kind::Startup)).ok);
        flag.lower("lost");
        assert_eq!(health.ask(Kind::Startup)[0].reason, "lost");
    }

    #[test]
    fn kinds_are_asked_apart_and_an_empty_registry_is_well() {
        let health = Health::default();
        health.check(Kind::Ready, "bus", || Err("away".into()));
        assert!(Report::of(health.ask(Kind::Startup)).ok);
        assert!(!Report::of(health.ask(Kind::Ready)).ok);
    }

    #[test]
    fn a_report_reads_as_json() {
        let report = Report::of(vec![
            CheckReport::of("a", Ok(())),
            CheckReport::of("b", Err("no".into())),
        ]);
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            r#"{"ok":false,"checks":[{"name":"a","ok":true},{"name":"b","ok":false,"reason":"no"}]}"#
        );
    }
}
