//! One agent's figures.

use super::{
    facts::{Activity, AgentChange, Fact, fact, rang},
    measure::{Mean, Ratio, millis},
    recent::Recent,
};
use crate::{Event, agent::State};
use centro_kernel::{
    Timestamp, UserId,
    contact::{OfferEnd, Reservation},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pause reasons told apart in a day. Reasons are free text, so there could be any number.
const MOST_REASONS: usize = 50;

/// Figures of one agent, fed with events.
///
/// `apply` costs O(log n). Memory: 50 pause reasons and twice 512 reservations to know repeats.
#[derive(Clone, Debug)]
pub struct AgentFigures {
    agent: UserId,
    day_start: Timestamp,
    state: State,
    activity: Activity,
    since: Timestamp,
    logged_in_since: Option<Timestamp>,
    /// Login time of sessions of today that are over.
    login_ms: u64,
    spent: BTreeMap<Activity, u64>,
    /// Pauses for reasons beyond [`MOST_REASONS`].
    other_reasons_ms: u64,
    handled: u64,
    offers: BTreeMap<OfferEnd, u64>,
    ring_ms: u64,
    seen_offers: Recent<Reservation>,
    seen_contacts: Recent<Reservation>,
}

/// An agent's figures at a moment.
///
/// `ready + unreachable + reserved + alerting + connected + wrap_up + paused + not_responding = login`, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentToday {
    /// Who.
    pub agent: UserId,
    /// When this was true.
    pub as_of: Timestamp,
    /// What counts as today began here.
    pub day_start: Timestamp,
    /// Logged in, with or without contacts.
    pub login_ms: u64,
    /// Waiting for a contact with a phone that can ring.
    pub ready_ms: u64,
    /// Ready, but the phone could not be rung.
    pub unreachable_ms: u64,
    /// Held for a contact.
    pub reserved_ms: u64,
    /// The phone rang.
    pub alerting_ms: u64,
    /// Talk, hold included.
    pub connected_ms: u64,
    /// Wrap-up.
    pub wrap_up_ms: u64,
    /// Paused, for whatever reason.
    pub paused_ms: u64,
    /// Missed offers, and did not come back yet.
    pub not_responding_ms: u64,
    /// Paused by reason; an empty one was not given.
    pub paused_by_reason: BTreeMap<String, u64>,
    /// Paused for reasons beyond the 50 that are told apart.
    pub paused_other_reasons_ms: u64,
    /// Contacts connected.
    pub handled: u64,
    /// Offers that are over, by how they ended.
    pub offers: BTreeMap<OfferEnd, u64>,
    /// Rang in vain (RONA). A caller who hung up meanwhile does not count.
    pub missed: u64,
    /// Declined.
    pub rejected: u64,
    /// Answered offers, of those that rang.
    pub answer_rate: Ratio,
    /// How long the phone rang.
    pub ring_ms: u64,
    /// Talk and wrap-up, of these and being ready. Time paused, ringing or out of reach is in neither.
    pub occupancy: Ratio,
}

impl AgentToday {
    /// Average handle time: talk and wrap-up per contact.
    pub const fn handle_time(&self) -> Mean {
        Mean {
            sum_ms: self.connected_ms.saturating_add(self.wrap_up_ms),
            count: self.handled,
        }
    }
}

impl AgentFigures {
    /// Nothing is known of what happened before `started`, which is also taken for the beginning of the day.
    pub fn new(agent: UserId, started: Timestamp) -> Self {
        Self {
            agent,
            day_start: started,
            state: State::LoggedOut,
            activity: Activity::LoggedOut,
            since: started,
            logged_in_since: None,
            login_ms: 0,
            spent: BTreeMap::new(),
            other_reasons_ms: 0,
            handled: 0,
            offers: BTreeMap::new(),
            ring_ms: 0,
            seen_offers: Recent::default(),
            seen_contacts: Recent::default(),
        }
    }

    /// Today begins at `start`. To be called before the first event of the day; an earlier day does not come back. What the
    /// agent does at that moment counts from there on.
    pub fn begin_day(&mut self, start: Timestamp) {
        if start <= self.day_start {
            return;
        }
        self.day_start = start;
        self.login_ms = 0;
        self.spent.clear();
        self.other_reasons_ms = 0;
        self.handled = 0;
        self.offers.clear();
        self.ring_ms = 0;
    }

