//! What is told of a broken rule, and how often.

use super::{Actor, Breach, Monitor, step::Seen};
use crate::{
    router::Router,
    store::{Changes, Commit},
    wire::time,
};
use centro_bus::Event;
use centro_kernel::{ContactId, Timestamp};
use centro_proto::events as pb;
use centro_routing_core::invariants::Broken;
use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

/// A rule and whom it is about are told once in this time.
const ONCE_IN: Duration = Duration::from_secs(60);
/// Incidents told in that time, of all rules and subjects.
const MOST: usize = 60;
/// Steps that one incident tells.
const WINDOW: usize = 64;

/// Whom an incident is about.
type Subject = (Broken, Actor, Option<ContactId>);

/// What was told lately.
#[derive(Default)]
pub struct Incidents {
    told: HashMap<Subject, Timestamp>,
    /// Breaches since the last incident that were not told.
    suppressed: u64,
}

impl Incidents {
    /// Tells of a breach, unless the same was told a moment ago.
    pub async fn tell(&mut self, router: &Router, monitor: &Monitor, breach: Breach) {
        if !self.is_news(&breach) {
            self.suppressed += 1;
            return;
        }
        let untold = monitor.untold.swap(0, Ordering::Relaxed);
        let suppressed = std::mem::take(&mut self.suppressed) + untold;
        let window = window(monitor, &breach);
        let (rule, at, actor) = (breach.rule, breach.at, breach.actor);
        let event = event(router, &breach, &window, suppressed);
        tracing::error!(
            rule = rule.name(),
            tenant = %breach.tenant,
            ?actor,
            others = ?breach.others,
            contact = ?breach.contact,
            suppressed,
            "an invariant is broken: {rule}"
        );
        let changes = match actor {
            Actor::Queue(queue) => Changes::Queue(queue, Vec::new()),
            Actor::Agent(agent) => Changes::Agent(agent, None),
        };
        let Some(epoch) = router.epoch(actor.key()) else {
            return;
        };
        let told = router.store.commit(Commit {
            epoch,
            tenant: breach.tenant,
            changes,
            events: vec![event.into()],
        });
        if told.await.is_err() {
            tracing::error!(rule = rule.name(), %at, "the incident could not be published");
        }
    }

    fn is_news(&mut self, breach: &Breach) -> bool {
        let now = breach.at;
        self.told.retain(|_, at| now.since(*at) < ONCE_IN);
        let subject = (breach.rule, breach.actor, breach.contact);
        if self.told.len() >= MOST || self.told.contains_key(&subject) {
            return false;
        }
        self.told.insert(subject, now);
        true
    }
}

/// What led to it: the last steps of all who are in it, the oldest first.
fn window(monitor: &Monitor, breach: &Breach) -> Vec<(Actor, Seen)> {
    let mut all = breach.window.clone();
    let finder = breach.window.is_empty().then_some(breach.actor);
    let mut others: Vec<_> = finder.into_iter().chain(breach.others.clone()).collect();
    // Whoever was named in the finder's own steps about this contact has a part in it too.
    for (_, seen) in breach.window.iter().rev().take(4) {
        others.extend(seen.agent.map(Actor::Agent));
        others.extend(seen.queue.map(Actor::Queue));
    }
    others.sort_unstable();
    others.dedup();
    others.retain(|actor| *actor != breach.actor || finder.is_some());
    all.extend(monitor.window(others.into_iter()));
    all.retain(|(_, seen)| seen.at <= breach.at);
    all.sort_by_key(|(_, seen)| seen.at);
    all.split_off(all.len().saturating_sub(WINDOW))
}

fn event(router: &Router, breach: &Breach, window: &[(Actor, Seen)], suppressed: u64) -> Event {
    let all = || std::iter::once(&breach.actor).chain(&breach.others);
    let queues = all().filter_map(|actor| match actor {
        Actor::Queue(queue) => Some(queue.to_string()),
        Actor::Agent(_) => None,
    });
    let agents = all().filter_map(|actor| match actor {
        Actor::Queue(_) => None,
        Actor::Agent(agent) => Some(agent.to_string()),
    });
    let text = |id: Option<String>| id.unwrap_or_default();
    let steps = window
        .iter()
        .map(|(actor, seen)| pb::invariant_broken::Step {
            time: Some(time(seen.at)),
            by: name(*actor),
            what: seen.what.to_owned(),
            contact_id: text(seen.contact.map(|c| c.to_string())),
            agent_id: text(seen.agent.map(|a| a.to_string())),
            queue_id: text(seen.queue.map(|q| q.to_string())),
            reservation: seen.number,
        });
    let data = pb::InvariantBroken {
        rule: breach.rule.name().to_owned(),
        description: breach.rule.as_str().to_owned(),
        queue_ids: queues.collect(),
        agent_ids: agents.collect(),
        contact_id: text(breach.contact.map(|c| c.to_string())),
        node: router.node.name().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        window: steps.collect(),
        suppressed,
    };
    let (tenant, at) = (Some(breach.tenant), breach.at);
    let subject = name(breach.actor);
    Event::new(tenant, "routing.invariant.broken", subject, at, &data)
}

fn name(actor: Actor) -> String {
    match actor {
        Actor::Queue(queue) => queue.to_string(),
        Actor::Agent(agent) => agent.to_string(),
    }
}
