//! Where every queue and every agent is reached, by key. All messages between actors pass here, so that the way to an
//! actor in another process is added in one place.

mod sample;

use crate::{
    actor::{
        AgentActor, Ask, AskAgent, AskPickUp, AskQueue, CheckEdges, Crash, FromEdge, LetGo,
        LookAtAgent, LookAtQueue, Outcome, QueueActor, Reconcile, TellAgent, TellQueue,
    },
    by_id::SharedById,
    decision_log::Recorder,
    directory::Directory,
    live::Live,
    metrics::{self, MAILBOX_FULL},
    monitor::Monitor,
    peers::Links,
    settings::Settings,
    store::{HotStore, Said, is_active},
    takeover::take_over,
};
use actix::{
    Actor as Acts, Addr, Context, Handler, Message,
    dev::{ToEnvelope, channel},
    prelude::SendError,
};
use centro_cluster::{Change, Epoch, Owner, SHARDS, Shard};
use centro_kernel::{Code, Fault, QueueId, TenantId, Timestamp, UserId};
use centro_node::Node;
use centro_proto::routing::peer_message::To;
use centro_routing_core::{
    Agent, AgentMessage, Answer, Deadlines, Event, PickUp, Queue, QueueMessage, View,
};
use dashmap::Entry;
use parking_lot::Mutex;
use serde::Serialize;
use std::{
    collections::HashSet,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, sync::oneshot, time::Instant};

/// How long an actor may take to answer. It decides in microseconds; this is for a store that hangs.
const ANSWER: Duration = Duration::from_secs(3);

/// How long a pick-up may take. The queue's own deadline for it is 4 s; this is for a store that hangs.
const PICKED_UP: Duration = Duration::from_millis(4_500);

/// Activations that one lease of a shard can tell apart.
const ACTIVATIONS: u32 = 20;

/// How long after its death an actor with work left is activated again: from the first, doubling up to the second.
const REVIVE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// An actor that has lived so long did not die of what is stored.
const HEALTHY: Duration = Duration::from_secs(60);

/// How soon an actor whose mailbox was full is told again.
const TELL_AGAIN: Duration = Duration::from_millis(100);

/// An actor's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A queue's.
    Queue(QueueId),
    /// An agent's.
    Agent(UserId),
}

impl Actor {
    /// What its shard follows from.
    pub(crate) const fn key(self) -> u128 {
        match self {
            Self::Queue(queue) => queue.as_u128(),
            Self::Agent(agent) => agent.as_u128(),
        }
    }
}

/// What actors and doors share.
pub struct Router {
    pub(crate) node: Node,
    pub(crate) store: Arc<dyn HotStore>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) live: Arc<Live>,
    pub(crate) deadlines: Deadlines,
    /// Watches the rules that must always hold, unless that is switched off.
    pub(crate) monitor: Option<Arc<Monitor>>,
    /// Writes the decision log, when there is to be one.
    pub(crate) recorder: Option<Arc<Recorder>>,
    mailbox: usize,
    /// Where tasks of actors run that outlive them.
    runtime: Handle,
    /// How often actors of each shard were activated.
    activations: Vec<AtomicU64>,
    /// Who is to be told again that the directory changed.
    to_reconcile: Mutex<HashSet<Actor>>,
    queues: SharedById<QueueId, Addr<QueueActor>>,
    agents: SharedById<UserId, Addr<AgentActor>>,
    /// The ways to actors in other processes.
    links: Links,
}

impl Router {
    /// A router without actors: they start when somebody speaks to them.
    pub fn new(
        node: Node,
        settings: &Settings,
        store: Arc<dyn HotStore>,
        directory: Arc<Directory>,
    ) -> Arc<Self> {
        let live = Arc::new(Live::new(node.clock().now()));
        let (deadlines, log) = (settings.deadlines(), &settings.decision_log);
        let recorder = log.enabled.then(|| Recorder::start(log, deadlines, &node));
        node.spawn(count(live.clone()));
        Arc::new(Self {
            links: Links::new(node.clone()),
            node,
            store,
            directory,
            live,
            deadlines,
            monitor: settings.invariant_monitor.then(Monitor::new),
            recorder,
            mailbox: settings.mailbox,
            runtime: Handle::current(),
            activations: (0..SHARDS).map(|_| AtomicU64::new(0)).collect(),
            to_reconcile: Mutex::default(),
            queues: SharedById::default(),
            agents: SharedById::default(),
        })
    }

