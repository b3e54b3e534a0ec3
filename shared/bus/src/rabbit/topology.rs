//! What the bus needs at the broker, by name. All of it is declared again after each loss, so what an operator deleted
//! comes back.

use super::{
    RabbitError, RabbitSettings,
    error::{PRECONDITION_FAILED, code},
    link::Link,
};
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, MAX_SHORT_STRING_LENGTH, ShortString},
    uri::AMQPUri,
};

/// How often an event may return to the broker before it is laid aside there. That is to stop events that kill whoever
/// reads them; but each end of a member counts, and for all that it had fetched, so it is far more than one bad day has.
const RETURNS: u32 = 100;
/// Events a dead-letter queue keeps; then the oldest go.
const DEAD: u32 = 100_000;

/// Names and limits.
#[derive(Debug, Clone)]
pub(super) struct Topology {
    exchange: String,
    unread: u32,
    watched: u32,
    log_max_age: String,
    log_max_bytes: i64,
}

impl Topology {
    pub(super) fn new(settings: &RabbitSettings) -> Self {
        Self {
            exchange: settings.exchange.clone(),
            unread: settings.unread,
            watched: settings.watched,
            log_max_age: format!("{}s", settings.log_max_age.as_secs()),
            log_max_bytes: i64::try_from(settings.log_max_bytes).unwrap_or(i64::MAX),
        }
    }

    pub(super) fn exchange(&self) -> ShortString {
        self.exchange.as_str().into()
    }

    /// The stream that keeps everything for replay.
    pub(super) fn log(&self) -> String {
        format!("{}.log", self.exchange)
    }

    fn dead_exchange(&self) -> String {
        format!("{}.dead", self.exchange)
    }

    /// A group's queue; `None` when its name is too long for the broker.
    pub(super) fn queue(&self, group: &str) -> Option<String> {
        let name = format!("{}.group.{group}", self.exchange);
        (dead(&name).len() <= MAX_SHORT_STRING_LENGTH).then_some(name)
    }

    /// The exchanges.
    async fn declare_exchanges(&self, link: &Link) -> lapin::Result<()> {
        let channel = link.channel().await?;
        for (name, kind) in [
            (self.exchange.clone(), ExchangeKind::Topic),
            (self.dead_exchange(), ExchangeKind::Direct),
            (self.replay_exchange().to_string(), ExchangeKind::Direct),
        ] {
            let options = ExchangeDeclareOptions {
                durable: true,
                ..Default::default()
            };
            channel
                .exchange_declare(name.into(), kind, options, FieldTable::default())
                .await?;
        }
        Ok(())
    }

    /// Exchanges and log: what a publisher and a reader of the log need.
    pub(super) async fn declare(&self, link: &Link) -> lapin::Result<()> {
        self.declare_exchanges(link).await?;
        let log = self.log();
        let arguments = [
            ("x-queue-type", text("stream")),
            ("x-max-age", text(&self.log_max_age)),
            ("x-max-length-bytes", self.log_max_bytes.into()),
        ];
        declare_queue(link, &log, table(arguments)).await?;
        bind(&link.channel().await?, &log, &self.exchange, "#").await
    }

    /// Like [`Topology::declare`], with what its failure means at a start.
    pub(super) async fn declare_first(
        &self,
        link: &Link,
        uri: &AMQPUri,
    ) -> Result<(), RabbitError> {
        let declared = self.declare(link).await;
        declared.map_err(|error| RabbitError::of_topology(uri, &self.exchange, &error))
    }

