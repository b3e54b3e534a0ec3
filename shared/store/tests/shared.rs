//! What several processes do to one database: they start at once, publish at once, and know each other's versions.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::{BusError, Event, EventBus, Subscription, Watch};
use centro_kernel::{TenantId, Timestamp};
use centro_store::{
    Db, Limits, Records, Refused,
    inbox::{AddArrival, CreateInbox},
    migrate,
    outbox::{self, CreateOutbox, Wake},
};
use centro_testkit::engines::{self, Kind, on_both_engines};
use sea_orm::ConnectionTrait;
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

/// Releases, each with one migration more.
struct Release<const N: usize>;

#[async_trait::async_trait]
impl<const N: usize> MigratorTrait for Release<N> {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let all: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(CreateOutbox),
            Box::new(CreateInbox),
            Box::new(AddArrival),
        ];
        all.into_iter().take(N).collect()
    }
}

/// Migrations of something else.
struct Stranger;

#[async_trait::async_trait]
impl MigratorTrait for Stranger {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateInbox)]
    }
}

async fn records(dir: &tempfile::TempDir) -> Records {
    Records::at(&engines::records().await, dir.path(), Limits::default()).unwrap()
}

async fn has(db: &Db, table: &str) -> bool {
    SchemaManager::new(db.pool())
        .has_table(table)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_migrate_once() {
    engines::on(Kind::Postgres, async {
        let dir = tempfile::tempdir().unwrap();
        let records = records(&dir).await;
        let starts = (0..6).map(|_| {
            let records = records.clone();
            tokio::spawn(async move {
                let db = records.open("test").await.unwrap();
                migrate::<Release<3>>(&db).await.map(|()| db)
            })
        });
        for start in starts.collect::<Vec<_>>() {
            let db = start.await.unwrap().expect("nobody collides");
            assert!(has(&db, "outbox").await && has(&db, "inbox").await);
        }
    })
    .await;
}

#[on_both_engines]
async fn a_release_works_on_tables_one_version_ahead_and_refuses_those_further_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let db = records(&dir).await.open("test").await.unwrap();
    migrate::<Release<1>>(&db).await.unwrap();
    migrate::<Release<2>>(&db).await.unwrap();
    migrate::<Release<1>>(&db).await.expect("one ahead");
    migrate::<Release<3>>(&db).await.unwrap();
    migrate::<Release<2>>(&db).await.expect("one ahead");
    let refused = migrate::<Release<1>>(&db).await.unwrap_err();
    assert!(
        matches!(refused, Refused::TooNew { ahead: 2, .. }),
        "{refused}"
    );
}

#[on_both_engines]
async fn a_release_refuses_what_is_not_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let db = records(&dir).await.open("test").await.unwrap();
    migrate::<Stranger>(&db).await.unwrap();
    let refused = migrate::<Release<1>>(&db).await.unwrap_err();
    assert!(matches!(refused, Refused::Foreign { .. }), "{refused}");
    assert!(!has(&db, "outbox").await, "nothing was made");
}

#[on_both_engines]
async fn a_release_refuses_tables_without_a_history() {
    let dir = tempfile::tempdir().unwrap();
    let db = records(&dir).await.open("test").await.unwrap();
    if db.is_shared() {
        db.execute_unprepared("CREATE SCHEMA centro_test")
            .await
            .unwrap();
    }
    db.execute_unprepared("CREATE TABLE theirs (n INT)")
        .await
        .unwrap();
    let refused = migrate::<Release<1>>(&db).await.unwrap_err();
    assert!(refused.to_string().contains("records.url"), "{refused}");
}

/// Remembers in what order events came, and takes a moment for each, so that relays get into each other's way if they can.
#[derive(Default)]
struct Slow(Mutex<Vec<Event>>);

impl Slow {
    /// Events told, repeats not counted.
    fn different(&self) -> usize {
        let events = self.0.lock().unwrap();
        let ids: BTreeSet<_> = events.iter().map(|event| event.id).collect();
        ids.len()
    }
}

