//! Watches the rules of `centro_routing_core::invariants` step by step: each step is checked for what it touched.

use super::World;
use crate::{
    ids::{agent_id, agent_no, contact_no, queue_id, queue_no},
    shard::Who,
};
use centro_edge::Phase;
use centro_kernel::ContactId;
use centro_routing_core::{
    AgentMessage, Answer, EdgeMessage, Entry, Event, QueueEffect, QueueOut,
    invariants::{self, Broken, Hold},
};
use std::hash::{Hash, Hasher};

/// Who waited when an agent asked for bids: the agent's version, the queue, the contact.
type Asked = (u64, usize, ContactId);

/// What the rules need to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    broken: Option<Broken>,
    asked: Vec<Vec<Asked>>,
    /// Queues that may pass over contacts that are not attached.
    excused: Vec<bool>,
    in_time: bool,
    old_epochs_ignored: bool,
    /// Uses of each agent's reservations; follows from the edges.
    held: Vec<Vec<Hold>>,
}

impl Hash for Watch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.broken.hash(state);
        self.asked.hash(state);
        self.excused.hash(state);
        self.in_time.hash(state);
    }
}

impl Watch {
    pub(super) fn new(queues: usize, agents: usize) -> Self {
        Self {
            broken: None,
            asked: vec![Vec::new(); agents],
            excused: vec![false; queues],
            in_time: true,
            old_epochs_ignored: false,
            held: vec![Vec::new(); agents],
        }
    }

    pub(super) const fn broken(&self) -> Option<Broken> {
        self.broken
    }

    pub(super) const fn ignore_old_epochs(&mut self) {
        self.old_epochs_ignored = true;
    }

    pub(super) const fn out_of_time(&mut self) {
        self.in_time = false;
    }

    fn ensure(&mut self, result: Result<(), Broken>) {
        if let Err(broken) = result {
            self.broken.get_or_insert(broken);
        }
    }

    pub(super) fn old_epoch_stored(&mut self) {
        if !self.old_epochs_ignored {
            self.ensure(Err(Broken::OldEpochStored));
        }
    }

    pub(super) fn old_offer_taken(&mut self) {
        self.ensure(Err(Broken::OldOfferTaken));
    }

    /// The queue no longer waits for those who are not attached: the hold has passed, or a stream broke.
    pub(super) fn excuse(&mut self, queue: usize) {
        self.excused[queue] = true;
    }

    pub(super) fn queue_taken_over(&mut self, queue: usize) {
        self.excused[queue] = false;
    }

    pub(super) fn forget(&mut self, contact: ContactId) {
        for held in &mut self.held {
            held.retain(|hold| hold.contact != contact);
        }
    }

    pub(super) fn held(&self, agent: usize) -> &[Hold] {
        &self.held[agent]
    }
}

impl World {
    /// Order and honest passes.
    pub(super) fn watch_queue(&mut self, who: Who, q: usize, out: &QueueOut) {
        let Some(instance) = self.queues[q].instance(who) else {
            return;
        };
        let queue = &instance.actor;
        let mut result = Ok(());
        for effect in &out.send {
            if let QueueEffect::Agent(agent, AgentMessage::Pass { .. }) = effect {
                result = result.and(invariants::pass(queue, *agent));
                self.watch.asked[agent_no(*agent)].retain(|(_, of, _)| *of != q);
            }
            if let QueueEffect::Edge(contact, EdgeMessage::Offer { reservation, .. }) = effect {
                result = result.and(invariants::offer(queue, *contact, *reservation));
            }
        }
        let excused = self.watch.excused[q];
        // Whoever was overtaken once too often goes first from the next grant on.
        let boosted = |contact: ContactId| {
            let mut events = out.events.iter();
            events.any(|e| matches!(e, Event::ContactBoosted { contact: c, .. } if *c == contact))
        };
        let waits = |entry: &Entry| {
            let edge = self.contacts[contact_no(entry.contact)].edge();
            (entry.attached || !excused)
                && !boosted(entry.contact)
                && edge.is_some_and(|edge| {
                    edge.phase() == Phase::Waiting
                        && edge.queue() == Some(queue_id(q))
                        && edge.legs().next().is_none()
                        && !edge.is_leaving()
                })
        };
        for event in &out.events {
            if let Event::ContactOffered {
                contact,
                reservation,
                decision,
                ..
            } = event
                && !decision.picked_up
            {
                result = result.and(invariants::order(queue, *contact, reservation.agent, waits));
            }
        }
        self.watch.ensure(result);
    }

