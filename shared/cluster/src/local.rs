//! Ownership among nodes that share this process's memory: mostly a single one, which owns everything.

use crate::{Change, Changes, Epoch, Member, Members, Owner, Ownership, SHARDS, Shard};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;

/// Changes kept for a watcher that is slow; a whole table's worth and some.
const UNREAD: usize = 2 * SHARDS as usize;

/// Who owns what, for every node that joined. Cheap to clone; clones are the same table.
#[derive(Debug, Clone)]
pub struct LocalCluster(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    next: Epoch,
    owners: Vec<Option<(Arc<str>, Epoch)>>,
    nodes: BTreeMap<Arc<str>, Node>,
}

#[derive(Debug)]
struct Node {
    member: Member,
    changes: broadcast::Sender<Change>,
}

impl LocalCluster {
    /// Nobody is there. Epochs begin at `first`, which must be greater than those of the process before; its start time
    /// in milliseconds is.
    pub fn new(first: Epoch) -> Self {
        Self(Arc::new(Mutex::new(Table {
            next: first,
            owners: vec![None; usize::from(SHARDS)],
            nodes: BTreeMap::new(),
        })))
    }

    /// A node comes and takes what nobody owns.
    pub fn join(&self, node: &str) -> LocalOwnership {
        self.join_as(Member {
            name: Arc::from(node),
            roles: Vec::new(),
            address: Arc::from(""),
            draining: false,
        })
    }

    /// A node that others can reach comes and takes what nobody owns.
    pub fn join_as(&self, member: Member) -> LocalOwnership {
        let node = member.name.clone();
        let mut table = self.table();
        let changes = broadcast::channel(UNREAD).0;
        table.nodes.insert(node.clone(), Node { member, changes });
        let free = Shard::all().filter(|shard| table.owners[shard.index()].is_none());
        let free: Vec<_> = free.collect();
        let epoch = table.epoch();
        for shard in free {
            table.give(shard, &node, epoch);
        }
        drop(table);
        LocalOwnership {
            node,
            cluster: self.clone(),
        }
    }

    /// A shard goes to another node, or to nobody. The present owner loses it first.
    pub fn hand_over(&self, shard: Shard, to: Option<&str>) {
        let mut table = self.table();
        table.take(shard);
        if let Some((to, _)) = to.and_then(|to| table.nodes.get_key_value(to)) {
            let to = to.clone();
            let epoch = table.epoch();
            table.give(shard, &to, epoch);
        }
    }

    /// A node dies, and the others learn of it. Nobody has its shards until they are handed over.
    pub fn kill(&self, node: &str) {
        let mut table = self.table();
        let Some((node, _)) = table.nodes.remove_entry(node) else {
            return;
        };
        for owner in &mut table.owners {
            if owner.as_ref().is_some_and(|(name, _)| *name == node) {
                *owner = None;
            }
        }
        for other in table.nodes.values() {
            let _ = other.changes.send(Change::NodeDead { node: node.clone() });
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn epoch(&mut self) -> Epoch {
        let epoch = self.next;
        self.next = Epoch(epoch.0 + 1);
        epoch
    }

    fn give(&mut self, shard: Shard, to: &Arc<str>, epoch: Epoch) {
        self.owners[shard.index()] = Some((to.clone(), epoch));
        for (name, node) in &self.nodes {
            let change = if name == to {
                Change::Gained { shard, epoch }
            } else {
                let node = to.clone();
                Change::Moved { shard, node, epoch }
            };
            let _ = node.changes.send(change);
        }
    }

    fn take(&mut self, shard: Shard) {
        if let Some((node, epoch)) = self.owners[shard.index()].take()
            && let Some(node) = self.nodes.get(&node)
        {
            let _ = node.changes.send(Change::Lost { shard, epoch });
        }
    }
}

/// What one node of a [`LocalCluster`] knows.
#[derive(Debug, Clone)]
pub struct LocalOwnership {
    node: Arc<str>,
    cluster: LocalCluster,
}

impl LocalOwnership {
    /// A node that is alone and owns every shard for as long as the process lives. `first` as in [`LocalCluster::new`].
    pub fn new(first: Epoch) -> Self {
        LocalCluster::new(first).join("")
    }
}

impl Ownership for LocalOwnership {
    fn owner(&self, shard: Shard) -> Option<Owner> {
        let (node, epoch) = self.cluster.table().owners[shard.index()].clone()?;
        Some(if node == self.node {
            Owner::Here(epoch)
        } else {
            Owner::There { node, epoch }
        })
    }

    /// Every step that is stored asks for it.
    fn epoch(&self, shard: Shard) -> Option<Epoch> {
        let table = self.cluster.table();
        let (node, epoch) = table.owners[shard.index()].as_ref()?;
        (*node == self.node).then_some(*epoch)
    }

    fn is_dead(&self, node: &str) -> bool {
        !self.cluster.table().nodes.contains_key(node)
    }

    fn changes(&self) -> Changes {
        let table = self.cluster.table();
        let changes = table.nodes.get(&self.node).map(|node| &node.changes);
        Changes(changes.map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe))
    }
}

impl Members for LocalOwnership {
    fn members(&self) -> Vec<Member> {
        let table = self.cluster.table();
        table.nodes.values().map(|n| n.member.clone()).collect()
    }

    fn member(&self, name: &str) -> Option<Member> {
        let table = self.cluster.table();
        table.nodes.get(name).map(|node| node.member.clone())
    }
}
