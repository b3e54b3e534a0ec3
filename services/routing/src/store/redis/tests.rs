//! What goes wrong with Redis while queues and agents write.

use super::*;
use crate::store::contract::{TENANT, event, give, leaving, shared};
use async_trait::async_trait;
use centro_bus::{BusError, Event, EventBus, LocalBus, Seen, Subscription, Watch};
use centro_cluster::{Epoch, LocalOwnership, Member, Ownership, redis::RedisOwnership};
use centro_testkit::{
    engines::{Engine, Redis},
    eventually,
};
use parking_lot::Mutex;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};
use tokio::task::JoinSet;

const SOON: Duration = Duration::from_secs(30);

/// Queues in as many shards.
fn queues() -> impl Iterator<Item = QueueId> {
    (0..8).map(QueueId::from_u128)
}

async fn own_all(redis: &Redis, epoch: u64) {
    let keys: Vec<_> = queues().map(|q| q.as_u128()).collect();
    give(redis, &keys, epoch).await;
}

fn commit(queue: QueueId, contact: u128, epoch: u64) -> Commit {
    Commit {
        epoch: Epoch(epoch),
        tenant: TENANT,
        changes: leaving(queue, contact),
        events: vec![event(contact).into()],
    }
}

/// Everything that is published, by subject, each as often as it came.
#[derive(Clone, Default)]
struct Published(Arc<Mutex<Vec<Event>>>);

impl Published {
    async fn of(bus: &LocalBus) -> Self {
        let published = Self::default();
        let mut watch = bus.watch(&["#"]).await.unwrap();
        let heard = published.clone();
        tokio::spawn(async move {
            while let Some(seen) = watch.next().await {
                match seen {
                    Seen::Event(event) => heard.0.lock().push(event),
                    Seen::Lagged(lost) => panic!("the test is too slow: {lost} events"),
                }
            }
        });
        published
    }

    fn subjects(&self) -> BTreeSet<String> {
        self.0.lock().iter().map(|e| e.subject.clone()).collect()
    }
}

