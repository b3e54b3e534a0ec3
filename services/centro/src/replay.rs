//! `centro replay --verify`: what a decision log says, held against the rules (docs/replay.md).

use crate::EX_USAGE;
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
            ExitCode::from(EX_USAGE)
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
