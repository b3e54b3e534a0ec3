//! What the plans do: people who come and go, nodes that die, calls that break.

use super::{
    day::Day,
    event::{Due, Event},
    plan::Plan,
    script::{FAULTS_END, NODES},
};
use crate::{
    ids::{contact_id, queue_id, queue_no},
    letter::{Actor, Mail},
    shape::Shape,
};
use centro_edge::{Command, Edge, Phase};
use centro_routing_core::{AgentMessage, Chosen, QueueMessage};
use std::cmp::Reverse;

impl Day {
    pub(super) fn carry_out(&mut self, plan: Plan) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>7} * {plan}", self.now));
        }
        match plan {
            Plan::Contact {
                contact,
                queue,
                patience,
                star,
                timeout,
                moved,
            } => {
                let mut later = |after: i64, command| {
                    self.after(after, Event::Local(Mail::edge(contact, command)));
                };
                later(0, Command::Arrive(queue_id(queue)));
                later(patience, Command::HungUp);
                if let Some(after) = star {
                    later(after, Command::Star);
                }
                if let Some(after) = timeout {
                    later(after, Command::TimedOut);
                }
                if let Some((after, to)) = moved {
                    let (queue, to) = (queue_id(queue), queue_id(to));
                    let attach_no = 0; // wherever it waits by then
                    later(
                        after,
                        Command::MoveTo {
                            queue,
                            attach_no,
                            to,
                        },
                    );
                }
            }
            Plan::Pause { agent, back } => {
                let chosen = [Chosen::Paused(String::new()), Chosen::Ready];
                for (after, chosen) in [0, back].into_iter().zip(chosen) {
                    let message = AgentMessage::SetStatus(chosen);
                    self.after(after, Event::Local(Mail::agent(agent, message)));
                }
            }
            Plan::LogOut { agent, back } => {
                let log_out = AgentMessage::SetStatus(Chosen::LoggedOut);
                self.after(0, Event::Local(Mail::agent(agent, log_out)));
                let log_in = self.world.shape().log_in(agent);
                self.after(back, Event::Local(Mail::agent(agent, log_in)));
            }
            Plan::Offline { agent, back } => {
                for (after, online) in [(0, false), (back, true)] {
                    let message = Shape::device(agent, online);
                    self.after(after, Event::Local(Mail::agent(agent, message)));
                }
            }
            Plan::Crash { node, lease } => {
                self.fail(node, lease, None);
            }
            Plan::Freeze {
                node,
                lease,
                wakes,
                awake,
            } => {
                self.fail(node, lease, Some((wakes, awake)));
            }
            Plan::Browser { agent, back } => {
                let back = (self.now + back).min(FAULTS_END);
                self.browser_back.insert(agent, back);
            }
            Plan::PickUp { agent, contact } => {
                let pick_up = self.world.shape().pick_up(agent, contact);
                self.tell_its_queue(contact, pick_up);
            }
            Plan::PutFirst { contact: c } => {
                let (contact, priority) = (contact_id(c), 9);
                self.tell_its_queue(c, QueueMessage::SetPriority { contact, priority });
            }
            Plan::CallsDie { node, lease } => self.fail_edges(node, lease, None),
            Plan::EdgesFreeze {
                node,
                lease,
                wakes,
                awake,
            } => self.fail_edges(node, lease, Some((wakes, awake))),
            Plan::StreamsBreak { node } => {
                for contact in self.calls(node) {
                    self.faults += 1;
                    let sent = self.world.break_stream(contact);
                    self.post(sent);
                }
            }
            Plan::Aim(aim) => self.aims.push(aim),
        }
    }

    /// The contacts of a node of edges that run.
    pub(super) fn calls(&self, node: usize) -> Vec<usize> {
        let all = 0..self.world.shape().contacts.len();
        let runs = |c: &usize| {
            let edge = self.world.contact(*c).edge();
            edge.is_some_and(|edge| edge.phase() != Phase::New && !edge.done())
        };
        all.filter(|c| c % NODES == node).filter(runs).collect()
    }

    /// A person asks something of the queue where a contact waits.
    fn tell_its_queue(&mut self, contact: usize, message: QueueMessage) {
        let edge = self.world.contact(contact).edge();
        let waits = edge.filter(|edge| edge.phase() == Phase::Waiting);
        if let Some(queue) = waits.and_then(Edge::queue) {
            let mail = Mail::queue(queue_no(queue), message);
            self.after(0, Event::Local(mail));
        }
    }

    /// A node of edges dies or freezes. Calls end with it, but not while it only sleeps; what outlives it gets new owners.
    fn fail_edges(&mut self, node: usize, lease: i64, freezes: Option<(i64, i64)>) {
        let mut lost = Vec::new();
        for contact in self.calls(node) {
            if self.world.contact(contact).is_durable() {
                lost.push(contact);
            } else if freezes.is_none() {
                self.kill(contact);
            }
        }
        self.lose(&lost, lease, freezes);
    }

    /// The process of a contact dies.
    pub(super) fn die(&mut self, contact: usize) {
        if self.world.contact(contact).is_durable() {
            self.lose(&[contact], 1_700, None);
        } else {
            self.kill(contact);
        }
    }

    fn lose(&mut self, contacts: &[usize], lease: i64, freezes: Option<(i64, i64)>) {
        let shards: Vec<_> = contacts.iter().map(|c| Actor::Contact(*c)).collect();
        // What was on its way to a process does not reach the next one.
        self.heap.retain(|Reverse(Due(_, _, event))| match event {
            Event::Mail(mail) => mail.is_read_by_zombies() || !shards.contains(&mail.to),
            _ => true,
        });
        for shard in &shards {
            self.faults += 1;
            let sent = self.world.stop(*shard, freezes.is_some());
            self.armed.remove(shard);
            self.post(sent);
            let spread = self.draw(shard).millis(100);
            self.after(lease + spread, Event::TakeOver(*shard));
        }
        if let Some((wakes, awake)) = freezes {
            self.after(lease + 100 + wakes, Event::Thaw(shards, awake));
        }
    }

    fn kill(&mut self, contact: usize) {
        self.faults += 1;
        let broken = self.world.break_stream(contact);
        let mut sent = self.world.kill(contact);
        sent.extend(broken);
        self.armed.remove(&Actor::Contact(contact));
        self.post(sent);
    }

    /// A routing node dies or freezes; others take its shards over when its leases have expired.
    pub(super) fn fail(&mut self, node: usize, lease: i64, freezes: Option<(i64, i64)>) {
        let shards: Vec<_> = self
            .node
            .iter()
            .filter(|(_, on)| **on == node)
            .map(|(shard, _)| *shard)
            .collect();
        self.faults += 1;
        for shard in &shards {
            let mut chance = self.draw(shard);
            self.world.stop(*shard, freezes.is_some());
            self.armed.remove(shard);
            let to = (node + 1 + chance.index(NODES - 1)) % NODES;
            self.node.insert(*shard, to);
            let spread = chance.millis(100);
            self.after(lease + spread, Event::TakeOver(*shard));
        }
        if let Some((wakes, awake)) = freezes {
            self.after(lease + 100 + wakes, Event::Thaw(shards, awake));
        }
    }
}