#[async_trait::async_trait]
impl EventBus for Slow {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        tokio::task::yield_now().await;
        self.0.lock().unwrap().push(event);
        tokio::task::yield_now().await;
        Ok(())
    }
    async fn subscribe(&self, _: &str, _: &[&str]) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Unavailable)
    }
    async fn watch(&self, _: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        Err(BusError::Unavailable)
    }
}

fn event(tenant: u128, subject: String) -> Event {
    let time = Timestamp::from_millis(7);
    let data = prost_types::Duration::default();
    let tenant = Some(TenantId::from_u128(tenant));
    Event::new(tenant, "test.thing.happened", &subject, time, &data)
}

/// Four processes write for two tenants and each publishes what it finds; one of them dies half-way. Every event is told, each
/// tenant's in the order of its numbers, without a gap and without a repeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_of_several_processes_repeat_nothing_and_overtake_nothing() {
    const EACH: usize = 150;
    engines::on(Kind::Postgres, async {
        let dir = tempfile::tempdir().unwrap();
        let records = records(&dir).await;
        let bus = Arc::new(Slow::default());
        let mut work = Vec::new();
        let mut relays = Vec::new();
        for process in 0..4_u128 {
            let db = records.open("test").await.unwrap();
            migrate::<Release<3>>(&db).await.unwrap();
            let wake = Wake::default();
            relays.push(tokio::spawn(outbox::relay(
                db.clone(),
                bus.clone(),
                wake.clone(),
            )));
            work.push(tokio::spawn(async move {
                for n in 0..EACH {
                    let tenant = 1 + process % 2;
                    let txn = db.of(TenantId::from_u128(tenant)).begin().await.unwrap();
                    let told = event(tenant, format!("{process}-{n}"));
                    outbox::append(&txn, &told).await.unwrap();
                    txn.commit().await.unwrap();
                    wake.nudge();
                }
            }));
        }
        let told = async |wanted: usize| {
            while bus.different() < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let patience = Duration::from_secs(60);
        tokio::time::timeout(patience, told(EACH))
            .await
            .expect("some are told");
        relays[0].abort();
        for writer in work {
            writer.await.unwrap();
        }
        tokio::time::timeout(patience, told(4 * EACH))
            .await
            .expect("all are told");
        let events = bus.0.lock().unwrap().clone();
        let mut numbers = BTreeMap::<_, Vec<u64>>::new();
        for event in events {
            numbers
                .entry(event.tenant)
                .or_default()
                .push(event.sequence);
        }
        let all: Vec<u64> = (1..=2 * EACH as u64).collect();
        for (tenant, mut numbers) in numbers {
            // The one that died may have told a batch without saying so; then it is told again from the same place.
            numbers.dedup();
            let repeated = numbers.len().saturating_sub(all.len());
            assert!(repeated <= 256, "{tenant:?}: {repeated} repeated");
            if repeated > 0 {
                let again = numbers
                    .windows(2)
                    .position(|pair| pair[1] < pair[0])
                    .unwrap();
                assert_eq!(numbers[..=again], all[..=again]);
                assert_eq!(
                    numbers[again + 1..],
                    all[all.len() - (numbers.len() - again - 1)..]
                );
            } else {
                assert_eq!(numbers, all, "{tenant:?}");
            }
        }
        relays.iter().for_each(tokio::task::JoinHandle::abort);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_wrote_before_it_died_is_told_by_another() {
    engines::on(Kind::Postgres, async {
        let dir = tempfile::tempdir().unwrap();
        let records = records(&dir).await;
        let db = records.open("test").await.unwrap();
        migrate::<Release<3>>(&db).await.unwrap();
        let bus = Arc::new(Slow::default());
        let relay = tokio::spawn(outbox::relay(db, bus.clone(), Wake::default()));
        let dying = records.open("test").await.unwrap();
        outbox::append(&dying.of_all(), &event(1, "last words".to_owned()))
            .await
            .unwrap();
        drop(dying);
        let told = async {
            while bus.0.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told)
            .await
            .expect("it is told");
        relay.abort();
    })
    .await;
}
