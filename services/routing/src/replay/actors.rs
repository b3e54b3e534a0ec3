//! The queues or agents of a log, as they are after each of its lines.

use super::{Asked, At, Difference, Found, difference, story::Story};
use crate::decision_log::{
    line::{Of, Said, What},
    rules::{Rules, Step},
};
use centro_kernel::Timestamp;
use centro_routing_core::{Deadlines, Event};
use std::collections::{HashMap, HashSet};

/// One that is known.
struct Known<R> {
    core: R,
    /// Number of its next step.
    step: u64,
}

/// All of one kind.
pub struct Actors<R: Rules> {
    known: HashMap<R::Id, Known<R>>,
    met: HashSet<R::Id>,
}

impl<R: Rules> Default for Actors<R> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            met: HashSet::new(),
        }
    }
}

impl<R: Rules> Actors<R> {
    /// How many were met.
    pub fn met(&self) -> usize {
        self.met.len()
    }

    /// What comes next does not go on from what was before.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// One line.
    pub fn line(
        &mut self,
        at: At<'_>,
        of: Of<R>,
        asked: &Asked,
        cfg: &Deadlines,
        found: &mut Found,
        story: &mut Story,
    ) {
        if asked.tenant.is_some_and(|tenant| tenant != of.tenant) {
            return;
        }
        self.met.insert(of.id);
        let (id, when, step) = (of.id, of.at, of.step);
        let differs = match of.what {
            What::Activated {
                settings,
                epoch,
                record,
                said,
            } => {
                let (core, out) = R::recover(settings, epoch, record, cfg, when);
                self.known.insert(id, Known { core, step });
                compare::<R>(&said, &out).map(|what| format!("takes its record over: {what}"))
            }
            What::State { lost, state } => self.state(id, step, lost, *state, found),
            What::Step { heard, said } => {
                for event in &said.events {
                    let event = serde_json::from_value::<Event>(event.clone());
                    if let Ok(event) = event {
                        found.decisions += u64::from(is_decision(&event));
                        story.event(asked, when, &event);
                    }
                }
                self.step(id, step, heard, &said, cfg, when, found)
            }
            What::Stopped => {
                self.known.remove(&id);
                None
            }
        };
        if let Some(what) = differs {
            // What follows from it is no news.
            self.known.remove(&id);
            let time = super::story::moment(when);
            let text = format!("{} {id} at {time}, step {step}, {what}", R::KIND);
            found.differs(Difference::new(at, text));
        }
    }

    /// The log tells the whole state: the first time, after a gap, and at the beginning of a file.
    fn state(
        &mut self,
        id: R::Id,
        step: u64,
        lost: u64,
        state: R,
        found: &mut Found,
    ) -> Option<String> {
        let known = self.known.remove(&id);
        let told = Known { core: state, step };
        let differs = match known {
            _ if lost > 0 => {
                found.gaps += 1;
                None
            }
            // A new life of somebody of whom nothing was stored.
            _ if step == 0 => None,
            Some(known) if known.step != step => Some(missing(known.step, step)),
            Some(known) => difference::between("is", &told.core, &known.core),
            None => None,
        };
        self.known.insert(id, told);
        differs
    }

    #[allow(clippy::too_many_arguments)]
    fn step(
        &mut self,
        id: R::Id,
        step: u64,
        heard: R::Message,
        said: &Said,
        cfg: &Deadlines,
        when: Timestamp,
        found: &mut Found,
    ) -> Option<String> {
        let Some(known) = self.known.get_mut(&id) else {
            found.unverified += 1;
            return None;
        };
        if known.step != step {
            return Some(missing(known.step, step));
        }
        found.steps += 1;
        known.step += 1;
        let words = difference::variant(&heard);
        let out = known.core.handle(cfg, when, heard);
        compare::<R>(said, &out).map(|what| format!("hears {words}: {what}"))
    }
}

fn compare<R: Rules>(said: &Said, out: &Step<R>) -> Option<String> {
    match Said::of::<R>(out, None) {
        Ok(now) if now == *said => None,
        Ok(now) => difference::between("said", said, &now),
        Err(error) => Some(format!("its answer cannot be written: {error}")),
    }
}

/// Which agent gets a contact, and which queue gets an agent.
const fn is_decision(event: &Event) -> bool {
    matches!(
        event,
        Event::ContactOffered { .. } | Event::BidsCompared { .. }
    )
}

fn missing(expected: u64, step: u64) -> String {
    format!(
        "step {expected} should come here: steps were removed, added or moved, and the log says of no gap ({step})"
    )
}
