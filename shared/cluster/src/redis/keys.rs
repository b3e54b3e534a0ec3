//! Names of keys. One hash tag per shard, and one for the members.

use crate::Shard;
use std::sync::Arc;

/// Names every key of an installation.
#[derive(Debug, Clone)]
pub struct Keys(Arc<str>);

impl Keys {
    /// Keys that begin with `prefix:`.
    pub fn new(prefix: &str) -> Self {
        Self(Arc::from(prefix))
    }

    /// A key of a shard, e.g. `centro:{s7}:owner`.
    pub fn shard(&self, shard: Shard, what: &str) -> String {
        format!("{}:{{s{}}}:{what}", self.0, shard.index())
    }

    /// The owner of a shard, `epoch|nonce`, or empty.
    pub fn owner(&self, shard: Shard) -> String {
        self.shard(shard, "owner")
    }

    /// The highest epoch of a shard.
    pub(super) fn epoch(&self, shard: Shard) -> String {
        self.shard(shard, "epoch")
    }

    /// When the shard was given back, for as long as somebody may be about to take it.
    pub(super) fn given_back(&self, shard: Shard) -> String {
        self.shard(shard, "given-back")
    }

    /// How long nobody had the shard before its present owner, `epoch milliseconds`.
    pub(super) fn pause(&self, shard: Shard) -> String {
        self.shard(shard, "pause")
    }

    /// Whose keys these are, and how they are laid out.
    pub(super) fn version(&self) -> String {
        format!("{}:{{members}}:version", self.0)
    }

    /// Names of those who may be there.
    pub(super) fn names(&self) -> String {
        format!("{}:{{members}}:names", self.0)
    }

    /// Where shards were moved by hand.
    pub(super) fn moves(&self) -> String {
        format!("{}:{{members}}:moves", self.0)
    }

    /// Names of those who are to own nothing and take nothing new.
    pub(super) fn aside(&self) -> String {
        format!("{}:{{members}}:aside", self.0)
    }

    /// What the keys of sessions begin with; the name follows.
    pub(super) fn sessions(&self) -> String {
        format!("{}:{{members}}:session:", self.0)
    }

    /// One process's session.
    pub(super) fn session(&self, name: &str) -> String {
        self.sessions() + name
    }
}
