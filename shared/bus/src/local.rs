//! Events inside one process, for the embedded mode.
//!
//! Everything is in memory and bounded: a group with too many unread events makes publishers wait and then refuses, a
//! slow watcher loses the oldest. One short lock guards it all, so an event is given to every group and watcher or to
//! none, and only whom it concerns is woken. What must survive the process is in its publisher's outbox until it was
//! published here.

mod group;
mod watcher;

use crate::{BusError, Event, EventBus, Subscription, Watch, pattern::Pattern};
use async_trait::async_trait;
use group::{Group, Member};
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use watcher::{Queue, Watcher};

/// How much the bus keeps and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Events a group may have unread or unacknowledged.
    pub unread: usize,
    /// Events a watcher may have unread before it loses the oldest.
    pub watched: usize,
    /// How long `publish` waits for a full group before it answers [`BusError::Full`].
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unread: 65_536,
            watched: 4_096,
            patience: Duration::from_secs(2),
        }
    }
}

/// The embedded bus. Clones are the same bus.
#[derive(Debug, Clone, Default)]
pub struct LocalBus(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    limits: Limits,
    state: Mutex<State>,
    /// Something was acknowledged or closed: publishers look again.
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    members: u64,
    groups: BTreeMap<String, Group>,
    watchers: Vec<Weak<Mutex<Queue>>>,
}

impl LocalBus {
    /// A bus with limits of its own, for tests and for machines with little memory.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner {
            limits,
            ..Inner::default()
        }))
    }

    /// Takes no more events. What is unread is still given out; then subscriptions and watchers end.
    pub fn close(&self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        for group in state.groups.values() {
            group.news.notify_waiters();
        }
        for watcher in state.watchers.iter().filter_map(Weak::upgrade) {
            watcher.lock().news.notify_waiters();
        }
        drop(state);
        self.0.room.notify_waiters();
    }
}

impl Inner {
    /// Hands the event to all, and waits for a group that has no room.
    async fn give(&self, event: &Arc<Event>) -> Result<(), BusError> {
        let key = event.routing_key();
        let words: Vec<_> = key.split('.').collect();
        // Nearly always there is room, and nobody needs to be told when there is.
        match self.hand_out(event, &words) {
            Err(BusError::Full { .. }) => self.give_when_there_is_room(event, &words).await,
            given => given,
        }
    }

    async fn give_when_there_is_room(
        &self,
        event: &Arc<Event>,
        words: &[&str],
    ) -> Result<(), BusError> {
        let until = Instant::now() + self.limits.patience;
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.hand_out(event, words) {
                Err(full @ BusError::Full { .. }) => {
                    if tokio::time::timeout_at(until, room).await.is_err() {
                        return Err(full);
                    }
                }
                given => return given,
            }
        }
    }

    /// Hands the event to all, or says which group has no room.
    fn hand_out(&self, event: &Arc<Event>, words: &[&str]) -> Result<(), BusError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(BusError::Unavailable);
        }
        let limit = self.limits.unread;
        for (name, group) in &state.groups {
            if group.wants(words) && group.unread() >= limit {
                return Err(BusError::Full {
                    group: name.clone(),
                    limit,
                });
            }
        }
        for group in state.groups.values_mut().filter(|group| group.wants(words)) {
            group.push(event.clone());
        }
        state.watchers.retain(|watcher| {
            let Some(queue) = watcher.upgrade() else {
                return false;
            };
            queue.lock().push(event, words, self.limits.watched);
            true
        });
        Ok(())
    }
}

#[async_trait]
impl EventBus for LocalBus {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        self.0.give(&Arc::new(event)).await
    }

    async fn publish_all(&self, events: &[Arc<Event>]) -> Result<(), (usize, BusError)> {
        for (taken, event) in events.iter().enumerate() {
            self.0.give(event).await.map_err(|error| (taken, error))?;
        }
        Ok(())
    }

    async fn subscribe(
        &self,
        group: &str,
        patterns: &[&str],
    ) -> Result<Box<dyn Subscription>, BusError> {
        let mut state = self.0.state.lock();
        if state.closed {
            return Err(BusError::Unavailable);
        }
        state.members += 1;
        let number = state.members;
        let entry = state.groups.entry(group.to_owned()).or_default();
        entry.add_patterns(patterns.iter().map(|text| Pattern::new(text)));
        let news = entry.news.clone();
        Ok(Box::new(Member::new(self.0.clone(), group, number, news)))
    }

    async fn watch(&self, patterns: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        let mut state = self.0.state.lock();
        if state.closed {
            return Err(BusError::Unavailable);
        }
        let queue = Arc::new(Mutex::new(Queue::new(patterns)));
        state.watchers.push(Arc::downgrade(&queue));
        Ok(Box::new(Watcher::new(self.0.clone(), queue)))
    }
}
