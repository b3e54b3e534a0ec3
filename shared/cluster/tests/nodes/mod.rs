//! Processes of a cluster, as far as a test needs them: each has a thread of its own that can be stopped.

#![allow(dead_code)] // each test binary uses its part

use anyhow::{Context, Result, ensure};
use centro_cluster::{
    Member, Ownership, SHARDS, Shard,
    redis::{Error, Keys, RedisOwnership, Settings},
};
use centro_testkit::{engines::Redis, eventually};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::runtime::Runtime;

/// More than anything here takes.
pub const SOON: Duration = Duration::from_secs(30);

pub fn settings(redis: &Redis) -> Settings {
    Settings {
        url: redis.url(),
        ..Settings::default()
    }
}

pub fn member(name: &str, role: &str) -> Member {
    Member {
        name: Arc::from(name),
        roles: vec![Arc::from(role)],
        address: Arc::from(format!("{name}:7000")),
        draining: false,
    }
}

/// A process. Dropped, it dies without a word.
pub struct Process {
    runtime: Option<Runtime>,
    pub ownership: RedisOwnership,
}

impl Process {
    pub async fn join(settings: &Settings, me: Member) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let settings = settings.clone();
        let joined = runtime.spawn(async move {
            RedisOwnership::join(&settings, me, "routing", "installation").await
        });
        match joined.await.unwrap() {
            Ok(ownership) => Ok(Self {
                runtime: Some(runtime),
                ownership,
            }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Joins, and waits until every shard has an owner and this one its share.
    pub async fn serve(settings: &Settings, name: &str) -> Result<Self> {
        let process = Self::join(settings, member(name, "routing")).await?;
        eventually("it has its share", SOON, async || {
            let all = Shard::all().all(|s| process.ownership.owner(s).is_some());
            ensure!(all && process.owned() > 0, "{} shards", process.owned());
            Ok(())
        })
        .await?;
        Ok(process)
    }

    pub fn owned(&self) -> usize {
        let ownership = &self.ownership;
        Shard::all()
            .filter(|s| ownership.epoch(*s).is_some())
            .count()
    }

    /// Stops every task, as SIGSTOP would, until what is returned is dropped.
    pub fn stop(&self) -> mpsc::Sender<()> {
        let (go_on, wait) = mpsc::channel();
        let (stopped, is_stopped) = mpsc::channel();
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                let _ = stopped.send(());
                let _ = wait.recv();
            });
        }
        let _ = is_stopped.recv();
        go_on
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How many shards are owned by exactly one, and how many by more.
pub fn owned(processes: &[&Process]) -> (usize, usize) {
    let mut owned = (0, 0);
    for shard in Shard::all() {
        let owners = processes
            .iter()
            .filter(|p| p.ownership.epoch(shard).is_some());
        match owners.count() {
            0 => {}
            1 => owned.0 += 1,
            _ => owned.1 += 1,
        }
    }
    owned
}

pub async fn all_owned(processes: &[&Process]) -> Result<()> {
    eventually("every shard has one owner", SOON, async || {
        let owned = owned(processes);
        ensure!(owned == (usize::from(SHARDS), 0), "{owned:?}");
        Ok(())
    })
    .await
}

/// Every shard has one owner, and nobody wants to give any away: everyone is where it belongs.
pub async fn settled(processes: &[&Process]) -> Result<()> {
    all_owned(processes).await?;
    eventually("everybody has a share", SOON, async || {
        let shares: Vec<_> = processes.iter().map(|p| p.owned()).collect();
        let fair = usize::from(SHARDS) / processes.len() / 2;
        ensure!(shares.iter().all(|s| *s >= fair), "{shares:?}");
        let owned = owned(processes);
        ensure!(owned == (usize::from(SHARDS), 0), "{owned:?}");
        Ok(())
    })
    .await
}

/// A connection of the test's own.
pub async fn connect(redis: &Redis) -> Result<redis::aio::MultiplexedConnection> {
    let client = redis::Client::open(redis.url())?;
    client
        .get_multiplexed_async_connection()
        .await
        .context("Redis")
}

/// Owners of all shards as they are written.
pub async fn written(redis: &Redis) -> Result<Vec<Option<String>>> {
    let mut connection = connect(redis).await?;
    let keys = Keys::new("centro");
    let owners: Vec<_> = Shard::all().map(|shard| keys.owner(shard)).collect();
    let mut command = redis::cmd("MGET");
    Ok(command.arg(owners).query_async(&mut connection).await?)
}
