//! A watcher: sees what is published while it looks, and learns what it missed.

use super::Inner;
use crate::{Event, Seen, Watch, pattern::Pattern};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;

/// What a watcher has not seen yet.
#[derive(Debug)]
pub(super) struct Queue {
    patterns: Vec<Pattern>,
    events: VecDeque<Arc<Event>>,
    lost: u64,
    /// The watcher looks again: something came, or the bus closed.
    pub(super) news: Arc<Notify>,
}

impl Queue {
    pub(super) fn new(patterns: &[&str]) -> Self {
        let patterns = patterns.iter().map(|text| Pattern::new(text)).collect();
        Self {
            patterns,
            events: VecDeque::new(),
            lost: 0,
            news: Arc::default(),
        }
    }

    pub(super) fn push(&mut self, event: &Arc<Event>, words: &[&str], limit: usize) {
        if !self.patterns.iter().any(|pattern| pattern.fits(words)) {
            return;
        }
        if self.events.len() >= limit {
            self.events.pop_front();
            self.lost += 1;
        }
        self.events.push_back(event.clone());
        self.news.notify_waiters();
    }

    fn pop(&mut self) -> Option<Seen> {
        match std::mem::take(&mut self.lost) {
            0 => self
                .events
                .pop_front()
                .map(|event| Seen::Event(Arc::unwrap_or_clone(event))),
            lost => Some(Seen::Lagged(lost)),
        }
    }
}

pub(super) struct Watcher {
    bus: Arc<Inner>,
    queue: Arc<Mutex<Queue>>,
    news: Arc<Notify>,
}

impl Watcher {
    pub(super) fn new(bus: Arc<Inner>, queue: Arc<Mutex<Queue>>) -> Self {
        let news = queue.lock().news.clone();
        Self { bus, queue, news }
    }
}

#[async_trait]
impl Watch for Watcher {
    async fn next(&mut self) -> Option<Seen> {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            // Asked before the queue: what is published before the end is in the queue by then.
            let closed = self.bus.state.lock().closed;
            if let Some(seen) = self.queue.lock().pop() {
                return Some(seen);
            }
            if closed {
                return None;
            }
            news.await;
        }
    }
}
