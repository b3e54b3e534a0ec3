//! What every hot store must keep. Each adapter runs all of it.

use super::{
    Active, Changes as Step, Commit, HotStore, MemoryStore, RedisStore, Shared, StoreError, Told,
    relay_shards,
};
use crate::{
    metrics::EVENTS_LOST,
    store::{GATHER, relay},
};
use centro_bus::{Event, EventBus, LocalBus, Seen};
use centro_cluster::{
    Changes, Epoch, LocalOwnership, Owner, Ownership, Shard,
    redis::{Keys, Settings},
};
use centro_kernel::{
    ContactId, QueueId, TenantId, Timestamp, UserId,
    contact::{LeftReason, Reservation},
};
use centro_proto::events;
use centro_routing_core::{
    Ageing, AgentRecord, Chosen, ContactKind, Entry, QueueChange, Tombstone,
};
use centro_testkit::engines::Redis;
use futures::{FutureExt, future::BoxFuture};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::mpsc;

/// Ownership whose epoch the test moves.
#[derive(Default)]
struct Moving(AtomicU64);

impl Ownership for Moving {
    fn owner(&self, _: Shard) -> Option<Owner> {
        Some(Owner::Here(Epoch(self.0.load(Ordering::SeqCst))))
    }
    fn is_dead(&self, _: &str) -> bool {
        false
    }
    fn changes(&self) -> Changes {
        LocalOwnership::new(Epoch(1)).changes()
    }
}

pub const TENANT: TenantId = TenantId::from_u128(1);

pub fn event(contact: u128) -> Event {
    let contact = ContactId::from_u128(contact);
    let data = events::ContactLeft {
        contact_id: contact.to_string(),
        ..Default::default()
    };
    Event::new(
        Some(TENANT),
        "routing.contact.left",
        contact,
        Timestamp::from_millis(0),
        &data,
    )
}

pub fn leaving(queue: QueueId, contact: u128) -> Step {
    let grave = Tombstone {
        attach_no: 1,
        at: Timestamp::from_millis(5),
        not_taken: Some(LeftReason::QueueFull),
    };
    Step::Queue(
        queue,
        vec![QueueChange::Bury(ContactId::from_u128(contact), grave)],
    )
}

/// A contact that waits, at an edge that is not there.
pub fn waiting(contact: u128) -> Entry {
    Entry {
        contact: ContactId::from_u128(contact),
        attach_no: 1,
        enqueued_at: Timestamp::from_millis(5),
        priority: 3,
        reprioritised: false,
        boosted: false,
        overtaken: 0,
        kind: ContactKind::default(),
        needs: Arc::default(),
        step: 0,
        relax_due: None,
        excluded: [(AGENT, Timestamp::from_millis(9))].into(),
        declined: [AGENT].into(),
        retry_due: None,
        attached: true,
        on_trial: false,
        lost_due: Some(Timestamp::from_millis(7)),
        promise_due: None,
        offers: vec![Reservation {
            agent: AGENT,
            number: 6,
        }],
        offered_due: None,
        boost_due: None,
        wish: None,
        caller: Arc::default(),
        edge: Arc::from("telephony-0"),
    }
}

/// Where an adapter is tried.
struct Stage {
    store: Arc<dyn HotStore>,
    /// The queue's and the agent's shards go to an owner with this epoch.
    own: Box<dyn Fn(u64) -> BoxFuture<'static, ()> + Send + Sync>,
    /// What is published.
    events: mpsc::Receiver<Told>,
}

impl Stage {
    async fn commit(
        &self,
        epoch: u64,
        changes: Step,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let commit = Commit {
            epoch: Epoch(epoch),
            tenant: TENANT,
            changes,
            events: events.into_iter().map(Told::from).collect(),
        };
        self.store.commit(commit).await
    }

    async fn next_event(&mut self) -> String {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), self.events.recv());
        let told = next.await.expect("an event").expect("not the end");
        told.made().expect("an event").subject
    }
}

const QUEUE: QueueId = QueueId::from_u128(3);
const AGENT: UserId = UserId::from_u128(4);

fn subject(contact: u128) -> String {
    ContactId::from_u128(contact).to_string()
}