    /// A group's queue with its dead-letter queue, bound by `patterns`. Bindings of others stay.
    ///
    /// A quorum queue survives the loss of a node; a single active consumer keeps the order of subjects among members.
    pub(super) async fn declare_group(
        &self,
        link: &Link,
        queue: &str,
        patterns: &[String],
    ) -> lapin::Result<()> {
        self.declare_exchanges(link).await?;
        let dead_queue = dead(queue);
        let arguments = [
            ("x-queue-type", text("quorum")),
            ("x-max-length", int(DEAD)),
        ];
        declare_queue(link, &dead_queue, table(arguments)).await?;
        let arguments = [
            ("x-queue-type", text("quorum")),
            ("x-single-active-consumer", true.into()),
            ("x-delivery-limit", int(RETURNS)),
            ("x-max-length", int(self.unread)),
            // Refusing the publisher loses nothing; it is also what at-least-once dead-lettering asks for.
            ("x-overflow", text("reject-publish")),
            ("x-dead-letter-exchange", text(&self.dead_exchange())),
            ("x-dead-letter-routing-key", text(&dead_queue)),
            ("x-dead-letter-strategy", text("at-least-once")),
        ];
        declare_queue(link, queue, table(arguments)).await?;
        let channel = link.channel().await?;
        bind(&channel, &dead_queue, &self.dead_exchange(), &dead_queue).await?;
        for pattern in patterns {
            bind(&channel, queue, &self.exchange, pattern).await?;
        }
        Ok(())
    }

    /// The exchange by which events of the log are told again, each to the one queue that its routing key names.
    pub(super) fn replay_exchange(&self) -> ShortString {
        format!("{}.replay", self.exchange).into()
    }

    /// An integration's queue with at most so many events and bytes, of which the oldest go, bound by `keys`. Bindings of
    /// before stay.
    pub(super) async fn declare_integration(
        &self,
        link: &Link,
        queue: &str,
        keys: &[String],
        (events, bytes): (u32, i64),
    ) -> lapin::Result<()> {
        self.declare_exchanges(link).await?;
        let arguments = [
            ("x-queue-type", text("quorum")),
            ("x-max-length", int(events)),
            ("x-max-length-bytes", bytes.into()),
            ("x-overflow", text("drop-head")),
        ];
        declare_queue(link, queue, table(arguments)).await?;
        let channel = link.channel().await?;
        let replay = self.replay_exchange();
        bind(&channel, queue, replay.as_str(), queue).await?;
        for key in keys {
            bind(&channel, queue, &self.exchange, key).await?;
        }
        Ok(())
    }

    /// A queue that lives as long as the connection, bound by `patterns`. The broker drops the oldest beyond its limit.
    pub(super) async fn declare_watch(
        &self,
        link: &Link,
        channel: &Channel,
        patterns: &[String],
    ) -> lapin::Result<ShortString> {
        self.declare_exchanges(link).await?;
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..Default::default()
        };
        let arguments = table([("x-max-length", int(self.watched))]);
        let queue = channel.queue_declare("".into(), options, arguments).await?;
        for pattern in patterns {
            bind(channel, queue.name().as_str(), &self.exchange, pattern).await?;
        }
        Ok(queue.name().clone())
    }
}

/// The dead-letter queue of a queue.
fn dead(queue: &str) -> String {
    format!("{queue}.dead")
}

/// A durable queue. One that is there with other arguments is kept: an operator, or an older setting, made it so.
async fn declare_queue(link: &Link, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let declare = async |passive, arguments| {
        let options = QueueDeclareOptions {
            durable: true,
            passive,
            ..Default::default()
        };
        // On a channel of its own, for a refusal closes it.
        let channel = link.channel().await?;
        let declared = channel.queue_declare(name.into(), options, arguments).await;
        declared.map(drop)
    };
    match declare(false, arguments).await {
        Err(error) if code(&error) == Some(PRECONDITION_FAILED) => {
            tracing::warn!(queue = name, %error, "the queue stays as it was made");
            declare(true, FieldTable::default()).await
        }
        declared => declared,
    }
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, pattern: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel
        .queue_bind(
            queue.into(),
            exchange.into(),
            pattern.into(),
            options,
            FieldTable::default(),
        )
        .await
}

fn table<const N: usize>(arguments: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    table
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn int(number: u32) -> AMQPValue {
    AMQPValue::LongLongInt(number.into())
}
