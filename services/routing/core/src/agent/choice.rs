//! What the person or a supervisor wants: log in, choose a status, serve other queues. The last wish wins, and a contact in
//! progress goes on.

use super::{Agent, Chosen, Desktop, Membership, Part, Rest, SlotPhase, State};
use crate::{
    Deadlines,
    message::{AgentEffect, AgentOut, Answer, LogIn, NoPickUp},
};
use centro_kernel::{QueueId, Timestamp};
use std::{sync::Arc, time::Duration};

impl Agent {
    pub(super) fn log_in(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        log_in: LogIn,
        out: &mut AgentOut,
    ) {
        let before = self.record.memberships.clone();
        let queues = self.memberships_after(log_in.queues);
        // Whoever logs in again before a log-out took effect was never away: times and counts go on.
        if self.record.device.is_none() || self.record.state() == State::LoggedOut {
            self.record.logged_in_at = now;
            self.record.received_at = now;
            self.record.contacts = 0;
            self.record.talk = Duration::ZERO;
        }
        let r = &mut self.record;
        r.all_queues = log_in.all_queues;
        r.device = Some(log_in.device);
        r.device_online = log_in.device_online;
        r.rest = None;
        r.memberships = queues;
        r.profile = log_in.profile;
        r.desktop = if log_in.desktop {
            Desktop::Open
        } else {
            Desktop::None
        };
        self.desktop_due = log_in.desktop.then(|| now + cfg.desktop);
        let chosen = match &r.chosen {
            _ if log_in.ready => Chosen::Ready,
            paused @ Chosen::Paused(_) => paused.clone(), // another phone is no other reason
            _ => Chosen::Paused(String::new()),
        };
        self.choose(now, chosen, out);
        self.changed(cfg, now, out);
        self.tell_those_left(&before, out);
        out.answer = Some(Answer::Done);
    }

    /// The memberships after a log-in to these queues. Whoever is logged in already keeps what a supervisor gave for the
    /// time being (spec S48), and stays paused where a queue was paused.
    fn memberships_after(&self, mut wanted: Vec<Membership>) -> Arc<[Membership]> {
        wanted.sort_by_key(|m| (m.queue, m.temporary));
        wanted.dedup_by_key(|m| m.queue);
        if self.record.chosen != Chosen::LoggedOut {
            for known in self.record.memberships.iter() {
                match wanted.binary_search_by_key(&known.queue, |m| m.queue) {
                    Ok(at) => {
                        if let Some(again) = wanted.get_mut(at) {
                            (again.part, again.misses) = (known.part.clone(), known.misses);
                        }
                    }
                    Err(at) if known.temporary => wanted.insert(at, known.clone()),
                    Err(_) => {}
                }
            }
        }
        Arc::from(wanted)
    }

    pub(super) fn set_status(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        chosen: Chosen,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        let r = &self.record;
        if r.chosen == Chosen::LoggedOut && chosen != Chosen::LoggedOut {
            out.answer = Some(Answer::NotLoggedIn);
            return;
        }
        out.answer = Some(Answer::Done);
        // Choosing the same again changes nothing, but ready also means "I am back", in every queue.
        let back = r.not_responding
            || r.misses > 0
            || r.rest.is_some()
            || r.memberships
                .iter()
                .any(|m| m.part != Part::Taken || m.misses > 0);
        if r.chosen == chosen && !(chosen == Chosen::Ready && back) {
            return;
        }
        self.choose(now, chosen, out);
        self.changed(cfg, now, out);
    }

    /// Takes the choice over. What rings is revoked; what is only reserved is let go.
    pub(super) fn choose(&mut self, now: Timestamp, chosen: Chosen, out: &mut AgentOut) {
        let ready = chosen == Chosen::Ready;
        let r = &mut self.record;
        if ready && (r.chosen != Chosen::Ready || r.not_responding) {
            r.idle_since = now;
        }
        r.chosen = chosen;
        r.not_responding = false;
        r.misses = 0;
        r.rest = None;
        if r.memberships
            .iter()
            .any(|m| m.part != Part::Taken || m.misses > 0)
        {
            self.change_memberships(|m| {
                m.misses = 0;
                if m.part == Part::NotResponding || ready {
                    m.part = Part::Taken;
                }
            });
        }
        if self.record.chosen != Chosen::Ready {
            self.take_back(|_| true, out);
        }
    }

    /// Takes back what is not answered yet: a ring is cancelled, a mere reservation let go.
    fn take_back(&mut self, concerned: impl Fn(QueueId) -> bool, out: &mut AgentOut) {
        for slot in self.record.slots.iter().filter(|s| concerned(s.queue)) {
            self.pick_up_is_off(slot, NoPickUp::Unanswered, out);
        }
        let r = &mut self.record;
        r.slots
            .retain(|s| s.phase != SlotPhase::Reserved || !concerned(s.queue));
        let agent = r.id;
        let rings = r.slots.iter_mut();
        for slot in rings.filter(|s| s.phase == SlotPhase::Alerting && concerned(s.queue)) {
            slot.phase = SlotPhase::Revoked;
            if let Some(contact) = slot.contact {
                out.send.push(AgentEffect::CancelOffer {
                    reservation: centro_kernel::contact::Reservation {
                        agent,
                        number: slot.number,
                    },
                    contact,
                    edge: slot.edge.clone(),
                });
            }
        }
    }

