//! Routing without its doors: what `benches/` speaks to. Everything behind the doors is the product's own: actors, rules,
//! store, directory, live view, and the relay of events to the bus.

use crate::{
    Settings,
    actor::{EdgeStream, FromEdge},
    directory::Directory,
    feed,
    log_in::LogIn,
    publish,
    router::Router,
    store::{GATHER, MemoryStore},
};
use centro_kernel::{DeviceId, Fault, QueueId, TenantId, UserId};
use centro_node::Node;
use centro_proto::{configuration::Change, routing::WaitResponse};
use centro_routing_core::{AgentMessage, Answer, QueueMessage, View};
use std::sync::Arc;
use tokio::sync::mpsc;
use tonic::Status;

/// What an edge reads.
pub type Stream = mpsc::Sender<Result<WaitResponse, Status>>;

/// A process's routing, for one tenant.
#[derive(Clone)]
pub struct Floor {
    router: Arc<Router>,
    tenant: TenantId,
}

impl Floor {
    /// Routing on this node, with nothing configured. To be called within a tokio runtime.
    pub fn new(node: Node, settings: &Settings, tenant: TenantId) -> Self {
        let (store, events) = MemoryStore::new(node.ownership(), settings.outbox);
        publish(&node, events, GATHER);
        let directory = Arc::new(Directory::default());
        directory.set_loaded();
        directory.set_registered();
        let router = Router::new(node, settings, Arc::new(store), directory);
        Self { router, tenant }
    }

    /// Takes a change of the configuration over.
    pub fn apply(&self, change: &Change) {
        feed::apply(&self.router, change);
    }

    /// A device registers.
    pub fn register(&self, device: DeviceId) {
        feed::set_online(&self.router, device, true);
    }

    /// An agent logs in to all queues of the agent's, and is ready.
    ///
    /// # Errors
    /// As the door's.
    pub async fn log_in(&self, agent: UserId) -> Result<View, Fault> {
        let wanted = LogIn {
            ready: true,
            ..LogIn::default()
        };
        Ok(self.router.ask_agent(self.tenant, agent, wanted).await?.1)
    }

    /// What an edge asks of an agent's record, and what it says to it.
    ///
    /// # Errors
    /// `mailbox_full`, `owner_moving`.
    pub async fn ask_agent(
        &self,
        agent: UserId,
        message: AgentMessage,
    ) -> Result<(Answer, View), Fault> {
        self.router.ask_agent(self.tenant, agent, message).await
    }

    /// What an edge says to a queue on its stream.
    ///
    /// # Errors
    /// `mailbox_full`, `owner_moving`.
    pub fn tell_queue(
        &self,
        queue: QueueId,
        message: QueueMessage,
        sender: &Stream,
    ) -> Result<(), Fault> {
        let stream = match &message {
            QueueMessage::Attach(attach) => Some(EdgeStream {
                attach_no: attach.attach_no,
                sender: sender.clone(),
                release: None,
            }),
            _ => None,
        };
        let sender = sender.clone();
        let message = FromEdge {
            message,
            stream,
            sender,
        };
        self.router.from_edge(self.tenant, queue, message)
    }

    /// What a person asks of a queue. Starts its actor when there is none.
    ///
    /// # Errors
    /// `mailbox_full`, `owner_moving`.
    pub async fn ask_queue(&self, queue: QueueId, message: QueueMessage) -> Result<Answer, Fault> {
        self.router.ask_queue(self.tenant, queue, message).await
    }
}
