//! From the outbox to the bus.

use super::entity::outbox::{Column, Entity, Model};
use crate::{Db, Transaction, fault};
use centro_bus::EventBus;
use centro_kernel::Fault;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Events read, published and deleted together.
const BATCH: u64 = 256;
/// How long the relay waits after a failure: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// How soon to ask again whether the process that publishes is through.
const ELSEWHERE: Duration = Duration::from_millis(100);
/// How often a relay of many looks without being nudged.
const LOOK: Duration = Duration::from_secs(2);
/// How long one of many publishes before it lets others: well before the server ends a transaction that does nothing.
const PATIENCE: Duration = Duration::from_secs(15);

/// Tells the relay that something was committed. Cheap to clone; one relay per wake.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Has the relay look into the outbox. To be called after the commit; never waits.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// Publishes what is in the outbox, in order, and what comes, whenever `wake` is nudged. Never ends: give it to
/// `Node::spawn_when_open`, so that nothing is published before whom it concerns has subscribed. While the bus or the database is
/// down it tries again and nothing is lost or overtaken.
///
/// On PostgreSQL each process may run one per outbox: one at a time publishes, who holds the outbox's advisory lock, which ends
/// with its transaction. So the next one goes on where a dead one stopped, and repeats at most what that one could not say it had
/// published. On SQLite one may run per outbox.
pub async fn relay(db: Db, bus: Arc<dyn EventBus>, wake: Wake) {
    // It publishes everybody's events.
    let db = db.of_all();
    let mut pause = RETRY.0;
    loop {
        match turn(&db, bus.as_ref()).await {
            Ok(Turn::Full) => pause = RETRY.0,
            Ok(Turn::Empty) => {
                pause = RETRY.0;
                rest(&db, &wake).await;
            }
            Ok(Turn::Elsewhere) => tokio::time::sleep(ELSEWHERE).await,
            Err(reason) => {
                tracing::warn!(%reason, retry_in = ?pause, "events wait in the outbox");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
            }
        }
    }
}

/// What came of a look into the outbox.
enum Turn {
    /// There may be more.
    Full,
    /// All is published.
    Empty,
    /// Another process publishes, perhaps without having seen the latest.
    Elsewhere,
}

/// Until there is something to publish: what another process wrote before it died is found by looking.
async fn rest(db: &Db, wake: &Wake) {
    if db.is_shared() {
        let _ = tokio::time::timeout(LOOK, wake.0.notified()).await;
    } else {
        wake.0.notified().await;
    }
}

/// Publishes a batch.
async fn turn(db: &Db, bus: &dyn EventBus) -> Result<Turn, String> {
    let Some(schema) = db.schema() else {
        // Not in a transaction: it would keep the only writing connection for as long as the bus takes.
        return batch(db, bus, None).await;
    };
    let text = |error: DbErr| fault(error).to_string();
    let txn = db.begin().await.map_err(text)?;
    if !leads(&txn, schema).await.map_err(text)? {
        txn.rollback().await.map_err(text)?;
        return Ok(Turn::Elsewhere);
    }
    let turn = batch(&txn, bus, Some(Instant::now() + PATIENCE)).await;
    // Also when the bus failed: what it took before is done with.
    txn.commit().await.map_err(text)?;
    turn
}

/// Whether this transaction alone may publish, until it ends.
async fn leads(txn: &Transaction, schema: &str) -> Result<bool, DbErr> {
    let text = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS leads";
    let name = format!("{schema} outbox");
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, text, [name.into()]);
    let row = txn.query_one_raw(asked).await?;
    row.map_or(Ok(false), |row| row.try_get("", "leads"))
}

async fn batch(
    db: &impl ConnectionTrait,
    bus: &dyn EventBus,
    until: Option<Instant>,
) -> Result<Turn, String> {
    let rows = read(db).await.map_err(|fault| fault.to_string())?;
    let full = rows.len() as u64 == BATCH;
    let (published, failure) = publish(bus, rows, until).await;
    forget(db, published)
        .await
        .map_err(|fault| fault.to_string())?;
    match failure {
        Some(reason) => Err(reason),
        None if full => Ok(Turn::Full),
        None => Ok(Turn::Empty),
    }
}

async fn read(db: &impl ConnectionTrait) -> Result<Vec<Model>, Fault> {
    Entity::find()
        .order_by_asc(Column::Id)
        .limit(BATCH)
        .all(db)
        .await
        .map_err(fault)
}

/// The rows that are done with, and why the rest was not published.
async fn publish(
    bus: &dyn EventBus,
    rows: Vec<Model>,
    until: Option<Instant>,
) -> (Vec<i64>, Option<String>) {
    let mut done = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        if let Some(event) = row.into_event() {
            let told = match until {
                Some(until) => timeout_at(until, bus.publish(event)).await,
                None => Ok(bus.publish(event).await),
            };
            match told {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return (done, Some(error.to_string())),
                Err(_) => return (done, Some("the bus takes too long".to_owned())),
            }
        } else {
            // It can never be published, and would hold up all that follow.
            tracing::error!(
                row = id,
                "dropped an event with malformed ids from the outbox"
            );
        }
        done.push(id);
    }
    (done, None)
}

async fn forget(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::delete_many()
        .filter(Column::Id.is_in(ids))
        .exec(db)
        .await
        .map_err(fault)?;
    Ok(())
}
