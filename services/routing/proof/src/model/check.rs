//! Runs the checker over worlds and says what it found.

use super::{Small, worlds};
use crate::{Mutant, scenario::Scenario};
use centro_routing_core::invariants::Broken;
use stateright::{Checker, HasDiscoveries, Model};
use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// States generated per world: in a quick run, in a whole one, and in the hunt for a bug.
const QUICK: usize = 200_000;
const WHOLE: usize = 1_200_000;
const HUNT: usize = 2_000_000;
const HUNT_SAFETY: usize = 150_000;

/// The shortest way to a broken rule.
#[derive(Clone, Debug)]
pub struct Found {
    /// The rule.
    pub broken: Broken,
    /// The way, as the lines of a scenario.
    pub lines: Vec<String>,
    /// How it goes on by itself from there until the rule breaks; empty when the way broke it.
    pub then: Vec<String>,
}

/// What the checker says of a world.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Distinct states.
    pub states: usize,
    /// States generated.
    pub generated: usize,
    /// The longest way looked at.
    pub depth: usize,
    /// Whether every state was seen.
    pub complete: bool,
    /// What is broken.
    pub found: Option<Found>,
}

/// Checks a world, breadth first, until `limit` states were generated.
///
/// # Errors
/// The world cannot begin.
pub fn check(world: &Small, limit: usize) -> Result<Verdict, String> {
    world.start()?;
    let mut model = world.clone();
    model.found = std::sync::Arc::default();
    let checker = model
        .checker()
        .threads(1)
        .target_state_count(limit)
        .finish_when(HasDiscoveries::Any)
        .spawn_bfs()
        .join();
    let found = checker.discoveries().into_values().next();
    let shortest = found.map(|path| (path.last_state().clone(), path.into_actions()));
    let found = shortest.map(|(last, acts)| {
        let prefix = world.prefix.iter().map(|line| (*line).to_owned());
        let mut then = Vec::new();
        if last.world.broken().is_none() && last.world.most_grants() <= world.most_grants() {
            let _ = world.run_on(&last, |next| then.push(next.to_string()));
        }
        Found {
            then,
            broken: world.judge(&last).err().unwrap_or(Broken::NoRest),
            lines: prefix.chain(acts.iter().map(ToString::to_string)).collect(),
        }
    });
    Ok(Verdict {
        states: checker.unique_state_count(),
        generated: checker.state_count(),
        depth: checker.max_depth(),
        complete: checker.state_count() < limit,
        found,
    })
}

/// Hunts a bug: the nearest state that breaks a rule by itself; without one, the nearest from which nothing comes to rest.
///
/// # Errors
/// The world cannot begin.
fn hunt(world: &Small) -> Result<Verdict, String> {
    let safety = Small {
        liveness: false,
        ..world.clone()
    };
    let verdict = check(&safety, HUNT_SAFETY)?;
    if verdict.found.is_some() || !world.liveness {
        return Ok(verdict);
    }
    check(world, HUNT)
}

/// Checks worlds on several threads, tells of each, and gives the verdicts in order.
fn check_all(list: &[(Small, usize)], threads: usize) -> Vec<Option<Verdict>> {
    let next = AtomicUsize::new(0);
    let mut verdicts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let Some((world, limit)) = list.get(n) else {
                            return mine;
                        };
                        let began = Instant::now();
                        let verdict = if world.mutant.is_some() {
                            hunt(world)
                        } else {
                            check(world, *limit)
                        };
                        tell(world, &verdict, began.elapsed().as_secs_f64());
                        mine.push((n, verdict.ok()));
                    }
                })
            })
            .collect();
        let joined = workers.into_iter().filter_map(|worker| worker.join().ok());
        joined.flatten().collect()
    });
    verdicts.sort_by_key(|(n, _)| *n);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

fn tell(world: &Small, verdict: &Result<Verdict, String>, took: f64) {
    let bug = world.mutant.map_or("", Mutant::name);
    let verdict = match verdict {
        Ok(verdict) => verdict,
        Err(line) => {
            println!("{} {bug}: cannot begin, at: {line}", world.name);
            return;
        }
    };
    let seen = match (&verdict.found, verdict.complete) {
        (Some(_), _) => "found",
        (None, true) => "complete",
        (None, false) => "cut off",
    };
    println!(
        "{:36} {bug:20} {:>8} states {:>8} generated, depth {:>2}, {took:>5.1} s, {seen}",
        world.name, verdict.states, verdict.generated, verdict.depth
    );
    if let Some(found) = &verdict.found {
        println!("  {} steps: {}", found.lines.len(), found.broken);
        if world.mutant.is_none() {
            for line in &found.lines {
                println!("    {line}");
            }
        }
    }
}

/// Checks the worlds and hunts the bugs; the last line is JSON. True when no world is broken and every bug is found.
pub fn habit(
    quick: bool,
    only: Option<&str>,
    limit: Option<usize>,
    sample: u64,
    threads: usize,
) -> bool {
    let size = limit.unwrap_or(if quick { QUICK } else { WHOLE });
    let mut list: Vec<_> = worlds::quick();
    if !quick {
        list.extend(worlds::rest_of_paper());
    }
    for world in &mut list {
        world.sample = sample;
    }
    let clean = list.into_iter().map(|world| (world, size));
    let hunts = worlds::hunts().into_iter().map(|world| (world, HUNT));
    let wanted = |world: &Small| {
        only.is_none_or(|only| {
            world.name.contains(only) || world.mutant.is_some_and(|m| m.name().contains(only))
        })
    };
    let list: Vec<_> = clean
        .chain(hunts)
        .filter(|(world, _)| wanted(world))
        .collect();
    let verdicts = check_all(&list, threads);
    let (mut worlds, mut states, mut violations, mut mutants, mut found) = (0, 0, 0, 0, 0);
    for ((world, _), verdict) in list.iter().zip(&verdicts) {
        let broken = verdict.as_ref().is_none_or(|v| v.found.is_some());
        if world.mutant.is_some() {
            mutants += 1;
            found += usize::from(verdict.as_ref().is_some_and(|v| v.found.is_some()));
        } else {
            worlds += 1;
            states += verdict.as_ref().map_or(0, |v| v.states);
            violations += usize::from(broken);
        }
    }
    println!(
        r#"{{"worlds":{worlds},"states":{states},"violations":{violations},"mutants":{mutants},"mutants_found":{found}}}"#
    );
    verdicts.len() == list.len() && violations == 0 && mutants == found
}

/// Writes the shortest trace of each bug as a scenario into a folder. True when every bug was found.
///
/// # Errors
/// A file cannot be written.
pub fn write_scenarios(folder: &Path, only: Option<&str>) -> std::io::Result<bool> {
    let mut all = true;
    for world in worlds::hunts() {
        let Some(mutant) = world.mutant else { continue };
        if only.is_some_and(|only| !mutant.name().contains(only)) {
            continue;
        }
        let began = Instant::now();
        let verdict = hunt(&world);
        tell(&world, &verdict, began.elapsed().as_secs_f64());
        match verdict.ok().and_then(|v| v.found) {
            Some(found) => {
                let scenario = Scenario::new(&world, mutant, &found);
                let file = folder.join(format!("{mutant}.txt"));
                std::fs::write(file, scenario.to_string())?;
            }
            None => all = false,
        }
    }
    Ok(all)
}
