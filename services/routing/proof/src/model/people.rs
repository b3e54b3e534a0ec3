//! What people may do next in a small world, and what it costs.

use super::{Act, Small, State};
use crate::{
    ids::{contact_id, queue_id, queue_no},
    letter::{Actor, Letter, Mail},
};
use centro_edge::{Command, Edge, Leg, Phase};
use centro_routing_core::{AgentMessage, Chosen, QueueMessage};
use std::sync::Arc;

impl Small {
    pub(super) fn people(&self, state: &State, acts: &mut Vec<Act>) {
        let left = &state.left;
        let elsewhere = |at: usize| queue_id((at + 1) % self.shape.queues.len());
        for (c, shape) in self.shape.contacts.iter().enumerate() {
            let Some(edge) = state.world.contact(c).edge() else {
                continue;
            };
            let mut input = |command| acts.push(Act::Input(Arc::new(Mail::edge(c, command))));
            match edge.phase() {
                Phase::New => {
                    input(Command::Arrive(queue_id(shape.queue)));
                    continue;
                }
                Phase::Connected(_) => {
                    input(Command::HungUp);
                    if left.moves > 0 {
                        input(Command::Transfer(elsewhere(shape.queue)));
                    }
                }
                Phase::Waiting => {
                    if state.net.is_empty() && !edge.is_leaving() {
                        input(Command::TimedOut);
                    }
                    if left.hang_up > 0 {
                        input(Command::HungUp);
                    }
                    if left.star > 0 {
                        input(Command::Star);
                    }
                    if left.moves > 0
                        && let Some(queue) = edge.queue()
                    {
                        input(Command::MoveTo {
                            queue,
                            attach_no: edge.attach_no(),
                            to: elsewhere(queue_no(queue)),
                        });
                    }
                }
                Phase::Gone(_) => {}
            }
            for (of, leg) in edge.legs() {
                if leg == Leg::Ringing {
                    input(Command::Answered(of));
                    if left.reject > 0 {
                        input(Command::Rejected(of));
                    }
                }
                if leg == Leg::Briefing {
                    input(Command::Briefed(of));
                }
                if matches!(leg, Leg::Briefing | Leg::Committing) && left.agent_hang_up > 0 {
                    input(Command::AgentHungUp(of));
                }
            }
            self.supervisors(state, c, acts);
            let edge = Actor::Contact(c);
            if left.edge_crash > 0 {
                acts.push(Act::Crash(edge));
            }
            if left.edge_pause > 0 && self.may_stop(state, edge) {
                acts.push(Act::Pause(edge));
            }
        }
        if left.status > 0 {
            for a in 0..self.shape.agents.len() {
                if state.world.has_owner(Actor::Agent(a)) {
                    let chosen = match state.world.agent(a).stored.chosen {
                        Chosen::Ready => Chosen::Paused(String::new()),
                        _ => Chosen::Ready,
                    };
                    let message = AgentMessage::SetStatus(chosen);
                    acts.push(Act::Input(Arc::new(Mail::agent(a, message))));
                }
            }
        }
    }

    /// What people do to a contact that waits.
    fn supervisors(&self, state: &State, c: usize, acts: &mut Vec<Act>) {
        let edge = state.world.contact(c).edge();
        let waits = edge.filter(|edge| edge.phase() == Phase::Waiting);
        let Some(q) = waits.and_then(Edge::queue).map(queue_no) else {
            return;
        };
        if !state.world.has_owner(Actor::Queue(q)) {
            return;
        }
        let mut input = |message| acts.push(Act::Input(Arc::new(Mail::queue(q, message))));
        if state.left.pick_up > 0 {
            for a in 0..self.shape.agents.len() {
                input(self.shape.pick_up(a, c));
            }
        }
        if state.left.priority > 0 {
            let (contact, priority) = (contact_id(c), 1);
            input(QueueMessage::SetPriority { contact, priority });
        }
    }

    /// Takes what a person did from the budget.
    pub(super) fn pay(state: &mut State, mail: &Mail) {
        let left = &mut state.left;
        match (mail.to, &mail.letter) {
            (Actor::Contact(c), Letter::Edge(command)) => match command {
                Command::HungUp => {
                    let talks = matches!(state.world.contact(c).phase(), Some(Phase::Connected(_)));
                    left.hang_up -= u8::from(!talks);
                }
                Command::Star => left.star -= 1,
                Command::Rejected(_) => left.reject -= 1,
                Command::AgentHungUp(_) => left.agent_hang_up -= 1,
                Command::MoveTo { .. } | Command::Transfer(_) => left.moves -= 1,
                _ => {}
            },
            (Actor::Agent(_), Letter::Agent(AgentMessage::SetStatus(_))) => left.status -= 1,
            (Actor::Queue(_), Letter::Queue(QueueMessage::PickUp { .. })) => left.pick_up -= 1,
            (Actor::Queue(_), Letter::Queue(QueueMessage::SetPriority { .. })) => {
                left.priority -= 1;
            }
            _ => {}
        }
    }
}
