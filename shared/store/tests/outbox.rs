//! The outbox and the inbox on both engines, with a bus that fails when told to.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::{BusError, Event, EventBus, Subscription, Watch};
use centro_kernel::{EventId, TenantId, Timestamp};
use centro_store::{
    Db, Limits, Records,
    inbox::{self, AddArrival, CreateInbox},
    outbox::{self, CreateOutbox, Wake},
};
use centro_testkit::engines::{self, on_both_engines};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};
use tokio::sync::mpsc;

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateOutbox),
            Box::new(CreateInbox),
            Box::new(AddArrival),
        ]
    }
}

async fn records(dir: &tempfile::TempDir) -> Records {
    Records::at(&engines::records().await, dir.path(), Limits::default()).unwrap()
}

async fn database(dir: &tempfile::TempDir) -> Db {
    let db = records(dir).await.open("test").await.unwrap();
    centro_store::migrate::<Migrator>(&db).await.unwrap();
    db.of_all()
}

/// Passes events on, after refusing as many as it was told to.
struct Told {
    refuse: AtomicU32,
    events: mpsc::UnboundedSender<Event>,
}

#[async_trait::async_trait]
impl EventBus for Told {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        let left = self
            .refuse
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_ok() {
            return Err(BusError::Unavailable);
        }
        self.events.send(event).map_err(|_| BusError::Unavailable)
    }
    async fn subscribe(&self, _: &str, _: &[&str]) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Unavailable)
    }
    async fn watch(&self, _: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        Err(BusError::Unavailable)
    }
}

fn told(refuse: u32) -> (Arc<Told>, mpsc::UnboundedReceiver<Event>) {
    let (events, seen) = mpsc::unbounded_channel();
    (
        Arc::new(Told {
            refuse: AtomicU32::new(refuse),
            events,
        }),
        seen,
    )
}

fn event(tenant: Option<TenantId>, subject: &str) -> Event {
    let time = Timestamp::from_millis(7);
    let mut event = Event::new(
        tenant,
        "test.thing.happened",
        subject,
        time,
        &prost_types::Duration::default(),
    );
    event.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    event
}

const NOW: Timestamp = Timestamp::from_millis(7);

#[on_both_engines]
async fn what_was_committed_before_the_relay_started_is_published_in_order_and_numbered_per_tenant()
{
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let (one, two) = (Some(TenantId::from_u128(1)), Some(TenantId::from_u128(2)));
    let events = [
        event(one, "a"),
        event(two, "b"),
        event(None, "c"),
        event(one, "d"),
    ];
    let txn = db.begin().await.unwrap();
    outbox::append_all(&txn, &events[..3]).await.unwrap();
    outbox::append(&txn, &events[3]).await.unwrap();
    txn.commit().await.unwrap();

    let (bus, mut seen) = told(2);
    let relay = tokio::spawn(outbox::relay(db.clone(), bus, Wake::default()));
    for (event, sequence) in events.iter().zip([1, 1, 1, 2]) {
        assert_eq!(
            seen.recv().await.unwrap(),
            Event {
                sequence,
                ..event.clone()
            }
        );
    }
    relay.abort();
}

#[on_both_engines]
async fn a_nudge_publishes_what_was_committed_and_nothing_that_was_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let (bus, mut seen) = told(0);
    let wake = Wake::default();
    let relay = tokio::spawn(outbox::relay(db.clone(), bus, wake.clone()));

    let txn = db.begin().await.unwrap();
    outbox::append(&txn, &event(None, "never")).await.unwrap();
    txn.rollback().await.unwrap();
    for subject in ["first", "second"] {
        let txn = db.begin().await.unwrap();
        outbox::append(&txn, &event(None, subject)).await.unwrap();
        txn.commit().await.unwrap();
        wake.nudge();
        assert_eq!(seen.recv().await.unwrap().subject, subject);
    }
    relay.abort();
}

