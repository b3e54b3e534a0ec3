//! Needs that give way while a contact waits (spec D23, G14), and waits that have lasted long enough (spec D17, U13).

use super::Queue;
use crate::{
    Event,
    message::QueueOut,
    skills::{Need, SkillMatch, Skills},
};
use centro_kernel::{ContactId, Timestamp, UserId, contact::LeftReason};

/// Why a contact goes first now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Boost {
    /// It waited as long as it may behind others.
    Waited,
    /// It was overtaken as often as it may be.
    Overtaken,
}

impl Queue {
    /// A contact's present needs have had their time.
    pub(super) fn on_relax_due(&mut self, now: Timestamp, contact: ContactId, out: &mut QueueOut) {
        if let Some(step) = self.line.get(contact).map(|entry| entry.step) {
            self.set_step(now, contact, step.saturating_add(1), out);
            self.skip_hopeless_step(now, contact, out);
        }
    }

    fn set_step(&mut self, now: Timestamp, contact: ContactId, step: u8, out: &mut QueueOut) {
        self.line.change(contact, |entry| {
            entry.step = step;
            entry.relax_due = entry.needs.lasts(step).map(|lasts| now + lasts);
        });
        // Whoever is being asked may not meet the new needs: then another may be asked.
        if let Some(agent) = self.line.covered_by(contact)
            && !self.meets(agent, contact)
        {
            self.slow_down(agent);
        }
        self.stored(contact, out);
        let queue = self.settings.id;
        out.events.push(Event::NeedsRelaxed {
            contact,
            queue,
            step,
        });
    }

    /// A step that nobody logged in could ever meet is not waited for; without a further one the contact may move on.
    pub(super) fn skip_hopeless_step(
        &mut self,
        now: Timestamp,
        contact: ContactId,
        out: &mut QueueOut,
    ) {
        if !self.needs_matter() {
            return;
        }
        while let Some(entry) = self.line.get(contact) {
            let needs = entry.needs_now();
            if needs.is_empty() || self.roster.anybody_meets(needs) {
                return;
            }
            if entry.needs.may_relax(entry.step) {
                let step = entry.step.saturating_add(1);
                self.set_step(now, contact, step, out);
            } else {
                if self.settings.move_on_when_no_agent_matches {
                    self.send_away(now, contact, LeftReason::NoSkillMatch, out);
                }
                return;
            }
        }
    }

    /// The same for everybody, when who is here or the rules have changed.
    pub(super) fn skip_hopeless_steps(&mut self, now: Timestamp, out: &mut QueueOut) {
        if !self.needs_matter() {
            return;
        }
        let met = |needs: &[Need]| needs.is_empty() || self.roster.anybody_meets(needs);
        for contact in self.line.unmet(met) {
            self.skip_hopeless_step(now, contact, out);
        }
    }

    /// Whether it can be said that nobody here meets a need.
    fn needs_matter(&self) -> bool {
        self.settle.is_none() && self.settings.skill_match == SkillMatch::AllRequired
    }

    /// An agent took somebody, here or in another queue, who waits since then. Of those whom the agent could have served
    /// instead, the one that waits longest was overtaken if it came before.
    pub(super) fn note_overtaking(
        &mut self,
        agent: UserId,
        skills: &Skills,
        winner_since: Timestamp,
        out: &mut QueueOut,
    ) {
        let Some(most) = self.settings.ageing.max_overtakes else {
            return;
        };
        let oldest = self.line.oldest_for(agent, skills);
        let overtaken = oldest.filter(|e| e.enqueued_at < winner_since && !e.boosted);
        let Some(contact) = overtaken.map(|e| e.contact) else {
            return;
        };
        let entry = self.line.change(contact, |entry| entry.overtaken += 1);
        if entry.is_some_and(|entry| entry.overtaken >= most) {
            self.go_first(contact, Boost::Overtaken, out);
        } else {
            self.stored(contact, out);
        }
    }

    /// A contact has waited as long as it may behind others.
    pub(super) fn boost(&mut self, contact: ContactId, out: &mut QueueOut) {
        self.go_first(contact, Boost::Waited, out);
    }

    fn go_first(&mut self, contact: ContactId, why: Boost, out: &mut QueueOut) {
        let queue = self.settings.id;
        if self.line.get(contact).is_none_or(|entry| entry.boosted) {
            return;
        }
        self.line.change(contact, |entry| {
            entry.boosted = true;
            entry.boost_due = None;
        });
        self.stored(contact, out);
        out.events.push(Event::ContactBoosted {
            contact,
            queue,
            why,
        });
    }
}