    /// Pauses in one queue, or takes part again.
    pub(super) fn set_queue_status(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queue: QueueId,
        pause: Option<Arc<str>>,
        out: &mut AgentOut,
    ) {
        out.fence = true;
        let Some(membership) = self.record.membership(queue) else {
            out.answer = Some(Answer::NotInQueue);
            return;
        };
        out.answer = Some(Answer::Done);
        let part = pause.map_or(Part::Taken, Part::Paused);
        if membership.part == part && membership.misses == 0 {
            return;
        }
        let pauses = part != Part::Taken;
        self.change_memberships(|m| {
            if m.queue == queue {
                m.part = part.clone();
                m.misses = 0;
            }
        });
        if pauses {
            self.take_back(|of| of == queue, out);
        }
        self.changed(cfg, now, out);
    }

    /// A log-out from some queues: like the one from all of them, it lets a talk go on and nothing else.
    pub(super) fn leave_queues(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queues: &[QueueId],
        out: &mut AgentOut,
    ) {
        if queues.iter().any(|q| self.record.membership(*q).is_some()) {
            self.follow_no_more(|m| queues.contains(&m.queue));
            self.take_back(|of| queues.contains(&of), out);
            self.end_memberships(cfg, now, |m| queues.contains(&m.queue), out);
        }
    }

    /// Whoever leaves an assigned queue has chosen: else the next change of assignments would bring it back.
    pub(super) fn follow_no_more(&mut self, leaves: impl Fn(&Membership) -> bool) {
        let r = &mut self.record;
        r.all_queues &= !r.memberships.iter().any(|m| !m.temporary && leaves(m));
    }

    pub(super) fn end_memberships(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        ends: impl Fn(&Membership) -> bool,
        out: &mut AgentOut,
    ) {
        let before = self.record.memberships.clone();
        let stay: Arc<[_]> = before.iter().filter(|m| !ends(m)).cloned().collect();
        if stay.len() < before.len() {
            self.record.memberships = stay;
            self.changed(cfg, now, out);
            self.tell_those_left(&before, out);
        }
    }

    /// A new assignment: whoever serves all of them serves this one too. What is served already takes its settings over.
    pub(super) fn join_queues(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        queues: Vec<Membership>,
        out: &mut AgentOut,
    ) {
        let r = &mut self.record;
        if r.chosen == Chosen::LoggedOut {
            return;
        }
        let mut all = r.memberships.to_vec();
        for new in queues {
            match all.binary_search_by_key(&new.queue, |m| m.queue) {
                Ok(at) => {
                    if let Some(known) = all.get_mut(at) {
                        (known.medium, known.order) = (new.medium, new.order);
                        known.temporary &= new.temporary;
                    }
                }
                Err(at) if r.all_queues || new.temporary => all.insert(at, new),
                Err(_) => {}
            }
        }
        if all[..] != r.memberships[..] {
            r.memberships = Arc::from(all);
            self.changed(cfg, now, out);
        }
    }

    pub(super) fn change_memberships(&mut self, change: impl FnMut(&mut Membership)) {
        let mut all = self.record.memberships.to_vec();
        all.iter_mut().for_each(change);
        self.record.memberships = Arc::from(all);
    }

    fn tell_those_left(&self, before: &[Membership], out: &mut AgentOut) {
        for membership in before {
            if self.record.membership(membership.queue).is_none() {
                self.presence(membership.queue, out);
            }
        }
    }

    /// A sign of life. Only the first after an absence changes anything that is stored.
    pub(super) fn desktop_seen(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        out.answer = Some(Answer::Done);
        if self.record.logged_out() {
            return;
        }
        self.desktop_due = Some(now + cfg.desktop);
        if self.record.desktop != Desktop::Open {
            self.record.desktop = Desktop::Open;
            self.changed(cfg, now, out);
        }
    }

    /// Nobody sits there any more: no contact comes, and the agent is not staffed. What was chosen stays chosen.
    pub(super) fn desktop_gone(&mut self, cfg: &Deadlines, now: Timestamp, out: &mut AgentOut) {
        self.desktop_due = None;
        if self.record.desktop == Desktop::Open {
            self.record.desktop = Desktop::Gone;
            self.changed(cfg, now, out);
        }
        out.answer = Some(Answer::Done);
    }

    /// A device that registers again may be tried again.
    pub(super) fn forgive_device(&mut self) {
        if matches!(self.record.rest, Some((_, Rest::Unreachable))) {
            self.record.rest = None;
        }
    }
}
