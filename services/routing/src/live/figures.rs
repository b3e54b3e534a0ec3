//! The figures of queues and agents, fed with each step after it was stored.
//!
//! They count what passes through this process since it started. No tenant has a time zone yet, so a day begins at
//! midnight UTC, or with the process when that is later.

use centro_kernel::{QueueId, Timestamp, UserId};
use centro_routing_core::{
    Event,
    figures::{
        AgentFigures, AgentToday, ExpectedWait, QueueFigures, QueueToday, Rules, Serving, concerns,
    },
};
use parking_lot::Mutex;
use std::collections::HashMap;

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// The day of `now` began here.
const fn day_start(now: Timestamp) -> Timestamp {
    let millis = now.as_millis();
    Timestamp::from_millis(millis - millis.rem_euclid(DAY))
}

#[derive(Default)]
struct Queues {
    figures: HashMap<QueueId, QueueFigures>,
    /// The queue whose contact each agent was last connected with.
    serves: HashMap<UserId, QueueId>,
}

/// Figures of every queue and agent that ever acted here.
#[derive(Default)]
pub struct Figures {
    started: Timestamp,
    queues: Mutex<Queues>,
    agents: Mutex<HashMap<UserId, AgentFigures>>,
}

impl Figures {
    /// Nothing is known of what happened before `started`.
    pub fn new(started: Timestamp) -> Self {
        Self {
            started,
            ..Self::default()
        }
    }

    /// A step at `now` was stored with these events.
    pub fn happened(&self, now: Timestamp, events: &[Event]) {
        for event in events {
            let whose = concerns(event);
            if let Some(agent) = whose.agent {
                let mut agents = self.agents.lock();
                let figures = agents
                    .entry(agent)
                    .or_insert_with(|| AgentFigures::new(agent, self.started));
                figures.begin_day(day_start(now));
                figures.apply(now, event);
            }
            let mut queues = self.queues.lock();
            let queues = &mut *queues;
            if let (Some(queue), Some(agent), true) = (whose.queue, whose.agent, whose.connects) {
                queues.serves.insert(agent, queue);
            }
            let served = || queues.serves.get(&whose.agent?).copied();
            if let Some(queue) = whose.queue.or_else(served) {
                let figures = queues
                    .figures
                    .entry(queue)
                    .or_insert_with(|| self.of_queue(queue));
                figures.begin_day(day_start(now));
                figures.apply(now, event);
            }
        }
    }

    fn of_queue(&self, queue: QueueId) -> QueueFigures {
        QueueFigures::new(queue, Rules::default(), self.started)
    }

    /// A queue's figures by its present rules, and the expected wait at `position`. Changed rules count for the whole day.
    pub fn queue(
        &self,
        now: Timestamp,
        queue: QueueId,
        rules: Rules,
        position: u32,
        serving: Serving,
    ) -> (QueueToday, ExpectedWait) {
        let mut queues = self.queues.lock();
        let mut nothing = None;
        let figures = match queues.figures.get_mut(&queue) {
            Some(figures) => figures,
            // Looking makes nothing.
            None => nothing.insert(self.of_queue(queue)),
        };
        figures.configure(rules);
        figures.begin_day(day_start(now));
        let wait = figures.expected_wait(now, position, serving);
        (figures.today(now), wait)
    }

    /// An agent's figures; `None` before the agent did anything.
    pub fn agent(&self, now: Timestamp, agent: UserId) -> Option<AgentToday> {
        let mut agents = self.agents.lock();
        let figures = agents.get_mut(&agent)?;
        figures.begin_day(day_start(now));
        Some(figures.today(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::{ContactId, contact::LeftReason};

    const QUEUE: QueueId = QueueId::from_u128(1);

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
            figures.queue(now, QUEUE, rules, 1, Serving::default()).0
        };
        assert_eq!(today(at(3 * DAY + 2_000)).day_start, started);
        let before = at(4 * DAY - 1);
        figures.happened(before, &[queued(1, before), queued(2, before)]);
        figures.happened(before, &[left(1, before, before)]);
        assert_eq!((today(before).offered, today(before).abandoned), (2, 1));
        let midnight = at(4 * DAY);
        assert_eq!(today(midnight).day_start, midnight);
        assert_eq!((today(midnight).offered, today(midnight).abandoned), (0, 0));
        assert_eq!(
            (today(midnight).carried_over, today(midnight).waiting),
            (1, 1)
        );
        figures.happened(midnight, &[left(2, before, midnight)]);
        assert_eq!(today(midnight).abandoned, 1);
    }

    #[test]
    fn looking_at_a_queue_where_nothing_happened_keeps_nothing() {
        let figures = Figures::default();
        let now = Timestamp::from_millis(5);
        let (today, _) = figures.queue(now, QUEUE, Rules::default(), 1, Serving::default());
        assert_eq!(today.offered, 0);
        assert!(figures.queues.lock().figures.is_empty());
        assert_eq!(figures.agent(now, UserId::from_u128(1)), None);
    }
}
