//! What an offer goes through: ask, ring, commit, settle.

use crate::{
    Edge, Effect,
    edge::Effects,
    mutants::{Mutant, breaks},
    state::{Exit, Leg, LegState, Phase},
};
use centro_kernel::{
    Timestamp,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::time::Duration;

/// How long an agent whose device did not ring is not offered again: at once nothing would have changed.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(2);

impl Edge {
    pub(crate) fn on_offer(
        &mut self,
        now: Timestamp,
        current: bool,
        reservation: Reservation,
        (ring, brief): (Duration, Duration),
        out: &mut Effects,
    ) {
        if self.legs.contains_key(&reservation) || self.phase == Phase::Connected(reservation) {
            return; // a repeat
        }
        let seen = self.seen.entry(reservation.agent).or_insert(0);
        let new = reservation.number > *seen || breaks(Mutant::OfferTwice);
        *seen = reservation.number.max(*seen);
        let waits = self.phase == Phase::Waiting && self.exit.is_none();
        let taken = self.busy() || self.briefing().is_some();
        if current && waits && new && !taken {
            self.legs.insert(
                reservation,
                LegState {
                    leg: Leg::Asking,
                    due: now + ring,
                    ring,
                    brief,
                },
            );
            out.push(Effect::Alert(reservation));
            return;
        }
        self.end(reservation, OfferEnd::NeverRang, out);
        if current && taken && !breaks(Mutant::RefuseInCommit) {
            self.turned_away.insert(reservation, OfferEnd::NeverRang);
        } else if current {
            self.offer_ended(reservation, None, OfferEnd::NeverRang, out);
        }
    }

    pub(crate) fn on_alert_ok(&mut self, reservation: Reservation, out: &mut Effects) {
        if let Some(state) = self
            .legs
            .get_mut(&reservation)
            .filter(|s| s.leg == Leg::Asking)
        {
            state.leg = Leg::Ringing;
            out.push(Effect::Ring(reservation));
        }
    }

    pub(crate) fn on_answered(
        &mut self,
        now: Timestamp,
        reservation: Reservation,
        out: &mut Effects,
    ) {
        let state = self.legs.get(&reservation).copied();
        let Some(state) = state.filter(|s| s.leg == Leg::Ringing) else {
            return;
        };
        if self.busy() || self.briefing().is_some() {
            self.give_up(now, reservation, OfferEnd::Elsewhere, out);
        } else if state.brief.is_zero() {
            self.commit(now, reservation, out);
        } else {
            self.brief(now, reservation, out);
        }
    }

    /// The customer goes on waiting while the agent is briefed: whoever hangs up now was not answered. The other devices
    /// stop at once, for nobody should answer in vain; the queue hears of them when it is decided.
    fn brief(&mut self, now: Timestamp, reservation: Reservation, out: &mut Effects) {
        let others: Vec<_> = self.legs.keys().copied().collect();
        for other in others.into_iter().filter(|other| *other != reservation) {
            let why = OfferEnd::Elsewhere;
            self.legs.remove(&other);
            out.push(Effect::Stop {
                reservation: other,
                why,
            });
            self.end(other, why, out);
            self.turned_away.insert(other, why);
        }
        if let Some(state) = self.legs.get_mut(&reservation) {
            (state.leg, state.due) = (Leg::Briefing, now + state.brief);
            out.push(Effect::Brief(reservation));
        }
    }

    pub(crate) fn on_briefed(
        &mut self,
        now: Timestamp,
        reservation: Reservation,
        out: &mut Effects,
    ) {
        if self.leg(reservation) == Some(Leg::Briefing) {
            self.commit(now, reservation, out);
        }
    }

    fn commit(&mut self, now: Timestamp, reservation: Reservation, out: &mut Effects) {
        if let Some(state) = self.legs.get_mut(&reservation) {
            (state.leg, state.due) = (Leg::Committing, now + self.timing.commit);
            out.push(Effect::Connect(reservation));
        }
    }

    pub(crate) fn on_connect_ok(&mut self, reservation: Reservation, out: &mut Effects) {
        if self.unsure && self.phase == Phase::Connected(reservation) {
            self.unsure = false;
            out.push(Effect::Bridge(reservation));
            return;
        }
        if self.leg(reservation) != Some(Leg::Committing) {
            return;
        }
        self.legs.remove(&reservation);
        self.exit = None; // a time-out or `*` of the same instant lost
        self.phase = Phase::Connected(reservation);
        self.unsure = false;
        self.turned_away.clear();
        out.push(Effect::Bridge(reservation));
        for other in std::mem::take(&mut self.legs).into_keys() {
            out.push(Effect::Stop {
                reservation: other,
                why: OfferEnd::Elsewhere,
            });
            self.end(other, OfferEnd::Elsewhere, out);
        }
        self.left(LeftReason::Answered, Some(reservation.agent), out);
    }

    pub(crate) fn on_refused(&mut self, reservation: Reservation, out: &mut Effects) {
        match self.leg(reservation) {
            Some(Leg::Settling) => {}
            Some(_) => {
                self.legs.remove(&reservation);
                out.push(Effect::Stop {
                    reservation,
                    why: OfferEnd::Revoked,
                });
                self.back_to_wait(reservation, OfferEnd::Revoked, out);
            }
            // The answer to `Revalidate`: the agent was given away while this process slept.
            None if self.phase == Phase::Connected(reservation) => {
                self.phase = Phase::Gone(LeftReason::Answered);
                out.push(Effect::Stop {
                    reservation,
                    why: OfferEnd::Answered,
                });
            }
            None => {}
        }
    }

    pub(crate) fn on_ended(
        &mut self,
        reservation: Reservation,
        was_connected: bool,
        out: &mut Effects,
    ) {
        let why = self
            .ends
            .remove(&reservation)
            .unwrap_or(OfferEnd::CommitFailed);
        if self.leg(reservation) == Some(Leg::Settling) {
            self.legs.remove(&reservation);
            if was_connected && self.exit == Some(Exit::Leave(LeftReason::Abandoned)) {
                self.exit = Some(Exit::Answered(reservation.agent)); // one truth for the figures
            }
            self.back_to_wait(reservation, why, out);
        }
    }

    pub(crate) fn on_agent_hung_up(
        &mut self,
        now: Timestamp,
        reservation: Reservation,
        out: &mut Effects,
    ) {
        if self.phase == Phase::Connected(reservation) {
            self.phase = Phase::Gone(LeftReason::Answered);
            self.end(reservation, OfferEnd::Answered, out);
        } else if self.leg(reservation) == Some(Leg::Committing) {
            self.settle(reservation, OfferEnd::CommitFailed, out);
        } else if self.leg(reservation) == Some(Leg::Briefing) {
            self.give_up(now, reservation, OfferEnd::Rejected, out);
        }
    }

    pub(crate) fn committing(&self) -> Option<Reservation> {
        self.in_phase(Leg::Committing)
    }

    /// The offer whose agent answered and does not have the customer yet.
    pub(crate) fn briefing(&self) -> Option<Reservation> {
        self.in_phase(Leg::Briefing)
    }

    fn in_phase(&self, leg: Leg) -> Option<Reservation> {
        let found = self.legs.iter().find(|(_, s)| s.leg == leg);
        found.map(|(reservation, _)| *reservation)
    }

    /// Legs whose time has passed.
    pub(crate) fn expire(&mut self, now: Timestamp, out: &mut Effects) {
        let due: Vec<_> = self
            .legs
            .iter()
            .filter(|(_, s)| s.due <= now)
            .map(|(r, s)| (*r, s.leg))
            .collect();
        for (reservation, leg) in due {
            match leg {
                Leg::Asking => self.give_up(now, reservation, OfferEnd::NeverRang, out),
                Leg::Ringing => self.give_up(now, reservation, OfferEnd::NoAnswer, out),
                // Its end was not told; the customer need not wait for that.
                Leg::Briefing => self.commit(now, reservation, out),
                // Only the agent's record can say whether it was connected.
                Leg::Committing => self.settle(reservation, OfferEnd::CommitFailed, out),
                Leg::Settling => {}
            }
        }
    }

    /// Stops a leg that was never committed. A leg in commit is left alone: its answer decides.
    pub(crate) fn give_up(
        &mut self,
        now: Timestamp,
        reservation: Reservation,
        why: OfferEnd,
        out: &mut Effects,
    ) {
        let exclude_for = (why == OfferEnd::Rejected).then_some(self.timing.reject_delay);
        self.give_up_for(now, reservation, why, exclude_for, out);
    }

    /// The same, and the agent is not offered to this contact for a while.
    pub(crate) fn give_up_for(
        &mut self,
        now: Timestamp,
        reservation: Reservation,
        why: OfferEnd,
        exclude_for: Option<Duration>,
        out: &mut Effects,
    ) {
        let open = [Leg::Asking, Leg::Ringing, Leg::Briefing];
        if !self.leg(reservation).is_some_and(|leg| open.contains(&leg)) {
            return;
        }
        self.legs.remove(&reservation);
        out.push(Effect::Stop { reservation, why });
        self.end(reservation, why, out);
        if let Some(delay) = exclude_for {
            self.excluded.insert(reservation.agent, now + delay);
        }
        self.offer_ended(reservation, exclude_for, why, out);
        self.decided(out);
        self.try_exit(now, out);
    }

    /// Gives up a leg in commit: nothing else happens until the agent's record has said what it did.
    pub(crate) fn settle(&mut self, reservation: Reservation, why: OfferEnd, out: &mut Effects) {
        if breaks(Mutant::NoSettling) && self.leg(reservation) == Some(Leg::Committing) {
            self.legs.remove(&reservation);
            out.push(Effect::Stop { reservation, why });
            self.end(reservation, why, out);
            self.back_to_wait(reservation, why, out);
            return;
        }
        if let Some(state) = self
            .legs
            .get_mut(&reservation)
            .filter(|s| s.leg == Leg::Committing)
        {
            state.leg = Leg::Settling;
            out.push(Effect::Stop { reservation, why });
            self.end(reservation, why, out);
        }
    }

    fn offer_ended(
        &mut self,
        reservation: Reservation,
        exclude_for: Option<Duration>,
        why: OfferEnd,
        out: &mut Effects,
    ) {
        if let Some(queue) = self.queue {
            let attach_no = self.attach_no;
            out.push(Effect::OfferEnded {
                queue,
                attach_no,
                reservation,
                exclude_for,
                why,
            });
        }
    }

    fn back_to_wait(&mut self, reservation: Reservation, why: OfferEnd, out: &mut Effects) {
        self.offer_ended(reservation, None, why, out);
        self.decided(out);
        self.try_exit(self.now, out);
    }

    /// Nobody is about to take the contact any more: the queue hears of those who were turned away meanwhile.
    fn decided(&mut self, out: &mut Effects) {
        if !self.busy() && self.briefing().is_none() {
            for (away, why) in std::mem::take(&mut self.turned_away) {
                self.offer_ended(away, None, why, out);
            }
        }
    }
}
