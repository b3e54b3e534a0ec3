//! From the bus of the services to the exchange of integrators. A batch is numbered, published and acknowledged, in this
//! order; whatever ends it in between, the events come again and have the numbers they had.

use super::numbers::Numbers;
use centro_bus::{Delivery, Event, EventBus, Subscription};
use centro_events::is_public;
use centro_kernel::{Clock, Timestamp};
use futures::{FutureExt, future::join_all};
use std::{sync::Arc, time::Duration};

/// Events numbered in one transaction.
const BATCH: usize = 256;
/// How often old numbers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// How long to wait before trying again: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Tells integrators.
pub struct Herald {
    pub numbers: Numbers,
    pub subscription: Box<dyn Subscription>,
    pub public: Arc<dyn EventBus>,
    pub clock: Arc<dyn Clock>,
}

impl Herald {
    /// Runs until the bus is closed.
    pub async fn run(mut self) {
        let mut forget_at = None;
        while let Some(first) = self.subscription.next().await {
            let deliveries = self.gather(first);
            let events: Vec<Event> = deliveries
                .iter()
                .map(|delivery| delivery.event())
                .filter(|event| event.tenant.is_some() && is_public(&event.kind))
                .cloned()
                .collect();
            let numbered = self.number(&events).await;
            self.tell(&numbered).await;
            for delivery in deliveries {
                delivery.ack().await;
            }
            self.forget(&mut forget_at).await;
        }
    }

    /// Not at the start: after a long outage the first that come are those that have their number already, and were never told.
    async fn forget(&mut self, at: &mut Option<Timestamp>) {
        let now = self.clock.now();
        if at.is_some_and(|at| at <= now)
            && let Err(fault) = self.numbers.forget(now).await
        {
            tracing::warn!(%fault, "old numbers are still kept");
        }
        if at.is_none_or(|at| at <= now) {
            *at = Some(now + FORGET_EVERY);
        }
    }

    /// The first, and what is there already.
    fn gather(&mut self, first: Box<dyn Delivery>) -> Vec<Box<dyn Delivery>> {
        let mut gathered = vec![first];
        while gathered.len() < BATCH {
            match self.subscription.next().now_or_never() {
                Some(Some(delivery)) => gathered.push(delivery),
                Some(None) | None => break,
            }
        }
        gathered
    }

    /// However long it takes: what has no number is not told. (`&mut`, for a subscription is not `Sync`.)
    async fn number(&mut self, events: &[Event]) -> Vec<Event> {
        let mut pause = RETRY.0;
        loop {
            match self.numbers.give(events, self.clock.now()).await {
                Ok(numbered) => return numbered,
                Err(fault) => {
                    tracing::warn!(%fault, events = events.len(), "events wait to be numbered");
                    back_off(&mut pause).await;
                }
            }
        }
    }

    /// In the order of the numbers. After a failure all that follows is told once more, for whoever heard it early.
    async fn tell(&mut self, events: &[Event]) {
        let mut rest = events;
        let mut pause = RETRY.0;
        while !rest.is_empty() {
            // Many at once, and handed over in this order: one by one would wait for the broker's disk each time.
            let told = join_all(rest.iter().map(|event| self.public.publish(event.clone()))).await;
            let Some(failed) = told.iter().position(Result::is_err) else {
                return;
            };
            let waiting = rest.len() - failed;
            tracing::warn!(
                events = waiting,
                "events wait for the exchange of integrators"
            );
            rest = &rest[failed..];
            if failed > 0 {
                pause = RETRY.0;
            }
            back_off(&mut pause).await;
        }
    }
}

async fn back_off(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(RETRY.1);
}
