//! What actors here say to actors in other processes: one stream to each process, in order.
//!
//! Nothing is kept for a process that cannot be reached: all messages between actors may be lost, and what matters is
//! repeated (docs/protocol.md).

use crate::metrics::{self, PEER_MESSAGES_LOST};
use centro_kernel::TenantId;
use centro_node::{Node, Role, To};
use centro_proto::routing::{
    PeerMessage, PeerMessages, peer_message, routing_peers_client::RoutingPeersClient,
};
use dashmap::DashMap;
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// Messages that may wait for one process.
const UNSENT: usize = 16_384;
/// Messages sent in one go.
const AT_ONCE: usize = 256;
/// Parcels on their way on one stream.
const PARCELS: usize = 16;
/// How long after a stream broke the next is tried.
const AGAIN: Duration = Duration::from_millis(100);

/// The ways to other processes.
pub struct Links {
    node: Node,
    runtime: Handle,
    open: DashMap<Arc<str>, mpsc::Sender<PeerMessage>>,
}

impl Links {
    /// None yet; they are opened when they are wanted.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            runtime: Handle::current(),
            open: DashMap::new(),
        }
    }

    /// Says something to an actor of that process. False when too much waits for it already.
    pub fn tell(
        &self,
        process: &Arc<str>,
        tenant: TenantId,
        to: peer_message::To,
        message: &impl Serialize,
    ) -> bool {
        let message = match serde_json::to_vec(message) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(%error, "a message between actors has no JSON form");
                return false;
            }
        };
        let message = PeerMessage {
            tenant_id: tenant.to_string(),
            to: Some(to),
            message,
        };
        let sent = self.sender(process).try_send(message).is_ok();
        if !sent {
            metrics::count(&PEER_MESSAGES_LOST);
        }
        sent
    }

    fn sender(&self, process: &Arc<str>) -> mpsc::Sender<PeerMessage> {
        if let Some(open) = self.open.get(process).filter(|open| !open.is_closed()) {
            return open.clone();
        }
        let open = || {
            let (sender, unsent) = mpsc::channel(UNSENT);
            let carried = carry(self.node.clone(), process.clone(), unsent);
            self.runtime.spawn(carried);
            sender
        };
        let mut place = self.open.entry(process.clone()).or_insert_with(open);
        if place.is_closed() {
            *place = open();
        }
        place.clone()
    }
}

/// Carries messages to a process until it is dead or this one ends.
async fn carry(node: Node, process: Arc<str>, mut unsent: mpsc::Receiver<PeerMessage>) {
    let ends = node.lifecycle().clone();
    let mut ends = std::pin::pin!(ends.quiet());
    // Whoever comes back under the name of a dead process is another one: the next message opens a new way.
    while !node.is_dead(&process) {
        tokio::select! {
            broken = stream(&node, &process, &mut unsent) => {
                tracing::debug!(status = %broken, %process, "no stream to another routing process");
            }
            () = &mut ends => return,
        }
        tokio::time::sleep(AGAIN).await;
        // What waited meanwhile is late; the protocol has repeated what matters.
        while unsent.try_recv().is_ok() {
            metrics::count(&PEER_MESSAGES_LOST);
        }
    }
}

/// Carries messages on one stream until it breaks.
async fn stream(
    node: &Node,
    process: &Arc<str>,
    unsent: &mut mpsc::Receiver<PeerMessage>,
) -> Status {
    let (parcels, stream) = mpsc::channel(PARCELS);
    let to = To::Node(process.clone());
    let mut client = RoutingPeersClient::new(node.conn_to(Role::Routing, to));
    let mut heard = match client.tell(ReceiverStream::new(stream)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return status,
    };
    let closed = || Status::unavailable("it listens no more");
    loop {
        let mut messages = Vec::with_capacity(AT_ONCE);
        tokio::select! {
            end = heard.message() => return end.err().unwrap_or_else(closed),
            count = unsent.recv_many(&mut messages, AT_ONCE) => if count == 0 {
                return closed();
            },
        }
        tokio::select! {
            end = heard.message() => return end.err().unwrap_or_else(closed),
            sent = parcels.send(PeerMessages { messages }) => if sent.is_err() {
                return closed();
            },
        }
    }
}
