//! The figures of queues and agents, fed with each step after it was stored.
//!
//! They count what passes through this process. What happened before it started is read from analytics ([`super::past`])
//! and put in front; until then, and when it cannot be read, the day begins with the process, and says so. A day is one
//! of the tenant's time zone.

use super::Zone;
use crate::{by_id::ById, store::Said};
use centro_kernel::{QueueId, Timestamp, UserId};
use centro_routing_core::{
    Event,
    figures::{
        AgentFigures, AgentToday, ExpectedWait, QueueFigures, QueueToday, Rules, Serving, concerns,
    },
};
use parking_lot::{Mutex, MutexGuard};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// Events that may happen while the past is read. Beyond it the past is given up: the day begins with the process.
const MOST_MEANWHILE: usize = 100_000;
/// Steps that may be noted and not counted yet.
const MOST_NOTED: usize = 4_096;
/// How long after it was said something is counted, if nobody looks before.
const SOON: Duration = Duration::from_millis(1);

/// What was counted since a moment.
#[derive(Default)]
pub struct Counted {
    /// Nothing is known of what happened before.
    since: Timestamp,
    queues: ById<QueueId, QueueFigures>,
    agents: ById<UserId, AgentFigures>,
    /// The queue whose contact each agent was last connected with.
    serves: ById<UserId, QueueId>,
}

impl Counted {
    /// Nothing yet.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Something happened at `now`, in a day that began at `day`.
    pub fn count(&mut self, day: Timestamp, now: Timestamp, event: &Event) {
        let (whose, since) = (concerns(event), self.since);
        if let Some(agent) = whose.agent {
            let new = || AgentFigures::new(agent, since);
            let figures = self.agents.entry(agent).or_insert_with(new);
            figures.begin_day(day);
            figures.apply(now, event);
        }
        if let (Some(queue), Some(agent), true) = (whose.queue, whose.agent, whose.connects) {
            self.serves.insert(agent, queue);
        }
        let served = || self.serves.get(&whose.agent?).copied();
        if let Some(queue) = whose.queue.or_else(served) {
            let new = || QueueFigures::new(queue, Rules::default(), since);
            let figures = self.queues.entry(queue).or_insert_with(new);
            figures.begin_day(day);
            figures.apply(now, event);
        }
    }
}

#[derive(Default)]
struct State {
    counted: Counted,
    /// What happens while the past is read. `None`: it was read, or given up.
    meanwhile: Option<Meanwhile>,
    /// Room for what is being counted, empty between two times.
    counting: Vec<Arc<Said>>,
}

impl State {
    fn count(&mut self, zone: &Zone, now: Timestamp, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let day = zone.day_start(now);
        for event in events {
            self.counted.count(day, now, event);
        }
        if let Some(meanwhile) = &mut self.meanwhile {
            if meanwhile.events.len() + events.len() > MOST_MEANWHILE {
                tracing::warn!(
                    "too much happened while the past was read: today's figures begin with the process"
                );
                self.meanwhile = None;
            } else {
                let events = events.iter().map(|event| (day, now, event.clone()));
                meanwhile.events.extend(events);
            }
        }
    }
}

/// What happened since the past ended that is being read, to be counted after it.
struct Meanwhile {
    since: Timestamp,
    events: Vec<(Timestamp, Timestamp, Event)>,
}

impl Meanwhile {
    const fn new(since: Timestamp) -> Self {
        let events = Vec::new();
        Self { since, events }
    }
}

/// Figures of every queue and agent that ever acted here.
///
/// Steps only note what they said. It is counted soon afterwards on another thread, and before anybody looks, so that
/// nobody sees a figure that lags behind.
#[derive(Default)]
pub struct Figures {
    state: Mutex<State>,
    /// What was said and is not counted yet, in order. Never held when the state is asked for.
    noted: Mutex<Vec<Arc<Said>>>,
    /// Something was noted where nothing was.
    news: Notify,
}

impl Figures {
    /// Nothing is known of what happened before `started`.
    pub fn new(started: Timestamp) -> Self {
        let state = State {
            counted: Counted::new(started),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            ..Self::default()
        }
    }

    /// A step was stored that said this.
    pub fn note(&self, said: Arc<Said>) {
        let mut noted = self.noted.lock();
        noted.push(said);
        let count = noted.len();
        drop(noted);
        if count >= MOST_NOTED {
            // Whoever is to count does not keep up: the steps do it themselves.
            drop(self.counted());
        } else if count == 1 {
            self.news.notify_one();
        }
    }

    /// Counts what is noted, for as long as it is polled.
    pub async fn keep_counting(&self) {
        loop {
            self.news.notified().await;
            // What is said in this moment is counted in one go.
            tokio::time::sleep(SOON).await;
            drop(self.counted());
        }
    }

    /// The state, with everything counted that was noted until now.
    fn counted(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        let mut said = std::mem::take(&mut state.counting);
        // Taken while the state is ours, so that what was said first is counted first.
        std::mem::swap(&mut said, &mut *self.noted.lock());
        for said in said.drain(..) {
            let zone = said.directory.zone(said.tenant);
            state.count(&zone, said.at, &said.events);
        }
        state.counting = said;
        state
    }

    /// The past is being read: what happens from here on is kept, to be counted again after it. The past ends where this
    /// began to count, which is told.
    pub fn await_past(&self) -> Timestamp {
        let mut state = self.counted();
        let since = state.counted.since;
        state.meanwhile = Some(Meanwhile::new(since));
        since
    }

