//! A story as a file: the shortest trace of a deliberate bug, replayed for ever. The steps read like the messages of
//! docs/protocol.md; each is one that a small world allows.
//!
//! With the bug the story comes true and breaks its rule. On the right code either one of its steps cannot happen any
//! more, or all can: then nothing is broken, and from there everything still comes to rest.

use crate::{
    Mutant,
    model::{Found, Small, find, hunts},
};
use centro_routing_core::invariants::Broken;
use stateright::Model;
use std::{fmt, str::FromStr};

/// How a line begins that tells how it goes on by itself.
const THEN: &str = "# then ";

/// So many of them are kept: some go on for ever.
const MOST_TOLD: usize = 40;

/// A story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The small world it plays in.
    pub world: String,
    /// The bug it shows; none when it was a flaw of the product, mended since.
    pub mutant: Option<Mutant>,
    /// The rule that breaks, as a sentence.
    pub broken: String,
    /// The steps.
    pub steps: Vec<String>,
    /// How it goes on by itself with the bug, to read only.
    pub then: Vec<String>,
}

/// What became of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The rule that broke, if one did.
    pub broken: Option<Broken>,
    /// How many of its steps happened.
    pub steps: usize,
}

impl Scenario {
    pub(crate) fn new(world: &Small, mutant: Mutant, found: &Found) -> Self {
        Self {
            world: world.name.clone(),
            mutant: Some(mutant),
            broken: found.broken.to_string(),
            steps: found.lines.clone(),
            then: found.then.iter().take(MOST_TOLD).cloned().collect(),
        }
    }

    /// Replays it with the bug, or on the right code. Liveness is tried at the end.
    ///
    /// # Errors
    /// The world is unknown.
    pub fn replay(&self, with_bug: bool) -> anyhow::Result<Told> {
        let unknown = || anyhow::anyhow!("no world is called {:?}", self.world);
        let mut world = find(&self.world).ok_or_else(unknown)?;
        if with_bug && self.mutant.is_some() {
            let hunt = hunts().into_iter().find(|h| h.mutant == self.mutant);
            world = hunt.unwrap_or(world);
        }
        world.prefix = &[];
        let mut state = world
            .start()
            .map_err(|line| anyhow::anyhow!("cannot begin: {line}"))?;
        let mut steps = 0;
        for step in &self.steps {
            let Some(act) = world.find(&state, step) else {
                break;
            };
            if let Some(next) = world.next_state(&state, act) {
                state = next;
            }
            steps += 1;
            if let Some(broken) = state.world.broken() {
                let broken = Some(broken);
                return Ok(Told { broken, steps });
            }
        }
        world.liveness |= !with_bug;
        let broken = world.judge(&state).err();
        Ok(Told { broken, steps })
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "world: {}", self.world)?;
        writeln!(f, "bug: {}", self.mutant.map_or("none", Mutant::name))?;
        writeln!(f, "breaks: {}", self.broken)?;
        writeln!(f)?;
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for step in &self.then {
            writeln!(f, "{THEN}{step}")?;
        }
        Ok(())
    }
}

impl FromStr for Scenario {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let head = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
                .ok_or_else(|| anyhow::anyhow!("a scenario needs a line {name:?}"))
        };
        let steps = text.lines().skip_while(|line| !line.is_empty()).skip(1);
        Ok(Self {
            world: head("world:")?,
            mutant: match head("bug:")?.as_str() {
                "none" => None,
                name => Some(name.parse()?),
            },
            broken: head("breaks:")?,
            then: steps
                .clone()
                .filter_map(|line| line.strip_prefix(THEN))
                .map(str::to_owned)
                .collect(),
            steps: steps
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned)
                .collect(),
        })
    }
}
