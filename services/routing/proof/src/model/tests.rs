//! Random walks through small worlds.

use super::{Act, Small, check, find, hunts, quick, rest_of_paper};
use crate::kept::hash_of;
use stateright::Model;
use std::collections::BTreeSet;

/// Walks through a world and looks at every state on the way.
fn walk(world: &Small, mut chance: u64, mut look: impl FnMut(&super::State, &[Act])) {
    let mut state = world.start().expect("a beginning");
    for _ in 0..60 {
        let mut acts = Vec::new();
        world.actions(&state, &mut acts);
        look(&state, &acts);
        if acts.is_empty() {
            return;
        }
        chance = hash_of(&chance);
        let act = acts.swap_remove(chance as usize % acts.len());
        state = world.next_state(&state, act).unwrap_or(state);
    }
}

#[test]
fn in_every_state_a_line_of_a_scenario_means_one_step() {
    for (n, world) in quick().into_iter().chain(rest_of_paper()).enumerate() {
        walk(&world, n as u64, |_, acts| {
            let lines: BTreeSet<_> = acts.iter().map(ToString::to_string).collect();
            assert_eq!(lines.len(), acts.len(), "{}: {acts:?}", world.name);
        });
    }
}

#[test]
fn the_uses_that_are_watched_are_those_of_the_edges() {
    for (n, world) in rest_of_paper().into_iter().enumerate() {
        walk(&world, n as u64, |state, _| {
            for agent in 0..world.shape.agents.len() {
                let mut watched = state.world.held_by(agent).to_vec();
                let mut real = state.world.holds_from_edges(agent);
                watched.sort_unstable();
                real.sort_unstable();
                assert_eq!(watched, real, "{}", world.name);
            }
        });
    }
}

#[test]
fn every_world_begins_and_has_a_name_of_its_own() {
    let worlds: Vec<_> = quick().into_iter().chain(rest_of_paper()).collect();
    let names: BTreeSet<_> = worlds.iter().map(|world| world.name.clone()).collect();
    assert_eq!(names.len(), worlds.len());
    for world in &worlds {
        assert!(world.start().is_ok(), "{}", world.name);
        assert!(find(&world.name).is_some());
    }
}

#[test]
fn a_world_is_seen_whole_and_nothing_in_it_is_broken() {
    let world = find("1q1a1c hang-up + reject").expect("a world");
    let verdict = check(&world, 100_000).expect("a verdict");
    assert!(verdict.complete && verdict.states > 1_000);
    assert!(verdict.found.is_none());
}

#[test]
fn the_shortest_way_to_a_deliberate_bug_is_found() {
    let hunt = hunts()
        .into_iter()
        .find(|hunt| hunt.mutant == Some(crate::Mutant::OfferTwice));
    let verdict = check(&hunt.expect("a hunt"), 100_000).expect("a verdict");
    assert_eq!(verdict.found.map(|found| found.lines.len()), Some(8));
}
