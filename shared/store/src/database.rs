//! Opening and migrating a database.

use centro_kernel::{Code, Fault};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use sea_orm_migration::MigratorTrait;
use std::{path::Path, time::Duration};

/// How long a statement waits for a free connection before it fails with `storage_unavailable`.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process's lock, e.g. a backup's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections of a PostgreSQL pool, and of a SQLite reading pool.
const CONNECTIONS: u32 = 8;

/// The URL of a service's SQLite file in the data folder, to be given to [`open`].
pub fn sqlite(dir: &Path, service: &str) -> String {
    format!("sqlite://{}", dir.join(format!("{service}.db")).display())
}

/// Opens a database: `sqlite:///abs/path.db` (made when missing), `sqlite::memory:` or `postgres://…`.
///
/// # Errors
/// `storage_unavailable`.
pub async fn open(url: &str) -> Result<DatabaseConnection, Fault> {
    // A second connection would be a second database in memory and a second writer on a file.
    let connections = if is_sqlite(url) { 1 } else { CONNECTIONS };
    connect(url, connections, false).await
}

/// Opens a second pool on the same database for long reads, so that they do not hold up the writer. Not for
/// `sqlite::memory:`, where each connection is a database of its own.
///
/// # Errors
/// `storage_unavailable`.
pub async fn readers(url: &str) -> Result<DatabaseConnection, Fault> {
    connect(url, CONNECTIONS, true).await
}

async fn connect(
    url: &str,
    connections: u32,
    read_only: bool,
) -> Result<DatabaseConnection, Fault> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false);
    if is_sqlite(url) {
        options
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .test_before_acquire(false)
            .map_sqlx_sqlite_opts(move |sqlite| {
                let sqlite = sqlite.foreign_keys(true).busy_timeout(BUSY_TIMEOUT);
                if read_only {
                    return sqlite.read_only(true);
                }
                sqlite
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Normal)
            });
    }
    Database::connect(options).await.map_err(fault)
}

/// Brings the database up to the migrator's last migration.
///
/// # Errors
/// `storage_unavailable` when it cannot be reached, `internal` when a migration fails.
pub async fn migrate<M: MigratorTrait>(db: &DatabaseConnection) -> Result<(), Fault> {
    M::up(db, None).await.map_err(fault)
}

/// A database error as a failure at the service's boundary. Violated constraints that mean something to callers (a name
/// that is taken) are looked at before, with `DbErr::sql_err`.
pub fn fault(error: DbErr) -> Fault {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Fault {
            context: error.to_string(),
            ..Fault::new(
                Code::Unavailable,
                "storage_unavailable",
                "the database cannot be reached; try again later",
            )
        },
        other => Fault::internal(other),
    }
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}
