//! One queue's figures.

use super::{
    day::Day,
    expected::{ExpectedWait, Serving, expected_wait},
    facts::{AgentChange, Fact, fact},
    measure::{Mean, MeanWait, Ratio, millis},
    recent::Recent,
    rules::Rules,
    stay::{Stay, Work},
    window::Window,
};
use crate::{Event, agent::State};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Outcome, Reservation},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// Stays remembered after they are over, to know a repeated event. One that is repeated later counts again.
const REMEMBERED: usize = 512;

/// A stay's name: the contact, and when it took its place.
type Key = (ContactId, Timestamp);

/// Figures of one queue, fed with events.
///
/// `apply` costs O(log n). Memory: those who wait or talk, 512 stays that are over, 20,000 samples per window.
#[derive(Clone, Debug)]
pub struct QueueFigures {
    queue: QueueId,
    rules: Rules,
    stays: BTreeMap<Key, Stay>,
    /// Those that are over, in the order of their end.
    over: VecDeque<Key>,
    waiting: BTreeSet<(Timestamp, ContactId)>,
    /// Whom each agent works for.
    hands: BTreeMap<UserId, Key>,
    offers: Recent<Reservation>,
    /// Queue times of those who left.
    waits: Window,
    /// Talk and wrap-up of those who are done with.
    handled: Window,
    day: Day,
}

/// A queue's figures at a moment. Sums are exact; means and shares keep theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueToday {
    /// When this was true.
    pub as_of: Timestamp,
    /// What counts as today began here.
    pub day_start: Timestamp,
    /// How many wait.
    pub waiting: u64,
    /// Wait of the contact that waits longest; `None` when nobody waits.
    pub longest_wait_ms: Option<u64>,
    /// Mean wait of those who left lately.
    pub mean_wait: MeanWait,
    /// Entered before today and were waiting when it began. `carried_over + offered = sum of outcomes + waiting`, always.
    pub carried_over: u64,
    /// Entered today; whoever was turned away at the door too.
    pub offered: u64,
    /// Left today, by outcome (spec G11).
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Left today, by reason (spec G12, D31).
    pub reasons: BTreeMap<LeftReason, u64>,
    /// Connected with an agent.
    pub answered: u64,
    /// Left before that by their own will.
    pub abandoned: u64,
    /// Those of them who left sooner than the queue's short abandon (spec D15).
    pub short_abandons: u64,
    /// Left otherwise.
    pub flow_out: u64,
    /// Answered within the target, of those that count (spec 5.3).
    pub service_level: Ratio,
    /// Wait of the answered: average speed of answer.
    pub speed_of_answer: Mean,
    /// Wait of the abandoned.
    pub time_to_abandon: Mean,
    /// The longest wait of those who left.
    pub max_wait_ms: u64,
    /// Abandoned, of the offered; short abandons are in neither.
    pub abandon_rate: Ratio,
    /// Talk of the answered whose agents are done.
    pub talk: Mean,
    /// Their wrap-up.
    pub wrap_up: Mean,
    /// Offers that are over, by how they ended.
    pub offers: BTreeMap<OfferEnd, u64>,
    /// Offers that rang in vain (RONA).
    pub missed: u64,
    /// Offers that were declined.
    pub rejected: u64,
    /// Answered offers, of those that rang.
    pub answer_rate: Ratio,
    /// How long phones rang.
    pub ring_ms: u64,
}

impl QueueToday {
    /// Average handle time: talk and wrap-up per answered contact whose agent is done. Hold is part of talk.
    pub const fn handle_time(&self) -> Mean {
        Mean {
            sum_ms: self.talk.sum_ms.saturating_add(self.wrap_up.sum_ms),
            count: self.talk.count,
        }
    }
}

impl QueueFigures {
    /// Nothing is known of what happened before `started`, which is also taken for the beginning of the day.
    pub fn new(queue: QueueId, rules: Rules, started: Timestamp) -> Self {
        Self {
            queue,
            rules,
            stays: BTreeMap::new(),
            over: VecDeque::new(),
            waiting: BTreeSet::new(),
            hands: BTreeMap::new(),
            offers: Recent::default(),
            waits: Window::new(rules.window, started),
            handled: Window::new(rules.window, started),
            day: Day::new(started),
        }
    }

    /// The rules in force.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Other rules, for the whole of today.
    pub fn configure(&mut self, rules: Rules) {
        if rules.window != self.rules.window {
            self.waits.set_length(rules.window);
            self.handled.set_length(rules.window);
        }
        self.rules = rules;
    }