fn relay(store: &RedisStore, bus: Arc<dyn EventBus>) -> tokio::task::JoinHandle<()> {
    let everything = Arc::new(LocalOwnership::new(Epoch(1)));
    let never = std::future::pending();
    tokio::spawn(relay_shards(store.clone(), everything, bus, never))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_a_kill_and_is_published() {
    let mut redis = Redis::start().await.unwrap();
    own_all(&redis, 7).await;
    let store = RedisStore::new(&shared(&redis), 1_600_000).unwrap();
    let bus = LocalBus::default();
    let published = Published::of(&bus).await;
    let _relay = relay(&store, Arc::new(bus));

    let (over, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut writers = JoinSet::new();
    for queue in queues() {
        let (store, over, answered) = (store.clone(), over.clone(), answered.clone());
        writers.spawn(async move {
            let (mut good, mut away, mut slowest) = (Vec::new(), 0, Duration::ZERO);
            for n in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let contact = queue.as_u128() * 1_000_000 + n;
                let asked = Instant::now();
                match store.commit(commit(queue, contact, 7)).await {
                    Ok(()) => {
                        good.push(ContactId::from_u128(contact));
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(StoreError::Unavailable) => away += 1,
                    Err(StoreError::Fenced) => panic!("nobody else owns it"),
                }
                slowest = slowest.max(asked.elapsed());
            }
            (queue, good, away, slowest)
        });
    }
    let more = async |wanted: u64| {
        let enough = answered.load(Ordering::Relaxed) + wanted;
        let more = eventually("commits", SOON, async || {
            anyhow::ensure!(answered.load(Ordering::Relaxed) >= enough);
            Ok(())
        });
        more.await.unwrap();
    };
    for _ in 0..3 {
        more(800).await;
        redis.kill().unwrap();
        redis.revive().await.unwrap();
    }
    more(800).await;
    over.store(true, Ordering::Relaxed);

    let (mut all, mut unanswered) = (BTreeSet::new(), 0);
    for (queue, good, away, slowest) in writers.join_all().await {
        let left = store.load_queue(queue).await.unwrap().left;
        for contact in &good {
            assert!(
                left.contains_key(contact),
                "{contact} was answered, and is gone"
            );
        }
        assert!(slowest < Duration::from_secs(3), "one took {slowest:?}");
        unanswered += away;
        all.extend(good.iter().map(ToString::to_string));
    }
    println!(
        "{} commits answered over 3 kills, {unanswered} not",
        all.len()
    );
    assert!(unanswered > 0, "nobody noticed");
    let told = eventually("every event is published", SOON, async || {
        let subjects = published.subjects();
        let missing = all.difference(&subjects).count();
        anyhow::ensure!(missing == 0, "{missing} of {} are missing", all.len());
        Ok(())
    });
    told.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_token_writes_nothing() {
    let redis = Redis::start().await.unwrap();
    own_all(&redis, 7).await;
    let store = RedisStore::new(&shared(&redis), 1_600_000).unwrap();
    let fenced = || FENCED.as_ref().map_or(0, |counter| counter.get());
    let before = fenced();
    // The owner changes while all of them write; who was refused once is refused for ever.
    let mut writers = JoinSet::new();
    for queue in queues() {
        let store = store.clone();
        writers.spawn(async move {
            let (mut good, mut refused) = (0_u128, 0);
            while refused < 125 {
                let contact = queue.as_u128() * 1_000_000 + good;
                match store.commit(commit(queue, contact, 7)).await {
                    Ok(()) => {
                        assert_eq!(refused, 0, "an old owner wrote");
                        good += 1;
                    }
                    Err(StoreError::Fenced) => refused += 1,
                    Err(StoreError::Unavailable) => panic!("Redis is there"),
                }
            }
            (queue, good)
        });
    }
    own_all(&redis, 8).await;
    for (queue, good) in writers.join_all().await {
        let left = store.load_queue(queue).await.unwrap().left;
        assert_eq!(left.len() as u128, good, "{queue}");
        let waiting = store.waiting(Shard::of(queue.as_u128()), 100_000).await;
        assert_eq!(waiting.unwrap().len() as u128, good, "events of {queue}");
    }
    assert!(fenced() - before >= 1_000, "each is counted");

    // The same epoch of another process is as good as an old one: a Redis that lost writes may give one out twice.
    let other = Shared {
        nonce: Arc::from("b|1"),
        ..shared(&redis)
    };
    let other = RedisStore::new(&other, 1_000).unwrap();
    let refused = other.commit(commit(QueueId::from_u128(0), 1, 8)).await;
    assert_eq!(refused, Err(StoreError::Fenced));
}

#[tokio::test]
async fn a_redis_that_does_not_answer_holds_nobody_up() {
    let redis = Redis::start().await.unwrap();
    own_all(&redis, 7).await;
    let mut shared = shared(&redis);
    shared.redis.write_timeout = Duration::from_millis(200);
    let store = RedisStore::new(&shared, 16_000).unwrap();
    let queue = QueueId::from_u128(0);
    assert_eq!(store.commit(commit(queue, 1, 7)).await, Ok(()));
    redis.freeze().unwrap();
    let asked = Instant::now();
    let (written, loaded) = (store.commit(commit(queue, 2, 7)), store.load_queue(queue));
    let (written, loaded) = tokio::join!(written, loaded);
    assert_eq!(written, Err(StoreError::Unavailable));
    assert_eq!(loaded, Err(StoreError::Unavailable));
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    redis.thaw().unwrap();
    let back = eventually("it writes again", SOON, async || {
        let written = store.commit(commit(queue, 3, 7)).await;
        anyhow::ensure!(written == Ok(()), "{written:?}");
        Ok(())
    });
    back.await.unwrap();
}

/// The token that the lease table writes is the one that the store looks for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_owns_the_shard_in_redis_writes_and_who_has_left_does_not() {
    let redis = Redis::start().await.unwrap();
    let queue = QueueId::from_u128(3);
    let shard = Shard::of(queue.as_u128());
    let join = async |name: &str| {
        let settings = shared(&redis).redis;
        let me = Member {
            name: Arc::from(name),
            roles: vec![Arc::from("routing")],
            address: Arc::from(""),
            draining: false,
        };
        let ownership = RedisOwnership::join(&settings, me, "routing", "installation");
        let ownership = ownership.await.unwrap();
        let shared = Shared {
            nonce: ownership.nonce().clone(),
            redis: settings,
        };
        (ownership, RedisStore::new(&shared, 16_000).unwrap())
    };
    let owns = async |ownership: &RedisOwnership| {
        let epoch = eventually("it owns the shard", SOON, async || {
            ownership
                .epoch(shard)
                .ok_or_else(|| anyhow::anyhow!("not yet"))
        });
        epoch.await.unwrap().0
    };
    let (first, first_store) = join("a").await;
    let epoch = owns(&first).await;
    assert_eq!(first_store.commit(commit(queue, 1, epoch)).await, Ok(()));

    let (second, second_store) = join("b").await;
    first.drain().await.unwrap();
    let newer = owns(&second).await;
    assert!(newer > epoch);
    let refused = first_store.commit(commit(queue, 2, epoch)).await;
    assert_eq!(refused, Err(StoreError::Fenced));
    assert_eq!(second_store.commit(commit(queue, 3, newer)).await, Ok(()));
    let left = second_store.load_queue(queue).await.unwrap().left;
    let left: Vec<_> = left.into_keys().collect();
    assert_eq!(left, [1, 3].map(ContactId::from_u128));
}

/// A bus that takes so many events and no more.
struct Few(AtomicU64, LocalBus);

#[async_trait]
impl EventBus for Few {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        let order = Ordering::SeqCst;
        let left = self
            .0
            .fetch_update(order, order, |left| left.checked_sub(1));
        match left {
            Ok(_) => self.1.publish(event).await,
            Err(_) => Err(BusError::Unavailable),
        }
    }

    async fn subscribe(
        &self,
        group: &str,
        patterns: &[&str],
    ) -> Result<Box<dyn Subscription>, BusError> {
        self.1.subscribe(group, patterns).await
    }

    async fn watch(&self, patterns: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        self.1.watch(patterns).await
    }
}

#[tokio::test]
async fn the_next_relay_goes_on_where_the_last_one_was() {
    let redis = Redis::start().await.unwrap();
    own_all(&redis, 7).await;
    let store = RedisStore::new(&shared(&redis), 16_000).unwrap();
    let bus = LocalBus::default();
    let published = Published::of(&bus).await;
    let queue = QueueId::from_u128(0);
    for contact in 0..10 {
        let written = store.commit(commit(queue, contact, 7)).await;
        assert_eq!(written, Ok(()));
    }
    // The first one publishes four, cannot go on, and dies with its process before it has deleted them.
    let first = relay(&store, Arc::new(Few(AtomicU64::new(4), bus.clone())));
    let four = eventually("four are published", SOON, async || {
        anyhow::ensure!(published.0.lock().len() == 4);
        Ok(())
    });
    four.await.unwrap();
    first.abort();
    let _ = first.await;

    let everything = Arc::new(LocalOwnership::new(Epoch(1)));
    // A process that stops does not wait for a bus that is away.
    let stuck: Arc<dyn EventBus> = Arc::new(Few(AtomicU64::new(0), bus.clone()));
    let stopping = relay_shards(store.clone(), everything.clone(), stuck, async {});
    tokio::time::timeout(SOON, stopping).await.expect("it ends");

    // It is quiet at once: it ends when all is published.
    let second = relay_shards(store.clone(), everything, Arc::new(bus), async {});
    tokio::time::timeout(SOON, second).await.expect("it ends");
    let all = eventually("all are published", SOON, async || {
        anyhow::ensure!(published.0.lock().len() == 14);
        Ok(())
    });
    all.await.unwrap();
    let heard = published.0.lock().clone();
    let (repeated, rest) = (&heard[..4], &heard[4..]);
    assert_eq!(
        repeated,
        &rest[..4],
        "the same events, under the same ids and numbers"
    );
    assert!(rest.is_sorted_by(|a, b| a.sequence < b.sequence));
    let subjects: Vec<_> = (0..10)
        .map(|n| ContactId::from_u128(n).to_string())
        .collect();
    assert!(rest.iter().map(|e| &e.subject).eq(&subjects));
    let waiting = store.waiting(Shard::of(queue.as_u128()), 100).await;
    assert!(waiting.unwrap().is_empty());
}

#[tokio::test]
async fn what_waits_to_be_published_is_counted_with_its_age() {
    let redis = Redis::start().await.unwrap();
    own_all(&redis, 7).await;
    let store = RedisStore::new(&shared(&redis), 1_600_000).unwrap();
    assert_eq!(store.backlog(Shard::all()).await.unwrap(), (0, None));
    for (n, queue) in (1..).zip(queues().take(3)) {
        store.commit(commit(queue, n, 7)).await.unwrap();
    }
    let (events, since) = store.backlog(Shard::all()).await.unwrap();
    assert!(events == 3 && since.is_some_and(|since| since > 1_700_000_000_000));
    // Of one shard only its own; published, nothing is left.
    let first = queues().next().unwrap();
    let shard = || std::iter::once(Shard::of(first.as_u128()));
    assert_eq!(store.backlog(shard()).await.unwrap().0, 1);
    let bus = LocalBus::default();
    let _relay = relay(&store, Arc::new(bus));
    eventually("all is published", SOON, async || {
        let left = store.backlog(Shard::all()).await?;
        anyhow::ensure!(left == (0, None), "{left:?}");
        Ok(())
    })
    .await
    .unwrap();
}
