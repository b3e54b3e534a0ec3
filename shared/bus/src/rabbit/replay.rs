//! Reading the log: everything that was published, from any point on, as long as the broker keeps it.

use super::{Alive, Tools, backoff::Backoff};
use crate::{Event, pattern::Pattern};
use centro_kernel::Timestamp;
use futures::StreamExt;
use lapin::{
    Channel, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

/// Messages the broker sends ahead, and how many of them are acknowledged together.
const AHEAD: u16 = 256;
const TOGETHER: u64 = 64;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayFrom {
    /// The oldest event that is kept.
    Oldest,
    /// The event with this offset, or the first that is kept after it.
    Offset(u64),
    /// Events that happened at this time or later.
    Time(Timestamp),
    /// Events that the broker took at this time or later, and some from shortly before.
    Taken(Timestamp),
}

/// An event with its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Grows along the log, with gaps. [`ReplayFrom::Offset`] of the next number continues after this event.
    pub offset: u64,
    /// What happened.
    pub event: Event,
}

/// Reads the log in order; at its end, what comes.
pub struct Replay {
    tools: Tools,
    patterns: Vec<Pattern>,
    /// Where to go on after an outage.
    from: ReplayFrom,
    since: Option<Timestamp>,
    left: u64,
    open: Option<(Channel, Consumer)>,
    unacknowledged: u64,
    stop: CancellationToken,
    _alive: Alive,
}

impl Replay {
    pub(super) fn new(
        tools: Tools,
        from: ReplayFrom,
        patterns: &[&str],
        limit: u64,
        stop: CancellationToken,
        alive: Alive,
    ) -> Self {
        Self {
            tools,
            patterns: patterns.iter().map(|text| Pattern::new(text)).collect(),
            from,
            since: match from {
                ReplayFrom::Time(since) => Some(since),
                _ => None,
            },
            left: limit,
            open: None,
            unacknowledged: 0,
            stop,
            _alive: alive,
        }
    }

    /// The next event that fits; `None` after as many as were asked for, or when the bus is closed. It waits through
    /// outages, and a caller that stops waiting loses nothing.
    pub async fn next(&mut self) -> Option<Replayed> {
        let stop = self.stop.clone();
        while self.left > 0 {
            let delivery = tokio::select! {
                () = stop.cancelled() => return None,
                delivery = self.delivery() => delivery,
            };
            if let Some(replayed) = self.replayed(delivery) {
                self.left -= 1;
                return Some(replayed);
            }
        }
        self.open = None;
        None
    }

    async fn delivery(&mut self) -> Delivery {
        let mut backoff = Backoff::default();
        loop {
            let delivery = self.try_delivery().await;
            match self.tools.link.check(delivery) {
                Ok(delivery) => return delivery,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the log of events for now");
                    self.open = None;
                    backoff.pause().await;
                }
            }
        }
    }

    async fn try_delivery(&mut self) -> lapin::Result<Delivery> {
        if self.open.is_none() {
            self.unacknowledged = 0;
            self.open = Some(open(&self.tools, self.from).await?);
        }
        let next = match &mut self.open {
            Some((_, consumer)) => consumer.next().await,
            None => None,
        };
        let delivery = next.unwrap_or_else(|| Err(super::gone(&self.tools.topology.log())))?;
        self.unacknowledged += 1;
        if self.unacknowledged >= TOGETHER {
            self.unacknowledged = 0;
            let options = BasicAckOptions { multiple: true };
            // Not waited for: whoever stops waiting here would lose the delivery.
            let acker = delivery.acker.clone();
            tokio::spawn(async move { acker.ack(options).await });
        }
        Ok(delivery)
    }

    /// What was read, if it was asked for. Reading continues after it whatever it is.
    fn replayed(&mut self, delivery: Delivery) -> Option<Replayed> {
        let headers = delivery.properties.headers().as_ref();
        let offset = headers.and_then(|headers| headers.inner().get("x-stream-offset"));
        let offset = match offset {
            Some(AMQPValue::LongLongInt(offset)) => u64::try_from(*offset).ok()?,
            _ => return None,
        };
        if matches!(self.from, ReplayFrom::Offset(from) if offset < from) {
            return None;
        }
        self.from = ReplayFrom::Offset(offset + 1);
        let key: Vec<_> = delivery.routing_key.as_str().split('.').collect();
        if !self.patterns.iter().any(|pattern| pattern.fits(&key)) {
            return None;
        }
        match self.tools.wire.read(&delivery.data) {
            // The broker begins a little early: it keeps events in chunks.
            Ok(event) if self.since.is_some_and(|since| event.time < since) => None,
            Ok(event) => Some(Replayed { offset, event }),
            Err(error) => {
                tracing::warn!(%error, offset, "the log has what is no event");
                None
            }
        }
    }
}

async fn open(tools: &Tools, from: ReplayFrom) -> lapin::Result<(Channel, Consumer)> {
    tools.topology.declare(&tools.link).await?;
    let channel = tools.link.channel().await?;
    channel.basic_qos(AHEAD, BasicQosOptions::default()).await?;
    let offset = match from {
        ReplayFrom::Oldest => AMQPValue::LongString("first".into()),
        ReplayFrom::Offset(offset) => {
            AMQPValue::LongLongInt(i64::try_from(offset).unwrap_or(i64::MAX))
        }
        ReplayFrom::Time(time) | ReplayFrom::Taken(time) => {
            AMQPValue::Timestamp(u64::try_from(time.as_millis() / 1_000).unwrap_or(0))
        }
    };
    let mut arguments = FieldTable::default();
    arguments.insert("x-stream-offset".into(), offset);
    let consumer = channel
        .basic_consume(
            tools.topology.log().as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            arguments,
        )
        .await?;
    Ok((channel, consumer))
}
