//! Where every queue and every agent is reached, by key. All messages between actors pass here, so that the way to an
//! actor in another process is added in one place.

use crate::{
    actor::{AgentActor, AskAgent, FromEdge, QueueActor, TellAgent, TellQueue},
    directory::Directory,
    live::Live,
    metrics::{self, MAILBOX_FULL},
    settings::Settings,
    store::HotStore,
};
use actix::{
    Actor, Addr, Context, Handler, Message,
    dev::{ToEnvelope, channel},
    prelude::SendError,
};
use centro_cluster::{Epoch, Shard};
use centro_kernel::{Code, Fault, QueueId, TenantId, Timestamp, UserId};
use centro_node::Node;
use centro_routing_core::{AgentMessage, Answer, Deadlines, QueueMessage, View};
use parking_lot::Mutex;
use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long an actor may take to answer. It decides in microseconds; this is for a store that hangs.
const ANSWER: Duration = Duration::from_secs(3);

/// What actors and doors share.
pub struct Router {
    pub(crate) node: Node,
    pub(crate) store: Arc<dyn HotStore>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) live: Arc<Live>,
    pub(crate) deadlines: Deadlines,
    mailbox: usize,
    queues: Mutex<HashMap<QueueId, Addr<QueueActor>>>,
    agents: Mutex<HashMap<UserId, Addr<AgentActor>>>,
}

impl Router {
    /// A router without actors: they start when somebody speaks to them.
    pub fn new(
        node: Node,
        settings: &Settings,
        store: Arc<dyn HotStore>,
        directory: Arc<Directory>,
    ) -> Arc<Self> {
        Arc::new(Self {
            node,
            store,
            directory,
            live: Arc::default(),
            deadlines: settings.deadlines(),
            mailbox: settings.mailbox,
            queues: Mutex::default(),
            agents: Mutex::default(),
        })
    }

    /// Drops every actor, as a panic would.
    #[cfg(test)]
    pub(crate) fn forget_actors(&self) {
        self.queues.lock().clear();
        self.agents.lock().clear();
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.node.clock().now()
    }

    /// The epoch under which a key's actor may act here.
    fn epoch(&self, key: u128) -> Option<Epoch> {
        self.node.ownership().epoch(Shard::of(key))
    }

    fn arbiter(&self, key: u128) -> Option<&actix::ArbiterHandle> {
        let arbiters = self.node.arbiters();
        arbiters.get(Shard::of(key).index() % arbiters.len().max(1))
    }

    fn start_queue(self: &Arc<Self>, tenant: TenantId, queue: QueueId) -> Option<Addr<QueueActor>> {
        let settings = self
            .directory
            .queue(queue)
            .filter(|q| q.tenant == tenant)?
            .settings;
        let (epoch, arbiter) = (self.epoch(queue.as_u128())?, self.arbiter(queue.as_u128())?);
        let (router, mailbox) = (self.clone(), self.mailbox);
        Some(start(arbiter, mailbox, move || {
            QueueActor::new(router, tenant, settings, epoch)
        }))
    }

    fn start_agent(self: &Arc<Self>, tenant: TenantId, agent: UserId) -> Option<Addr<AgentActor>> {
        let (epoch, arbiter) = (self.epoch(agent.as_u128())?, self.arbiter(agent.as_u128())?);
        let (router, mailbox) = (self.clone(), self.mailbox);
        Some(start(arbiter, mailbox, move || {
            AgentActor::new(router, tenant, agent, epoch)
        }))
    }

    /// Tells a queue. A message that does not arrive is repeated by the protocol.
    pub(crate) fn tell_queue(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: QueueMessage,
    ) {
        let start = || self.start_queue(tenant, queue);
        let _ = deliver(&self.queues, queue, TellQueue(message), start);
    }

    /// Tells a queue that has an actor; others have nothing to learn.
    pub(crate) fn tell_running_queue(self: &Arc<Self>, queue: QueueId, message: QueueMessage) {
        let _ = deliver(&self.queues, queue, TellQueue(message), || None);
    }

    /// Hands over what an edge said on its stream.
    pub(crate) fn from_edge(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: FromEdge,
    ) -> Result<(), Fault> {
        deliver(&self.queues, queue, message, || {
            self.start_queue(tenant, queue)
        })
    }

    /// Tells an agent. A message that does not arrive is repeated by the protocol.
    pub(crate) fn tell_agent(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        message: AgentMessage,
    ) {
        let _ = deliver(&self.agents, agent, TellAgent(message), || {
            self.start_agent(tenant, agent)
        });
    }

    /// Tells an agent that has an actor; others have nothing to learn.
    pub(crate) fn tell_running_agent(self: &Arc<Self>, agent: UserId, message: AgentMessage) {
        let _ = deliver(&self.agents, agent, TellAgent(message), || None);
    }

    /// Asks an agent's record, and waits for its word.
    pub(crate) async fn ask_agent(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        message: AgentMessage,
        supervisor: bool,
    ) -> Result<(Answer, View), Fault> {
        let (reply, answer) = oneshot::channel();
        let ask = AskAgent {
            tenant,
            message,
            supervisor,
            reply,
        };
        deliver(&self.agents, agent, ask, || self.start_agent(tenant, agent))?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(away()),
        }
    }
}

/// Nobody answers for the key now; asking again may help.
fn away() -> Fault {
    Fault::new(
        Code::Unavailable,
        "owner_moving",
        "the owner is changing, try again",
    )
}

/// Sends to the actor with this key; starts it when there is none, or when it has died.
fn deliver<K, A, M>(
    actors: &Mutex<HashMap<K, Addr<A>>>,
    key: K,
    message: M,
    start: impl FnOnce() -> Option<Addr<A>>,
) -> Result<(), Fault>
where
    K: Hash + Eq + Copy,
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    let mut actors = actors.lock();
    let mut message = message;
    if let Some(addr) = actors.get(&key) {
        match addr.try_send(message) {
            Ok(()) => return Ok(()),
            Err(SendError::Full(_)) => return Err(full()),
            Err(SendError::Closed(back)) => message = back,
        }
        actors.remove(&key);
    }
    let addr = start().ok_or_else(away)?;
    let sent = addr.try_send(message);
    actors.insert(key, addr);
    sent.map_err(|_| full())
}

fn full() -> Fault {
    metrics::count(&MAILBOX_FULL);
    Fault::new(
        Code::Busy,
        "mailbox_full",
        "too much is asked of it at once, try again",
    )
}

/// Starts an actor on an arbiter with a mailbox of this size from its first message on.
fn start<A>(
    arbiter: &actix::ArbiterHandle,
    mailbox: usize,
    actor: impl FnOnce() -> A + Send + 'static,
) -> Addr<A>
where
    A: Actor<Context = Context<A>>,
{
    let (sender, receiver) = channel::channel(mailbox);
    arbiter.spawn_fn(move || {
        let future = Context::with_receiver(receiver).into_future(actor());
        actix::spawn(future);
    });
    Addr::new(sender)
}
