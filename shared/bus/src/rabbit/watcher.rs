//! A watcher: a queue at the broker that lives as long as the connection, and a bounded one here.

use super::{Alive, Tools, backoff::Backoff};
use crate::{BusError, Seen, Watch, Wire};
use async_trait::async_trait;
use futures::StreamExt;
use lapin::{Channel, Consumer, options::BasicConsumeOptions, types::FieldTable};
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What was not seen yet.
#[derive(Default)]
struct Queue {
    events: VecDeque<Sighted>,
    lost: u64,
}

enum Sighted {
    /// As it came. It is read by whoever looks, so that taking it from the network is quick however slow that is.
    Bytes(Vec<u8>),
    /// The connection was lost: something may be missing.
    Gap,
}

impl Queue {
    fn push(&mut self, sighted: Sighted, limit: usize) {
        if self.events.len() >= limit {
            self.events.pop_front();
            self.lost += 1;
        }
        self.events.push_back(sighted);
    }

    fn pop(&mut self, wire: &dyn Wire) -> Option<Seen> {
        match std::mem::take(&mut self.lost) {
            0 => {}
            lost => return Some(Seen::Lagged(lost)),
        }
        loop {
            match self.events.pop_front()? {
                Sighted::Gap => return Some(Seen::Lagged(1)),
                Sighted::Bytes(bytes) => match wire.read(&bytes) {
                    Ok(event) => return Some(Seen::Event(event)),
                    Err(error) => tracing::warn!(%error, "saw what is no event"),
                },
            }
        }
    }
}

#[derive(Default)]
struct Sight {
    queue: Mutex<Queue>,
    news: Notify,
}

pub(super) struct Watcher {
    wire: Arc<dyn Wire>,
    sight: Arc<Sight>,
    stop: CancellationToken,
    _task: DropGuard,
    _alive: Alive,
}

/// Watches what is published from now on.
pub(super) async fn watch(
    tools: Tools,
    patterns: Vec<String>,
    limit: usize,
    stop: &CancellationToken,
    alive: Alive,
) -> Result<Watcher, BusError> {
    let opened = open(&tools, &patterns).await;
    let opened = tools.link.check(opened).map_err(|error| {
        tracing::warn!(%error, "cannot watch the event bus");
        BusError::Unavailable
    })?;
    let stop = stop.child_token();
    let sight = Arc::new(Sight::default());
    let wire = tools.wire.clone();
    let task = look(tools, patterns, limit, sight.clone(), opened);
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = stopped.cancelled() => {}
            () = task => {}
        }
    });
    Ok(Watcher {
        wire,
        sight,
        _task: stop.clone().drop_guard(),
        stop,
        _alive: alive,
    })
}

async fn open(tools: &Tools, patterns: &[String]) -> lapin::Result<(Channel, Consumer)> {
    let channel = tools.link.channel().await?;
    let queue = tools
        .topology
        .declare_watch(&tools.link, &channel, patterns)
        .await?;
    let options = BasicConsumeOptions {
        no_ack: true,
        exclusive: true,
        ..Default::default()
    };
    let consumer = channel
        .basic_consume(queue, "".into(), options, FieldTable::default())
        .await?;
    Ok((channel, consumer))
}

/// Never ends.
async fn look(
    tools: Tools,
    patterns: Vec<String>,
    limit: usize,
    sight: Arc<Sight>,
    mut opened: (Channel, Consumer),
) {
    loop {
        let error = loop {
            match opened.1.next().await {
                Some(Ok(delivery)) => {
                    let sighted = Sighted::Bytes(delivery.data);
                    sight.queue.lock().push(sighted, limit);
                    sight.news.notify_one();
                }
                Some(Err(error)) => break error,
                None => break super::gone("of a watcher"),
            }
        };
        tracing::warn!(%error, "a watcher is blind for now");
        let mut backoff = Backoff::default();
        opened = loop {
            let again = open(&tools, &patterns).await;
            match tools.link.check(again) {
                Ok(opened) => break opened,
                Err(_) => backoff.pause().await,
            }
        };
        // Not before it sees again: a snapshot taken now and what comes from now on leave no gap.
        sight.queue.lock().push(Sighted::Gap, limit);
        sight.news.notify_one();
    }
}

#[async_trait]
impl Watch for Watcher {
    async fn next(&mut self) -> Option<Seen> {
        loop {
            let seen = self.sight.queue.lock().pop(self.wire.as_ref());
            if seen.is_some() {
                return seen;
            }
            tokio::select! {
                () = self.sight.news.notified() => {}
                () = self.stop.cancelled() => return None,
            }
        }
    }
}
