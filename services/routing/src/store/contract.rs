//! What every hot store must keep. Each adapter runs all of it.

use super::{Changes as Step, Commit, HotStore, MemoryStore, StoreError};
use crate::{metrics::EVENTS_LOST, store::relay};
use centro_bus::{Event, EventBus, LocalBus, Seen};
use centro_cluster::{Changes, Epoch, LocalOwnership, Owner, Ownership, Shard};
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, UserId, contact::LeftReason};
use centro_proto::events;
use centro_routing_core::{AgentRecord, QueueChange, Tombstone};
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

fn event(contact: u128) -> Event {
    let contact = ContactId::from_u128(contact);
    let data = events::ContactLeft {
        contact_id: contact.to_string(),
        ..Default::default()
    };
    let tenant = Some(TenantId::from_u128(1));
    Event::new(
        tenant,
        "routing.contact.left",
        contact,
        Timestamp::from_millis(0),
        &data,
    )
}

fn leaving(queue: QueueId, contact: u128) -> Step {
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

async fn keeps_the_contract(
    store: Arc<dyn HotStore>,
    epoch: Arc<Moving>,
    mut events: mpsc::Receiver<Event>,
) {
    epoch.0.store(7, Ordering::SeqCst);
    let (queue, agent) = (QueueId::from_u128(3), UserId::from_u128(4));

    // What was never written is empty.
    assert!(store.load_queue(queue).await.unwrap().left.is_empty());
    assert_eq!(store.load_agent(agent).await, Ok(None));

    // A write is there, with its events, in order.
    let changes = leaving(queue, 10);
    let commit = Commit {
        epoch: Epoch(7),
        changes,
        events: vec![event(10), event(11)],
    };
    assert_eq!(store.commit(commit).await, Ok(()));
    let record = AgentRecord::new(agent, Timestamp::from_millis(1));
    let changes = Step::Agent(agent, Some(Box::new(record.clone())));
    assert_eq!(
        store
            .commit(Commit {
                epoch: Epoch(7),
                changes,
                events: vec![event(12)]
            })
            .await,
        Ok(())
    );
    assert!(
        store
            .load_queue(queue)
            .await
            .unwrap()
            .left
            .contains_key(&ContactId::from_u128(10))
    );
    assert_eq!(store.load_agent(agent).await, Ok(Some(record)));
    for expected in 10..13 {
        assert_eq!(
            events.recv().await.unwrap().subject,
            ContactId::from_u128(expected).to_string()
        );
    }

    // An old epoch writes neither state nor events, and a mere check of it fails too.
    epoch.0.store(8, Ordering::SeqCst);
    for changes in [
        leaving(queue, 20),
        Step::Agent(agent, None),
        Step::Queue(queue, vec![]),
    ] {
        let commit = Commit {
            epoch: Epoch(7),
            changes,
            events: vec![event(20)],
        };
        assert_eq!(store.commit(commit).await, Err(StoreError::Fenced));
    }
    assert!(
        !store
            .load_queue(queue)
            .await
            .unwrap()
            .left
            .contains_key(&ContactId::from_u128(20))
    );
    assert!(events.try_recv().is_err());

    // The new owner finds what the old one wrote, and can forget it.
    let changes = Step::Queue(queue, vec![QueueChange::Forget(ContactId::from_u128(10))]);
    assert_eq!(
        store
            .commit(Commit {
                epoch: Epoch(8),
                changes,
                events: vec![]
            })
            .await,
        Ok(())
    );
    assert!(store.load_queue(queue).await.unwrap().left.is_empty());
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let epoch = Arc::new(Moving::default());
    let (store, events) = MemoryStore::new(epoch.clone(), 1_000);
    keeps_the_contract(Arc::new(store), epoch, events).await;
}

/// The bus is down for longer than the outbox holds: calls go on, and what is lost is counted.
#[tokio::test]
async fn a_full_outbox_loses_events_and_never_a_step() {
    let epoch = Arc::new(Moving::default());
    epoch.0.store(7, Ordering::SeqCst);
    let (store, mut events) = MemoryStore::new(epoch, 1);
    let lost = || EVENTS_LOST.as_ref().map_or(0, |counter| counter.get());
    let before = lost();
    let queue = QueueId::from_u128(3);
    let commit = Commit {
        epoch: Epoch(7),
        changes: leaving(queue, 10),
        events: vec![event(10), event(11), event(12)],
    };
    assert_eq!(store.commit(commit).await, Ok(()));
    assert_eq!(store.load_queue(queue).await.unwrap().left.len(), 1);
    assert_eq!(lost() - before, 2);
    let first = events.recv().await.unwrap();
    assert_eq!(first.subject, ContactId::from_u128(10).to_string());
}

#[tokio::test]
async fn the_relay_ends_when_it_is_quiet_and_everything_is_published() {
    let (sender, events) = mpsc::channel(8);
    let bus = LocalBus::default();
    let mut watch = bus.watch(&["*.routing.#"]).await.unwrap();
    for contact in 10..13 {
        sender.send(event(contact)).await.unwrap();
    }
    // The sender is not dropped: actors outlive their work.
    relay(events, Arc::new(bus.clone()), 5, async {}).await;
    for sequence in 5..8 {
        let Some(Seen::Event(event)) = watch.next().await else {
            panic!("not published")
        };
        assert_eq!(event.sequence, sequence);
    }
    assert!(sender.is_closed());
}
