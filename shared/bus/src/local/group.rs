//! A durable group: its backlog, who holds what, and its members.

use super::Inner;
use crate::{Delivery, Event, Subscription, pattern::Pattern};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::Notify;

/// The backlog of a group.
#[derive(Debug, Default)]
pub(super) struct Group {
    patterns: Vec<Pattern>,
    /// By place, so that what is given back returns to where it was.
    ready: VecDeque<Waiting>,
    /// Per subject the member that holds unacknowledged deliveries of it, and how many.
    held: BTreeMap<String, (u64, usize)>,
    holding: usize,
    places: u64,
    /// Members look again: something came, was given back, or is not held any more.
    pub(super) news: Arc<Notify>,
}

#[derive(Debug, Clone)]
struct Waiting {
    place: u64,
    event: Arc<Event>,
    redelivered: bool,
}

impl Group {
    pub(super) fn add_patterns(&mut self, patterns: impl Iterator<Item = Pattern>) {
        for pattern in patterns {
            if !self.patterns.contains(&pattern) {
                self.patterns.push(pattern);
            }
        }
    }

    pub(super) fn wants(&self, words: &[&str]) -> bool {
        self.patterns.iter().any(|pattern| pattern.fits(words))
    }

    /// Events not acknowledged yet.
    pub(super) fn unread(&self) -> usize {
        self.ready.len() + self.holding
    }

    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.places += 1;
        self.ready.push_back(Waiting {
            place: self.places,
            event,
            redelivered: false,
        });
        self.news.notify_waiters();
    }

    /// The first event whose subject no other member holds.
    fn take(&mut self, member: u64) -> Option<Waiting> {
        let free = |waiting: &Waiting| {
            self.held
                .get(&waiting.event.subject)
                .is_none_or(|(holder, _)| *holder == member)
        };
        let waiting = self
            .ready
            .iter()
            .position(free)
            .and_then(|at| self.ready.remove(at))?;
        let subject = waiting.event.subject.clone();
        self.held.entry(subject).or_insert((member, 0)).1 += 1;
        self.holding += 1;
        Some(waiting)
    }

    fn let_go(&mut self, subject: &str) {
        self.holding = self.holding.saturating_sub(1);
        if let Some((_, count)) = self.held.get_mut(subject) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(subject);
            }
        }
        // Most acknowledgements leave nothing that another member waits for: they wake nobody.
        if self.unread() == 0 || !self.ready.is_empty() {
            self.news.notify_waiters();
        }
    }

    fn give_back(&mut self, waiting: Waiting) {
        self.let_go(&waiting.event.subject);
        let at = self
            .ready
            .partition_point(|other| other.place < waiting.place);
        self.ready.insert(
            at,
            Waiting {
                redelivered: true,
                ..waiting
            },
        );
        self.news.notify_waiters();
    }
}

/// One consumer of a group.
pub(super) struct Member {
    bus: Arc<Inner>,
    group: Arc<str>,
    number: u64,
    news: Arc<Notify>,
}

impl Member {
    pub(super) fn new(bus: Arc<Inner>, group: &str, number: u64, news: Arc<Notify>) -> Self {
        Self {
            bus,
            group: group.into(),
            number,
            news,
        }
    }
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            {
                let mut state = self.bus.state.lock();
                let closed = state.closed;
                let group = state.groups.get_mut(&*self.group)?;
                if let Some(waiting) = group.take(self.number) {
                    let (bus, group) = (self.bus.clone(), self.group.clone());
                    return Some(Box::new(Given {
                        bus,
                        group,
                        waiting: Some(waiting),
                    }));
                }
                // What another member holds may still come back.
                if closed && group.unread() == 0 {
                    return None;
                }
            }
            news.await;
        }
    }
}

/// One event in a consumer's hands.
struct Given {
    bus: Arc<Inner>,
    group: Arc<str>,
    /// Empty once acknowledged.
    waiting: Option<Waiting>,
}

impl Given {
    fn settle(&mut self, settle: impl FnOnce(&mut Group, Waiting)) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        if let Some(group) = self.bus.state.lock().groups.get_mut(&*self.group) {
            settle(group, waiting);
        }
        self.bus.room.notify_waiters();
    }
}

#[async_trait]
impl Delivery for Given {
    #[expect(
        clippy::expect_used,
        reason = "only ack, which consumes the delivery, and drop empty it"
    )]
    fn event(&self) -> &Event {
        &self.waiting.as_ref().expect("not acknowledged").event
    }

    fn redelivered(&self) -> bool {
        self.waiting
            .as_ref()
            .is_some_and(|waiting| waiting.redelivered)
    }

    async fn ack(mut self: Box<Self>) {
        self.settle(|group, waiting| group.let_go(&waiting.event.subject));
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.settle(Group::give_back);
    }
}