    /// Makes actors die of a bug.
    #[cfg(test)]
    pub(crate) fn kill(&self, actor: Actor) {
        use crate::actor::Die;
        match actor {
            Actor::Queue(queue) => drop(deliver(&self.queues, queue, Die, || None)),
            Actor::Agent(agent) => drop(deliver(&self.agents, agent, Die, || None)),
        }
    }

    /// Ends an actor in the middle of its life, as a bug would. It is activated again from what is stored.
    pub(crate) fn crash(&self, actor: Actor) {
        match actor {
            Actor::Queue(queue) => drop(deliver(&self.queues, queue, Crash, || None)),
            Actor::Agent(agent) => drop(deliver(&self.agents, agent, Crash, || None)),
        }
    }

    /// An actor stops to work without dying.
    #[cfg(test)]
    pub(crate) fn fail(&self, actor: Actor, how: crate::actor::Fail) {
        match actor {
            Actor::Queue(queue) => drop(deliver(&self.queues, queue, how, || None)),
            Actor::Agent(agent) => drop(deliver(&self.agents, agent, how, || None)),
        }
    }

    /// Makes an agent's actor take its time.
    #[cfg(test)]
    pub(crate) fn stall(&self, agent: UserId, until: std::sync::mpsc::Receiver<()>) {
        let _ = deliver(&self.agents, agent, crate::actor::Stall(until), || None);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.node.clock().now()
    }

    /// What a step said, to be stored and told; nothing when it said nothing.
    pub(crate) fn said(
        &self,
        tenant: TenantId,
        at: Timestamp,
        events: Vec<Event>,
    ) -> Option<Arc<Said>> {
        let directory = self.directory.clone();
        (!events.is_empty()).then(|| {
            Arc::new(Said {
                tenant,
                at,
                events,
                directory,
            })
        })
    }

    /// The epoch under which a key's actor may act here.
    pub(crate) fn epoch(&self, key: u128) -> Option<Epoch> {
        self.node.ownership().epoch(Shard::of(key))
    }

    fn arbiter(&self, key: u128) -> Option<&actix::ArbiterHandle> {
        let arbiters = self.node.arbiters();
        arbiters.get(Shard::of(key).index() % arbiters.len().max(1))
    }

    /// The epoch that agents and edges see: of two activations of one queue the later has the higher, of two leases too.
    fn activation(&self, key: u128, epoch: Epoch) -> u64 {
        let count = &self.activations[Shard::of(key).index()];
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        first_activation(epoch) + number.min((1 << ACTIVATIONS) - 1)
    }

    fn start_queue(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        deaths: u32,
    ) -> Option<Addr<QueueActor>> {
        let settings = self
            .directory
            .queue(queue)
            .filter(|q| q.tenant == tenant)?
            .settings;
        let (epoch, arbiter) = (self.epoch(queue.as_u128())?, self.arbiter(queue.as_u128())?);
        let activation = self.activation(queue.as_u128(), epoch);
        let (router, mailbox) = (self.clone(), self.mailbox);
        let end = self.end(deaths, move |router, life| async move {
            router.revive_queue(tenant, queue, life).await;
        });
        Some(start(arbiter, mailbox, end, move || {
            QueueActor::new(router, tenant, settings, epoch, activation)
        }))
    }

    fn start_agent(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        deaths: u32,
    ) -> Option<Addr<AgentActor>> {
        let (epoch, arbiter) = (self.epoch(agent.as_u128())?, self.arbiter(agent.as_u128())?);
        let (router, mailbox) = (self.clone(), self.mailbox);
        let end = self.end(deaths, move |router, life| async move {
            router.revive_agent(tenant, agent, life).await;
        });
        Some(start(arbiter, mailbox, end, move || {
            AgentActor::new(router, tenant, agent, epoch)
        }))
    }

