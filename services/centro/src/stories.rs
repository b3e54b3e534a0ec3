//! `centro test`: stories of a contact centre, told in a moment (docs/stories.md).

use crate::exit;
use centro_routing::story::{self, Report};
use clap::Args;
use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

/// What is played, and how it is told.
#[derive(Args)]
pub struct TestArguments {
    /// Files and folders with stories in YAML.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Prints the result as one JSON document.
    #[arg(long)]
    json: bool,
}

/// Plays the stories. Fails with 1 when one did not come true, with 64 when there is nothing to play.
pub fn run(asked: &TestArguments) -> ExitCode {
    let report = match story::play(&asked.paths) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    crate::say(&told(&report, asked.json));
    match report.failed() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn told(report: &Report, json: bool) -> String {
    if json {
        return format!("{}\n", serde_json::json!(report));
    }
    // https://no-color.org
    let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    report.text(coloured)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "
story: Nobody is there
given:
  queues:
    support: {join_empty: deny_if_none_logged_in}
when:
  - {at: 1s, call: anna}
then:
  - {at: 1s, within: 3s, left: {anna: {reason: 5, outcome: evicted_system}}}
  - {at: 5s, left: {anna: {reason: abandoned}}}
";

    #[test]
    fn a_story_that_does_not_come_true_is_told_to_machines_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty.yaml"), STORY).unwrap();
        let report = story::play(&[folder.path().to_owned()]).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told(&report, true)).unwrap();
        let failure = &told["stories"][0]["failures"][0];
        assert_eq!(told["stories"][0]["failures"][1], serde_json::Value::Null);
        assert_eq!(failure["line"], 10);
        assert_eq!(failure["expected"], "abandoned");
        assert!(
            failure["seen"]
                .as_str()
                .unwrap()
                .starts_with("joined_empty")
        );
    }
}
