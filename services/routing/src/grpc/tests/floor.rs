//! A node with routing in it, a configuration put there directly, and an edge's side of every door.

mod contacts;
mod events;
mod furnish;
mod people;

pub use contacts::Call;
pub use events::Events;

use super::store::FaultyStore;
use crate::{
    Settings,
    directory::Directory,
    open,
    router::{Actor, Router},
    store::{Changes, Commit, HotStore, MemoryStore},
};
use async_trait::async_trait;
use centro_bus::{Event, EventBus, LocalBus, Seen, Watch};
use centro_cluster::{
    Changes as Owners, Epoch, LocalCluster, LocalOwnership, Owner, Ownership, Shard,
};
use centro_contract::{Keys, Principal, Role as Person};
use centro_kernel::{
    Clock, ContactId, DeviceId, QueueId, SystemClock, TenantId, Timestamp, UserId,
};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Peers, Role, To};
use centro_proto::{
    configuration::{CallQueue, Change, Device, DeviceWithCredentials, QueueAgent, change::Object},
    events::AgentStateChanged,
    routing::{
        self as pb, AgentStatus, agent_contacts_client::AgentContactsClient,
        agents_client::AgentsClient, queue_statuses_client::QueueStatusesClient,
        set_status_from_device_request::Action, wait_request, wait_response::Message,
        waiting_client::WaitingClient, waiting_contacts_client::WaitingContactsClient,
    },
    telephony::{
        CancelOfferRequest, CancelOfferResponse, HasOfferRequest, HasOfferResponse,
        call_edge_server::{CallEdge, CallEdgeServer},
    },
    types::{AgentState, LeftReason, OfferEnd, RingStrategy},
};
use centro_routing_core::{Deadlines, Entry, QueueChange};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status, Streaming,
    transport::server::{Server, TcpIncoming},
};

const TENANT: TenantId = TenantId::from_u128(1);
/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn contact(n: u128) -> ContactId {
    ContactId::from_u128(1_000 + n)
}

pub fn user(n: u128) -> UserId {
    UserId::from_u128(100 + n)
}

pub fn queue(n: u128) -> QueueId {
    QueueId::from_u128(10 + n)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it should have happened by now")
}

/// Telephony's half of an offer: takes it back, and says whether it has it.
struct Phones {
    cancels: mpsc::Sender<CancelOfferRequest>,
    has: Arc<AtomicBool>,
}

#[async_trait]
impl CallEdge for Phones {
    async fn cancel_offer(
        &self,
        request: Request<CancelOfferRequest>,
    ) -> Result<Response<CancelOfferResponse>, Status> {
        let _ = self.cancels.send(request.into_inner()).await;
        Ok(Response::new(CancelOfferResponse {}))
    }

    async fn has_offer(
        &self,
        _: Request<HasOfferRequest>,
    ) -> Result<Response<HasOfferResponse>, Status> {
        let has = self.has.load(Ordering::SeqCst);
        Ok(Response::new(HasOfferResponse { has }))
    }
}

/// The epochs of all shards, whoever owns them: what a store that is shared by all processes goes by.
struct Truth(LocalOwnership);

impl Ownership for Truth {
    fn owner(&self, shard: Shard) -> Option<Owner> {
        match self.0.owner(shard)? {
            Owner::Here(epoch) | Owner::There { epoch, .. } => Some(Owner::Here(epoch)),
        }
    }
    fn is_dead(&self, node: &str) -> bool {
        self.0.is_dead(node)
    }
    fn changes(&self) -> Owners {
        self.0.changes()
    }
}

/// Where the processes answer that share a floor.
#[derive(Clone, Default)]
struct Town(Arc<parking_lot::Mutex<BTreeMap<String, Arc<str>>>>);

impl Peers for Town {
    fn here(&self, _: Role) -> bool {
        true
    }
    fn address(&self, node: &str) -> Option<Arc<str>> {
        self.0.lock().get(node).cloned()
    }
    fn with(&self, _: Role) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// The place where it all happens.
pub struct Floor {
    node: Node,
    router: Arc<Router>,
    bus: LocalBus,
    pub store: Arc<FaultyStore>,
    /// Who is there beside this node.
    pub cluster: LocalCluster,
    town: Town,
    /// What telephony says when it is asked for a talk.
    pub has_talks: Arc<AtomicBool>,
    cancels: Mutex<mpsc::Receiver<CancelOfferRequest>>,
    version: std::sync::atomic::AtomicU64,
}

/// Arbiters live as long as their actix system, which gets a thread of its own.
fn arbiters() -> Vec<actix::ArbiterHandle> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let system = actix::System::new();
        let handles = system.block_on(async {
            [
                actix::Arbiter::new().handle(),
                actix::Arbiter::new().handle(),
            ]
        });
        sender.send(handles.to_vec()).unwrap();
        system.run().unwrap();
    });
    receiver.recv().unwrap()
}

impl Floor {
    pub async fn new(queues: u128, agents: u128) -> Self {
        Self::with(queues, agents, Settings::default(), Deadlines::default()).await
    }

    pub async fn with(
        queues: u128,
        agents: u128,
        settings: Settings,
        deadlines: Deadlines,
    ) -> Self {
        let now = SystemClock.now().as_millis();
        let cluster = LocalCluster::new(Epoch(u64::try_from(now).unwrap()));
        let floor = Self::process(
            "floor",
            cluster,
            Town::default(),
            None,
            &settings,
            deadlines,
        );
        let floor = floor.await;
        floor.furnish(queues, agents);
        floor
    }