    /// What is done when an actor has ended, by a panic or because it stopped: nobody may speak to it for long, and its
    /// deadlines would not fire.
    fn end<F>(
        self: &Arc<Self>,
        deaths: u32,
        revive: impl FnOnce(Arc<Self>, Life) -> F + Send + 'static,
    ) -> End
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (router, since) = (self.clone(), Instant::now());
        End(Some(Box::new(move || {
            if router.node.lifecycle().stopping().is_cancelled() {
                return;
            }
            let deaths = if since.elapsed() < HEALTHY { deaths } else { 0 };
            let revived = revive(router.clone(), Life { deaths });
            router.runtime.spawn(revived);
        })))
    }

    async fn revive_queue(self: Arc<Self>, tenant: TenantId, queue: QueueId, life: Life) {
        tokio::time::sleep(life.pause()).await;
        let stored = self.store.load_queue(queue).await;
        if stored.is_ok_and(|record| record.entries.is_empty()) {
            return;
        }
        revive(&self.queues, queue, || {
            self.start_queue(tenant, queue, life.deaths + 1)
        });
    }

    async fn revive_agent(self: Arc<Self>, tenant: TenantId, agent: UserId, life: Life) {
        tokio::time::sleep(life.pause()).await;
        let stored = self.store.load_agent(agent).await;
        let idle = stored.is_ok_and(|record| !record.as_ref().is_some_and(is_active));
        if idle {
            return;
        }
        revive(&self.agents, agent, || {
            self.start_agent(tenant, agent, life.deaths + 1)
        });
    }

    /// A queue has a new owner: agents whom the one before had passed tell it that they are free.
    pub(crate) fn queue_activated(self: &Arc<Self>, tenant: TenantId, queue: QueueId, epoch: u64) {
        let logged_in = self.live.logged_in(queue);
        for agent in self.directory.agents_of(queue) {
            if !logged_in.contains(&agent) {
                self.tell_running_agent(agent, AgentMessage::QueueMoved { queue, epoch });
            }
        }
        for agent in logged_in {
            self.tell_agent(tenant, agent, AgentMessage::QueueMoved { queue, epoch });
        }
    }

    /// Whether the process that held a contact is dead for certain.
    pub(crate) fn is_dead(&self, edge: &str) -> bool {
        !edge.is_empty() && self.node.is_dead(edge)
    }

    /// The directory changed for an actor. It is told until it can be told; one that is not running reads it when it
    /// starts.
    pub(crate) fn reconcile(self: &Arc<Self>, actor: Actor) {
        if self.tell_to_reconcile(actor) || !self.to_reconcile.lock().insert(actor) {
            return;
        }
        let router = self.clone();
        self.runtime.spawn(async move {
            loop {
                tokio::time::sleep(TELL_AGAIN).await;
                // Forgotten first: what changes from here on is told anew.
                router.to_reconcile.lock().remove(&actor);
                let gone = router.node.lifecycle().stopping().is_cancelled();
                if gone || router.tell_to_reconcile(actor) {
                    return;
                }
                if !router.to_reconcile.lock().insert(actor) {
                    return;
                }
            }
        });
    }

    /// The directory changed for everybody.
    pub(crate) fn reconcile_all(self: &Arc<Self>) {
        // Collected first: who is told while the map is walked could not be started in it.
        let queues: Vec<_> = self.queues.iter().map(|queue| *queue.key()).collect();
        let agents: Vec<_> = self.agents.iter().map(|agent| *agent.key()).collect();
        let queues = queues.into_iter().map(Actor::Queue);
        for actor in queues.chain(agents.into_iter().map(Actor::Agent)) {
            self.reconcile(actor);
        }
    }

    /// False when the mailbox is full.
    fn tell_to_reconcile(&self, actor: Actor) -> bool {
        let told = match actor {
            Actor::Queue(queue) => {
                deliver(&self.queues, queue, Reconcile, || None).map_err(Undelivered::fault)
            }
            Actor::Agent(agent) => {
                deliver(&self.agents, agent, Reconcile, || None).map_err(Undelivered::fault)
            }
        };
        told.err().is_none_or(|fault| fault.code != Code::Busy)
    }

    /// The owner of a shard changed, or a node died.
    pub(crate) fn owner_changed(self: &Arc<Self>, change: &Change) {
        match change {
            // Most of its actors start when they are spoken to, and tell agents themselves.
            Change::Gained { shard, epoch } => self.take_over(*shard, *epoch),
            Change::Lost { shard, .. } => self.let_go(*shard),
            Change::Moved { shard, epoch, .. } => {
                self.let_go(*shard);
                self.queues_moved(*shard, *epoch);
            }
            Change::NodeDead { .. } => self.check_edges(),
        }
    }

    /// Changes were missed: everything is looked at.
    pub(crate) fn check_owners(self: &Arc<Self>) {
        for shard in Shard::all() {
            match self.node.ownership().owner(shard) {
                Some(Owner::Here(epoch)) => self.take_over(shard, epoch),
                Some(Owner::There { epoch, .. }) => {
                    self.let_go(shard);
                    self.queues_moved(shard, epoch);
                }
                None => self.let_go(shard),
            }
        }
        self.check_edges();
    }

    fn take_over(self: &Arc<Self>, shard: Shard, epoch: Epoch) {
        self.runtime.spawn(take_over(self.clone(), shard, epoch));
    }

    /// Starts a queue's actor unless it is there.
    pub(crate) fn wake_queue(self: &Arc<Self>, tenant: TenantId, queue: QueueId) {
        revive(&self.queues, queue, || self.start_queue(tenant, queue, 0));
    }

    /// Starts an agent's actor unless it is there.
    pub(crate) fn wake_agent(self: &Arc<Self>, tenant: TenantId, agent: UserId) {
        revive(&self.agents, agent, || self.start_agent(tenant, agent, 0));
    }

    /// Stops the actors of a shard: they could store nothing any more. The news may be late and the shard ours again; then
    /// those who were activated since stay, and the others stop by themselves.
    fn let_go(&self, shard: Shard) {
        let theirs = |key: u128| Shard::of(key) == shard;
        let ours_again = self.node.ownership().epoch(shard).is_some();
        self.queues.retain(|queue, addr| {
            let theirs = theirs(queue.as_u128());
            if theirs {
                addr.do_send(LetGo { ours_again });
            }
            ours_again || !theirs
        });
        self.agents.retain(|agent, addr| {
            let theirs = theirs(agent.as_u128());
            if theirs {
                addr.do_send(LetGo { ours_again });
            }
            ours_again || !theirs
        });
    }

    /// The lowest epoch under which a queue's present owner acts; none while it has no owner.
    pub(crate) fn queue_epoch(&self, queue: QueueId) -> Option<u64> {
        let owner = self.node.ownership().owner(Shard::of(queue.as_u128()))?;
        Some(first_activation(match owner {
            Owner::Here(epoch) | Owner::There { epoch, .. } => epoch,
        }))
    }

    /// Agents here are told of the queues' new owner elsewhere.
    fn queues_moved(self: &Arc<Self>, shard: Shard, epoch: Epoch) {
        let epoch = first_activation(epoch);
        for queue in self.live.queues_with_agents() {
            if Shard::of(queue.as_u128()) == shard {
                for agent in self.live.logged_in(queue) {
                    self.tell_running_agent(agent, AgentMessage::QueueMoved { queue, epoch });
                }
            }
        }
    }

    /// Everybody looks whether those who hold their contacts still live.
    fn check_edges(&self) {
        for queue in &self.queues {
            queue.do_send(CheckEdges);
        }
        for agent in &self.agents {
            agent.do_send(CheckEdges);
        }
    }

    /// Tells a queue. A message that does not arrive is repeated by the protocol.
    pub(crate) fn tell_queue(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: QueueMessage,
    ) {
        let _ = self.try_tell_queue(tenant, queue, message);
    }

    /// Tells a queue.
    ///
    /// # Errors
    /// It could not be told; the teller repeats it.
    pub(crate) fn try_tell_queue(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: QueueMessage,
    ) -> Result<(), Fault> {
        let told = deliver(&self.queues, queue, TellQueue(message), || {
            self.start_queue(tenant, queue, 0)
        });
        told.or_else(|undelivered| {
            let to = || To::QueueId(queue.to_string());
            let sent = |message: &TellQueue| self.send(queue.as_u128(), tenant, to(), &message.0);
            undelivered.unless(sent)
        })
    }

    /// The same of another process's actor: a queue that is not here hears nothing.
    pub(crate) fn tell_queue_here(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: QueueMessage,
    ) -> Result<(), Fault> {
        let told = deliver(&self.queues, queue, TellQueue(message), || {
            self.start_queue(tenant, queue, 0)
        });
        told.map_err(Undelivered::fault)
    }

    /// Sends a message to the process that has its actor, if that is another one and can be told.
    fn send(&self, key: u128, tenant: TenantId, to: To, message: &impl Serialize) -> bool {
        match self.node.ownership().owner(Shard::of(key)) {
            Some(Owner::There { node, .. }) => self.links.tell(&node, tenant, to, message),
            Some(Owner::Here(_)) | None => false,
        }
    }

    /// Hands over what an edge said on its stream.
    pub(crate) fn from_edge(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: FromEdge,
    ) -> Result<(), Fault> {
        let told = deliver(&self.queues, queue, message, || {
            self.start_queue(tenant, queue, 0)
        });
        told.map_err(Undelivered::fault)
    }

    /// Asks a queue's record, and waits for its word.
    pub(crate) async fn ask_queue(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        message: QueueMessage,
    ) -> Result<Answer, Fault> {
        let (reply, answer) = oneshot::channel();
        deliver(&self.queues, queue, AskQueue { message, reply }, || {
            self.start_queue(tenant, queue, 0)
        })
        .map_err(Undelivered::fault)?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(away()),
        }
    }

    /// Picks a contact up for a person, and waits until the phone rings or is known not to.
    pub(crate) async fn pick_up(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        agent: UserId,
        pick_up: PickUp,
    ) -> Result<Outcome, Fault> {
        let (reply, answer) = oneshot::channel();
        let ask = AskPickUp {
            agent,
            pick_up,
            reply,
        };
        deliver(&self.queues, queue, ask, || {
            self.start_queue(tenant, queue, 0)
        })
        .map_err(Undelivered::fault)?;
        match tokio::time::timeout(PICKED_UP, answer).await {
            Ok(Ok(outcome)) => outcome,
            _ => Err(away()),
        }
    }

    /// Reads from a queue as it is between two steps.
    pub(crate) async fn look_at_queue<R: Send + 'static>(
        self: &Arc<Self>,
        tenant: TenantId,
        queue: QueueId,
        look: impl FnOnce(&Queue) -> R + Send + 'static,
    ) -> Result<R, Fault> {
        let (seen, answer) = oneshot::channel();
        let look = LookAtQueue(Box::new(move |queue| drop(seen.send(look(queue)))));
        deliver(&self.queues, queue, look, || {
            self.start_queue(tenant, queue, 0)
        })
        .map_err(Undelivered::fault)?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(seen)) => Ok(seen),
            _ => Err(away()),
        }
    }

    /// Reads from an agent as it is between two steps.
    pub(crate) async fn look_at_agent<R: Send + 'static>(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        look: impl FnOnce(&Agent) -> R + Send + 'static,
    ) -> Result<R, Fault> {
        let (seen, answer) = oneshot::channel();
        let look = LookAtAgent(Box::new(move |agent| drop(seen.send(look(agent)))));
        deliver(&self.agents, agent, look, || {
            self.start_agent(tenant, agent, 0)
        })
        .map_err(Undelivered::fault)?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(seen)) => Ok(seen),
            _ => Err(away()),
        }
    }

    /// Tells an agent. A message that does not arrive is repeated by the protocol.
    pub(crate) fn tell_agent(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        message: AgentMessage,
    ) {
        let told = deliver(&self.agents, agent, TellAgent(message), || {
            self.start_agent(tenant, agent, 0)
        });
        if let Err(undelivered) = told {
            let to = To::AgentId(agent.to_string());
            let message = undelivered.message.map(|TellAgent(message)| message);
            let _ = message.map(|message| self.send(agent.as_u128(), tenant, to, &message));
        }
    }

    /// The same of another process's actor: an agent who is not here hears nothing.
    pub(crate) fn tell_agent_here(
        self: &Arc<Self>,
        tenant: TenantId,
        agent: UserId,
        message: AgentMessage,
    ) -> Result<(), Fault> {
        let told = deliver(&self.agents, agent, TellAgent(message), || {
            self.start_agent(tenant, agent, 0)
        });
        told.map_err(Undelivered::fault)
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
        ask: impl Into<Ask>,
    ) -> Result<(Answer, View), Fault> {
        let (reply, answer) = oneshot::channel();
        let ask = AskAgent {
            tenant,
            ask: ask.into(),
            reply,
        };
        deliver(&self.agents, agent, ask, || {
            self.start_agent(tenant, agent, 0)
        })
        .map_err(Undelivered::fault)?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(away()),
        }
    }
}

