//! Events in → facts.
//!
//! Events are gathered for a moment and written together: at 100 calls a second that is a few transactions a second
//! instead of a thousand. They are acknowledged after the commit; a repeat is known by its id.

mod translate;

use crate::{
    core::stay::{Caller, Fact, Happening},
    settings::Settings,
    store::{AtHand, Heard, KEPT, Kept, Said, Store},
};
use centro_bus::{Delivery, Subscription};
use centro_kernel::{Clock, ContactId, Timestamp};
use futures::FutureExt;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// The durable group; one member per installation.
pub(crate) const GROUP: &str = "analytics";
/// What is counted.
pub(crate) const PATTERNS: &[&str] = &[
    "*.routing.contact.*",
    "*.routing.agent.state_changed",
    "*.routing.agent.bids_compared",
    "*.telephony.call.arrived",
    "*.telephony.call.ended",
    "*.telephony.recording.*",
];
/// Callers remembered until their contact enters a queue or is refused by one.
const CALLERS: usize = 8_192;
/// How long to wait before writing again: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How often the process's life is marked and old event ids are forgotten.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The consumer.
pub(crate) struct Feed {
    pub store: Store,
    pub settings: Settings,
    pub subscription: Box<dyn Subscription>,
    /// The last batch was full: there is more already.
    pub behind: bool,
}

impl Feed {
    /// Runs until the bus is closed and everything it had is written.
    pub(crate) async fn run(mut self) {
        let mut at_hand = AtHand::default();
        let mut callers = Callers::default();
        while let Some(first) = self.subscription.next().await {
            let deliveries = self.gather(first).await;
            let mut batch = Vec::with_capacity(deliveries.len());
            for delivery in &deliveries {
                if let Some(heard) = understand(delivery.as_ref()) {
                    callers.hear(&heard.said);
                    batch.push(heard);
                }
            }
            self.write(&mut at_hand, &batch, &callers.known).await;
            for delivery in deliveries {
                delivery.ack().await;
            }
        }
    }

    /// The first delivery and those that came since the last batch, or soon after. They are looked at once, not as each
    /// comes: on a busy floor a wake-up for each would cost more than counting them.
    async fn gather(&mut self, first: Box<dyn Delivery>) -> Vec<Box<dyn Delivery>> {
        if !std::mem::take(&mut self.behind) {
            tokio::time::sleep(self.settings.gather).await;
        }
        let mut gathered = vec![first];
        while gathered.len() < self.settings.batch {
            match self.subscription.next().now_or_never() {
                Some(Some(delivery)) => gathered.push(delivery),
                Some(None) | None => return gathered,
            }
        }
        self.behind = true;
        gathered
    }

    /// Writes the batch, however long it takes: what is not written is not acknowledged.
    async fn write(
        &mut self,
        at_hand: &mut AtHand,
        batch: &[Heard],
        callers: &HashMap<ContactId, Caller>,
    ) {
        let mut pause = RETRY.0;
        while let Err(fault) = self.store.learn(at_hand, batch, callers).await {
            tracing::warn!(%fault, events = batch.len(), retry_in = ?pause, "facts cannot be written");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }
}

fn understand(delivery: &dyn Delivery) -> Option<Heard> {
    let event = delivery.event();
    match translate::said(event) {
        Ok(said) => Some(Heard {
            id: event.id,
            tenant: event.tenant?,
            said: said?,
            kept: Kept::of(event),
        }),
        Err(reason) => {
            tracing::warn!(kind = event.kind, id = %event.id, reason, "an event cannot be counted");
            None
        }
    }
}

/// Marks the process's life and forgets old event ids, for as long as it lives.
pub(crate) async fn keep_house(store: Store, clock: Arc<dyn Clock>, remember: Duration) {
    let mut beats = tokio::time::interval(HEARTBEAT);
    loop {
        beats.tick().await;
        let now = clock.now();
        if let Err(fault) = beat(&store, now, remember).await {
            tracing::warn!(%fault, "the life of this process cannot be marked");
        }
    }
}

async fn beat(
    store: &Store,
    now: Timestamp,
    remember: Duration,
) -> Result<(), centro_kernel::Fault> {
    store.mark(now).await?;
    store.forget_events(now - remember).await?;
    store.forget_bids(now - remember).await?;
    store.forget_journal(now - KEPT).await?;
    Ok(())
}

/// The latest callers, for contacts that are refused by a queue before it says who they are.
#[derive(Default)]
struct Callers {
    known: HashMap<ContactId, Caller>,
    order: VecDeque<ContactId>,
}

impl Callers {
    fn hear(&mut self, said: &Said) {
        let Said::Contact(Fact {
            contact,
            what: Happening::Arrived { caller },
            ..
        }) = said
        else {
            return;
        };
        if self.known.insert(*contact, caller.clone()).is_none() {
            self.order.push_back(*contact);
        }
        if self.order.len() > CALLERS
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
