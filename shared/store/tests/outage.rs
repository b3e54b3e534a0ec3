//! PostgreSQL goes away in the middle of the work.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_kernel::{Fault, Timestamp};
use centro_store::{
    Db, Limits, Records, fault,
    inbox::{AddArrival, CreateInbox},
    migrate,
    outbox::{self, CreateOutbox},
};
use centro_testkit::engines::{Engine, Postgres};
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

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

const LIMITS: Limits = Limits {
    connections: 4,
    acquire_timeout: Duration::from_secs(1),
    statement_timeout: Duration::from_secs(1),
};

async fn opened(engine: &Postgres) -> Db {
    let url = engine.database().unwrap();
    let records = Records::at(&url, "unused".as_ref(), LIMITS).unwrap();
    let db = records.open("test").await.unwrap();
    migrate::<Migrator>(&db).await.unwrap();
    db.of_all()
}

/// Two rows in one transaction: the event and a mark, which stand or fall together.
async fn write(db: &Db, subject: &str) -> Result<(), Fault> {
    let txn = db.begin().await.map_err(fault)?;
    let time = Timestamp::from_millis(7);
    let data = prost_types::Duration::default();
    let event = centro_bus::Event::new(None, "test.thing.happened", subject, time, &data);
    outbox::append(&txn, &event).await?;
    let mark = "INSERT INTO inbox (event_id, arrived_ms) VALUES ($1, 0)";
    let mark = Statement::from_sql_and_values(txn.get_database_backend(), mark, [subject.into()]);
    txn.execute_raw(mark).await.map_err(fault)?;
    txn.commit().await.map_err(fault)
}

async fn column(db: &Db, text: &str) -> Vec<String> {
    let asked = Statement::from_string(db.get_database_backend(), text);
    let rows = db.query_all_raw(asked).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// Writers that go on for as long as they are let; they give what was answered with Ok.
struct Writers {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Writers {
    fn start(db: &Db, count: usize) -> Self {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let tasks = (0..count).map(|writer| {
            let (db, stop, done) = (db.clone(), stop.clone(), done.clone());
            tokio::spawn(async move {
                let mut written = Vec::new();
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let subject = format!("{writer}-{n}");
                    match write(&db, &subject).await {
                        Ok(()) => {
                            written.push(subject);
                            done.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(fault) => assert_eq!(fault.reason, "storage_unavailable", "{fault:?}"),
                    }
                }
                written
            })
        });
        Self {
            tasks: tasks.collect(),
            stop,
            done,
        }
    }

    /// Until so many more were written.
    async fn progress(&self, more: usize) {
        let wanted = self.done.load(Ordering::SeqCst) + more;
        let progress = async {
            while self.done.load(Ordering::SeqCst) < wanted {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), progress)
            .await
            .expect("the writers go on by themselves");
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut written = Vec::new();
        for task in self.tasks {
            written.extend(task.await.unwrap());
        }
        written
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgres_is_killed_what_was_confirmed_is_there_and_nothing_is_half_written() {
    let mut engine = Postgres::start().await.unwrap();
    let db = opened(&engine).await;
    let writers = Writers::start(&db, 8);
    for _ in 0..2 {
        writers.progress(50).await;
        engine.kill().unwrap();
        engine.revive().await.unwrap();
    }
    writers.progress(50).await;
    let written = writers.end().await;
    let events = column(&db, "SELECT subject FROM outbox ORDER BY subject").await;
    let marks = column(&db, "SELECT event_id FROM inbox ORDER BY event_id").await;
    assert_eq!(events, marks, "written together or not at all");
    for subject in &written {
        assert!(
            events.contains(subject),
            "{subject} was confirmed and is lost"
        );
    }
    let gaps = "SELECT count(*)::text FROM (SELECT sequence - row_number() OVER (ORDER BY id) AS shift FROM outbox) s WHERE shift <> 0";
    assert_eq!(column(&db, gaps).await, ["0"], "numbers without a gap");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_postgres_is_frozen_everybody_gets_an_answer_in_time_and_the_pool_does_not_grow() {
    let engine = Postgres::start().await.unwrap();
    let db = opened(&engine).await;
    write(&db, "before").await.unwrap();
    engine.freeze().unwrap();
    let longest = LIMITS.acquire_timeout + LIMITS.statement_timeout + Duration::from_secs(2);
    // More than the pool has connections, twice, one wave behind the other.
    for wave in 0..2 {
        let asked = (0..12).map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                let fault = write(&db, &format!("frozen-{wave}-{n}")).await.unwrap_err();
                (fault.reason, began.elapsed())
            })
        });
        for answer in asked.collect::<Vec<_>>() {
            let (reason, took) = answer.await.unwrap();
            assert_eq!(reason, "storage_unavailable");
            assert!(took < longest, "the answer took {took:?}");
        }
    }
    engine.thaw().unwrap();
    let recovers = async { while write(&db, "after").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(30), recovers)
        .await
        .expect("the pool recovers by itself");
    let open = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'centro_test'";
    let open: u32 = column(&db, open).await[0].parse().unwrap();
    assert!(open <= LIMITS.connections, "{open} connections are open");
    let kept = column(&db, "SELECT subject FROM outbox ORDER BY id").await;
    assert_eq!(kept.first().map(String::as_str), Some("before"));
    let marks = column(&db, "SELECT event_id FROM inbox").await;
    assert_eq!(kept.len(), marks.len());
}

#[tokio::test]
async fn a_statement_that_waits_too_long_for_a_lock_says_that_the_storage_is_busy() {
    let engine = Postgres::start().await.unwrap();
    let db = opened(&engine).await;
    write(&db, "before").await.unwrap();
    let holding = db.begin().await.unwrap();
    let lock = "SELECT last FROM outbox_sequence FOR UPDATE";
    let lock = Statement::from_string(db.get_database_backend(), lock);
    holding.query_one_raw(lock).await.unwrap();
    let fault = write(&db, "waits").await.unwrap_err();
    assert_eq!(fault.reason, "storage_unavailable", "{fault:?}");
    holding.rollback().await.unwrap();
    write(&db, "after").await.unwrap();
}
