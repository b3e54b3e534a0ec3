//! What a lease table holds: sessions of processes, and tokens of owners.

use crate::{Epoch, Member};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// How long things take. The rules of [`super::Lease`] follow from the three of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// A session that was not renewed for so long has ended.
    pub session: Duration,
    /// How often it is renewed.
    pub beat: Duration,
    /// How often the table is looked at.
    pub poll: Duration,
}

impl Timing {
    /// So long after a renewal was sent a process still knows that its session lives: it stops before the table forgets
    /// it, and a clock that is a tenth slow does no harm.
    pub fn sure(self) -> Duration {
        self.session - self.session / 10
    }

    /// A claim counts only so long after the look that it is based on, by the table's clock; a session that comes back
    /// believes what it held after as much. So neither can overtake the other, however late either arrives.
    pub fn window(self) -> Duration {
        self.session / 2
    }

    /// Two looks further apart than this may have missed an outage in which others could not renew their sessions. No
    /// outage that short ends a session that was renewed in time.
    pub fn gap(self) -> Duration {
        self.session.saturating_sub(self.beat) / 2
    }

    /// How long one command may take.
    pub fn patience(self) -> Duration {
        self.session / 2
    }
}

/// A process that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its name.
    pub name: Arc<str>,
    /// Name and start, `name|start`: another one for each process.
    pub nonce: Arc<str>,
    /// What it runs.
    pub roles: Vec<Arc<str>>,
    /// Where peers reach it.
    pub address: Arc<str>,
    /// It may be given shards: it has been there for a while.
    pub ready: bool,
    /// It gives away what it has, and ends.
    pub draining: bool,
    /// Calls that go on in it.
    #[serde(default)]
    pub work: u32,
    /// When the session began, by the table's clock, in milliseconds; not a part of what the process writes.
    #[serde(skip)]
    pub since: u64,
}

impl Session {
    pub(crate) fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            roles: self.roles.clone(),
            address: self.address.clone(),
            draining: self.draining,
        }
    }

    pub(crate) fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|r| **r == *role)
    }
}

/// Who owns a shard, `epoch|nonce`. A table that lost its last writes may give an epoch out twice; the nonce still tells
/// the owners apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Under which epoch.
    pub epoch: Epoch,
    /// Which process.
    pub nonce: Arc<str>,
}

impl Token {
    /// Reads one; `None` for nobody's, and for what is none.
    pub fn read(text: &str) -> Option<Self> {
        let (epoch, nonce) = text.split_once('|')?;
        let (epoch, nonce) = (Epoch(epoch.parse().ok()?), Arc::from(nonce));
        Some(Self { epoch, nonce })
    }

    /// The name of the process.
    pub fn name(&self) -> &str {
        self.nonce
            .rsplit_once('|')
            .map_or(&*self.nonce, |(name, _)| name)
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}|{}", self.epoch.0, self.nonce)
    }
}
