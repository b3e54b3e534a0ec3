//! Ownership in Redis: sessions with a time to live, owners of shards changed by compare-and-set, and looks at both.
//!
//! The rules are those of [`crate::lease`]; here are the scripts that keep the table and the tasks that carry the rules
//! out. Everything of a shard carries the hash tag `{sN}`, what belongs to no shard `{members}`, so that each script touches
//! one slot. Sentinel and Redis Cluster are not wired: the address is one server's, or that of a proxy that finds it.

mod first_look;
mod keys;
mod link;
mod metrics;
mod ownership;
mod scripts;
mod settings;
mod table;

pub use first_look::first_look;
pub use keys::Keys;
pub use link::{Away, Link};
pub use ownership::RedisOwnership;
pub use settings::Settings;
pub use table::Table;

use std::time::Duration;

/// Why a process cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error("{0}")]
    Settings(String),
    /// Redis did not answer.
    #[error("Redis at {at} cannot be used ({why}): check cluster.redis.url, and that Redis runs")]
    Away {
        /// Where, without the password.
        at: String,
        /// What it said, or that it said nothing.
        why: Away,
    },
    /// Redis does not let us in.
    #[error(
        "Redis at {at} refuses us ({why}): correct the user and the password in cluster.redis.url"
    )]
    Refused {
        /// Where, without the password.
        at: String,
        /// What it said.
        why: Away,
    },
    /// A server that lacks what is needed.
    #[error(
        "Redis at {at} is version {found}; 7 or later is needed: start one, and name it in cluster.redis.url"
    )]
    TooOld {
        /// Where, without the password.
        at: String,
        /// What it says of itself.
        found: String,
    },
    /// The keys belong to somebody else, or to another version.
    #[error(
        "the keys of Redis under \"{prefix}\" are of \"{found}\", and this is \"{ours}\": set cluster.redis.prefix to a name \
         that nobody else uses, or stop the other centre and delete its keys"
    )]
    Foreign {
        /// The prefix that was set.
        prefix: String,
        /// What is written there.
        found: String,
        /// What we would write.
        ours: String,
    },
    /// A process of this name lives.
    #[error("a process named \"{0}\" is already there: give each process a node.name of its own")]
    NameTaken(String),
    /// Not everything could be given away in time. What is left ends with the session.
    #[error("not everything was given away within {0:?}; the rest is free when the session ends")]
    NotDrained(Duration),
}

impl Error {
    /// No answer, or a refusal.
    fn of(settings: &Settings, why: Away) -> Self {
        let at = settings.place();
        if why.is_final() {
            Self::Refused { at, why }
        } else {
            Self::Away { at, why }
        }
    }

    /// Whether nobody is there, so that waiting may help. Otherwise a setting has to be corrected.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}
