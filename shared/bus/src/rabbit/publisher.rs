//! Events to the broker, confirmed.
//!
//! One task sends them all, in the order in which they were handed to it, so what is published in order arrives in order
//! even when many are under way. Confirmations come as they come. What was under way when the channel broke is sent again,
//! for whether the broker has it nobody knows; what waits is bounded, and is not sent once its publisher gave up.

use super::{
    backoff::Backoff,
    link::{self, Link},
    message::Message,
    topology::Topology,
};
use crate::BusError;
use futures::{StreamExt, poll, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use std::{collections::VecDeque, pin::pin, sync::Arc, task::Poll, time::Duration};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Events not confirmed yet, and events not sent yet.
const WINDOW: usize = 1_024;
/// How long it may take until all that was under way knows that its channel is no more.
const COLLECT: Duration = Duration::from_secs(1);

/// An event and who waits for its confirmation.
struct Order {
    message: Message,
    answer: oneshot::Sender<Result<(), BusError>>,
}

/// Hands events to the task.
#[derive(Clone)]
pub(super) struct Publisher {
    orders: mpsc::Sender<Order>,
    patience: Duration,
}

impl Publisher {
    pub(super) fn new(patience: Duration) -> (Self, Orders) {
        let (orders, inbox) = mpsc::channel(WINDOW);
        let orders = Self { orders, patience };
        let again = VecDeque::new();
        (orders, Orders { inbox, again })
    }

    /// Resolves when the broker has it in every queue, or it may not.
    pub(super) async fn publish(&self, message: Message) -> Result<(), BusError> {
        let (answer, told) = oneshot::channel();
        let published = async {
            // At the first look where there is room, so that whoever publishes many at once has them sent in that order.
            match self.orders.try_send(Order { message, answer }) {
                Ok(()) => {}
                Err(TrySendError::Full(order)) => {
                    let handed = self.orders.send(order).await;
                    handed.map_err(|_| BusError::Unavailable)?;
                }
                Err(TrySendError::Closed(_)) => return Err(BusError::Unavailable),
            }
            told.await.map_err(|_| BusError::Unavailable)?
        };
        timeout(self.patience, published)
            .await
            .unwrap_or(Err(BusError::Unavailable))
    }
}

/// The task's end.
pub(super) struct Orders {
    inbox: mpsc::Receiver<Order>,
    /// What was under way when a channel broke.
    again: VecDeque<Order>,
}

impl Orders {
    /// Sends what comes until `stop`, then what came before it while the connection holds.
    pub(super) async fn send(
        mut self,
        link: Arc<Link>,
        topology: Arc<Topology>,
        stop: CancellationToken,
    ) {
        let mut backoff = Backoff::default();
        loop {
            let opened = tokio::select! {
                () = stop.cancelled() => return,
                opened = open(&link, &topology) => opened,
            };
            let ended = match opened {
                Ok(channel) => {
                    backoff = Backoff::default();
                    self.carry(&link, &channel, topology.exchange(), &stop)
                        .await
                }
                Err(error) => Err(error),
            };
            match link.check(ended) {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "no event is published for now"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = backoff.pause() => {}
            }
        }
    }

    /// Ends well when there is nothing more to send.
    async fn carry(
        &mut self,
        link: &Link,
        channel: &Channel,
        exchange: ShortString,
        stop: &CancellationToken,
    ) -> lapin::Result<()> {
        let mut unconfirmed = FuturesUnordered::new();
        let mut number = 0_u64;
        let mut lost = pin!(link.changed());
        let (failed, error) = loop {
            let settled = tokio::select! {
                () = stop.cancelled(), if !self.inbox.is_closed() => {
                    self.inbox.close();
                    continue;
                }
                // What is under way learns of it by itself; without, nobody would before the next event.
                () = &mut lost, if unconfirmed.is_empty() => return Err(link::closed()),
                order = self.next(), if unconfirmed.len() < WINDOW => match order {
                    Some(order) if order.answer.is_closed() => continue,
                    Some(order) => {
                        number += 1;
                        let send = confirm(channel.clone(), exchange.clone(), number, order);
                        let mut send = Box::pin(send);
                        // The first look puts it on its way, before the next one is taken.
                        match poll!(&mut send) {
                            Poll::Ready(settled) => settled,
                            Poll::Pending => {
                                unconfirmed.push(send);
                                continue;
                            }
                        }
                    }
                    None => match unconfirmed.next().await {
                        Some(settled) => settled,
                        None => return Ok(()),
                    },
                },
                Some(settled) = unconfirmed.next() => settled,
            };
            if let Err(Broken { failed, error }) = settled {
                break (failed, error);
            }
        };
        let mut all = vec![failed];
        let collect = async {
            while let Some(settled) = unconfirmed.next().await {
                all.extend(settled.err().map(|broken| broken.failed));
            }
        };
        // Who is not among them by then is refused.
        let _ = timeout(COLLECT, collect).await;
        all.sort_unstable_by_key(|(number, _)| *number);
        for (_, order) in all.into_iter().rev() {
            self.again.push_front(order);
        }
        Err(error)
    }

    async fn next(&mut self) -> Option<Order> {
        match self.again.pop_front() {
            Some(order) => Some(order),
            None => self.inbox.recv().await,
        }
    }
}

/// What could not be sent, by its place, and why.
struct Broken {
    failed: (u64, Order),
    error: lapin::Error,
}

async fn open(link: &Link, topology: &Topology) -> lapin::Result<Channel> {
    topology.declare(link).await?;
    let channel = link.channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok(channel)
}

/// Sends one and tells its publisher what became of it.
async fn confirm(
    channel: Channel,
    exchange: ShortString,
    number: u64,
    order: Order,
) -> Result<(), Broken> {
    let Message {
        exchange: other,
        key,
        properties,
        body,
    } = &order.message;
    let sent = async {
        let options = BasicPublishOptions::default();
        let exchange = other.clone().unwrap_or(exchange);
        channel
            .basic_publish(exchange, key.clone(), options, body, properties.clone())
            .await?
            .await
    };
    let told = match sent.await {
        Ok(Confirmation::Ack(_)) => Ok(()),
        Ok(_) => {
            tracing::warn!(
                "RabbitMQ refused an event: a group may have its limit of unread events"
            );
            Err(BusError::Unavailable)
        }
        Err(error) => {
            let failed = (number, order);
            return Err(Broken { failed, error });
        }
    };
    // A publisher that gave up does not want to know.
    let _ = order.answer.send(told);
    Ok(())
}
