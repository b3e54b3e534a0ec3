//! What goes wrong with Redis and the processes that share it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

mod nodes;

use anyhow::{Result, ensure};
use centro_cluster::{
    Members, Owner, Ownership, Shard,
    redis::{Error, Keys, Settings},
};
use centro_testkit::{
    engines::{Engine, Redis},
    eventually,
};
use nodes::{Process, SOON, all_owned, connect, member, settings, settled, written};
use redis::{Script, aio::ConnectionManager};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

#[tokio::test]
async fn a_name_belongs_to_one_and_is_free_when_it_has_left() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let first = Process::serve(&settings, "routing-0").await?;
    let refused = Process::join(&settings, member("routing-0", "routing")).await;
    let error = refused.err().expect("refused");
    ensure!(matches!(error, Error::NameTaken(_)), "{error}");
    ensure!(error.to_string().contains("node.name"), "{error}");
    ensure!(first.owned() == 256, "the first is not disturbed");

    // One that was killed and starts again waits for the end of its old session.
    drop(first);
    let again = Process::serve(&settings, "routing-0").await?;
    again.ownership.drain().await?;
    ensure!(again.owned() == 0);
    let started = Instant::now();
    Process::join(&settings, member("routing-0", "routing")).await?;
    ensure!(
        started.elapsed() < Duration::from_secs(1),
        "who left is not waited for"
    );
    Ok(())
}

