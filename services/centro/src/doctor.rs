//! `centro doctor`: what on this machine would keep a centre from working, with one remedy for each.

mod machine;
mod network;

use crate::{SettingsArguments, exit, settings, settings::Settings};
use std::process::ExitCode;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Ok,
    /// It works, but less well than the settings promise, or only for some.
    Warn,
    /// The centre will not start, or no call will work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    mark: Mark,
    said: String,
}

impl Finding {
    fn new(what: &'static str, mark: Mark, said: impl Into<String>) -> Self {
        let said = said.into();
        Self { what, mark, said }
    }
}

/// Looks at everything and prints it. Fails when something is bad.
pub fn run(from: &SettingsArguments) -> ExitCode {
    let settings = match settings::load(from) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let findings = examine(&settings);
    for finding in &findings {
        let mark = match finding.mark {
            Mark::Ok => "ok",
            Mark::Warn => "warn",
            Mark::Bad => "BAD",
        };
        crate::say(&format!(
            "{mark:<5} {:<14} {}\n",
            finding.what, finding.said
        ));
    }
    match worst(&findings) {
        Mark::Bad => ExitCode::FAILURE,
        Mark::Ok | Mark::Warn => ExitCode::SUCCESS,
    }
}

fn examine(settings: &Settings) -> Vec<Finding> {
    let mut findings = network::examine(settings);
    findings.extend(machine::examine(settings));
    findings
}

fn worst(findings: &[Finding]) -> Mark {
    findings
        .iter()
        .map(|finding| finding.mark)
        .max()
        .unwrap_or(Mark::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_finding_outweighs_all_others() {
        let of = |marks: &[Mark]| {
            let findings: Vec<_> = marks
                .iter()
                .map(|&mark| Finding::new("x", mark, ""))
                .collect();
            worst(&findings)
        };
        assert_eq!(of(&[]), Mark::Ok);
        assert_eq!(of(&[Mark::Warn, Mark::Ok]), Mark::Warn);
        assert_eq!(of(&[Mark::Ok, Mark::Bad, Mark::Warn]), Mark::Bad);
    }
}
