//! The wall between tenants in PostgreSQL, behind the conditions of queries: these have none.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_kernel::TenantId;
use centro_store::{Db, Limits, RaiseWall, Records, Refused, migrate};
use centro_testkit::engines::Postgres;
use sea_orm::{ConnectionTrait, DbErr, Statement};
use sea_orm_migration::{MigrationTrait, MigratorTrait, prelude::*};

const ONE: TenantId = TenantId::from_u128(1);
const TWO: TenantId = TenantId::from_u128(2);

struct Things;

impl MigrationName for Things {
    fn name(&self) -> &str {
        "things"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Things {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let made =
            "CREATE TABLE things (id TEXT PRIMARY KEY, tenant TEXT, n BIGINT NOT NULL DEFAULT 0)";
        manager.get_connection().execute_unprepared(made).await?;
        Ok(())
    }
}

/// A table of a later release.
struct Calls;

impl MigrationName for Calls {
    fn name(&self) -> &str {
        "calls"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Calls {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let made = "CREATE TABLE calls (id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL)";
        manager.get_connection().execute_unprepared(made).await?;
        Ok(())
    }
}

/// Releases: before walls, with them, and the one after.
struct Release<const N: usize>;

#[async_trait::async_trait]
impl<const N: usize> MigratorTrait for Release<N> {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let all: Vec<Box<dyn MigrationTrait>> =
            vec![Box::new(Things), Box::new(RaiseWall), Box::new(Calls)];
        all.into_iter().take(N).collect()
    }
}

async fn open(url: &str, connections: u32) -> Db {
    let limits = Limits {
        connections,
        ..Limits::default()
    };
    let records = Records::at(url, "unused".as_ref(), limits).unwrap();
    records.open("test").await.unwrap()
}

async fn ids(db: &impl ConnectionTrait) -> Vec<String> {
    let asked = "SELECT id FROM things ORDER BY id";
    let asked = Statement::from_string(db.get_database_backend(), asked);
    let rows = db.query_all_raw(asked).await.unwrap();
    rows.iter()
        .map(|row| row.try_get("", "id").unwrap())
        .collect()
}

async fn run(db: &impl ConnectionTrait, text: &str) -> Result<u64, DbErr> {
    let asked = Statement::from_string(db.get_database_backend(), text);
    Ok(db.execute_raw(asked).await?.rows_affected())
}

async fn insert(db: &impl ConnectionTrait, id: &str, tenant: TenantId) -> Result<u64, DbErr> {
    let text = format!("INSERT INTO things (id, tenant) VALUES ('{id}', '{tenant}')");
    run(db, &text).await
}

fn is_refused(done: Result<u64, DbErr>) -> bool {
    done.is_err_and(|error| error.to_string().contains("row-level security"))
}

async fn two_tenants(url: &str, connections: u32) -> Db {
    let db = open(url, connections).await;
    migrate::<Release<2>>(&db).await.unwrap();
    insert(&db.of(ONE), "one", ONE).await.unwrap();
    insert(&db.of(TWO), "two", TWO).await.unwrap();
    db
}

#[tokio::test]
async fn a_tenant_sees_and_changes_nothing_of_anothers_whatever_is_asked() {
    let engine = Postgres::start().await.unwrap();
    let db = two_tenants(&engine.database().unwrap(), 2).await;
    assert_eq!(ids(&db.of(ONE)).await, ["one"]);
    assert_eq!(ids(&db.of(TWO)).await, ["two"]);
    assert_eq!(ids(&db.of_all()).await, ["one", "two"]);
    assert!(ids(&db).await.is_empty(), "who says nothing sees nothing");

    let mine = db.of(ONE);
    assert_eq!(run(&mine, "UPDATE things SET n = 7").await.unwrap(), 1);
    let theirs = "UPDATE things SET n = 7 WHERE id = 'two'";
    assert_eq!(run(&mine, theirs).await.unwrap(), 0);
    let theirs = "DELETE FROM things WHERE id = 'two'";
    assert_eq!(run(&mine, theirs).await.unwrap(), 0);
    assert!(is_refused(insert(&mine, "planted", TWO).await));
    let given = format!("UPDATE things SET tenant = '{TWO}'");
    assert!(
        is_refused(run(&mine, &given).await),
        "nothing is given away"
    );
    let over = format!(
        "INSERT INTO things (id, tenant, n) VALUES ('two', '{ONE}', 9) ON CONFLICT (id) DO UPDATE SET n = 9"
    );
    assert!(
        is_refused(run(&mine, &over).await),
        "nothing is written over"
    );
    assert!(is_refused(
        run(&mine, "INSERT INTO things (id) VALUES ('nobodys')").await
    ));
    assert!(is_refused(insert(&db, "unsaid", ONE).await));
    let seven = "SELECT id FROM things WHERE n <> 0";
    let seven = Statement::from_string(db.get_database_backend(), seven);
    let changed = db.of_all().query_all_raw(seven).await.unwrap();
    assert_eq!(changed.len(), 1);
}

/// One connection serves everybody in turn.
#[tokio::test]
async fn a_connection_takes_nothing_to_its_next_user() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    two_tenants(&url, 2).await;
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let records = Records::at(&url, "unused".as_ref(), limits).unwrap();
    let db = records.open("test").await.unwrap();
    for last in [db.of(ONE), db.of_all()] {
        // Ended by a commit, by an undo, by being forgotten, and by a failure.
        let txn = last.begin().await.unwrap();
        assert!(!ids(&txn).await.is_empty());
        txn.commit().await.unwrap();
        assert!(ids(&db).await.is_empty());
        let txn = last.begin().await.unwrap();
        txn.rollback().await.unwrap();
        assert!(ids(&db).await.is_empty());
        drop(last.begin().await.unwrap());
        assert!(ids(&db).await.is_empty());
        run(&last, "SELECT 1 / 0").await.unwrap_err();
        assert!(ids(&db).await.is_empty());
        assert_eq!(ids(&db.of(TWO)).await, ["two"]);
    }
}

