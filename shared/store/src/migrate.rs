//! Bringing tables up to date, by one process at a time, and refusing what is not ours.
//!
//! The number of a service's migrations is its version, and a release adds ONE migration to a service at most. While a release is
//! rolled out, processes of version N and of N+1 work on the same tables, so a migration only adds: tables, columns that may be
//! null or have a default, indexes. What version N still reads or writes is renamed or removed by version N+2 at the earliest,
//! when N+1 does not use it any more. A new table that has a tenant, in a column `tenant` or `tenant_id`, gets its wall by itself.

use crate::{Db, Records, fault, wall};
use centro_kernel::{Code, Fault};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, Statement,
    TransactionTrait, sqlx,
};
use sea_orm_migration::MigratorTrait;
use std::collections::BTreeSet;

/// Where the migrations that were carried out are written down.
const HISTORY: &str = "seaql_migrations";
/// The oldest PostgreSQL that is known to work.
const OLDEST: i32 = 15;

/// Why a process does not start on a database.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It was migrated by a release that is two or more ahead.
    #[error(
        "the records in {place} are {ahead} versions ahead of this release, which stands one at most; start the release that migrated them, or restore the back-up from before it"
    )]
    TooNew {
        /// Schema or file.
        place: String,
        /// By how many migrations.
        ahead: usize,
    },
    /// It holds something else.
    #[error(
        "{place} holds tables that are not of this service; name an empty database in records.url"
    )]
    Foreign {
        /// Schema or file.
        place: String,
    },
    /// The server is older than 15.
    #[error("the database is PostgreSQL {found}; 15 or later is needed")]
    OldServer {
        /// Its version.
        found: i32,
    },
    /// The database cannot hold every name.
    #[error(
        "the database has the encoding {found}; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// What it has.
        found: String,
    },
    /// The role must not do what is needed.
    #[error(
        "the role in records.url may not make the schema {schema}; let its administrator run GRANT CREATE ON DATABASE, or CREATE SCHEMA {schema} AUTHORIZATION that role"
    )]
    Forbidden {
        /// Which schema.
        schema: String,
    },
    /// The wall between tenants does not hold its role.
    #[error(
        "the role {role} in records.url {is_what}, so the database would not keep tenants apart; let its administrator run ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS, or name another role that owns the schemas"
    )]
    Unwalled {
        /// Which role.
        role: String,
        /// What is wrong with it.
        is_what: &'static str,
    },
    /// The server does not let us in.
    #[error(
        "PostgreSQL at {place} does not let {user} in ({reason}): correct user, password, database and sslmode in records.url, or have its administrator let this host in"
    )]
    Access {
        /// Host, port and database.
        place: String,
        /// Who asked.
        user: String,
        /// What the server said.
        reason: String,
    },
    /// Nobody answers.
    #[error(
        "PostgreSQL at {place} does not answer ({reason}): start it, or correct host and port in records.url"
    )]
    Away {
        /// Host, port and database.
        place: String,
        /// What the network said.
        reason: String,
    },
    /// The database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Refused {
    /// Whether the database is away, so that waiting may help. Otherwise something has to be corrected.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Away { .. } => true,
            Self::Fault(fault) => fault.code == Code::Unavailable,
            _ => false,
        }
    }
}

impl From<DbErr> for Refused {
    fn from(error: DbErr) -> Self {
        Self::Fault(fault(error))
    }
}

/// Looks whether [`migrate`] would be refused, and changes nothing. Files in a folder are looked at when they are migrated.
///
/// # Errors
/// [`Refused`].
pub async fn first_look<M: MigratorTrait>(records: &Records, service: &str) -> Result<(), Refused> {
    if !records.are_shared() {
        return Ok(());
    }
    records.reach().await?;
    let db = records.open(service).await?;
    check_server(&db).await?;
    wall::check_role(&db).await?;
    let schema = db.schema().unwrap_or(service);
    is_behind::<M>(&db, schema).await.map(drop)
}