    /// Today begins at `start`. To be called before the first event of the day; an earlier day does not come back.
    pub fn begin_day(&mut self, start: Timestamp) {
        if start <= self.day.start {
            return;
        }
        self.day = Day::new(start);
        for stay in self.stays.values() {
            self.day.add(stay);
        }
    }

    /// Something happened at `now`. Events of other queues and repeats change nothing.
    pub fn apply(&mut self, now: Timestamp, event: &Event) {
        self.advance(now);
        let Some(fact) = fact(event) else { return };
        match fact {
            Fact::Entered {
                queue,
                contact,
                enqueued_at,
            } if queue == self.queue => {
                let new = Stay::new(enqueued_at, now);
                self.change((contact, enqueued_at), now, Some(new), |s| s.enter(now));
            }
            Fact::Left {
                queue,
                contact,
                enqueued_at,
                reason,
                wait_ms,
            } if queue == self.queue => {
                // Whoever is turned away at the door leaves without having entered.
                let new = Stay::new(enqueued_at, enqueued_at.min(now));
                self.change((contact, enqueued_at), now, Some(new), |stay| {
                    stay.leave(now, reason, wait_ms);
                });
            }
            Fact::Connected {
                queue,
                contact,
                reservation,
            } if queue == self.queue => self.connected(now, contact, reservation),
            Fact::OfferEnded {
                queue,
                reservation,
                why,
                ring_ms,
            } if queue == self.queue => {
                let counts = self.offers.learn(reservation) && now >= self.day.start;
                self.offer_ended(why, ring_ms, counts);
            }
            Fact::WrapUpEnded {
                queue,
                contact,
                agent,
                wrap_up_ms,
            } if queue == self.queue => {
                if let Some(key) = self.hands.get(&agent).copied()
                    && key.0 == contact
                {
                    self.change(key, now, None, |s| s.wrap_up(agent, wrap_up_ms));
                }
            }
            Fact::Agent(change) => self.agent_changed(now, &change),
            _ => {}
        }
    }

    fn advance(&mut self, now: Timestamp) {
        self.waits.advance(now);
        self.handled.advance(now);
    }

    /// The contact's latest stay; an event that names no entry belongs to it.
    fn latest(&self, contact: ContactId) -> Option<Key> {
        let all = (contact, Timestamp::from_millis(i64::MIN))
            ..=(contact, Timestamp::from_millis(i64::MAX));
        self.stays.range(all).next_back().map(|(key, _)| *key)
    }

    fn connected(&mut self, now: Timestamp, contact: ContactId, reservation: Reservation) {
        let Some(key) = self.latest(contact) else {
            return;
        };
        let mut taken = false;
        self.change(key, now, None, |stay| {
            taken = stay.connect(now, reservation);
        });
        if taken
            && let Some(before) = self.hands.insert(reservation.agent, key)
            && before != key
        {
            // The end of the agent's work before was never told.
            self.change(before, now, None, |stay| {
                if !matches!(stay.work, Work::Done { .. }) {
                    stay.work = Work::None;
                }
            });
        }
    }

    fn offer_ended(&mut self, why: OfferEnd, ring_ms: u64, counts: bool) {
        if counts {
            self.day.add_offer(why, ring_ms);
        }
    }

    fn agent_changed(&mut self, now: Timestamp, change: &AgentChange) {
        let agent = change.agent;
        let Some(key) = self.hands.get(&agent).copied() else {
            return;
        };
        if change.ends(State::Connected) {
            let wraps_up = change.state == State::WrapUp;
            let since = change.since;
            self.change(key, now, None, |s| s.hang_up(agent, since, wraps_up));
        }
        let over = self
            .stays
            .get(&key)
            .is_none_or(|stay| !matches!(stay.work, Work::Talk { .. } | Work::WrapUp { .. }));
        if over {
            self.hands.remove(&agent);
        }
    }

