//! Which processes there are, and where they are reached.

use std::sync::Arc;

/// A process of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name; no two that live have the same.
    pub name: Arc<str>,
    /// What it runs, e.g. `routing`.
    pub roles: Vec<Arc<str>>,
    /// Where its peers reach it, e.g. `10.0.0.7:7000`; empty when they cannot.
    pub address: Arc<str>,
    /// It is leaving: nothing new is to be begun there.
    pub draining: bool,
}

/// Says who is there. Look-ups are answered from memory at once, as far as this process knows.
pub trait Members: Send + Sync + 'static {
    /// Everybody who lives, oneself included, in order of name.
    fn members(&self) -> Vec<Member>;

    /// The one with this name, if it lives.
    fn member(&self, name: &str) -> Option<Member>;
}