#[tokio::test]
async fn a_transaction_is_narrowed_to_whom_it_turns_out_to_be_about() {
    let engine = Postgres::start().await.unwrap();
    let db = two_tenants(&engine.database().unwrap(), 2).await;
    let txn = db.of_all().begin().await.unwrap();
    assert_eq!(ids(&txn).await, ["one", "two"]);
    txn.narrow(TWO).await.unwrap();
    assert_eq!(ids(&txn).await, ["two"]);
}

#[tokio::test]
async fn a_role_to_which_the_wall_is_air_is_refused() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    engine
        .sql(name, "CREATE ROLE passes LOGIN BYPASSRLS")
        .unwrap();
    for role in ["postgres", "passes"] {
        let db = open(&url.replace("centro@", &format!("{role}@")), 2).await;
        let refused = migrate::<Release<2>>(&db).await.unwrap_err();
        assert!(matches!(refused, Refused::Unwalled { .. }), "{refused}");
        assert!(refused.to_string().contains("NOBYPASSRLS"), "{refused}");
    }
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'centro_test'";
    assert_eq!(engine.sql(name, made).unwrap(), "0", "nothing was made");
}

#[tokio::test]
async fn a_wall_that_somebody_took_down_stands_again_after_the_next_start() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let db = two_tenants(&url, 2).await;
    let name = url.rsplit('/').next().unwrap();
    for down in ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"] {
        let down = format!("ALTER TABLE centro_test.things {down}");
        engine.sql(name, &down).unwrap();
        assert_eq!(ids(&db).await.len(), 2);
        migrate::<Release<2>>(&db).await.unwrap();
        assert!(ids(&db).await.is_empty());
    }
}

/// While a release with walls comes in, processes of the one before work on the same tables; they never say whose rows they want.
#[tokio::test]
async fn the_release_before_works_on_walled_tables_and_this_one_on_tables_of_the_next() {
    let engine = Postgres::start().await.unwrap();
    let url = engine.database().unwrap();
    let name = url.rsplit('/').next().unwrap();
    let before = |text: &str| {
        let session = format!("SET ROLE centro; SET search_path = centro_test; {text}");
        engine.sql(name, &session)
    };
    let db = open(&url, 2).await;
    migrate::<Release<1>>(&db).await.unwrap();
    before("ALTER TABLE things DISABLE ROW LEVEL SECURITY").unwrap();
    before(&format!("INSERT INTO things VALUES ('one', '{ONE}')")).unwrap();

    migrate::<Release<2>>(&db).await.unwrap();
    before(&format!("INSERT INTO things VALUES ('two', '{TWO}')")).unwrap();
    let seen = before("SELECT count(*) FROM things").unwrap();
    assert!(seen.ends_with('2'), "{seen}");
    assert_eq!(ids(&db.of(ONE)).await, ["one"], "the wall stands for us");
    assert!(ids(&db).await.is_empty());
    migrate::<Release<1>>(&db).await.expect("one back");

    migrate::<Release<3>>(&db).await.unwrap();
    migrate::<Release<2>>(&db).await.expect("one ahead");
    let planted = format!("INSERT INTO calls VALUES ('c', '{TWO}')");
    assert!(
        is_refused(run(&db.of(ONE), &planted).await),
        "new tables too"
    );
    assert_eq!(run(&db.of(TWO), &planted).await.unwrap(), 1);

    // Where no older release can be, there is no exception for it.
    let fresh = engine.database().unwrap();
    two_tenants(&fresh, 2).await;
    let name = fresh.rsplit('/').next().unwrap();
    let seen = "SET ROLE centro; SELECT count(*) FROM centro_test.things";
    let seen = engine.sql(name, seen).unwrap();
    assert!(seen.ends_with('0'), "{seen}");
}
