//! Callers who accepted a callback: the call is over, the place in line stays (spec S34, P5, U14).
//!
//! From then on the entry is a promise that no process holds. Whoever is to keep it attaches with the contact's id and the
//! attach number after the call's last, and waits there with the caller's place and wait, as any contact. When that
//! process dies the promise goes on without it. It ends when its edge says so, when a person cancels it, with the queue,
//! or when its time is up.

use super::{Entry, Queue};
use crate::{
    Deadlines,
    message::{ContactKind, NoPickUp, QueueOut},
};
use centro_kernel::{
    ContactId, Timestamp,
    contact::{LeftReason, Reservation},
};
use std::sync::Arc;

impl Entry {
    /// Was promised a callback and is held by nobody: nobody hears of it, and nobody can be offered it.
    pub fn is_unheld_promise(&self) -> bool {
        self.kind == ContactKind::Callback && !self.attached
    }

    /// Nobody holds it any more, or not yet.
    pub(super) fn let_go(&mut self) -> Vec<Reservation> {
        self.attached = false;
        self.lost_due = None;
        self.offered_due = None;
        self.edge = Arc::from("");
        std::mem::take(&mut self.offers)
    }
}

impl Queue {
    /// The customer of a call accepted a callback. False: it is no call that waits here.
    pub(super) fn promise(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        attach_no: u32,
        out: &mut QueueOut,
    ) -> bool {
        let call = |e: &&Entry| e.attach_no <= attach_no && e.kind == ContactKind::Call;
        let Some(entry) = self.line.get(contact).filter(call) else {
            return false;
        };
        let enqueued_at = entry.enqueued_at;
        if let Some(agent) = self.line.covered_by(contact) {
            self.slow_down(agent);
        }
        let mut offers = Vec::new();
        self.line.change(contact, |entry| {
            offers = entry.let_go();
            entry.kind = ContactKind::Callback;
            // What the call still says is older.
            entry.attach_no = attach_no.saturating_add(1);
            entry.promise_due = Some(now + cfg.promise);
            entry.retry_due = None;
            entry.wish = None;
        });
        for reservation in offers {
            self.offered.remove(&reservation);
        }
        self.stored(contact, out);
        let reason = LeftReason::CallbackRequested;
        self.tell_left(now, contact, None, reason, enqueued_at, out);
        let waits: Vec<_> = self
            .roster
            .pick_ups()
            .filter(|(_, c)| *c == contact)
            .collect();
        for (agent, _) in waits {
            self.end_pick_up(agent, contact, Err(NoPickUp::NotWaiting), out);
        }
        true
    }

    /// The process that held a promise is gone; the promise is not. False: it was no promise.
    pub(super) fn keep_promise(
        &mut self,
        contact: ContactId,
        out: &mut QueueOut,
    ) -> Vec<Reservation> {
        let mut offers = Vec::new();
        self.line.change(contact, |entry| offers = entry.let_go());
        for reservation in &offers {
            self.offered.remove(reservation);
        }
        self.stored(contact, out);
        offers
    }

    /// Its time is up. One that is just being kept goes on until that came to something or nothing.
    pub(super) fn on_promise_due(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: ContactId,
        out: &mut QueueOut,
    ) {
        let Some(entry) = self.line.get(contact) else {
            return;
        };
        if entry.offers.is_empty() {
            self.end_promise(now, contact, LeftReason::CallbackExpired, out);
        } else {
            let due = now + self.settings.longest_offer() + cfg.ring_margin;
            self.line
                .change(contact, |entry| entry.promise_due = Some(due));
        }
    }

    pub(super) fn end_promise(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        reason: LeftReason,
        out: &mut QueueOut,
    ) {
        if let Some(entry) = self.remove(contact, out) {
            let (no, at) = (entry.attach_no, entry.enqueued_at);
            self.turn_away(now, contact, no, at, reason, out);
        }
    }
}
