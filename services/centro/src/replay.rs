//! `centro replay --verify`: what a decision log says, held against the rules (docs/replay.md).

use crate::exit;
use centro_kernel::{ContactId, TenantId};
use centro_routing::replay::{self, Asked, Found};
use clap::Args;
use std::{fmt::Write, path::PathBuf, process::ExitCode};

/// What is verified, and what is told of it.
#[derive(Args)]
pub struct ReplayArguments {
    /// Files of the log, the oldest first.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    verify: Vec<PathBuf>,
    /// Only what is this tenant's.
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
    /// Tells what was decided about this contact, and why.
    #[arg(long, value_name = "CONTACT")]
    contact: Option<ContactId>,
}

/// Verifies. Fails with 1 when there is a difference, with 64 when a file cannot be read.
pub fn run(asked: ReplayArguments) -> ExitCode {
    let asked = Asked {
        files: asked.verify,
        tenant: asked.tenant,
        contact: asked.contact,
    };
    match replay::verify(&asked) {
        Ok(found) => {
            crate::say(&told(&found, asked.contact));
            match found.differences {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}

/// The report; its last line is JSON.
fn told(found: &Found, contact: Option<ContactId>) -> String {
    let mut text = String::new();
    for note in &found.notes {
        let _ = writeln!(text, "{note}");
    }
    if let Some(contact) = contact {
        let _ = writeln!(text, "\n{contact}:");
        for line in &found.story {
            let _ = writeln!(text, "  {line}");
        }
        if found.story.is_empty() {
            let _ = writeln!(text, "  the log does not know it");
        }
    }
    if let Some(first) = &found.first {
        let _ = writeln!(text, "\nFirst difference:\n{first}");
    }
    let verdict = match found.differences {
        0 => "the rules say the same",
        _ => "NOT what the rules say",
    };
    let _ = writeln!(
        text,
        "\n{} lines, {} steps of {} queues and agents, {} decisions: {verdict}; {} differences, {} gaps, {} steps \
         without a known state\nlast hash {}\n{}",
        found.lines,
        found.steps,
        found.actors,
        found.decisions,
        found.differences,
        found.gaps,
        found.unverified,
        found.last_hash,
        serde_json::json!({
            "steps": found.steps,
            "decisions": found.decisions,
            "gaps": found.gaps,
            "differences": found.differences,
            "unverified": found.unverified,
            "actors": found.actors,
        })
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{self, Settings};
    use centro_routing::story;

    #[test]
    fn a_log_is_told_with_its_story_and_ends_in_json() {
        let folder = tempfile::tempdir().unwrap();
        let text = "
story: A call
given:
  queues: {support: {}}
  agents:
    bruno: {queues: [support], phone: {answers_after: 3s, talks: 60s}}
when:
  - {at: 1s, call: anna}
then:
  - {at: 5s, connected: {anna: bruno}}
";
        let set = [
            "routing.decision_log.enabled=true".to_owned(),
            format!("routing.decision_log.folder={}", folder.path().display()),
        ];
        let from = crate::SettingsArguments {
            set: set.into(),
            ..Default::default()
        };
        let Settings { routing, .. } = settings::load(&from).unwrap();
        let played = story::play_one("a.yaml", text, &routing);
        assert!(played.failures.is_empty(), "{:?}", played.failures);
        let file = folder.path().join("decisions-000001.jsonl");
        let log = std::fs::read_to_string(&file).unwrap();
        let contact = log.split("\"con_").nth(1).unwrap();
        let contact = format!("con_{}", &contact[..32]).parse().unwrap();
        let asked = Asked {
            files: vec![file.clone()],
            tenant: None,
            contact: Some(contact),
        };
        let found = replay::verify(&asked).unwrap();
        let said = told(&found, Some(contact));
        assert!(said.contains("The only free agent who fits."), "{said}");
        let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["differences"], &last["gaps"]),
            (&0.into(), &0.into())
        );
        assert!(last["decisions"].as_u64() >= Some(1), "{said}");

        std::fs::write(&file, log.replacen("\"at\":1", "\"at\":2", 1)).unwrap();
        let found = replay::verify(&asked).unwrap();
        let said = told(&found, None);
        assert!(said.contains("First difference:"), "{said}");
        assert!(said.contains("NOT what the rules say"), "{said}");
    }
}