/// Brings the tables up to the migrator's last migration, all at once or not at all on PostgreSQL. Processes that start together
/// take turns. On tables that are one version ahead nothing is done: they suit both.
///
/// # Errors
/// [`Refused`]; nothing has changed then, but on SQLite what was done before the migration that failed.
pub async fn migrate<M: MigratorTrait>(db: &Db) -> Result<(), Refused> {
    let Some(schema) = db.schema() else {
        if is_behind::<M>(db.pool(), "the file").await? {
            M::up(db.pool(), None).await?;
        }
        return Ok(());
    };
    // Past the limits of statements: a migration may take its time, and so does the process that we wait for.
    let txn = db.pool().begin().await?;
    for setting in [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ] {
        let unlimited = format!("SET LOCAL {setting} = 0");
        txn.execute_unprepared(&unlimited).await?;
    }
    lock(&txn, &format!("{schema} migrations")).await?;
    check_server(&txn).await?;
    wall::check_role(&txn).await?;
    make_schema(&txn, schema).await?;
    let is_new = tables(&txn).await?.is_empty();
    let is_behind = is_behind::<M>(&txn, schema).await?;
    if is_behind {
        M::up(&txn, None).await?;
    }
    let raised = wall::raise(&txn).await?;
    if !is_behind && !raised.is_empty() {
        tracing::warn!(schema, tables = ?raised, "tenants were not kept apart here: row-level security was switched off; it is on again");
    }
    if is_new {
        wall::close(&txn).await?;
    }
    Ok(txn.commit().await?)
}

/// Waits until this transaction alone holds the lock of this name; it is free again when the transaction ends.
async fn lock(txn: &DatabaseTransaction, name: &str) -> Result<(), DbErr> {
    let text = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, text, [name.into()]);
    txn.execute_raw(asked).await.map(drop)
}

async fn check_server(txn: &impl ConnectionTrait) -> Result<(), Refused> {
    let text = "SELECT current_setting('server_version_num')::int / 10000 AS version, \
                current_setting('server_encoding') AS encoding";
    let asked = Statement::from_string(DbBackend::Postgres, text);
    let Some(row) = txn.query_one_raw(asked).await? else {
        return Err(Fault::internal("the server does not say what it is").into());
    };
    let (found, encoding): (i32, String) =
        (row.try_get("", "version")?, row.try_get("", "encoding")?);
    if found < OLDEST {
        return Err(Refused::OldServer { found });
    }
    if encoding != "UTF8" {
        return Err(Refused::Encoding { found: encoding });
    }
    Ok(())
}

/// The schema, unless an administrator has made it: then the right to make one is not needed.
async fn make_schema(txn: &DatabaseTransaction, schema: &str) -> Result<(), Refused> {
    let text = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
    let asked = Statement::from_sql_and_values(DbBackend::Postgres, text, [schema.into()]);
    if txn.query_one_raw(asked).await?.is_some() {
        return Ok(());
    }
    let made = txn
        .execute_unprepared(&format!("CREATE SCHEMA \"{schema}\""))
        .await;
    match made {
        Ok(_) => Ok(()),
        Err(error) if is_forbidden(&error) => Err(Refused::Forbidden {
            schema: schema.to_owned(),
        }),
        Err(error) => Err(error.into()),
    }
}

fn is_forbidden(error: &DbErr) -> bool {
    matches!(error, DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))
        if matches!(&**error, sqlx::Error::Database(error) if error.code().as_deref() == Some("42501")))
}

/// The tables that are there.
async fn tables(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let text = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
        }
        _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    };
    let asked = Statement::from_string(db.get_database_backend(), text);
    let rows = db.query_all_raw(asked).await?;
    rows.iter().map(|row| row.try_get("", "name")).collect()
}

/// Whether there is something to migrate.
async fn is_behind<M: MigratorTrait>(
    db: &impl ConnectionTrait,
    place: &str,
) -> Result<bool, Refused> {
    let place = place.to_owned();
    let tables = tables(db).await?;
    if !tables.iter().any(|table| table == HISTORY) {
        return match !tables.is_empty() {
            true => Err(Refused::Foreign { place }),
            false => Ok(true),
        };
    }
    let done = M::get_migration_models(db).await?;
    let done: BTreeSet<_> = done.into_iter().map(|row| row.version).collect();
    let known: BTreeSet<_> = M::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect();
    let ahead = done.difference(&known).count();
    let is_behind = known.difference(&done).next().is_some();
    match (ahead, is_behind) {
        (0, _) => Ok(is_behind),
        (_, true) => Err(Refused::Foreign { place }),
        (1, false) => {
            tracing::info!(
                place,
                "the records are of the next version, which suits this one too"
            );
            Ok(false)
        }
        (ahead, false) => Err(Refused::TooNew { place, ahead }),
    }
}
