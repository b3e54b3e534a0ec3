//! One waiting contact, and its place.

use crate::{
    message::{Caller, ContactKind, QueueTimer},
    mutants::{Mutant, breaks},
    settings::Ageing,
    skills::{Need, Needs},
};
use centro_kernel::{ContactId, QueueId, Timestamp, UserId, contact::Reservation};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A contact's place: higher priority first, then the longer wait.
pub type Place = (Reverse<u32>, Timestamp, ContactId);

/// Where a person wants a waiting contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Wish {
    /// In another queue, with its wait so far.
    MoveTo(QueueId),
    /// In no queue.
    TakeOut,
}

/// One waiting contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Which contact.
    pub contact: ContactId,
    /// The attachment in force.
    pub attach_no: u32,
    /// When it first entered this queue; it keeps its place by it.
    pub enqueued_at: Timestamp,
    /// Higher is served first.
    pub priority: u32,
    /// A person gave it this priority: what its edge says does not count.
    pub reprioritised: bool,
    /// It goes first, for it has waited or been overtaken as much as the queue allows (spec D17).
    pub boosted: bool,
    /// Agents who took somebody that came later.
    pub overtaken: u32,
    /// How it came about.
    pub kind: ContactKind,
    /// What it needs, step by step.
    pub needs: Arc<Needs>,
    /// The step in force; beyond the last one nothing is needed.
    pub step: u8,
    /// When the step has had its time.
    pub relax_due: Option<Timestamp>,
    /// Agents not to be offered, until when.
    pub excluded: BTreeMap<UserId, Timestamp>,
    /// Agents who declined it or let it ring: others go first (`reject_memory`, spec G15).
    pub declined: BTreeSet<UserId>,
    /// Nobody is asked for it before this: an offer was not answered (spec D3).
    pub retry_due: Option<Timestamp>,
    /// False while its stream is broken, or after a takeover until its edge is back.
    pub attached: bool,
    /// It came when nobody could say yet whether agents are here; judged when everybody had time to tell.
    pub on_trial: bool,
    /// When a contact that is not attached is given up.
    pub lost_due: Option<Timestamp>,
    /// Until when a callback that was promised to the customer keeps its place.
    pub promise_due: Option<Timestamp>,
    /// Reservations it was offered and the edge has not ended.
    pub offers: Vec<Reservation>,
    /// When the edge should have said how the offer ended.
    pub offered_due: Option<Timestamp>,
    /// When it has waited as long as it may behind others.
    pub boost_due: Option<Timestamp>,
    /// Where a person wants it, and when its edge is told again.
    pub wish: Option<(Wish, Timestamp)>,
    /// Who waits.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
}

impl Entry {
    /// The contact attached anew: what the queue and people did to it goes on.
    pub(super) fn go_on_from(&mut self, old: Self) {
        if old.reprioritised {
            (self.priority, self.reprioritised) = (old.priority, true);
        }
        if old.needs == self.needs {
            (self.step, self.relax_due) = (old.step, old.relax_due);
        }
        for (agent, until) in old.excluded {
            let known = self.excluded.entry(agent).or_insert(until);
            *known = until.max(*known);
        }
        if old.promise_due.is_some() {
            // It was promised this place, whatever its new edge says.
            (self.enqueued_at, self.priority) = (old.enqueued_at, old.priority);
            (self.kind, self.promise_due) = (old.kind, old.promise_due);
        }
        self.boosted = old.boosted;
        self.overtaken = old.overtaken;
        self.boost_due = old.boost_due;
        self.declined = old.declined;
        self.retry_due = old.retry_due;
        self.on_trial = old.on_trial;
        self.wish = old.wish;
    }

    /// Where it stands. With ageing a point of priority is worth a fraction of a minute of wait, which keeps the order
    /// fixed: all age alike.
    pub fn place(&self, ageing: &Ageing) -> Place {
        if self.boosted {
            return (Reverse(u32::MAX), self.enqueued_at, self.contact);
        }
        let per_minute = i64::from(ageing.points_per_minute);
        if per_minute == 0 {
            return (Reverse(self.priority), self.enqueued_at, self.contact);
        }
        let head_start = i64::from(self.priority) * 60_000 / per_minute;
        let since = Timestamp::from_millis(self.enqueued_at.as_millis() - head_start);
        (Reverse(0), since, self.contact)
    }

    /// Takes a rule about long waits over that was not in force when it came.
    pub(super) fn age_by(&mut self, ageing: &Ageing) {
        let may_wait = ageing.max_wait.filter(|_| !self.boosted);
        self.boost_due = may_wait.map(|wait| self.enqueued_at + wait);
    }

    /// What it needs now.
    pub fn needs_now(&self) -> &[Need] {
        self.needs.at(self.step)
    }

    /// Whether this agent may be offered this contact, skills aside.
    pub fn fits(&self, agent: UserId) -> bool {
        let rings = self.offers.iter().any(|r| r.agent == agent) && !breaks(Mutant::AskTwice);
        !rings && !self.excluded.contains_key(&agent)
    }

    /// Whether it may be offered to anybody now.
    pub const fn may_be_offered(&self) -> bool {
        self.attached && self.wish.is_none()
    }

    /// Whether agents are asked for it. After an offer that nobody answered they are not for a while (spec D3); but an agent
    /// who was asked for another contact gets this one first all the same, for no place gets worse by somebody else's fault.
    pub const fn asks(&self) -> bool {
        self.may_be_offered() && self.retry_due.is_none()
    }

    /// Whether a rule of the queue may end its wait: nobody is asked to answer it, its edge is there to hear of it, and it
    /// is no callback, which was promised.
    pub fn is_evictable(&self) -> bool {
        self.attached && self.offers.is_empty() && self.kind != ContactKind::Callback
    }

    pub(super) fn timers(&self) -> impl Iterator<Item = (Timestamp, QueueTimer)> + '_ {
        let own = self.dues().into_iter().zip(Self::TIMERS);
        let own = own.filter_map(|(due, timer)| Some((due?, timer(self.contact))));
        own.chain(Self::exclusions(self.contact, &self.excluded))
    }

    /// Its own timers, one of each kind; [`Self::dues`] says when they are due.
    pub(super) const TIMERS: [fn(ContactId) -> QueueTimer; 7] = [
        QueueTimer::Offered,
        QueueTimer::Lost,
        QueueTimer::Promise,
        QueueTimer::Retry,
        QueueTimer::Relax,
        QueueTimer::Boost,
        QueueTimer::Wish,
    ];

    pub(super) fn dues(&self) -> [Option<Timestamp>; 7] {
        // Who holds nothing cannot be told.
        let told = self.wish.filter(|_| !self.is_unheld_promise());
        [
            self.offered_due,
            self.lost_due,
            self.promise_due,
            self.retry_due,
            self.relax_due,
            self.boost_due,
            told.map(|(_, due)| due),
        ]
    }

    /// When agents may be offered again.
    pub(super) fn exclusions(
        contact: ContactId,
        excluded: &BTreeMap<UserId, Timestamp>,
    ) -> impl Iterator<Item = (Timestamp, QueueTimer)> {
        let timer = move |agent| QueueTimer::Unexclude(contact, agent);
        excluded
            .iter()
            .map(move |(agent, due)| (*due, timer(*agent)))
    }
}
