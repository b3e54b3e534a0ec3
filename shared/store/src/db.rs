//! A service's database, and a transaction on it. On PostgreSQL every statement has an end: the server ends one that takes too
//! long, and when the server itself does not answer we stop waiting a moment later. And every statement on a tenant's rows says
//! whose they are ([`crate::wall`]).

use crate::{records::Limits, wall::Rows};
use centro_kernel::TenantId;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, Statement, TransactionTrait, Value,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long after the server should have ended a statement we end it ourselves.
const SLACK: Duration = Duration::from_millis(500);

/// A service's database: a pool of connections. Cheap to clone. As it is opened it sees nothing of what has a tenant:
/// [`Db::of`] and [`Db::of_all`] do.
#[derive(Clone)]
pub struct Db {
    pool: DatabaseConnection,
    rows: Rows,
    schema: Option<Arc<str>>,
    limits: Option<Limits>,
    doubt: Doubt,
}

/// A transaction. Dropped without [`Transaction::commit`] it changes nothing.
pub struct Transaction {
    inner: DatabaseTransaction,
    limit: Option<Duration>,
    doubt: Doubt,
}

/// Whether connections may be about that nobody answers on any more.
#[derive(Clone, Default)]
pub(crate) struct Doubt(Arc<AtomicBool>);

impl Doubt {
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn settle(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Db {
    pub(crate) fn of_file(pool: DatabaseConnection) -> Self {
        Self {
            pool,
            rows: Rows::OfNobody,
            schema: None,
            limits: None,
            doubt: Doubt::default(),
        }
    }

    pub(crate) fn of_schema(
        pool: DatabaseConnection,
        schema: String,
        limits: Limits,
        doubt: Doubt,
    ) -> Self {
        Self {
            pool,
            rows: Rows::OfNobody,
            schema: Some(schema.into()),
            limits: Some(limits),
            doubt,
        }
    }

    /// The same database, of which this tenant's rows can be seen and written and no other's.
    pub fn of(&self, tenant: TenantId) -> Self {
        Self {
            rows: Rows::Of(tenant),
            ..self.clone()
        }
    }

    /// The same database with the rows of all tenants: for what has no tenant, e.g. looking up whose a key is, counting, cleaning up.
    pub fn of_all(&self) -> Self {
        Self {
            rows: Rows::OfAll,
            ..self.clone()
        }
    }

    /// The schema in which the tables are; none on SQLite.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Whether other processes may write at the same time.
    pub fn is_shared(&self) -> bool {
        self.schema.is_some()
    }

    /// The pool itself, where nothing ends what takes too long: for migrations.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Begins a transaction. On SQLite there is one at a time, on PostgreSQL as many as the pool has connections; rows that must
    /// not change in between are read with a lock.
    ///
    /// # Errors
    /// No connection becomes free in time.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let inner = in_time(self.limit(), &self.doubt, self.pool.begin()).await?;
        let txn = Transaction {
            inner,
            limit: self.limits.map(statement),
            doubt: self.doubt.clone(),
        };
        txn.see(self.rows).await?;
        Ok(txn)
    }

    /// Whether a statement of its own needs a transaction around it, which says whose rows it is about.
    fn is_scoped(&self) -> bool {
        self.is_shared() && self.rows != Rows::OfNobody
    }

    /// For a statement of its own: it waits for a connection first.
    fn limit(&self) -> Option<Duration> {
        self.limits
            .map(|limits| limits.acquire_timeout + statement(limits))
    }
}

impl Transaction {
    /// From here on only this tenant's rows, once it is known whose it is about.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn narrow(&self, tenant: TenantId) -> Result<(), DbErr> {
        self.see(Rows::Of(tenant)).await
    }

    async fn see(&self, rows: Rows) -> Result<(), DbErr> {
        match rows.said() {
            Some(said) if self.get_database_backend() == DbBackend::Postgres => {
                self.execute_raw(said).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Makes it so. When it fails nobody knows whether it is so: the answer may have been lost.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn commit(self) -> Result<(), DbErr> {
        in_time(self.limit, &self.doubt, self.inner.commit()).await
    }

    /// Undoes it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rollback(self) -> Result<(), DbErr> {
        in_time(self.limit, &self.doubt, self.inner.rollback()).await
    }
}

fn statement(limits: Limits) -> Duration {
    limits.statement_timeout + SLACK
}

async fn in_time<T>(
    limit: Option<Duration>,
    doubt: &Doubt,
    work: impl Future<Output = Result<T, DbErr>>,
) -> Result<T, DbErr> {
    let Some(limit) = limit else {
        return work.await;
    };
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => {
            doubt.0.store(true, Ordering::Relaxed);
            let text = format!("the database did not answer within {limit:?}");
            Err(DbErr::Conn(RuntimeErr::Internal(text)))
        }
    }
}

/// PostgreSQL's texts cannot have the character NUL. A caller's display name may, and so may what somebody asks for.
fn sayable(mut statement: Statement) -> Statement {
    if statement.db_backend == DbBackend::Postgres
        && let Some(values) = &mut statement.values
    {
        for value in &mut values.0 {
            if let Value::String(Some(text)) = value
                && text.contains('\0')
            {
                *text = text.replace('\0', "\u{fffd}");
            }
        }
    }
    statement
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        if self.is_scoped() {
            let txn = self.begin().await?;
            let done = txn.execute_raw(statement).await?;
            return txn.commit().await.map(|()| done);
        }
        let work = self.pool.execute_raw(sayable(statement));
        in_time(self.limit(), &self.doubt, work).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        if self.is_scoped() {
            let txn = self.begin().await?;
            let done = txn.execute_unprepared(sql).await?;
            return txn.commit().await.map(|()| done);
        }
        let work = self.pool.execute_unprepared(sql);
        in_time(self.limit(), &self.doubt, work).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        if self.is_scoped() {
            let txn = self.begin().await?;
            let done = txn.query_one_raw(statement).await?;
            return txn.commit().await.map(|()| done);
        }
        let work = self.pool.query_one_raw(sayable(statement));
        in_time(self.limit(), &self.doubt, work).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if self.is_scoped() {
            let txn = self.begin().await?;
            let done = txn.query_all_raw(statement).await?;
            return txn.commit().await.map(|()| done);
        }
        let work = self.pool.query_all_raw(sayable(statement));
        in_time(self.limit(), &self.doubt, work).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let work = self.inner.execute_raw(sayable(statement));
        in_time(self.limit, &self.doubt, work).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let work = self.inner.execute_unprepared(sql);
        in_time(self.limit, &self.doubt, work).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let work = self.inner.query_one_raw(sayable(statement));
        in_time(self.limit, &self.doubt, work).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let work = self.inner.query_all_raw(sayable(statement));
        in_time(self.limit, &self.doubt, work).await
    }
}