    /// Something happened at `now`. Events of other agents and repeats change nothing.
    pub fn apply(&mut self, now: Timestamp, event: &Event) {
        let today = now >= self.day_start;
        match fact(event) {
            Some(Fact::Agent(change)) if change.agent == self.agent => self.changed(change),
            Some(Fact::Connected { reservation, .. }) if reservation.agent == self.agent => {
                self.handled += u64::from(self.seen_contacts.learn(reservation) && today);
            }
            Some(Fact::OfferEnded {
                reservation,
                why,
                ring_ms,
                ..
            }) if reservation.agent == self.agent => {
                let counts = self.seen_offers.learn(reservation) && today;
                self.offer_ended(why, ring_ms, counts);
            }
            _ => {}
        }
    }

    fn offer_ended(&mut self, why: OfferEnd, ring_ms: u64, counts: bool) {
        if counts {
            *self.offers.entry(why).or_default() += 1;
            self.ring_ms = self.ring_ms.saturating_add(ring_ms);
        }
    }

    fn changed(&mut self, change: AgentChange) {
        let (since, activity) = (change.since, change.activity);
        // Of two changes in one millisecond the second follows from the first; a repeat does not.
        let follows = since > self.since || (since == self.since && change.before == self.state);
        if !follows || activity == self.activity {
            return;
        }
        let spent = self.stretch(since);
        add_stretch(
            &mut self.spent,
            &mut self.other_reasons_ms,
            &self.activity,
            spent,
        );
        match (self.logged_in_since, &activity) {
            (Some(login), Activity::LoggedOut) => {
                self.login_ms += millis(since.since(login.max(self.day_start)));
                self.logged_in_since = None;
            }
            (None, Activity::LoggedOut) | (Some(_), _) => {}
            (None, _) => self.logged_in_since = Some(since),
        }
        (self.state, self.activity, self.since) = (change.state, activity, since);
    }

    /// How much of what the agent does falls into today, up to `until`.
    fn stretch(&self, until: Timestamp) -> u64 {
        millis(until.since(self.since.max(self.day_start)))
    }

    /// All figures at `now`, which is not before the last event.
    pub fn today(&self, now: Timestamp) -> AgentToday {
        let (mut spent, mut other_reasons_ms) = (self.spent.clone(), self.other_reasons_ms);
        let open = self.stretch(now);
        add_stretch(&mut spent, &mut other_reasons_ms, &self.activity, open);
        let session = self
            .logged_in_since
            .map_or(0, |login| millis(now.since(login.max(self.day_start))));
        let time = |activity: Activity| spent.get(&activity).copied().unwrap_or(0);
        let with = |why: OfferEnd| self.offers.get(&why).copied().unwrap_or(0);
        let rang = self.offers.iter().filter(|(why, _)| rang(**why));
        let (connected_ms, wrap_up_ms) = (time(Activity::Connected), time(Activity::WrapUp));
        let ready_ms = time(Activity::Ready);
        let paused_by_reason: BTreeMap<_, _> = spent
            .iter()
            .filter_map(|(activity, ms)| match activity {
                Activity::Paused(reason) => Some((reason.clone(), *ms)),
                _ => None,
            })
            .collect();
        AgentToday {
            agent: self.agent,
            as_of: now,
            day_start: self.day_start,
            login_ms: self.login_ms + session,
            ready_ms,
            unreachable_ms: time(Activity::Unreachable),
            reserved_ms: time(Activity::Reserved),
            alerting_ms: time(Activity::Alerting),
            connected_ms,
            wrap_up_ms,
            paused_ms: paused_by_reason.values().sum::<u64>() + other_reasons_ms,
            not_responding_ms: time(Activity::NotResponding),
            paused_by_reason,
            paused_other_reasons_ms: other_reasons_ms,
            handled: self.handled,
            offers: self.offers.clone(),
            missed: with(OfferEnd::NoAnswer),
            rejected: with(OfferEnd::Rejected),
            answer_rate: Ratio {
                part: with(OfferEnd::Answered),
                base: rang.map(|(_, count)| count).sum(),
            },
            ring_ms: self.ring_ms,
            occupancy: Ratio {
                part: connected_ms + wrap_up_ms,
                base: connected_ms + wrap_up_ms + ready_ms,
            },
        }
    }
}

fn add_stretch(
    spent: &mut BTreeMap<Activity, u64>,
    other_reasons_ms: &mut u64,
    activity: &Activity,
    ms: u64,
) {
    let is_reason = |a: &Activity| matches!(a, Activity::Paused(_));
    match activity {
        _ if ms == 0 => {}
        Activity::LoggedOut => {}
        Activity::Paused(_)
            if !spent.contains_key(activity)
                && spent.keys().filter(|a| is_reason(a)).count() >= MOST_REASONS =>
        {
            *other_reasons_ms += ms;
        }
        _ => *spent.entry(activity.clone()).or_default() += ms,
    }
}