/// Counts what happened into the live figures, beside the actors.
async fn count(live: Arc<Live>) {
    live.figures.keep_counting().await;
}

/// The lowest epoch of an activation under a lease.
const fn first_activation(epoch: Epoch) -> u64 {
    epoch.0 << ACTIVATIONS
}

/// One life of an actor.
#[derive(Debug, Clone, Copy)]
struct Life {
    /// How many before it were short.
    deaths: u32,
}

impl Life {
    fn pause(self) -> Duration {
        (REVIVE.0 * (1 << self.deaths.min(16))).min(REVIVE.1)
    }
}

/// Speaks when an actor's task is over, however it ended.
struct End(Option<Box<dyn FnOnce() + Send>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(speak) = self.0.take() {
            speak();
        }
    }
}

/// Starts the actor unless somebody else did.
fn revive<K, A>(actors: &SharedById<K, Addr<A>>, key: K, start: impl FnOnce() -> Option<Addr<A>>)
where
    K: Hash + Eq,
    A: Acts,
{
    match actors.entry(key) {
        Entry::Occupied(actor) if actor.get().connected() => {}
        Entry::Occupied(mut actor) => match start() {
            Some(addr) => drop(actor.insert(addr)),
            None => drop(actor.remove()),
        },
        Entry::Vacant(place) => {
            start().map(|addr| place.insert(addr));
        }
    }
}

