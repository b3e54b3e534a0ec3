//! Events between the processes of a cluster, through RabbitMQ 3.10 or later.
//!
//! - **Exchange**: one durable topic exchange takes every event, persistent, with publisher confirms. A publish waits for
//!   its confirmation for a limited time; publishing again later is safe, for `message_id` is the event's id.
//! - **Group**: one quorum queue with a single active consumer. More consumers would share the events and lose the order
//!   of subjects; the others stand by and take over within moments. Give-backs stay inside the member, or order would be
//!   lost too; what was given back too often goes to the group's dead-letter queue. The queue is limited: when it is
//!   full the broker refuses publishers, who keep the event in their outbox.
//! - **Watcher**: an exclusive queue, gone with the connection. A gap is told, not filled.
//! - **Log**: a stream of everything, limited by age and size, from which [`RabbitBus::replay`] reads.
//! - **Connections**: one to publish and one to read, because a broker short of memory holds back only who publishes. Both
//!   are kept up here and not by lapin's own recovery: that one goes on silently, with deliveries of the lost channel in
//!   hand and publishes hanging until the broker is back. Here a loss is an error at once, what is in hand is forgotten,
//!   and everything is declared and read anew. See docs/decisions/0018.

mod backoff;
mod error;
mod integration;
mod link;
mod member;
mod message;
mod metrics;
mod publisher;
mod replay;
mod settings;
mod topology;
mod watcher;

pub use error::RabbitError;
pub use integration::{Again, Integration, Progress};
pub use replay::{Replay, ReplayFrom, Replayed};
pub use settings::RabbitSettings;

use crate::{BusError, Event, EventBus, Subscription, Watch, Wire};
use async_trait::async_trait;
use lapin::{ErrorKind, protocol::AMQPError, protocol::AMQPSoftError, uri::AMQPUri};
use link::Link;
use member::Group;
use message::Message;
use publisher::Publisher;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use topology::Topology;

/// How long [`RabbitBus::close`] waits for confirmations, and for the broker to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// Keeps the connections while somebody uses the bus.
type Alive = Arc<DropGuard>;

/// What everybody who reads from the broker needs.
#[derive(Clone)]
struct Tools {
    link: Arc<Link>,
    wire: Arc<dyn Wire>,
    topology: Arc<Topology>,
}

/// The bus of a cluster. Clones are the same bus; it ends with the last clone, subscription and watcher, or by
/// [`RabbitBus::close`].
#[derive(Clone)]
pub struct RabbitBus {
    settings: Arc<RabbitSettings>,
    publisher: Publisher,
    publishing: Arc<Link>,
    tools: Tools,
    /// No more work. What is under way is finished.
    stop: CancellationToken,
    /// No more connections.
    cut: CancellationToken,
    work: TaskTracker,
    connections: TaskTracker,
    alive: Alive,
}

impl RabbitBus {
    /// Connects, and makes exchange and log where they are missing.
    ///
    /// # Errors
    /// A setting is wrong; the broker cannot be reached within the patience that was set, refuses the user, or has something else
    /// under the names of the bus. From then on outages are waited through.
    pub async fn connect(
        settings: RabbitSettings,
        wire: Arc<dyn Wire>,
    ) -> Result<Self, RabbitError> {
        let uri = settings.uri()?;
        let cut = CancellationToken::new();
        let alive = Arc::new(cut.clone().drop_guard());
        let until = Instant::now() + settings.start_patience;
        let mut backoff = backoff::Backoff::default();
        let (publishing, reading) = loop {
            match open(&uri, settings.publish_timeout, &cut).await {
                Ok(links) => break links,
                Err(error) if error.is_away() && Instant::now() < until => {
                    tracing::warn!(%error, "waiting for RabbitMQ");
                    backoff.pause().await;
                }
                Err(error) => return Err(error),
            }
        };
        let topology = Arc::new(Topology::new(&settings));
        topology.declare_first(&publishing, &uri).await?;
        let (publisher, orders) = Publisher::new(settings.publish_timeout);
        let (work, connections) = (TaskTracker::new(), TaskTracker::new());
        for link in [&publishing, &reading] {
            connections.spawn(link.clone().keep());
        }
        let stop = cut.child_token();
        work.spawn(orders.send(publishing.clone(), topology.clone(), stop.clone()));
        Ok(Self {
            settings: Arc::new(settings),
            publisher,
            publishing,
            tools: Tools {
                link: reading,
                wire,
                topology,
            },
            stop,
            cut,
            work,
            connections,
            alive,
        })
    }

