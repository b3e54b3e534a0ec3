//! Records: SQLite for one process, PostgreSQL for a cluster, from one set of entities and migrations.
//!
//! A service opens its own [`Db`] from the process's [`Records`], migrates it, and keeps its events in an [`outbox`] beside its state, so that what
//! it tells the world is true exactly when its transaction is. Consumers that must count each event once keep an
//! [`inbox`]. Lists are [`page`]d. Ids are stored as text, instants as milliseconds since 1970 (`i64`).
//!
//! A SQLite database has ONE writing connection: writers queue in the pool instead of failing with "database is locked".
//! So inside a transaction use the transaction, never the pool beside it: that waits for itself. Reports that read much
//! take [`Records::readers`]. On PostgreSQL there are many writers, in other processes too: what is read to be written is locked.
//!
//! On PostgreSQL a wall stands between tenants behind the condition of each query: see [`Db::of`] and `docs/decisions/0021`.

mod db;
mod failure;
pub mod inbox;
mod migrate;
pub mod outbox;
pub mod page;
mod records;
mod wall;

pub use db::{Db, Transaction};
pub use failure::fault;
pub use migrate::{Refused, first_look, migrate};
pub use records::{Limits, Records};
pub use sea_orm;
pub use sea_orm_migration;
pub use wall::RaiseWall;
