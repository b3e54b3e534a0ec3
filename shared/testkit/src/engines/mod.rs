//! The engines that a cluster uses, private to a test: RabbitMQ, Redis and PostgreSQL on free ports of 127.0.0.1 with data
//! folders of their own. They end with the test, and with its process if that is killed.
//!
//! Each can be killed and started again on the same port and data ([`Engine`]), frozen and thawed, so that outages are real.

mod keeper;
mod lent;
mod postgres;
mod rabbitmq;
mod redis;

pub use centro_testkit_macros::on_both_engines;
pub use lent::{Kind, on, records};
pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;

use anyhow::Result;

/// What can be done to an engine while others use it.
pub trait Engine {
    /// SIGKILL: nothing is written any more, connections break.
    ///
    /// # Errors
    /// The signal could not be sent.
    fn kill(&mut self) -> Result<()>;

    /// Starts it again on the same port and data, and waits until it answers.
    ///
    /// # Errors
    /// It does not come up in time; the end of its log is in the text.
    fn revive(&mut self) -> impl Future<Output = Result<()>>;

    /// SIGSTOP: connections stay open and nobody answers.
    ///
    /// # Errors
    /// The signal could not be sent.
    fn freeze(&self) -> Result<()>;

    /// SIGCONT.
    ///
    /// # Errors
    /// The signal could not be sent.
    fn thaw(&self) -> Result<()>;
}
