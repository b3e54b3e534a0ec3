//! Telling one integration again what the log of integrators still has.
//!
//! Events go to that integration's queue alone, through an exchange that names the queue, with the ids and numbers they had. Whose
//! they are is looked at in each event, too, not only in its routing key.

use super::Integration;
use crate::rabbit::{RabbitBus, RabbitError, ReplayFrom, message::Message};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use std::time::Duration;
use tokio::time::timeout;

/// Events told at once.
const AT_ONCE: usize = 256;
/// The log is at its end when nothing of the tenant came for so long.
const END: Duration = Duration::from_secs(10);

/// What is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// Where in the log reading begins.
    pub from: ReplayFrom,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// Events at most.
    pub limit: u64,
}

/// How far a replay is, or came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Events told again.
    pub told: u64,
    /// The number of the first of them; 0 before it.
    pub first: u64,
    /// The number of the last of them; 0 before it.
    pub last: u64,
}

impl RabbitBus {
    /// Tells the integration again, in order, what is asked for and still in the log. `progress` hears of each batch. It ends with the
    /// last number, after as many events as were asked for, or when the log has no more. To be called on the bus of integrators.
    ///
    /// # Errors
    /// The integration has no queue, or the broker goes away; then what was told is told.
    pub async fn tell_again(
        &self,
        integration: &Integration,
        again: Again,
        mut progress: impl FnMut(Progress),
    ) -> Result<Progress, RabbitError> {
        let queue = integration.queue(self.tools.topology.exchange().as_str());
        self.has_queue(&queue).await?;
        let pattern = format!("{}.#", integration.tenant);
        let mut replay = self.replay(again.from, &[&pattern], u64::MAX);
        let mut so_far = Progress::default();
        let mut batch = Vec::with_capacity(AT_ONCE);
        let mut over = false;
        while !over {
            let next = timeout(END, replay.next()).await.ok().flatten();
            over = next.is_none();
            if let Some(event) = next.map(|replayed| replayed.event) {
                over = event.sequence >= again.last;
                let wanted = (again.first..=again.last).contains(&event.sequence);
                if wanted && event.tenant == Some(integration.tenant) {
                    batch.push(event);
                }
            }
            let room = again.limit - so_far.told;
            over |= batch.len() as u64 >= room;
            if batch.len() >= AT_ONCE || over {
                let sent = batch.iter().map(|event| async {
                    let message = Message::new(&self.tools.wire, event);
                    let message = message.map(|message| {
                        message.addressed(self.tools.topology.replay_exchange(), &queue)
                    });
                    match message {
                        Some(message) => self.publisher.publish(message).await,
                        None => Ok(()), // it could not have been told before
                    }
                });
                let told = futures::future::join_all(sent).await;
                if told.iter().any(Result::is_err) {
                    return Err(self.away());
                }
                if let (Some(first), Some(last)) = (batch.first(), batch.last()) {
                    if so_far.told == 0 {
                        so_far.first = first.sequence;
                    }
                    so_far.last = last.sequence;
                    so_far.told += batch.len() as u64;
                    progress(so_far);
                }
                batch.clear();
            }
        }
        Ok(so_far)
    }

    async fn has_queue(&self, queue: &str) -> Result<(), RabbitError> {
        let found = async {
            let options = QueueDeclareOptions {
                passive: true,
                ..Default::default()
            };
            let channel = self.tools.link.channel().await?;
            let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
            declared.await
        };
        found.await.map(drop).map_err(|error| self.refused(&error))
    }

    fn away(&self) -> RabbitError {
        RabbitError::Unreachable {
            address: self.settings.uri().map_or_else(
                |_| "the broker".into(),
                |uri| crate::rabbit::error::address(&uri),
            ),
            reason: "it took not all events in time; what was told is told, begin again behind it"
                .into(),
        }
    }
}
