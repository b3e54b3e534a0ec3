//! The work after a contact (spec D5, D6, S36, S37, P10, P11). It is a slot, so it holds whichever queue asks, and
//! survives takeovers, reloads and transfers.

use super::{Agent, Slot, SlotPhase};
use crate::{
    Deadlines, Event,
    message::{AgentOut, Answer},
    settings::{WrapUp, WrapUpMode},
};
use centro_kernel::{ContactId, Timestamp};
use std::time::Duration;

/// No wrap-up lasts longer, whoever forgets to end it: nothing is stuck (architecture, "Who owns what").
const LONGEST: Duration = Duration::from_secs(4 * 60 * 60);

impl Agent {
    pub(super) fn begin_wrap_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        out: &mut AgentOut,
    ) {
        let contact = self.record.slot(number).and_then(|s| s.contact);
        self.record.remember(now, cfg.tombstone, number, contact);
        let Some(slot) = self.record.slot_mut(number) else {
            return;
        };
        let talk = now.since(slot.since);
        let wrap_up = slot.terms.wrap_up;
        let time = match wrap_up.mode {
            WrapUpMode::None => Duration::ZERO,
            WrapUpMode::UntilDone => LONGEST,
            WrapUpMode::Timed | WrapUpMode::TimedExtendable | WrapUpMode::FixedNoEarlyExit => {
                wrap_up.time
            }
        };
        slot.phase = SlotPhase::WrapUp;
        slot.since = now;
        slot.due = Some(now + time);
        self.record.talk += talk;
        if time.is_zero() {
            self.drop_slot(cfg, now, number, true, out);
        } else {
            self.changed(cfg, now, out);
        }
    }

    pub(super) fn finish_wrap_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        number: u64,
        out: &mut AgentOut,
    ) {
        let Some(slot) = self.record.slot(number) else {
            return;
        };
        if let Some(contact) = slot.contact {
            out.events.push(Event::WrapUpEnded {
                contact,
                queue: slot.queue,
                agent: self.record.id,
                wrap_up: now.since(slot.since),
            });
        }
        self.drop_slot(cfg, now, number, true, out);
    }

    /// Ends it before its time. Of the timer and this at one instant, the second finds no slot.
    pub(super) fn end_wrap_up(
        &mut self,
        cfg: &Deadlines,
        now: Timestamp,
        contact: Option<ContactId>,
        supervisor: bool,
        out: &mut AgentOut,
    ) {
        let ends = |wrap_up: &WrapUp| supervisor || wrap_up.agent_ends();
        for number in self.wrap_ups(contact, ends, out) {
            self.finish_wrap_up(cfg, now, number, out);
        }
    }

    /// Prolongs it, up to the longest.
    pub(super) fn extend_wrap_up(
        &mut self,
        now: Timestamp,
        contact: Option<ContactId>,
        by: Duration,
        supervisor: bool,
        out: &mut AgentOut,
    ) {
        let extends = |wrap_up: &WrapUp| supervisor || wrap_up.mode == WrapUpMode::TimedExtendable;
        for number in self.wrap_ups(contact, extends, out) {
            if let Some(slot) = self.record.slot_mut(number) {
                let latest = slot.since + LONGEST;
                let due = slot.due.unwrap_or(now).max(now) + by;
                slot.due = Some(due.min(latest));
                self.dirty = true;
            }
        }
    }

    /// The wrap-ups of this contact, or of all, with which the asker may do that; and the answer.
    fn wrap_ups(
        &self,
        contact: Option<ContactId>,
        may: impl Fn(&WrapUp) -> bool,
        out: &mut AgentOut,
    ) -> Vec<u64> {
        let concerned = |s: &&Slot| {
            s.phase == SlotPhase::WrapUp && contact.is_none_or(|c| s.contact == Some(c))
        };
        let found: Vec<_> = self.record.slots.iter().filter(concerned).collect();
        let allowed = found.iter().filter(|s| may(&s.terms.wrap_up));
        let allowed: Vec<_> = allowed.map(|s| s.number).collect();
        out.fence = true;
        out.answer = Some(match (found.is_empty(), allowed.is_empty()) {
            (true, _) => Answer::NotInWrapUp,
            (false, true) => Answer::WrapUpFixed,
            (false, false) => Answer::Done,
        });
        allowed
    }
}
