//! The shortest traces of the deliberate bugs, and of flaws that were found in the product: on the right code nothing
//! breaks, with the bug the same rule breaks again.

#![allow(clippy::expect_used)] // tests may stop at the first surprise

use centro_routing_proof::{
    Mutant,
    scenario::{Scenario, Told},
};
use std::{collections::BTreeSet, path::Path};

fn all() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = std::fs::read_dir(folder).expect("scenarios");
    let mut all: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).expect("a text");
            (name, text.parse().expect("a scenario"))
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

#[test]
fn every_deliberate_bug_has_its_scenario() {
    let told: BTreeSet<_> = all().into_iter().filter_map(|(_, s)| s.mutant).collect();
    assert_eq!(told, Mutant::ALL.into_iter().collect());
}

#[test]
fn no_scenario_breaks_a_rule_of_the_product() {
    for (name, scenario) in all() {
        let told = scenario.replay(false).expect("a world");
        assert_eq!(told.broken, None, "{name}");
    }
}

#[test]
fn with_its_bug_every_scenario_comes_true_and_breaks_its_rule() {
    for (name, scenario) in all().into_iter().filter(|(_, s)| s.mutant.is_some()) {
        let Told { broken, steps } = scenario.replay(true).expect("a world");
        let broken = broken.map(|broken| broken.to_string());
        assert_eq!(broken.as_ref(), Some(&scenario.broken), "{name}");
        assert_eq!(steps, scenario.steps.len(), "{name}");
    }
}

#[test]
fn a_scenario_survives_being_written_and_read() {
    for (name, scenario) in all() {
        let again: Scenario = scenario.to_string().parse().expect("a scenario");
        assert_eq!(again, scenario, "{name}");
    }
}
