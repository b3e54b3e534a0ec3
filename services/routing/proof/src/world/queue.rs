//! A queue's step, as `services/routing/src/actor/queue.rs` does it.

use super::{Outcome, Step, World};
use crate::{
    ids::{agent_no, contact_no, queue_id},
    letter::Mail,
    mutant::Mutant,
    shard::Who,
};
use centro_edge::Command;
use centro_kernel::{QueueId, Timestamp};
use centro_routing_core::{
    EdgeMessage, QueueChange, QueueEffect, QueueMessage, QueueRecord, QueueTimer,
};

impl World {
    pub(super) fn queue_step(
        &mut self,
        now: Timestamp,
        who: Who,
        q: usize,
        message: QueueMessage,
    ) -> Step {
        if self.queues[q].instance(who).is_none() {
            return Step::of(Outcome::Nobody);
        }
        if matches!(
            message,
            QueueMessage::Timer(QueueTimer::Hold) | QueueMessage::Detached { .. }
        ) {
            self.watch.excuse(q);
        }
        let shard = self.queues[q].change();
        let epoch = shard.epoch;
        let Some(instance) = shard.slot(who) else {
            return Step::of(Outcome::Nobody);
        };
        let out = instance.actor.handle(&self.shape.deadlines, now, message);
        let old = instance.epoch != epoch;
        let commits = out.fence || !out.changes.is_empty() || !out.events.is_empty();
        let refused = match self.mutant {
            Some(Mutant::EpochCheck) => false,
            Some(Mutant::UnfencedReplies) => commits && old && !out.changes.is_empty(),
            _ => commits && old,
        };
        let deposed = out.deposed && self.mutant != Some(Mutant::SwallowNewer);
        if deposed || refused {
            *shard.slot(who) = None;
            return Step::of(Outcome::Fenced);
        }
        let stores = commits && (!old || self.mutant == Some(Mutant::EpochCheck));
        if stores {
            store(&mut shard.stored, &out.changes);
            if old {
                self.watch.old_epoch_stored();
            }
        }
        self.watch_queue(who, q, &out);
        Step {
            outcome: Outcome::Done,
            sent: out
                .send
                .into_iter()
                .filter_map(|effect| to_mail(queue_id(q), effect))
                .collect(),
            events: if stores {
                out.events.into_vec()
            } else {
                Vec::new()
            },
            effects: Vec::new(),
        }
    }
}

fn store(record: &mut QueueRecord, changes: &[QueueChange]) {
    for change in changes {
        match change {
            QueueChange::Put(entry, _) => {
                record.entries.insert(entry.contact, entry.clone());
            }
            QueueChange::Remove(contact) => {
                record.entries.remove(contact);
            }
            QueueChange::Bury(contact, grave) => {
                record.left.insert(*contact, *grave);
            }
            QueueChange::Forget(contact) => {
                record.left.remove(contact);
            }
        }
    }
}

fn to_mail(queue: QueueId, effect: QueueEffect) -> Option<Mail> {
    match effect {
        QueueEffect::Agent(agent, message) => Some(Mail::agent(agent_no(agent), message)),
        QueueEffect::PickedUp { .. } => None,
        QueueEffect::Edge(contact, message) => {
            let command = match message {
                EdgeMessage::Attached {
                    attach_no, epoch, ..
                } => Command::Attached {
                    queue,
                    attach_no,
                    epoch,
                },
                EdgeMessage::Offer {
                    attach_no,
                    reservation,
                    ring,
                    briefing,
                    ..
                } => Command::Offer {
                    queue,
                    attach_no,
                    reservation,
                    ring_for: ring,
                    brief_for: briefing.limit(),
                },
                EdgeMessage::MoveTo {
                    attach_no,
                    queue: to,
                } => Command::MoveTo {
                    queue,
                    attach_no,
                    to,
                },
                EdgeMessage::TakenOut { attach_no } => Command::TakenOut { queue, attach_no },
                EdgeMessage::LeftOk { attach_no } => Command::LeftOk { queue, attach_no },
                EdgeMessage::NotTaken { attach_no, reason } => Command::NotTaken {
                    queue,
                    attach_no,
                    reason,
                },
                // Said to the customer, of no matter to the edge.
                EdgeMessage::Position { .. } => return None,
            };
            Some(Mail::edge(contact_no(contact), command))
        }
    }
}
