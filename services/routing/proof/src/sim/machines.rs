//! What the plans do: people who come and go, nodes that die, calls that break.

use super::{
    day::Day,
    event::Event,
    script::{NODES, Plan},
};
use crate::{
    ids::queue_id,
    letter::{Actor, Mail},
    shape::Shape,
};
use centro_edge::{Command, Phase};
use centro_routing_core::{AgentMessage, Chosen};

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
            Plan::CallsDie { node } => {
                for contact in self.calls(node) {
                    self.kill(contact);
                }
            }
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

    /// The calls of a telephony node that run.
    pub(super) fn calls(&self, node: usize) -> Vec<usize> {
        let all = 0..self.world.shape().contacts.len();
        let runs = |c: &usize| {
            let edge = self.world.contact(*c).edge();
            edge.is_some_and(|edge| edge.phase() != Phase::New && !edge.done())
        };
        all.filter(|c| c % NODES == node).filter(runs).collect()
    }

    pub(super) fn kill(&mut self, contact: usize) {
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