#[on_both_engines]
async fn a_relay_that_starts_again_repeats_nothing_it_has_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let events: Vec<_> = (0..600).map(|n| event(None, &n.to_string())).collect();
    for chunk in events.chunks(100) {
        outbox::append_all(&db, chunk).await.unwrap();
    }
    let (bus, mut seen) = told(1);
    let wake = Wake::default();
    let relay = tokio::spawn(outbox::relay(db.clone(), bus.clone(), wake.clone()));
    for n in 0..600_u64 {
        let event = seen.recv().await.unwrap();
        assert_eq!(
            (event.subject.as_str(), event.sequence),
            (n.to_string().as_str(), n + 1)
        );
    }
    // Published one more: the batch before it was deleted when this one was read.
    outbox::append(&db, &event(None, "last")).await.unwrap();
    wake.nudge();
    assert_eq!(seen.recv().await.unwrap().subject, "last");
    relay.abort();
}

#[on_both_engines]
async fn an_event_is_new_once_and_only_if_its_transaction_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let id = EventId::generate();
    let txn = db.begin().await.unwrap();
    assert!(inbox::first_time(&txn, id, NOW).await.unwrap());
    txn.rollback().await.unwrap();
    let txn = db.begin().await.unwrap();
    assert!(inbox::first_time(&txn, id, NOW).await.unwrap());
    assert!(!inbox::first_time(&txn, id, NOW).await.unwrap());
    txn.commit().await.unwrap();
    assert!(!inbox::first_time(&db, id, NOW).await.unwrap());
}

#[on_both_engines]
async fn of_many_events_those_are_new_that_were_never_seen() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let [a, b, c] = [(); 3].map(|()| EventId::generate());
    assert_eq!(
        inbox::first_times(&db, [a, b, a], NOW).await,
        Ok([a, b].into())
    );
    assert_eq!(inbox::first_times(&db, [b, c], NOW).await, Ok([c].into()));
    assert_eq!(inbox::first_times(&db, [b, c], NOW).await, Ok([].into()));
    assert_eq!(inbox::first_times(&db, [], NOW).await, Ok([].into()));
}

#[on_both_engines]
async fn ids_are_forgotten_by_the_time_they_came_and_not_by_the_time_they_were_made() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let at = Timestamp::from_millis;
    // Made long ago, delivered late: it may be delivered once more all the same.
    let late = EventId::from_u128(1_000 << 80 | 0x7000_8000_0000_0000_0000);
    let old = EventId::generate();
    assert!(inbox::first_time(&db, old, at(1_000)).await.unwrap());
    assert!(inbox::first_time(&db, late, at(5_000)).await.unwrap());
    assert_eq!(inbox::forget_before(&db, at(5_000)).await, Ok(1));
    assert!(!inbox::first_time(&db, late, at(6_000)).await.unwrap());
    assert!(inbox::first_time(&db, old, at(6_000)).await.unwrap());
    // A repeat does not renew what is remembered.
    assert_eq!(inbox::forget_before(&db, at(5_001)).await, Ok(1));
}

#[on_both_engines]
async fn transactions_that_read_and_then_write_queue_up_instead_of_failing() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let writers = (0..16).map(|n| {
        let db = db.clone();
        tokio::spawn(async move {
            let txn = db.begin().await.unwrap();
            outbox::append(&txn, &event(None, &n.to_string()))
                .await
                .unwrap();
            txn.commit().await.unwrap();
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let readers = records(&dir).await.readers("test").await.unwrap();
    assert!(
        inbox::first_time(&readers, EventId::generate(), NOW)
            .await
            .is_err(),
        "readers cannot write"
    );
}

/// PostgreSQL's texts cannot have it: an event that does must not hold up those behind it.
#[on_both_engines]
async fn a_text_with_the_character_nul_is_kept_and_can_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let db = database(&dir).await;
    let (bus, mut seen) = told(0);
    outbox::append(&db, &event(None, "a\0b")).await.unwrap();
    outbox::append(&db, &event(None, "next")).await.unwrap();
    let relay = tokio::spawn(outbox::relay(db.clone(), bus, Wake::default()));
    assert!(["a\0b", "a\u{fffd}b"].contains(&seen.recv().await.unwrap().subject.as_str()));
    assert_eq!(seen.recv().await.unwrap().subject, "next");
    relay.abort();
}
