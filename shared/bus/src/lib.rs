//! Events between services: at least once, in order per subject, never in the path of a call.
//!
//! [`EventBus`] is the port. [`LocalBus`] carries events inside one process, [`RabbitBus`] between the processes of a
//! cluster; [`Wire`] says what they look like there. What a service tells the world is first written with its state (an outbox, see `centro-store`) and then relayed here, so a
//! bus that is down delays events and loses none.

mod event;
mod local;
mod pattern;
mod rabbit;
pub mod trace;
mod wire;

pub use event::Event;
pub use local::{Limits, LocalBus};
pub use pattern::matches;
pub use rabbit::{
    Again, Integration, Progress, RabbitBus, RabbitError, RabbitSettings, Replay, ReplayFrom,
    Replayed,
};
pub use wire::{CloudEvents, Unreadable, Wire};

use async_trait::async_trait;
use std::sync::Arc;

/// Why an event could not be published or subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus is closed or cannot be reached. Publishing again later is safe: consumers know repeats by the event id.
    #[error("the event bus cannot be reached")]
    Unavailable,
    /// A group that must not lose events has this many unread ones; the publisher waits or tries again.
    #[error("{group} has {limit} unread events")]
    Full {
        /// The group that lags.
        group: String,
        /// Its limit.
        limit: usize,
    },
}

/// Carries events from publishers to groups of consumers.
#[async_trait]
pub trait EventBus: Send + Sync + 'static {
    /// Hands an event over. When this returns, every durable group that matches will get it at least once.
    async fn publish(&self, event: Event) -> Result<(), BusError>;

    /// The same for several, one after the other. The error says how many were handed over before it.
    async fn publish_all(&self, events: &[Arc<Event>]) -> Result<(), (usize, BusError)> {
        for (taken, event) in events.iter().enumerate() {
            let published = self.publish(Event::clone(event)).await;
            published.map_err(|error| (taken, error))?;
        }
        Ok(())
    }

    /// Joins a durable group: each event goes to one member, in order per subject, and comes again until acknowledged.
    /// `patterns` are AMQP topic patterns over `<tenant>.<service>.<subject>.<event>`; they are added to the group's.
    ///
    /// A group begins with its first member: it gets what is published from then on. It goes on when members leave:
    /// what is published meanwhile waits for the next member. A member may hold several deliveries of one subject;
    /// other members get none of that subject until it let go of them.
    async fn subscribe(
        &self,
        group: &str,
        patterns: &[&str],
    ) -> Result<Box<dyn Subscription>, BusError>;

    /// Watches events from now on, without acknowledgement. A slow watcher loses the oldest and is told how many.
    async fn watch(&self, patterns: &[&str]) -> Result<Box<dyn Watch>, BusError>;
}

/// A durable group's stream of events.
#[async_trait]
pub trait Subscription: Send {
    /// The next event; `None` when the bus is closed. A caller that stops waiting loses nothing.
    async fn next(&mut self) -> Option<Box<dyn Delivery>>;
}

/// One event given to one consumer. Dropping it without [`Delivery::ack`] gives it back, to be delivered again.
#[async_trait]
pub trait Delivery: Send {
    /// What happened.
    fn event(&self) -> &Event;
    /// Whether it was given out before.
    fn redelivered(&self) -> bool;
    /// It is dealt with for good.
    async fn ack(self: Box<Self>);
}

/// What a watcher sees.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The next event.
    Event(Event),
    /// At least this many events were lost, because the watcher was slow or was cut off; take a new snapshot.
    Lagged(u64),
}

/// A watcher's stream of events.
#[async_trait]
pub trait Watch: Send {
    /// The next event; `None` when the bus is closed.
    async fn next(&mut self) -> Option<Seen>;
}
