//! A queue without agents: who is turned away at the door, and who is sent away while waiting (spec D7-D9, P19).

use super::Queue;
use crate::{
    message::{ContactKind, QueueOut},
    settings::EmptyRule,
};
use centro_kernel::{ContactId, Timestamp, contact::LeftReason};

impl Queue {
    /// Why a contact that comes now is not taken, if so. A callback was promised by whoever took the place before it, so
    /// only a queue that is no more can refuse it.
    pub(super) fn turns_away(&self, kind: ContactKind) -> Option<LeftReason> {
        let limit = self.settings.max_callers;
        if self.closed {
            Some(LeftReason::QueueClosed)
        } else if kind == ContactKind::Callback {
            None
        } else if limit > 0 && self.line.len() >= limit as usize {
            Some(LeftReason::QueueFull)
        } else if self.settle.is_none() && self.is_empty(self.settings.join_empty) {
            Some(LeftReason::JoinedEmpty)
        } else {
            None
        }
    }

    fn is_empty(&self, rule: EmptyRule) -> bool {
        self.roster.is_empty(rule, &self.settings)
    }

    /// Starts or stops the grace after which a queue without agents sends everybody away.
    pub(super) fn watch_empty(&mut self, now: Timestamp) {
        let rule = self.settings.leave_empty;
        let empty = rule != EmptyRule::Allow
            && self.settle.is_none()
            && self.line.anybody_evictable()
            && self.is_empty(rule);
        if !empty {
            self.empty_due = None;
        } else if self.empty_due.is_none() {
            self.empty_due = Some(now + self.settings.leave_grace);
        }
    }

    /// Whoever is here has told by now: those who came on trial are judged, and needs that nobody can meet are relaxed.
    pub(super) fn on_settled(&mut self, now: Timestamp, out: &mut QueueOut) {
        self.settle = None;
        let empty = self.is_empty(self.settings.join_empty);
        for contact in self.line.contacts() {
            let on_trial = self.line.get(contact).is_some_and(|entry| entry.on_trial);
            if !on_trial || (empty && self.send_away(now, contact, LeftReason::JoinedEmpty, out)) {
                continue;
            }
            self.line.change(contact, |entry| entry.on_trial = false);
            self.stored(contact, out);
        }
        self.skip_hopeless_steps(now, out);
    }

    pub(super) fn on_empty_due(&mut self, now: Timestamp, out: &mut QueueOut) {
        self.empty_due = None;
        if !self.is_empty(self.settings.leave_empty) {
            return;
        }
        for contact in self.line.contacts() {
            self.send_away(now, contact, LeftReason::LeftEmpty, out);
        }
    }

    /// A rule ends the wait of a contact, if it may. True when it did.
    pub(super) fn send_away(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        reason: LeftReason,
        out: &mut QueueOut,
    ) -> bool {
        let waits = self.line.get(contact).filter(|entry| entry.is_evictable());
        let Some((attach_no, since)) = waits.map(|e| (e.attach_no, e.enqueued_at)) else {
            return false;
        };
        self.remove(contact, out);
        self.turn_away(now, contact, attach_no, since, reason, out);
        true
    }
}
