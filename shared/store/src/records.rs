//! Where records are: a folder of SQLite files for one process, or one PostgreSQL database for many.

mod postgres;
mod sqlite;

use crate::{Db, Refused, fault};
use centro_kernel::Fault;
use sea_orm::sqlx::postgres::PgConnectOptions;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Where the services of a process keep their records. Cheap to clone; its `Debug` shows no password.
#[derive(Clone)]
pub struct Records(Arc<Place>);

enum Place {
    /// One SQLite file per service.
    Folder(PathBuf),
    /// One schema per service.
    Postgres(Box<PgConnectOptions>, Limits),
}

/// What this process may take of a PostgreSQL database. SQLite has no use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one service's pool; analytics has a second pool for reports. 2 or more: the relay of the outbox keeps one
    /// while it publishes.
    pub connections: u32,
    /// How long a statement waits for a free connection before it fails with `storage_unavailable`.
    pub acquire_timeout: Duration,
    /// How long a statement may take before it fails with `storage_unavailable`.
    pub statement_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The key at fault, below the section, and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let second = Duration::from_secs(1);
        if !(2..=200).contains(&self.connections) {
            return Err("connections: must be from 2 to 200".into());
        }
        if !(second..=60 * second).contains(&self.acquire_timeout) {
            return Err("acquire_timeout: must be from 1s to 1m".into());
        }
        if !(second..=600 * second).contains(&self.statement_timeout) {
            return Err("statement_timeout: must be from 1s to 10m".into());
        }
        Ok(())
    }
}

impl Records {
    /// SQLite files in `data`.
    pub fn folder(data: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Place::Folder(data.into())))
    }

    /// The PostgreSQL database at `url`; SQLite files in `data` when that is empty.
    ///
    /// # Errors
    /// What is wrong with the URL, never with a password in it.
    pub fn at(url: &str, data: &Path, limits: Limits) -> Result<Self, String> {
        if url.is_empty() {
            return Ok(Self::folder(data));
        }
        let options = postgres::read(url)?;
        Ok(Self(Arc::new(Place::Postgres(Box::new(options), limits))))
    }

    /// Whether other processes may write the same records at the same time.
    pub fn are_shared(&self) -> bool {
        matches!(*self.0, Place::Postgres(..))
    }

    /// Waits until the database lets us in, for as long as a statement waits for a connection. Files are always there.
    ///
    /// # Errors
    /// [`Refused::Access`], [`Refused::Away`].
    pub async fn reach(&self) -> Result<(), Refused> {
        match &*self.0 {
            Place::Folder(_) => Ok(()),
            Place::Postgres(options, limits) => {
                postgres::reach(options, limits.acquire_timeout).await
            }
        }
    }

    /// Opens what a service keeps, e.g. `identity`. To be migrated with [`crate::migrate`] before anything else.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn open(&self, service: &str) -> Result<Db, Fault> {
        self.connect(service, false).await
    }

    /// Opens a second pool on what a service keeps, for long reads, so that they do not hold up the writers. It cannot write.
    ///
    /// # Errors
    /// `storage_unavailable`.
    pub async fn readers(&self, service: &str) -> Result<Db, Fault> {
        self.connect(service, true).await
    }

    async fn connect(&self, service: &str, read_only: bool) -> Result<Db, Fault> {
        let db = match &*self.0 {
            Place::Folder(data) => sqlite::connect(data, service, read_only).await,
            Place::Postgres(options, limits) => {
                postgres::connect(options, *limits, service, read_only).await
            }
        };
        db.map_err(fault)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Place::Folder(data) => write!(f, "SQLite in {}", data.display()),
            Place::Postgres(options, _) => write!(
                f,
                "PostgreSQL {}:{}/{}",
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
        }
    }
}