#[tokio::test]
async fn who_cannot_reach_redis_is_told_where_and_why() -> Result<()> {
    let redis = Redis::start().await?;
    let wrong = Settings {
        url: redis.url().replace("redis://", "redis://:hunter2@"),
        ..settings(&redis)
    };
    let refused = Process::join(&wrong, member("a", "routing")).await;
    let text = refused.err().expect("refused").to_string();
    ensure!(
        text.contains("cluster.redis.url") && text.contains("authentication"),
        "{text}"
    );
    ensure!(
        text.contains(&redis.url()) && !text.contains("hunter2"),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn keys_of_another_centre_are_left_alone() -> Result<()> {
    let redis = Redis::start().await?;
    let version = "centro:{members}:version";
    let mut set = redis::cmd("SET");
    set.arg(version).arg("centro 9, 7 shards, other");
    set.query_async::<()>(&mut connect(&redis).await?).await?;
    let refused = Process::join(&settings(&redis), member("a", "routing")).await;
    let error = refused.err().expect("refused");
    ensure!(matches!(error, Error::Foreign { .. }), "{error}");
    ensure!(
        error.to_string().contains("cluster.redis.prefix"),
        "{error}"
    );
    let own = Settings {
        prefix: "mine".into(),
        ..settings(&redis)
    };
    Process::join(&own, member("a", "routing")).await?;
    Ok(())
}

#[tokio::test]
async fn a_process_of_another_role_knows_owners_and_owns_nothing() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let edge = Process::join(&settings, member("telephony-0", "telephony")).await?;
    let router = Process::serve(&settings, "routing-0").await?;
    eventually("it sees the owner", SOON, async || {
        let owner = edge.ownership.owner(Shard::of(1));
        let Some(Owner::There { node, .. }) = owner else {
            anyhow::bail!("{owner:?}")
        };
        ensure!(*node == *"routing-0");
        let member = edge.ownership.member(&node).expect("it lives");
        ensure!(*member.address == *"routing-0:7000" && !member.draining);
        Ok(())
    })
    .await?;
    ensure!(edge.owned() == 0 && router.owned() == 256);
    let members = router.ownership.members();
    let roles: Vec<_> = members.iter().map(|m| &*m.roles[0]).collect();
    ensure!(roles == ["routing", "telephony"], "{roles:?}");
    Ok(())
}

#[tokio::test]
async fn one_of_three_dies_and_another_leaves() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let (a, b, c) = tokio::join!(
        Process::serve(&settings, "a"),
        Process::join(&settings, member("b", "routing")),
        Process::join(&settings, member("c", "routing")),
    );
    let (a, b, c) = (a?, b?, c?);
    settled(&[&a, &b, &c]).await?;

    let died = Instant::now();
    drop(a);
    all_owned(&[&b, &c]).await?;
    let took = died.elapsed();
    println!("after a death everything is owned again in {took:?}");
    ensure!(took < Duration::from_secs(3), "{took:?}");
    ensure!(b.ownership.is_dead("a") && !b.ownership.is_dead("c"));

    let left = Instant::now();
    b.ownership.drain().await?;
    all_owned(&[&c]).await?;
    let took = left.elapsed();
    println!("after a departure everything is owned again in {took:?}");
    ensure!(took < Duration::from_secs(2), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn redis_that_was_dead_for_longer_than_a_session_changes_no_owner() -> Result<()> {
    let mut redis = Redis::start().await?;
    let settings = settings(&redis);
    let (a, b) = tokio::join!(
        Process::serve(&settings, "a"),
        Process::join(&settings, member("b", "routing")),
    );
    let (a, b) = (a?, b?);
    settled(&[&a, &b]).await?;
    let before = written(&redis).await?;

    redis.kill()?;
    eventually("nobody is sure any more", SOON, async || {
        ensure!((a.owned(), b.owned()) == (0, 0));
        Ok(())
    })
    .await?;
    sleep(Duration::from_secs(2)).await; // 4 s dead in all: the outage itself, not a timer
    redis.revive().await?;
    all_owned(&[&a, &b]).await?;
    // Until everybody could be back, nobody decides; after it, nothing is to be decided.
    sleep(settings.session * 2).await;
    ensure!(written(&redis).await? == before, "somebody took something");
    ensure!(!a.ownership.is_dead("b") && !b.ownership.is_dead("a"));
    Ok(())
}

/// Writes of all processes to all shards that they own or ever owned, as if they did not look: each is refused unless its
/// token is the shard's.
struct Writers {
    written: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Writers {
    async fn start(redis: &Redis, processes: &[&Process]) -> Result<Self> {
        let client = redis::Client::open(redis.url())?;
        let (written, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        for process in processes {
            let connection = ConnectionManager::new(client.clone()).await?;
            let ownership = process.ownership.clone();
            let (written, refused) = (written.clone(), refused.clone());
            tasks.spawn(async move {
                let write = Script::new(
                    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
                     return redis.call('RPUSH', KEYS[2], ARGV[1])",
                );
                let keys = Keys::new("centro");
                let mut connection = connection;
                let mut known = HashMap::new();
                loop {
                    for shard in Shard::all().step_by(8) {
                        known.extend(ownership.epoch(shard).map(|epoch| (shard, epoch)));
                        let Some(epoch) = known.get(&shard) else {
                            continue;
                        };
                        let token = format!("{}|{}", epoch.0, ownership.nonce());
                        let mut write = write.key(keys.owner(shard));
                        write.key(keys.shard(shard, "journal")).arg(token);
                        match write.invoke_async::<u64>(&mut connection).await {
                            Ok(0) => refused.fetch_add(1, Ordering::Relaxed),
                            Ok(_) => written.fetch_add(1, Ordering::Relaxed),
                            Err(_) => 0,
                        };
                    }
                    sleep(Duration::from_millis(5)).await;
                }
            });
        }
        Ok(Self {
            written,
            refused,
            tasks,
        })
    }

    /// Waits until there are so many more.
    async fn more(&self, wanted: u64) -> Result<()> {
        let enough = self.written.load(Ordering::Relaxed) + wanted;
        eventually("they write", SOON, async || {
            ensure!(self.written.load(Ordering::Relaxed) >= enough);
            Ok(())
        })
        .await
    }

    /// In each shard's journal no owner writes after a later one has.
    async fn stop(mut self, redis: &Redis) -> Result<u64> {
        self.tasks.shutdown().await;
        let mut connection = connect(redis).await?;
        let keys = Keys::new("centro");
        let mut owners = 0;
        for shard in Shard::all().step_by(8) {
            let mut command = redis::cmd("LRANGE");
            command.arg(keys.shard(shard, "journal")).arg(0).arg(-1);
            let mut journal: Vec<String> = command.query_async(&mut connection).await?;
            journal.dedup();
            let epochs: Vec<u64> = journal
                .iter()
                .map(|token| token.split_once('|').unwrap().0.parse().unwrap())
                .collect();
            ensure!(epochs.is_sorted_by(|a, b| a < b), "{shard:?}: {journal:?}");
            owners += epochs.len();
        }
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let (written, refused) = (count(&self.written), count(&self.refused));
        println!("{written} writes by {owners} owners of 32 shards, {refused} refused");
        Ok(refused)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_sleeps_past_its_session_and_wakes_owns_nothing() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    settled(&[&a, &b]).await?;
    let writers = Writers::start(&redis, &[&a, &b]).await?;

    writers.more(500).await?;
    let sleeping = a.stop();
    all_owned(&[&b]).await?;
    ensure!(
        a.owned() == 0,
        "it knows by its clock alone, without a task of its own"
    );
    ensure!(b.ownership.is_dead("a"));
    drop(sleeping);
    // It comes back, as somebody who has to wait for its share.
    settled(&[&a, &b]).await?;
    ensure!(!b.ownership.is_dead("a"));
    writers.more(500).await?;
    ensure!(
        writers.stop(&redis).await? > 0,
        "nobody tried with an old token"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_was_frozen_for_longer_than_a_session_leaves_one_owner_each() -> Result<()> {
    let redis = Redis::start().await?;
    let settings = settings(&redis);
    let a = Process::serve(&settings, "a").await?;
    let b = Process::serve(&settings, "b").await?;
    let c = Process::serve(&settings, "c").await?;
    settled(&[&a, &b, &c]).await?;
    let writers = Writers::start(&redis, &[&a, &b, &c]).await?;

    writers.more(500).await?;
    redis.freeze()?;
    eventually("nobody is sure any more", SOON, async || {
        ensure!((a.owned(), b.owned(), c.owned()) == (0, 0, 0));
        Ok(())
    })
    .await?;
    sleep(settings.session / 2).await; // frozen for a while longer than everybody is sure
    redis.thaw()?;
    settled(&[&a, &b, &c]).await?;
    writers.more(500).await?;
    writers.stop(&redis).await?;
    Ok(())
}
