//! What lists show of the actors in other processes: each process tells of its own, and everybody keeps all of it.
//!
//! The stream begins with everything there is. One that broke is opened again; what happened meanwhile is then counted
//! from the journal, as at the start of a process ([`crate::live::past`]).

use crate::{live::past, router::Router, wire};
use centro_cluster::{Owner, Shard};
use centro_kernel::{QueueId, TenantId};
use centro_node::{Role, To};
use centro_proto::routing::{
    FollowRequest, LiveChange, live_change::What, routing_peers_client::RoutingPeersClient,
};
use centro_routing_core::View;
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};
use tonic::Status;

/// How often it is looked who owns shards.
const LOOK: Duration = Duration::from_millis(500);
/// How long what happened takes at most to be in the journal.
const SETTLE: Duration = Duration::from_secs(2);
/// How long after a stream broke the next is tried.
const AGAIN: Duration = Duration::from_millis(200);

/// Follows every other process that has actors, for ever.
pub async fn everybody(router: Arc<Router>) {
    let mut followed = HashSet::new();
    loop {
        for process in owners(&router) {
            if followed.insert(process.clone()) {
                router.node.spawn(one(router.clone(), process));
            }
        }
        followed.retain(|process| !router.node.is_dead(process));
        tokio::time::sleep(LOOK).await;
    }
}

/// The other processes that own a shard.
fn owners(router: &Router) -> BTreeSet<Arc<str>> {
    let ownership = router.node.ownership();
    let owners = Shard::all().filter_map(|shard| match ownership.owner(shard) {
        Some(Owner::There { node, .. }) => Some(node),
        Some(Owner::Here(_)) | None => None,
    });
    owners.collect()
}

/// Follows one process until it is dead.
async fn one(router: Arc<Router>, process: Arc<str>) {
    let mut first = true;
    while !router.node.is_dead(&process) {
        if !std::mem::take(&mut first) {
            tokio::time::sleep(AGAIN).await;
        }
        let status = stream(&router, &process).await;
        tracing::debug!(%status, %process, "another routing process is not followed");
    }
}

async fn stream(router: &Arc<Router>, process: &Arc<str>) -> Status {
    let to = To::Node(process.clone());
    let mut client = RoutingPeersClient::new(router.node.conn_to(Role::Routing, to));
    let mut changes = match client.follow(FollowRequest {}).await {
        Ok(changes) => changes.into_inner(),
        Err(status) => return status,
    };
    // What happened there before this was not heard: it is in the journal.
    let started = router.live.figures.begin_again(router.now());
    let recalled = router.clone();
    router.node.spawn(async move {
        tokio::time::sleep(SETTLE).await;
        past::recall(recalled, started).await;
    });
    let mut told = Some(HashSet::new());
    loop {
        let page = match changes.message().await {
            Ok(Some(page)) => page,
            Ok(None) => return Status::unavailable("the stream ended"),
            Err(status) => return status,
        };
        for change in page.changes {
            let queue = take(router, change);
            if let (Some(told), Some(queue)) = (&mut told, queue) {
                told.insert(queue);
            }
        }
        if let Some(told) = told.take_if(|_| page.complete) {
            forget_others(router, process, &told);
        }
    }
}

/// Takes a change over. The queue whose line it is, if it is one.
fn take(router: &Router, change: LiveChange) -> Option<QueueId> {
    let tenant: Option<TenantId> = change.tenant_id.parse().ok();
    let queue: Option<QueueId> = change.queue_id.parse().ok();
    let live = &router.live;
    match (change.what?, tenant, queue) {
        (What::Agent(view), Some(tenant), _) => {
            let view: View = read(&view)?;
            live.agent_changed_elsewhere(tenant, view);
            None
        }
        (What::Line(line), _, Some(queue)) => {
            live.queue_began_elsewhere(queue, read(&line)?);
            Some(queue)
        }
        (What::Changes(changes), _, Some(queue)) => {
            let changes: Vec<_> = read(&changes)?;
            live.queue_changed_elsewhere(queue, &changes);
            None
        }
        (What::Events(events), Some(tenant), _) => {
            let at = change.time.as_ref().map(wire::instant)?;
            let events: Vec<_> = read(&events)?;
            live.happened_elsewhere(&router.directory, tenant, at, &events);
            None
        }
        _ => None,
    }
}

fn read<T: serde::de::DeserializeOwned>(json: &[u8]) -> Option<T> {
    let read = serde_json::from_slice(json);
    read.inspect_err(|error| tracing::warn!(%error, "what another process shows cannot be read"))
        .ok()
}

/// Lines of queues that the process has and did not tell of are empty now.
fn forget_others(router: &Router, process: &Arc<str>, told: &HashSet<QueueId>) {
    let ownership = router.node.ownership();
    for queue in router.live.queues_with_contacts() {
        let owner = ownership.owner(Shard::of(queue.as_u128()));
        let theirs = matches!(&owner, Some(Owner::There { node, .. }) if node == process);
        if theirs && !told.contains(&queue) {
            router.live.queue_began_elsewhere(queue, Vec::new());
        }
    }
}