    /// Whether the broker can be reached, for health checks. While it cannot, publishes fail and subscriptions wait.
    pub fn connected(&self) -> bool {
        self.publishing.connected() && self.tools.link.connected()
    }

    /// Takes no more events, waits a few seconds for what is under way, and ends subscriptions and watchers. What members
    /// have not acknowledged goes back to the broker.
    pub async fn close(&self) {
        self.stop.cancel();
        self.work.close();
        self.connections.close();
        // What the broker does not confirm in time its publisher still has.
        let _ = timeout(FAREWELL, self.work.wait()).await;
        self.cut.cancel();
        let _ = timeout(FAREWELL, self.connections.wait()).await;
    }

    /// Reads the log of all events: up to `limit` whose routing keys fit one of `patterns`, in the order in which the
    /// broker took them, and at its end what comes.
    pub fn replay(&self, from: ReplayFrom, patterns: &[&str], limit: u64) -> Replay {
        let (tools, stop) = (self.tools.clone(), self.stop.clone());
        Replay::new(tools, from, patterns, limit, stop, self.alive.clone())
    }

    /// Limits what waits for the broker.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, BusError>>,
    ) -> Result<T, BusError> {
        tokio::select! {
            () = self.stop.cancelled() => Err(BusError::Unavailable),
            done = timeout(self.settings.publish_timeout, work) => done.unwrap_or(Err(BusError::Unavailable)),
        }
    }
}

async fn open(
    uri: &AMQPUri,
    within: Duration,
    cut: &CancellationToken,
) -> Result<(Arc<Link>, Arc<Link>), RabbitError> {
    let publishing = Link::open("publishes", uri, within, cut).await?;
    Ok((publishing, Link::open("reads", uri, within, cut).await?))
}

/// The broker ended a subscription of its own accord: its queue was deleted or moved.
fn gone(queue: &str) -> lapin::Error {
    let reason = format!("the broker ended reading the queue {queue}");
    ErrorKind::ProtocolError(AMQPError::new(
        AMQPSoftError::NOTFOUND.into(),
        lapin::types::ShortString::try_new(reason).unwrap_or_default(),
    ))
    .into()
}

#[async_trait]
impl EventBus for RabbitBus {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        let Some(message) = Message::new(&self.tools.wire, &event) else {
            tracing::error!(event = %event.id, kind = event.kind, "the kind is too long for RabbitMQ");
            return Err(BusError::Unavailable);
        };
        self.publisher.publish(message).await
    }

    async fn subscribe(
        &self,
        group: &str,
        patterns: &[&str],
    ) -> Result<Box<dyn Subscription>, BusError> {
        let Some(queue) = self.tools.topology.queue(group) else {
            tracing::error!(group, "the name is too long for RabbitMQ");
            return Err(BusError::Unavailable);
        };
        let group = Group {
            name: group.to_owned(),
            queue,
            patterns: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            prefetch: self.settings.prefetch,
            delivery_limit: self.settings.delivery_limit,
        };
        let (tools, stop) = (self.tools.clone(), self.stop.clone());
        let joined = member::join(tools, group, stop, self.alive.clone());
        Ok(Box::new(self.in_time(joined).await?))
    }

    async fn watch(&self, patterns: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        let watched = watcher::watch(
            self.tools.clone(),
            patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            self.settings.watched as usize,
            &self.stop,
            self.alive.clone(),
        );
        Ok(Box::new(self.in_time(watched).await?))
    }
}
