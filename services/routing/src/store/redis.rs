//! Hot state of a cluster: records in Redis, written under the shard's token by one script together with their events.
//!
//! Every key of a shard carries its hash tag. `entries` and `left` are a hash per queue, `agents` one per shard (the tenant,
//! a space, the record), `queues` names those in which somebody waits, `outbox` is a stream. All records are JSON.

mod outbox;
mod relay;
mod scripts;
#[cfg(test)]
mod tests;

pub use relay::relay_shards;

use super::{Active, Changes, Commit, HotStore, StoreError, Told, is_active};
use crate::metrics::{self, EVENTS_LOST, FENCED};
use ::redis::aio::ConnectionManager;
use centro_bus::Event;
use centro_cluster::{
    SHARDS, Shard,
    redis::{Away, Keys, Link, Settings},
};
use centro_kernel::{ContactId, QueueId, TenantId, UserId};
use centro_routing_core::{AgentRecord, Entry, QueueChange, QueueRecord, Tombstone};
use futures::{FutureExt, future::BoxFuture};
use outbox::Waiting;
use serde::de::DeserializeOwned;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// The part of all events that may wait in one shard's outbox.
const PART: usize = 16;

/// Where the hot state of a cluster is, for a process that takes part in it.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Where Redis is.
    pub redis: Settings,
    /// What stands behind the epoch in this process's tokens ([`centro_cluster::redis::RedisOwnership::nonce`]).
    pub nonce: Arc<str>,
}

/// Records in Redis. Cheap to clone.
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    link: Link,
    keys: Keys,
    nonce: Arc<str>,
    patience: Duration,
    /// Events that may wait in one outbox.
    limit: usize,
    news: Vec<Notify>,
}

impl RedisStore {
    /// A store that connects when it is first used. At most a sixteenth of `outbox` events wait in one shard's. Must be
    /// called on a tokio runtime.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(shared: &Shared, outbox: usize) -> ::redis::RedisResult<Self> {
        Ok(Self(Arc::new(Inner {
            link: Link::new(&shared.redis)?,
            keys: Keys::new(&shared.redis.prefix),
            nonce: shared.nonce.clone(),
            patience: shared.redis.write_timeout,
            limit: (outbox / PART).max(1),
            news: (0..SHARDS).map(|_| Notify::new()).collect(),
        })))
    }

    /// Rings when something may have come to the shard's outbox.
    fn news(&self, shard: Shard) -> &Notify {
        &self.0.news[shard.index()]
    }

    /// The first events of the shard's outbox.
    async fn waiting(&self, shard: Shard, limit: usize) -> Result<Vec<Waiting>, Away> {
        let mut range = ::redis::cmd("XRANGE");
        range.arg(self.0.keys.shard(shard, "outbox")).arg("-");
        range.arg("+").arg("COUNT").arg(limit);
        self.0
            .ask(async move |mut to| range.query_async(&mut to).await)
            .await
    }

    /// How many events wait in the outboxes of these shards, and since when the oldest, in milliseconds of Redis's clock.
    pub(crate) async fn backlog(
        &self,
        shards: impl Iterator<Item = Shard>,
    ) -> Result<(u64, Option<u64>), Away> {
        let keys: Vec<_> = shards.map(|s| self.0.keys.shard(s, "outbox")).collect();
        if keys.is_empty() {
            return Ok((0, None));
        }
        let counted = keys.clone();
        let counts: Vec<u64> = self
            .0
            .ask(async move |mut to| {
                let mut all = ::redis::pipe();
                for key in counted {
                    all.cmd("XLEN").arg(key);
                }
                all.query_async(&mut to).await
            })
            .await?;
        let keys: Vec<_> = keys.into_iter().zip(&counts).collect();
        let full = keys.into_iter().filter(|(_, events)| **events > 0);
        let full: Vec<_> = full.map(|(key, _)| key).collect();
        if full.is_empty() {
            return Ok((0, None));
        }
        let firsts: Vec<Vec<(String, ::redis::Value)>> = self
            .0
            .ask(async move |mut to| {
                let mut all = ::redis::pipe();
                for key in full {
                    let first = all.cmd("XRANGE").arg(key).arg("-").arg("+");
                    first.arg("COUNT").arg(1);
                }
                all.query_async(&mut to).await
            })
            .await?;
        let since = |(place, _): &(String, _)| place.split_once('-')?.0.parse().ok();
        let oldest = firsts.iter().flatten().filter_map(since).min();
        Ok((counts.iter().sum(), oldest))
    }

    /// These were published.
    async fn published(&self, shard: Shard, ids: Vec<String>) -> Result<(), Away> {
        let mut delete = ::redis::cmd("XDEL");
        delete.arg(self.0.keys.shard(shard, "outbox")).arg(ids);
        self.0
            .ask(async move |mut to| delete.query_async(&mut to).await)
            .await
    }
}