    /// Weight across queues. `slots` and `ver` are those before the step; `solicited`: the round ended because all had
    /// answered.
    pub(super) fn watch_grant(&mut self, a: usize, slots: usize, ver: u64, solicited: bool) {
        let Some(instance) = &self.agents[a].live else {
            return;
        };
        let agent = &instance.actor;
        let granted = agent.record().slots.len() > slots && solicited;
        let Some(won) = agent.record().slots.last().filter(|_| granted) else {
            return;
        };
        if self.shape.ages() {
            return; // weights grow with the wait: strict order is not promised
        }
        if won.pick_up.is_some() {
            return; // no other queue is asked
        }
        let won = self.shape.weight(queue_no(won.queue));
        let mut result = Ok(());
        for (asked_at, q, contact) in &self.watch.asked[a] {
            let shard = &self.queues[*q];
            let met = shard.epoch == 1 || agent.epoch_seen(queue_id(*q)) == Some(shard.epoch);
            if let Some(live) = shard.live.as_ref().filter(|_| *asked_at == ver && met) {
                result = result.and(invariants::weight(agent, won, &live.actor, *contact));
            }
        }
        self.watch.ensure(result);
    }

    /// Notes who waits when an agent asks for bids.
    pub(super) fn watch_round(&mut self, a: usize) {
        let mut asked = std::mem::take(&mut self.watch.asked[a]);
        asked.clear();
        if let Some(agent) = self.agents[a].live.as_ref().map(|i| &i.actor)
            && agent.is_soliciting()
        {
            let asked_now = agent.record().memberships.iter();
            for membership in asked_now.filter(|m| agent.record().room_for(m)) {
                let q = queue_no(membership.queue);
                let live = self.queues[q].live.as_ref();
                let contact = live.and_then(|live| invariants::asks_for(&live.actor, agent_id(a)));
                asked.extend(contact.map(|contact| (agent.record().ver, q, contact)));
            }
        }
        self.watch.asked[a] = asked;
    }

    /// One agent, one call.
    pub(super) fn watch_agent(&mut self, a: usize) {
        let result = invariants::agent(
            &self.agents[a].stored,
            self.watch.held[a].iter(),
            self.watch.in_time,
        );
        self.watch.ensure(result);
    }

    /// What is answered is true.
    pub(super) fn watch_answer(
        &mut self,
        a: usize,
        number: u64,
        contact: ContactId,
        edge_epoch: u64,
        said: Answer,
    ) {
        let record = &self.agents[a].stored;
        let result = invariants::answer(record, number, contact, edge_epoch, said);
        self.watch.ensure(result);
    }

    /// One contact, one agent, by the records.
    pub(super) fn watch_connected(&mut self, events: &[Event]) {
        for event in events {
            if let Event::ContactConnected { contact, .. } = event {
                let records = self.agents.iter().map(|shard| &shard.stored);
                let result = invariants::connected_once(*contact, records);
                self.watch.ensure(result);
            }
        }
    }

    /// A contact uses other reservations, or uses them otherwise.
    pub(super) fn watch_contact(
        &mut self,
        contact: ContactId,
        before: &[Hold],
        after: Vec<Hold>,
        gone: bool,
    ) {
        self.watch.ensure(invariants::contact(&after, gone));
        for hold in before {
            self.watch.held[agent_no(hold.of.agent)].retain(|h| h.contact != contact);
        }
        for hold in &after {
            self.watch.held[agent_no(hold.of.agent)].push(*hold);
        }
        for held in after.iter().chain(before) {
            self.watch_agent(agent_no(held.of.agent));
        }
    }

    /// Uses of an agent's reservations, as they are watched.
    #[cfg(test)]
    pub(crate) fn held_by(&self, a: usize) -> &[Hold] {
        &self.watch.held[a]
    }

    /// The same from the edges themselves.
    #[cfg(test)]
    pub(crate) fn holds_from_edges(&self, a: usize) -> Vec<Hold> {
        let edges = self.contacts.iter().enumerate();
        edges
            .filter_map(|(c, contact)| Some((c, contact.edge()?)))
            .flat_map(|(c, edge)| super::contact::holds(crate::ids::contact_id(c), edge))
            .filter(|hold| hold.of.agent == agent_id(a))
            .collect()
    }
}