async fn keeps_the_contract(mut stage: Stage) {
    let store = stage.store.clone();
    (stage.own)(7).await;

    // What was never written is empty.
    assert_eq!(store.load_queue(QUEUE).await, Ok(Default::default()));
    assert_eq!(store.load_agent(AGENT).await, Ok(None));

    // A write is there, with its events, in order.
    let written = stage.commit(7, leaving(QUEUE, 10), vec![event(10), event(11)]);
    assert_eq!(written.await, Ok(()));
    let mut record = AgentRecord::new(AGENT, Timestamp::from_millis(1));
    let changes = Step::Agent(AGENT, Some(Box::new(record.clone())));
    assert_eq!(stage.commit(7, changes, vec![event(12)]).await, Ok(()));
    let left = store.load_queue(QUEUE).await.unwrap().left;
    assert_eq!(left[&ContactId::from_u128(10)].attach_no, 1);
    assert_eq!(store.load_agent(AGENT).await, Ok(Some(record.clone())));
    let mut heard = Vec::new();
    for _ in 10..13 {
        heard.push(stage.next_event().await);
    }
    // Events of one shard keep their order; the agent's is another.
    let of_queue: Vec<_> = heard.iter().filter(|s| **s != subject(12)).collect();
    assert_eq!(of_queue, [&subject(10), &subject(11)]);
    assert!(heard.contains(&subject(12)));

    // An old epoch writes neither state nor events, and a mere check of it fails too.
    (stage.own)(8).await;
    for changes in [
        leaving(QUEUE, 20),
        Step::Agent(AGENT, None),
        Step::Queue(QUEUE, vec![]),
    ] {
        let refused = stage.commit(7, changes, vec![event(20)]);
        assert_eq!(refused.await, Err(StoreError::Fenced));
    }
    let left = store.load_queue(QUEUE).await.unwrap().left;
    assert!(!left.contains_key(&ContactId::from_u128(20)));

    // The new owner finds what the old one wrote, and can forget it.
    let forget = Step::Queue(QUEUE, vec![QueueChange::Forget(ContactId::from_u128(10))]);
    assert_eq!(stage.commit(8, forget, vec![event(30)]).await, Ok(()));
    assert_eq!(store.load_queue(QUEUE).await, Ok(Default::default()));
    assert_eq!(stage.next_event().await, subject(30), "the old one's event");

    // Whoever has work is found by a new owner: those who wait in a queue, and agents who are logged in.
    let (of_queue, of_agent) = (Shard::of(QUEUE.as_u128()), Shard::of(AGENT.as_u128()));
    assert_eq!(store.active(of_queue).await, Ok(vec![]));
    assert_eq!(store.active(of_agent).await, Ok(vec![]));
    let entry = Arc::new(waiting(40));
    let put = QueueChange::Put(entry.clone(), entry.place(&Ageing::default()));
    assert_eq!(
        stage.commit(8, Step::Queue(QUEUE, vec![put]), vec![]).await,
        Ok(())
    );
    let stored = store.load_queue(QUEUE).await.unwrap();
    assert!(stored.entries.values().eq([&entry]));
    record.chosen = Chosen::Ready;
    let changes = Step::Agent(AGENT, Some(Box::new(record)));
    assert_eq!(stage.commit(8, changes, vec![]).await, Ok(()));
    assert_eq!(
        store.active(of_queue).await,
        Ok(vec![Active::Queue(TENANT, QUEUE)])
    );
    assert_eq!(
        store.active(of_agent).await,
        Ok(vec![Active::Agent(TENANT, AGENT)])
    );
    let remove = Step::Queue(QUEUE, vec![QueueChange::Remove(entry.contact)]);
    assert_eq!(stage.commit(8, remove, vec![]).await, Ok(()));
    assert_eq!(store.active(of_queue).await, Ok(vec![]));
}

fn in_memory(outbox: usize) -> Stage {
    let epoch = Arc::new(Moving::default());
    let (store, events) = MemoryStore::new(epoch.clone(), outbox);
    Stage {
        store: Arc::new(store),
        own: Box::new(move |n| {
            epoch.0.store(n, Ordering::SeqCst);
            futures::future::ready(()).boxed()
        }),
        events,
    }
}

/// What is set for a process that shares this Redis.
pub fn shared(redis: &Redis) -> Shared {
    let settings = Settings {
        url: redis.url(),
        ..Settings::default()
    };
    Shared {
        redis: settings,
        nonce: Arc::from("a|1"),
    }
}

