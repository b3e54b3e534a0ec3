//! An agent's step, as `services/routing/src/actor/agent.rs` does it.

use super::{Outcome, Step, World};
use crate::{
    ids::{agent_id, contact_no, queue_no},
    letter::{Actor, Letter, Mail},
    mutant::Mutant,
    shard::Who,
};
use centro_edge::Command;
use centro_kernel::{Timestamp, contact::Reservation};
use centro_routing_core::{AgentEffect, AgentMessage, Answer, QueueMessage};

impl World {
    pub(super) fn agent_step(
        &mut self,
        now: Timestamp,
        who: Who,
        a: usize,
        message: AgentMessage,
    ) -> Step {
        if self.agents[a].instance(who).is_none() {
            return Step::of(Outcome::Nobody);
        }
        let asker = message.asker();
        let by_deadline = matches!(
            message,
            AgentMessage::Timer(centro_routing_core::AgentTimer::Solicit)
        );
        let shard = self.agents[a].change();
        let epoch = shard.epoch;
        let Some(instance) = shard.slot(who) else {
            return Step::of(Outcome::Nobody);
        };
        let before = (
            instance.actor.record().slots.len(),
            instance.actor.record().ver,
            instance.actor.is_soliciting(),
        );
        let mut out = instance.actor.handle(&self.shape.deadlines, now, message);
        let old = instance.epoch != epoch;
        let refused = match self.mutant {
            Some(Mutant::EpochCheck) => false,
            Some(Mutant::UnfencedReplies) => out.fence && old && !out.changes.is_empty(),
            _ => out.fence && old,
        };
        if refused {
            *shard.slot(who) = None;
            return Step::of(Outcome::Fenced);
        }
        let stores = out.fence && (!old || self.mutant == Some(Mutant::EpochCheck));
        let mut changed = false;
        if stores {
            if let Some(record) = out.changes.pop() {
                shard.stored = record;
                changed = true;
            }
            if old {
                self.watch.old_epoch_stored();
            }
        }
        if who == Who::Live {
            self.watch_grant(a, before.0, before.1, before.2 && !by_deadline);
            let live = self.agents[a].live.as_ref().map(|i| &i.actor);
            if live.is_some_and(|l| !l.is_soliciting() || l.record().ver != before.1 || !before.2) {
                self.watch_round(a);
            }
        }
        if changed {
            self.watch_agent(a);
            self.watch_connected(&out.events);
        }
        let mut sent = self.agent_effects(a, out.send.into_vec());
        if let (Some((number, contact, edge_epoch)), Some(answer)) = (asker, out.answer) {
            self.watch_answer(a, number, contact, edge_epoch, answer);
            let agent = agent_id(a);
            let of = Reservation { agent, number };
            let command = match answer {
                Answer::AlertOk { .. } => Some(Command::AlertOk(of)),
                Answer::ConnectOk => Some(Command::ConnectOk(of)),
                Answer::Refused => Some(Command::Refused(of)),
                Answer::Ended { was_connected } => Some(Command::Ended {
                    reservation: of,
                    was_connected,
                }),
                _ => None,
            };
            // An answer goes to the process that asked.
            let asked = self.contacts[contact_no(contact)].epoch() == edge_epoch;
            let command = command.filter(|_| asked);
            sent.extend(command.map(|command| Mail::edge(contact_no(contact), command)));
        }
        Step {
            outcome: Outcome::Done,
            sent,
            events: if stores {
                out.events.into_vec()
            } else {
                Vec::new()
            },
            effects: Vec::new(),
        }
    }

    /// What an agent wants done, as letters.
    pub(super) fn agent_effects(&self, a: usize, effects: Vec<AgentEffect>) -> Vec<Mail> {
        let mut sent = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                AgentEffect::Queue(queue, message) => {
                    let q = queue_no(queue);
                    if self.mutant == Some(Mutant::SplitGrant)
                        && matches!(message, QueueMessage::Grant(_))
                    {
                        let presence = self.agents[a].stored.presence(queue);
                        sent.push(Mail::queue(q, QueueMessage::Presence(presence)));
                    }
                    sent.push(Mail::queue(q, message));
                }
                AgentEffect::CancelOffer {
                    reservation,
                    contact,
                    ..
                } => sent.push(Mail::edge(
                    contact_no(contact),
                    Command::Cancel(reservation),
                )),
                AgentEffect::AskEdge {
                    reservation,
                    contact,
                    ..
                } => sent.push(Mail {
                    to: Actor::Contact(contact_no(contact)),
                    letter: Letter::HasOffer(reservation),
                }),
            }
        }
        sent
    }
}