/// Nobody answers for the key now; asking again may help.
pub(crate) fn away() -> Fault {
    Fault::new(
        Code::Unavailable,
        "owner_moving",
        "the owner is changing, try again",
    )
}

/// A message that its actor did not get.
struct Undelivered<M> {
    fault: Fault,
    /// The message, unless a mailbox has swallowed it: there is no actor here and none could be started.
    message: Option<M>,
}

impl<M> Undelivered<M> {
    fn fault(self) -> Fault {
        self.fault
    }

    /// Fine when it went out another way.
    fn unless(self, sent: impl FnOnce(&M) -> bool) -> Result<(), Fault> {
        match &self.message {
            Some(message) if sent(message) => Ok(()),
            _ => Err(self.fault),
        }
    }
}

/// Sends to the actor with this key; starts it when there is none, or when it has died.
fn deliver<K, A, M>(
    actors: &SharedById<K, Addr<A>>,
    key: K,
    message: M,
    start: impl FnOnce() -> Option<Addr<A>>,
) -> Result<(), Undelivered<M>>
where
    K: Hash + Eq + Copy,
    A: Acts + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    let mut message = message;
    if let Some(addr) = actors.get(&key) {
        match addr.try_send(message) {
            Ok(()) => return Ok(()),
            Err(SendError::Full(_)) => return Err(full()),
            Err(SendError::Closed(back)) => message = back,
        }
    }
    let nobody = |message| Undelivered {
        fault: away(),
        message: Some(message),
    };
    let sent = match actors.entry(key) {
        // Somebody else has started it meanwhile.
        Entry::Occupied(actor) if actor.get().connected() => actor.get().try_send(message),
        Entry::Occupied(mut actor) => match start() {
            Some(addr) => {
                actor.insert(addr);
                actor.get().try_send(message)
            }
            None => {
                actor.remove();
                return Err(nobody(message));
            }
        },
        Entry::Vacant(place) => match start() {
            Some(addr) => place.insert(addr).try_send(message),
            None => return Err(nobody(message)),
        },
    };
    sent.map_err(|_| full())
}

fn full<M>() -> Undelivered<M> {
    metrics::count(&MAILBOX_FULL);
    let text = "too much is asked of it at once, try again";
    Undelivered {
        fault: Fault::new(Code::Busy, "mailbox_full", text),
        message: None,
    }
}

/// Starts an actor on an arbiter with a mailbox of this size from its first message on.
fn start<A>(
    arbiter: &actix::ArbiterHandle,
    mailbox: usize,
    end: End,
    actor: impl FnOnce() -> A + Send + 'static,
) -> Addr<A>
where
    A: Acts<Context = Context<A>>,
{
    let (sender, receiver) = channel::channel(mailbox);
    arbiter.spawn_fn(move || {
        // Boxed: a block that awaits what it holds has room for it twice, and there are many actors.
        let future = Box::pin(Context::with_receiver(receiver).into_future(actor()));
        actix::spawn(async move {
            let _end = end;
            future.await;
        });
    });
    Addr::new(sender)
}
