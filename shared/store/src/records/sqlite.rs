//! A SQLite file per service.

use crate::Db;
use sea_orm::{
    ConnectOptions, Database, DbErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// How long a statement waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long SQLite waits for another process's lock, e.g. a backup's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections of a reading pool.
const READERS: u32 = 8;

/// Opens `<service>.db` in the folder; made when missing.
pub async fn connect(data: &Path, service: &str, read_only: bool) -> Result<Db, DbErr> {
    let file = data.join(format!("{service}.db"));
    let mut options = ConnectOptions::new(format!("sqlite://{}", file.display()));
    options
        // A second writing connection would only fail with "database is locked".
        .max_connections(if read_only { READERS } else { 1 })
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
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
    Ok(Db::of_file(Database::connect(options).await?))
}