    /// Something was missed: everything is counted anew from `now` on, and the past is awaited. What is known stays until
    /// it is there.
    pub fn begin_again(&self, now: Timestamp) -> Timestamp {
        let mut state = self.counted();
        let before = state.meanwhile.as_ref().map(|meanwhile| meanwhile.since);
        let since = before.map_or(now, |before| now.max(before + Duration::from_millis(1)));
        state.meanwhile = Some(Meanwhile::new(since));
        since
    }

    /// Whether the past that ends at `until` is still awaited.
    pub fn awaits_past(&self, until: Timestamp) -> bool {
        let state = self.counted();
        let awaited = state.meanwhile.as_ref();
        awaited.is_some_and(|meanwhile| meanwhile.since == until)
    }

    /// This is what happened before `until`.
    pub fn put_before(&self, until: Timestamp, mut past: Counted) {
        let mut state = self.counted();
        if let Some(meanwhile) = state.meanwhile.take_if(|m| m.since == until) {
            for (day, now, event) in &meanwhile.events {
                past.count(*day, *now, event);
            }
            state.counted = past;
        }
    }

    /// This happened in another process, to a tenant who lives in this zone.
    pub fn happened(&self, zone: &Zone, now: Timestamp, events: &[Event]) {
        self.counted().count(zone, now, events);
    }

    /// A queue's figures by its present rules, and the expected wait at `position`. Changed rules count for the whole day.
    pub fn queue(
        &self,
        zone: &Zone,
        now: Timestamp,
        queue: QueueId,
        rules: Rules,
        position: u32,
        serving: Serving,
    ) -> (QueueToday, ExpectedWait) {
        let mut state = self.counted();
        let since = state.counted.since;
        let mut nothing = None;
        let figures = match state.counted.queues.get_mut(&queue) {
            Some(figures) => figures,
            // Looking makes nothing.
            None => nothing.insert(QueueFigures::new(queue, Rules::default(), since)),
        };
        figures.configure(rules);
        figures.begin_day(zone.day_start(now));
        let wait = figures.expected_wait(now, position, serving);
        (figures.today(now), wait)
    }

    /// An agent's figures; `None` before the agent did anything.
    pub fn agent(&self, zone: &Zone, now: Timestamp, agent: UserId) -> Option<AgentToday> {
        let mut state = self.counted();
        let figures = state.counted.agents.get_mut(&agent)?;
        figures.begin_day(zone.day_start(now));
        Some(figures.today(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::{ContactId, contact::LeftReason};

    const QUEUE: QueueId = QueueId::from_u128(1);
    /// A day, in milliseconds.
    const DAY: i64 = 86_400_000;

    fn queued(n: u128, at: Timestamp) -> Event {
        Event::ContactQueued {
            contact: ContactId::from_u128(n),
            queue: QUEUE,
            kind: centro_routing_core::ContactKind::Call,
            caller: Default::default(),
            enqueued_at: at,
            priority: 0,
            position: 1,
        }
    }

    fn left(n: u128, from: Timestamp, at: Timestamp) -> Event {
        Event::ContactLeft {
            contact: ContactId::from_u128(n),
            queue: QUEUE,
            agent: None,
            reason: LeftReason::Abandoned,
            enqueued_at: from,
            wait: at.since(from),
        }
    }

    #[test]
    fn a_day_begins_at_midnight_and_the_first_one_with_the_process() {
        let at = Timestamp::from_millis;
        let started = at(3 * DAY + 1_000);
        let figures = Figures::new(started);
        let today = |now| {
            let rules = Rules::default();
            let zone = Zone::default();
            figures
                .queue(&zone, now, QUEUE, rules, 1, Serving::default())
                .0
        };
        assert_eq!(today(at(3 * DAY + 2_000)).day_start, started);
        let before = at(4 * DAY - 1);
        let zone = Zone::default();
        figures.happened(&zone, before, &[queued(1, before), queued(2, before)]);
        figures.happened(&zone, before, &[left(1, before, before)]);
        assert_eq!((today(before).offered, today(before).abandoned), (2, 1));
        let midnight = at(4 * DAY);
        assert_eq!(today(midnight).day_start, midnight);
        assert_eq!((today(midnight).offered, today(midnight).abandoned), (0, 0));
        assert_eq!(
            (today(midnight).carried_over, today(midnight).waiting),
            (1, 1)
        );
        figures.happened(&zone, midnight, &[left(2, before, midnight)]);
        assert_eq!(today(midnight).abandoned, 1);
    }

    #[test]
    fn looking_at_a_queue_where_nothing_happened_keeps_nothing() {
        let figures = Figures::default();
        let now = Timestamp::from_millis(5);
        let (today, _) = figures.queue(
            &Zone::default(),
            now,
            QUEUE,
            Rules::default(),
            1,
            Serving::default(),
        );
        assert_eq!(today.offered, 0);
        assert!(figures.counted().counted.queues.is_empty());
        assert_eq!(
            figures.agent(&Zone::default(), now, UserId::from_u128(1)),
            None
        );
    }

    /// At one moment it is another day elsewhere.
    #[test]
    fn each_tenants_day_begins_at_its_own_midnight() {
        let hour = |n: i64| Timestamp::from_millis(20_000 * DAY + n * 3_600_000);
        let figures = Figures::new(hour(0));
        let (rome, utc) = (Zone::named("Europe/Rome"), Zone::default());
        let early = hour(12);
        figures.happened(&rome, early, &[queued(1, early)]);
        let day = |zone: &Zone| {
            let (now, rules) = (hour(23), Rules::default());
            let today = figures
                .queue(zone, now, QUEUE, rules, 1, Serving::default())
                .0;
            (today.day_start, today.offered, today.carried_over)
        };
        assert_eq!(day(&utc), (hour(0), 1, 0));
        // It is October: one o'clock in Rome, and the caller waits since yesterday.
        assert_eq!(day(&rome), (hour(22), 0, 1));
    }
}