    /// Changes a stay and all that depends on it. `new` is the stay when it is not known yet.
    fn change(
        &mut self,
        key: Key,
        now: Timestamp,
        new: Option<Stay>,
        change: impl FnOnce(&mut Stay),
    ) {
        let before = self.stays.get(&key).copied();
        let Some(mut after) = before.or(new) else {
            return;
        };
        change(&mut after);
        if before == Some(after) {
            return;
        }
        let contact = key.0;
        if let Some(before) = before {
            self.day.take_back(&before);
        }
        self.day.add(&after);
        let (ended, ends) = (before.and_then(|stay| stay.end()), after.end());
        if ended != ends {
            if let Some(end) = ended {
                self.waits.remove(end.at, contact, end.wait_ms);
            }
            match ends {
                Some(end) => {
                    self.waits.add(end.at, contact, end.wait_ms);
                    self.waiting.remove(&(after.enqueued_at, contact));
                }
                None => drop(self.waiting.insert((after.enqueued_at, contact))),
            }
        } else if ends.is_none() {
            self.waiting.insert((after.enqueued_at, contact));
        }
        if let Work::Done {
            talk_ms,
            wrap_up_ms,
        } = after.work
            && before.is_none_or(|stay| stay.work != after.work)
        {
            let taken = talk_ms.saturating_add(wrap_up_ms);
            self.handled.add(now, contact, taken);
        }
        self.stays.insert(key, after);
        if after.is_over() && !before.is_some_and(|stay| stay.is_over()) {
            self.remember(key);
        }
    }

    fn remember(&mut self, key: Key) {
        self.over.push_back(key);
        if self.over.len() > REMEMBERED
            && let Some(oldest) = self.over.pop_front()
            && self.stays.get(&oldest).is_some_and(Stay::is_over)
        {
            self.stays.remove(&oldest);
        }
    }

    /// Mean wait of those who left in the window that ends at `now`, without the stays of `judged` (spec D19, P1).
    pub fn mean_wait(&mut self, now: Timestamp, judged: Option<ContactId>) -> MeanWait {
        self.advance(now);
        MeanWait {
            mean: self.waits.mean(judged),
            window_ms: millis(self.waits.length()),
            complete: self.waits.is_complete(),
        }
    }

    /// How long a contact at `position`, from 1, will probably wait, made of contacts that were finished in the window.
    pub fn expected_wait(
        &mut self,
        now: Timestamp,
        position: u32,
        serving: Serving,
    ) -> ExpectedWait {
        self.advance(now);
        let handled = self.handled.mean(None);
        expected_wait(position, handled, serving, self.rules.minimum_sample)
    }

    /// All figures at `now`.
    pub fn today(&mut self, now: Timestamp) -> QueueToday {
        let mean_wait = self.mean_wait(now, None);
        let (day, level) = (&self.day, &self.rules.service_level);
        let (answered, abandoned) = (day.with(Outcome::Handled), day.with(Outcome::Abandoned));
        let flow_out = day.left() - answered - abandoned;
        let short_abandons = day.short_abandons(self.rules.short_abandon_seconds);
        let long_abandons = abandoned.saturating_sub(short_abandons);
        let against = match (level.include_abandons, level.include_short_abandons) {
            (true, true) => abandoned,
            (true, false) => long_abandons,
            (false, true) => short_abandons,
            (false, false) => 0,
        };
        let flown = if level.include_flow_outs { flow_out } else { 0 };
        let waits = |(since, _): &(Timestamp, ContactId)| millis(now.since(*since));
        QueueToday {
            as_of: now,
            day_start: day.start,
            waiting: self.waiting.len() as u64,
            longest_wait_ms: self.waiting.first().map(waits),
            mean_wait,
            carried_over: day.carried_over,
            offered: day.offered,
            outcomes: day.outcomes.clone(),
            reasons: day.reasons.clone(),
            answered,
            abandoned,
            short_abandons,
            flow_out,
            service_level: Ratio {
                part: day.answered_within(level.within_seconds),
                base: answered + against + flown,
            },
            speed_of_answer: day.wait_answered,
            time_to_abandon: day.wait_abandoned,
            max_wait_ms: day.max_wait_ms,
            abandon_rate: Ratio {
                part: long_abandons,
                base: day.offered.saturating_sub(short_abandons),
            },
            talk: day.talk,
            wrap_up: day.wrap_up,
            offers: day.offers.clone(),
            missed: day.offers_with(OfferEnd::NoAnswer),
            rejected: day.offers_with(OfferEnd::Rejected),
            answer_rate: Ratio {
                part: day.offers_with(OfferEnd::Answered),
                base: day.offers_that_rang(),
            },
            ring_ms: day.ring_ms,
        }
    }

    /// The window means look back over.
    pub const fn window(&self) -> Duration {
        self.waits.length()
    }
}