impl Inner {
    async fn ask<T, F>(
        &self,
        ask: impl FnOnce(ConnectionManager) -> F + Send + 'static,
    ) -> Result<T, Away>
    where
        F: Future<Output = ::redis::RedisResult<T>> + Send,
        T: Send + 'static,
    {
        self.link.ask(self.patience, ask).await
    }

    fn of_queue(&self, queue: QueueId, what: &str) -> String {
        let shard = Shard::of(queue.as_u128());
        self.keys.shard(shard, &format!("queue:{queue}:{what}"))
    }

    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let shard = commit.changes.shard();
        let script = match &commit.changes {
            Changes::Queue(..) => &scripts::QUEUE,
            Changes::Agent(..) => &scripts::AGENT,
        };
        let events: Vec<_> = (commit.events.iter().cloned())
            .filter_map(Told::made)
            .collect();
        let (keys, arguments) = self.prepare(&commit, &events, shard).map_err(|error| {
            tracing::error!(%error, "a record cannot be written as JSON");
            StoreError::Unavailable
        })?;
        let written = self
            .ask(move |mut to| async move {
                let mut call = script.prepare_invoke();
                for key in keys {
                    call.key(key);
                }
                for argument in arguments {
                    call.arg(argument);
                }
                call.invoke_async::<u64>(&mut to).await
            })
            .await;
        if !events.is_empty() {
            // Also when it is not known whether they were written.
            self.news[shard.index()].notify_one();
        }
        match written {
            Ok(0) => Ok(()),
            Ok(lost) => {
                metrics::add(&EVENTS_LOST, lost);
                tracing::error!(lost, ?shard, "the outbox is full, events are lost");
                Ok(())
            }
            Err(error) if error.code() == Some(scripts::FENCED) => {
                metrics::count(&FENCED);
                Err(StoreError::Fenced)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn prepare(
        &self,
        commit: &Commit,
        events: &[Event],
        shard: Shard,
    ) -> serde_json::Result<(Vec<String>, Vec<Vec<u8>>)> {
        let mut keys = vec![self.keys.owner(shard), self.keys.shard(shard, "outbox")];
        let token = format!("{}|{}", commit.epoch.0, self.nonce);
        let mut arguments = vec![
            token.into_bytes(),
            self.limit.to_string().into_bytes(),
            events.len().to_string().into_bytes(),
        ];
        for event in events {
            arguments.push(outbox::about(event)?.into_bytes());
            arguments.push(event.data.to_vec());
        }
        match &commit.changes {
            Changes::Queue(queue, changes) => {
                keys.extend(["entries", "left"].map(|what| self.of_queue(*queue, what)));
                keys.push(self.keys.shard(shard, "queues"));
                arguments.push(queue.to_string().into_bytes());
                arguments.push(commit.tenant.to_string().into_bytes());
                for change in changes {
                    let (what, contact, record) = match change {
                        QueueChange::Put(entry, _) => {
                            ("put", entry.contact, serde_json::to_vec(entry)?)
                        }
                        QueueChange::Remove(contact) => ("remove", *contact, Vec::new()),
                        QueueChange::Bury(contact, grave) => {
                            ("bury", *contact, serde_json::to_vec(grave)?)
                        }
                        QueueChange::Forget(contact) => ("forget", *contact, Vec::new()),
                    };
                    arguments.push(what.into());
                    arguments.push(contact.to_string().into_bytes());
                    arguments.push(record);
                }
            }
            Changes::Agent(agent, record) => {
                keys.push(self.keys.shard(shard, "agents"));
                arguments.push(agent.to_string().into_bytes());
                arguments.push(match record {
                    Some(record) => {
                        let record = serde_json::to_string(record)?;
                        format!("{} {record}", commit.tenant).into_bytes()
                    }
                    None => Vec::new(),
                });
            }
        }
        Ok((keys, arguments))
    }

    async fn load_queue(&self, queue: QueueId) -> Result<QueueRecord, StoreError> {
        let (entries, left) = (
            self.of_queue(queue, "entries"),
            self.of_queue(queue, "left"),
        );
        let loaded = self.ask(move |mut to| async move {
            let mut both = ::redis::pipe();
            both.atomic().hgetall(entries).hgetall(left);
            both.query_async(&mut to).await
        });
        let (entries, left): (HashMap<String, String>, HashMap<String, String>) =
            loaded.await.map_err(|error| unavailable(&error))?;
        let mut record = QueueRecord::default();
        for text in entries.into_values() {
            let entry: Arc<Entry> = read(&text)?;
            record.entries.insert(entry.contact, entry);
        }
        for (contact, text) in left {
            let contact: ContactId = contact.parse().map_err(unreadable)?;
            let grave: Tombstone = read(&text)?;
            record.left.insert(contact, grave);
        }
        Ok(record)
    }

    async fn load_agent(&self, agent: UserId) -> Result<Option<AgentRecord>, StoreError> {
        let agents = self.keys.shard(Shard::of(agent.as_u128()), "agents");
        let mut get = ::redis::cmd("HGET");
        get.arg(agents).arg(agent.to_string());
        let loaded = self.ask(move |mut to| async move { get.query_async(&mut to).await });
        let text: Option<String> = loaded.await.map_err(|error| unavailable(&error))?;
        text.map(|text| Ok(agent_of(&text)?.1)).transpose()
    }

    async fn active(&self, shard: Shard) -> Result<Vec<Active>, StoreError> {
        let (queues, agents) = (
            self.keys.shard(shard, "queues"),
            self.keys.shard(shard, "agents"),
        );
        let loaded = self.ask(move |mut to| async move {
            let mut both = ::redis::pipe();
            both.atomic().hgetall(queues).hgetall(agents);
            both.query_async(&mut to).await
        });
        let (queues, agents): (HashMap<String, String>, HashMap<String, String>) =
            loaded.await.map_err(|error| unavailable(&error))?;
        let mut active = Vec::new();
        for (queue, tenant) in queues {
            let (tenant, queue) = (tenant.parse(), queue.parse());
            active.push(Active::Queue(
                tenant.map_err(unreadable)?,
                queue.map_err(unreadable)?,
            ));
        }
        for text in agents.into_values() {
            let (tenant, record) = agent_of(&text)?;
            if is_active(&record) {
                active.push(Active::Agent(tenant, record.id));
            }
        }
        Ok(active)
    }
}

impl HotStore for RedisStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'static, Result<(), StoreError>> {
        let inner = self.0.clone();
        async move { inner.commit(commit).await }.boxed()
    }

    fn load_queue(&self, queue: QueueId) -> BoxFuture<'static, Result<QueueRecord, StoreError>> {
        let inner = self.0.clone();
        async move { inner.load_queue(queue).await }.boxed()
    }

    fn load_agent(
        &self,
        agent: UserId,
    ) -> BoxFuture<'static, Result<Option<AgentRecord>, StoreError>> {
        let inner = self.0.clone();
        async move { inner.load_agent(agent).await }.boxed()
    }

    fn active(&self, shard: Shard) -> BoxFuture<'static, Result<Vec<Active>, StoreError>> {
        let inner = self.0.clone();
        async move { inner.active(shard).await }.boxed()
    }
}

fn agent_of(text: &str) -> Result<(TenantId, AgentRecord), StoreError> {
    let (tenant, record) = text.split_once(' ').unwrap_or_default();
    Ok((tenant.parse().map_err(unreadable)?, read(record)?))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    tracing::error!(%error, "a record in Redis cannot be read: another version wrote it");
    StoreError::Unavailable
}

fn unavailable(error: &Away) -> StoreError {
    tracing::warn!(%error, "the hot state cannot be reached");
    StoreError::Unavailable
}