    /// Another process with the same store and the same configuration. It owns what is handed over to it.
    pub async fn beside(&self, name: &str, queues: u128, agents: u128) -> Self {
        let shared = (self.bus.clone(), self.store.clone());
        let (cluster, town) = (self.cluster.clone(), self.town.clone());
        let settings = Settings::default();
        let other = Self::process(
            name,
            cluster,
            town,
            Some(shared),
            &settings,
            Deadlines::default(),
        );
        let other = other.await;
        other.furnish(queues, agents);
        other
    }

    async fn process(
        name: &str,
        cluster: LocalCluster,
        town: Town,
        shared: Option<(LocalBus, Arc<FaultyStore>)>,
        settings: &Settings,
        deadlines: Deadlines,
    ) -> Self {
        let ownership = cluster.join(name);
        let bus = shared
            .as_ref()
            .map_or_else(LocalBus::default, |(bus, _)| bus.clone());
        let node = NodeBuilder {
            name: name.into(),
            bus: Arc::new(bus.clone()),
            clock: Arc::new(SystemClock),
            ownership: Arc::new(ownership.clone()),
            keys: Keys::new(&[7; 32]),
            data: std::env::temp_dir(),
            records: centro_node::Records::folder(std::env::temp_dir()),
            arbiters: arbiters(),
            lifecycle: Lifecycle::default(),
        }
        .build_among(Arc::new(town.clone()));
        let directory = Arc::new(Directory::default());
        let store = shared.map(|(_, store)| store).unwrap_or_else(|| {
            let truth = Arc::new(Truth(ownership));
            let (memory, events) = MemoryStore::new(truth, settings.outbox);
            crate::publish(&node, events, crate::store::GATHER);
            Arc::new(FaultyStore::new(memory))
        });
        let mut router = Router::new(node.clone(), settings, store.clone(), directory);
        Arc::get_mut(&mut router).unwrap().deadlines = deadlines;
        node.spawn(crate::feed::ownership(router.clone()));
        node.spawn(crate::peers::follow::everybody(router.clone()));
        node.spawn(crate::monitor::watch_over(router.clone()));
        let mut mount = Mount::default();
        open(&mut mount, router.clone());
        let (sender, cancels) = mpsc::channel(8);
        let has_talks = Arc::new(AtomicBool::new(true));
        mount.grpc(CallEdgeServer::new(Phones {
            cancels: sender,
            has: has_talks.clone(),
        }));
        let routes = node.open(mount);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        town.0.lock().insert(name.to_owned(), address.into());
        let stopping = node.lifecycle().stopping();
        tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener);
            let server = Server::builder().add_routes(routes);
            server
                .serve_with_incoming_shutdown(incoming, stopping.cancelled())
                .await
        });
        Self {
            node,
            router,
            bus,
            store,
            cluster,
            town,
            has_talks,
            cancels: Mutex::new(cancels),
            version: 0.into(),
        }
    }

    pub fn hand_over(&self, q: u128, to: &str) {
        let shard = Shard::of(queue(q).as_u128());
        self.cluster.hand_over(shard, Some(to));
    }

    /// An agent's shard goes to another node.
    pub fn hand_over_agent(&self, agent: u128, to: &str) {
        let shard = Shard::of(user(agent).as_u128());
        self.cluster.hand_over(shard, Some(to));
    }

    /// Why the agent gets no contact, in English.
    pub async fn why_idle(&self, agent: u128) -> Result<pb::AgentReasons, Status> {
        let agent_id = user(agent).to_string();
        let request = self.by(self.supervisor(), pb::ExplainAgentRequest { agent_id });
        Ok(self
            .agents_door()
            .explain_agent(request)
            .await?
            .into_inner())
    }

    pub fn kill_queue(&self, q: u128) {
        self.router.kill(Actor::Queue(queue(q)));
    }

    pub fn kill_agent(&self, agent: u128) {
        self.router.kill(Actor::Agent(user(agent)));
    }

    /// Keeps an agent's actor busy until the sender is dropped.
    pub fn stall_agent(&self, agent: u128) -> std::sync::mpsc::Sender<()> {
        let (sender, until) = std::sync::mpsc::channel();
        self.router.stall(user(agent), until);
        sender
    }

    /// As a process ends: calls are still there when it is told to stop. Says what was published, from `events` on.
    pub async fn stop_after(
        &self,
        events: Events,
        last_words: impl Future<Output = ()>,
    ) -> Vec<Event> {
        let lifecycle = self.node.lifecycle();
        let (over, ends) = oneshot::channel::<()>();
        lifecycle.live().spawn(async move {
            let _ = ends.await;
        });
        lifecycle.drain();
        lifecycle.stop();
        last_words.await;
        drop(over);
        soon(lifecycle.live().wait()).await;
        soon(lifecycle.telling().wait()).await;
        self.bus.close();
        let mut events = events;
        let mut seen = vec![];
        while let Some(event) = soon(events.0.next()).await {
            if let Seen::Event(event) = event {
                seen.push(event);
            }
        }
        seen
    }

    pub async fn report_edge_dead(&self, r: Option<&pb::Reservation>, contact: ContactId) {
        let request = pb::ReportEdgeDeadRequest {
            tenant_id: TENANT.to_string(),
            contact_id: contact.to_string(),
            reservations: r.into_iter().cloned().collect(),
            queue_ids: vec![queue(0).to_string()],
        };
        AgentContactsClient::new(self.node.conn(Role::Routing))
            .report_edge_dead(request)
            .await
            .unwrap();
    }
}