/// A process `a|1` gets the shards of these keys.
pub async fn give(redis: &Redis, keys: &[u128], epoch: u64) {
    let client = ::redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for key in keys {
        let mut set = ::redis::cmd("SET");
        set.arg(Keys::new("centro").owner(Shard::of(*key)));
        set.arg(format!("{epoch}|a|1"));
        set.query_async::<()>(&mut connection).await.unwrap();
    }
}

async fn in_redis(redis: &Arc<Redis>, outbox: usize, published: bool) -> Stage {
    let store = RedisStore::new(&shared(redis), outbox).unwrap();
    let (sender, events) = mpsc::channel(100);
    let (bus, relayed) = (LocalBus::default(), store.clone());
    let mut watch = bus.watch(&["*.routing.#"]).await.unwrap();
    if published {
        let everything = Arc::new(LocalOwnership::new(Epoch(1)));
        let never = std::future::pending();
        tokio::spawn(relay_shards(
            relayed,
            everything,
            Arc::new(bus.clone()),
            never,
        ));
    }
    tokio::spawn(async move {
        let _bus = bus;
        while let Some(Seen::Event(event)) = watch.next().await {
            if sender.send(event.into()).await.is_err() {
                return;
            }
        }
    });
    let redis = redis.clone();
    Stage {
        store: Arc::new(store),
        own: Box::new(move |epoch| {
            let redis = redis.clone();
            let keys = [QUEUE.as_u128(), AGENT.as_u128()];
            async move { give(&redis, &keys, epoch).await }.boxed()
        }),
        events,
    }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    keeps_the_contract(in_memory(1_000)).await;
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    let redis = Arc::new(Redis::start().await.unwrap());
    keeps_the_contract(in_redis(&redis, 200_000, true).await).await;
}

/// The bus is down for longer than the outbox holds: calls go on, and what is lost is counted.
async fn loses_events_and_never_a_step(stage: &Stage) {
    // Counted for the whole process, in which other tests run.
    let lost = || EVENTS_LOST.as_ref().map_or(0, |counter| counter.get());
    (stage.own)(7).await;
    let before = lost();
    let events = vec![event(10), event(11), event(12)];
    assert_eq!(stage.commit(7, leaving(QUEUE, 10), events).await, Ok(()));
    assert_eq!(stage.store.load_queue(QUEUE).await.unwrap().left.len(), 1);
    assert!(lost() - before >= 2);
    let more = stage.commit(7, leaving(QUEUE, 11), vec![event(13)]).await;
    assert_eq!(more, Ok(()));
    assert_eq!(stage.store.load_queue(QUEUE).await.unwrap().left.len(), 2);
    assert!(lost() - before >= 3);
}

#[tokio::test]
async fn a_full_outbox_in_memory_loses_events_and_never_a_step() {
    let mut stage = in_memory(1);
    loses_events_and_never_a_step(&stage).await;
    assert_eq!(stage.next_event().await, subject(10));
    assert!(stage.events.try_recv().is_err());
}

#[tokio::test]
async fn a_full_outbox_in_redis_loses_events_and_never_a_step() {
    let redis = Arc::new(Redis::start().await.unwrap());
    loses_events_and_never_a_step(&in_redis(&redis, 1, false).await).await;
    // What was kept is published by whoever comes next.
    let mut next = in_redis(&redis, 1, true).await;
    assert_eq!(next.next_event().await, subject(10));
    assert_eq!(
        next.commit(7, leaving(QUEUE, 12), vec![event(14)]).await,
        Ok(())
    );
    assert_eq!(next.next_event().await, subject(14), "there is room again");
}

#[tokio::test]
async fn the_relay_ends_when_it_is_quiet_and_everything_is_published() {
    let (sender, events) = mpsc::channel(8);
    let bus = LocalBus::default();
    let mut watch = bus.watch(&["*.routing.#"]).await.unwrap();
    for contact in 10..13 {
        sender.send(event(contact).into()).await.unwrap();
    }
    // The sender is not dropped: actors outlive their work.
    relay(events, Arc::new(bus.clone()), 5, GATHER, async {}).await;
    for sequence in 5..8 {
        let Some(Seen::Event(event)) = watch.next().await else {
            panic!("not published")
        };
        assert_eq!(event.sequence, sequence);
    }
    assert!(sender.is_closed());
}
