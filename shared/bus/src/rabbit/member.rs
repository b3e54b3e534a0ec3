//! A member of a durable group: a channel that reads the group's queue, and what it has in hand.
//!
//! The broker gives all to one member at a time, in order. Giving back to the broker would put an event behind those that
//! were fetched after it, so it is given back here, inside the member, and rests a while. When the member leaves, the channel stays until
//! nothing is held, and its end returns the rest, in order, for the next member.

mod buffer;

use super::{Alive, Tools, backoff::Backoff, metrics};
use crate::{BusError, Delivery, Event, Subscription};
use async_trait::async_trait;
use buffer::{Buffer, GivenBack, Next, Waiting};
use futures::StreamExt;
use lapin::{
    Acker, Channel, Consumer,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

/// A group as a member joins it.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) queue: String,
    pub(super) patterns: Vec<String>,
    pub(super) prefetch: u16,
    pub(super) delivery_limit: u32,
}

/// What the member, its deliveries and its task share.
struct Hand {
    group: Group,
    buffer: Mutex<Buffer<Event, Acker>>,
    /// To the reader: something is to be read.
    news: Notify,
    /// To the task: something is to be refused, or all is over.
    work: Notify,
}

impl Hand {
    fn let_go(&self, life: u64) {
        self.buffer.lock().let_go(life);
        self.work.notify_one();
    }

    fn give_back(&self, waiting: Waiting<Event, Acker>) {
        let outcome = self.buffer.lock().give_back(waiting, Instant::now());
        if let GivenBack::Dead(event) = outcome {
            let (group, times) = (self.group.name.as_str(), self.group.delivery_limit);
            tracing::error!(event = %event.id, kind = event.kind, group, times, "gave an event up: it is in the dead-letter queue");
            metrics::dead_letter(group);
        }
        self.news.notify_one();
        self.work.notify_one();
    }
}

/// Makes the group if it is not there, adds the patterns to its own, and joins it. What is published from now on reaches it.
pub(super) async fn join(
    tools: Tools,
    group: Group,
    stop: CancellationToken,
    alive: Alive,
) -> Result<Member, BusError> {
    let declared = tools
        .topology
        .declare_group(&tools.link, &group.queue, &group.patterns)
        .await;
    if let Err(error) = tools.link.check(declared) {
        tracing::warn!(%error, group = group.name, "cannot join a group of the event bus");
        return Err(BusError::Unavailable);
    }
    let hand = Arc::new(Hand {
        buffer: Mutex::new(Buffer::new(group.delivery_limit)),
        group,
        news: Notify::new(),
        work: Notify::new(),
    });
    tokio::spawn(serve(tools, hand.clone(), stop.clone()));
    Ok(Member { hand, stop, alive })
}

/// Reads the queue until the member is over, again and again when the channel or the queue is lost.
async fn serve(tools: Tools, hand: Arc<Hand>, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    let mut first = true;
    loop {
        let read = async {
            if !first {
                let Group {
                    queue, patterns, ..
                } = &hand.group;
                tools
                    .topology
                    .declare_group(&tools.link, queue, patterns)
                    .await?;
            }
            first = false;
            let (channel, consumer) = consume(&tools, &hand.group).await?;
            backoff = Backoff::default();
            read(&tools, &hand, &channel, consumer).await
        };
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = read => ended,
        };
        hand.buffer.lock().lost();
        match tools.link.check(ended) {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, group = hand.group.name, "lost the queue of a group");
            }
        }
        if hand.buffer.lock().is_over() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = backoff.pause() => {}
        }
    }
}

async fn consume(tools: &Tools, group: &Group) -> lapin::Result<(Channel, Consumer)> {
    let channel = tools.link.channel().await?;
    channel
        .basic_qos(group.prefetch, BasicQosOptions::default())
        .await?;
    let consumer = channel
        .basic_consume(
            group.queue.as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok((channel, consumer))
}

/// Ends well when the member is over.
async fn read(
    tools: &Tools,
    hand: &Hand,
    channel: &Channel,
    mut consumer: Consumer,
) -> lapin::Result<()> {
    loop {
        let over = hand.buffer.lock().is_over();
        if over {
            return channel.close(200, "left".into()).await;
        }
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = match delivery {
                    Some(delivery) => delivery?,
                    None => return Err(super::gone(&hand.group.queue)),
                };
                match tools.wire.read(&delivery.data) {
                    Ok(event) => {
                        let redelivered = delivery.redelivered;
                        hand.buffer.lock().push(event, redelivered, delivery.acker);
                        hand.news.notify_one();
                    }
                    Err(error) => {
                        let (group, key) = (hand.group.name.as_str(), delivery.routing_key.as_str());
                        tracing::error!(%error, group, key, "what is no event is in the dead-letter queue");
                        metrics::dead_letter(group);
                        refuse(&delivery.acker).await?;
                    }
                }
            }
            () = hand.work.notified() => {
                let dead = hand.buffer.lock().dead();
                for acker in dead {
                    refuse(&acker).await?;
                }
            }
        }
    }
}

/// Has the broker move it to the dead-letter queue.
async fn refuse(acker: &Acker) -> lapin::Result<()> {
    let options = BasicRejectOptions { requeue: false };
    acker.reject(options).await.map(drop)
}

pub(super) struct Member {
    hand: Arc<Hand>,
    stop: CancellationToken,
    alive: Alive,
}

#[async_trait]
impl Subscription for Member {
    async fn next(&mut self) -> Option<Box<dyn Delivery>> {
        loop {
            let next = self.hand.buffer.lock().take(Instant::now());
            let rest = match next {
                Next::Event(waiting) => {
                    return Some(Box::new(Given {
                        hand: self.hand.clone(),
                        waiting: Some(waiting),
                        _alive: self.alive.clone(),
                    }));
                }
                Next::Rests(until) => Some(until),
                Next::Nothing => None,
            };
            let rested = async {
                match rest {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.hand.news.notified() => {}
                () = rested => {}
                () = self.stop.cancelled() => return None,
            }
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.hand.buffer.lock().leave();
        self.hand.work.notify_one();
    }
}

/// One event in a consumer's hands.
struct Given {
    hand: Arc<Hand>,
    /// Empty once acknowledged.
    waiting: Option<Waiting<Event, Acker>>,
    _alive: Alive,
}

/// Counts an event as let go, also when whoever acknowledges it stops waiting.
struct LetGo<'a>(&'a Hand, u64);

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.0.let_go(self.1);
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
        self.waiting.as_ref().is_some_and(Waiting::redelivered)
    }

    async fn ack(mut self: Box<Self>) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let _let_go = LetGo(&self.hand, waiting.life());
        let alive = self.hand.buffer.lock().is_alive(waiting.life());
        // On a channel that was lost it means nothing: the broker gives the event out again.
        if alive && let Err(error) = waiting.settle.ack(BasicAckOptions::default()).await {
            tracing::debug!(%error, event = %waiting.event.id, "an acknowledgement was lost");
        }
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.hand.give_back(waiting);
        }
    }
}
