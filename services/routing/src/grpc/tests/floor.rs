//! A node with routing in it, a configuration put there directly, and an edge's side of every door.

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

fn queue(n: u128) -> QueueId {
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
            crate::publish(&node, events);
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

    /// Queues that all agents serve, and agents with phones.
    fn furnish(&self, queues: u128, agents: u128) {
        for q in 0..queues {
            self.apply(Object::CallQueue(Self::call_queue(q, 15)), false);
            for a in 0..agents {
                self.assign(q, a, true);
            }
        }
        let directory = &self.router.directory;
        for a in 0..agents {
            self.give_device(a, user(a));
            directory.set_online(self.device(a), true);
        }
        directory.set_loaded();
        directory.set_registered();
    }

    fn call_queue(n: u128, ring: i64) -> CallQueue {
        let ring = prost_types::Duration {
            seconds: ring,
            nanos: 0,
        };
        CallQueue {
            id: queue(n).to_string(),
            agent_ring_timeout: Some(ring),
            wrap_up: Some(prost_types::Duration {
                seconds: 1,
                nanos: 0,
            }),
            ..CallQueue::default()
        }
    }

    fn change(&self, object: Object, deleted: bool) -> Change {
        let version = 1 + self
            .version
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Change {
            tenant_id: TENANT.to_string(),
            version,
            deleted,
            object: Some(object),
        }
    }

    fn apply(&self, object: Object, deleted: bool) {
        crate::feed::apply(&self.router, &self.change(object, deleted));
    }

    pub async fn change_queue(&self, n: u128, ring: i64) {
        self.apply(Object::CallQueue(Self::call_queue(n, ring)), false);
    }

    /// The queue rings all its agents at once from here on.
    pub async fn ring_all(&self, n: u128) {
        let queue = CallQueue {
            ring_strategy: RingStrategy::RingAll.into(),
            ..Self::call_queue(n, 15)
        };
        self.apply(Object::CallQueue(queue), false);
    }

    pub async fn delete_queue(&self, n: u128) {
        self.apply(Object::CallQueue(Self::call_queue(n, 15)), true);
    }

    /// The agent's person may not sign in any more, or may again.
    pub async fn suspend(&self, agent: u128, suspended: bool) {
        let device = Some(Device {
            id: self.device(agent).to_string(),
            user_id: user(agent).to_string(),
            suspended,
            ..Device::default()
        });
        let credentials = None;
        let object = Object::Device(DeviceWithCredentials {
            device,
            credentials,
        });
        self.apply(object, false);
    }

    pub async fn register(&self, agent: u128, online: bool) {
        crate::feed::set_online(&self.router, self.device(agent), online);
    }

    /// An agent is assigned to a queue, or no longer.
    pub fn assign(&self, q: u128, agent: u128, assigned: bool) {
        let (queue_id, user_id) = (queue(q).to_string(), user(agent).to_string());
        let assignment = QueueAgent {
            queue_id,
            user_id,
            ..QueueAgent::default()
        };
        self.apply(Object::QueueAgent(assignment), !assigned);
    }

    /// The agent's device is now this person's.
    pub fn give_device(&self, agent: u128, to: UserId) {
        let (id, user_id) = (self.device(agent).to_string(), to.to_string());
        let device = Some(Device {
            id,
            user_id,
            ..Device::default()
        });
        let credentials = None;
        let object = DeviceWithCredentials {
            device,
            credentials,
        };
        self.apply(Object::Device(object), false);
    }

    /// A queue's shard goes to another node.
    /// A contact waits in a queue, as an owner before this one wrote it down. The queue's actor has not heard of it.
    pub async fn stored(&self, q: u128, entry: Entry) {
        let epoch = self.router.epoch(queue(q).as_u128()).unwrap();
        let put = QueueChange::Put(
            Arc::new(entry),
            (Reverse(0), Timestamp::default(), contact(0)),
        );
        let written = self.store.commit(Commit {
            epoch,
            tenant: TENANT,
            changes: Changes::Queue(queue(q), vec![put]),
            events: Vec::new(),
        });
        written.await.unwrap();
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

    #[allow(clippy::unused_self)]
    pub fn device(&self, agent: u128) -> DeviceId {
        DeviceId::from_u128(500 + agent)
    }

    #[allow(clippy::unused_self)]
    pub fn supervisor(&self) -> UserId {
        UserId::from_u128(1)
    }

    /// What a person sends.
    fn by<T>(&self, user: UserId, message: T) -> Request<T> {
        let role = if user == self.supervisor() {
            Person::Supervisor
        } else {
            Person::Agent
        };
        self.by_a(role, user, message)
    }

    fn by_a<T>(&self, role: Person, user: UserId, message: T) -> Request<T> {
        let principal = Principal::User {
            tenant: TENANT,
            user,
            roles: vec![role],
        };
        let token = self
            .node
            .keys()
            .mint(&principal, SystemClock.now(), PATIENCE * 6)
            .unwrap();
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    fn agents_door(&self) -> AgentsClient<centro_node::Conn> {
        AgentsClient::new(self.node.conn(Role::Routing))
    }

    /// As edges ask: at the owner of the agent.
    fn contacts_door(&self, agent: &str) -> AgentContactsClient<centro_node::Conn> {
        let agent: UserId = agent.parse().unwrap();
        let owner = To::Shard(Shard::of(agent.as_u128()));
        AgentContactsClient::new(self.node.conn_to(Role::Routing, owner))
    }

    pub async fn log_in(&self, agent: u128) -> AgentStatus {
        self.log_in_as(user(agent), user(agent), "", &[])
            .await
            .unwrap()
    }

    pub async fn log_in_as(
        &self,
        asker: UserId,
        agent: UserId,
        device: &str,
        queues: &[String],
    ) -> Result<AgentStatus, Status> {
        let agent_id = if asker == agent {
            "me".to_owned()
        } else {
            agent.to_string()
        };
        let (device_id, queue_ids) = (device.to_owned(), queues.to_vec());
        let request = pb::LogInRequest {
            agent_id,
            device_id,
            queue_ids,
            ready: true,
            desktop: false,
        };
        Ok(self
            .agents_door()
            .log_in(self.by(asker, request))
            .await?
            .into_inner())
    }

    pub async fn pause(&self, agent: u128, reason: &str) {
        self.try_pause(agent, reason).await.unwrap();
    }

    pub async fn try_pause(&self, agent: u128, reason: &str) -> Result<pb::AgentStatus, Status> {
        let request = pb::PauseRequest {
            agent_id: "me".into(),
            reason: reason.into(),
        };
        let mut door = self.agents_door();
        let paused = door.pause(self.by(user(agent), request)).await?;
        Ok(paused.into_inner())
    }

    pub async fn ready(&self, agent: u128) {
        let request = pb::SetReadyRequest {
            agent_id: "me".into(),
        };
        self.agents_door()
            .set_ready(self.by(user(agent), request))
            .await
            .unwrap();
    }

    /// Asks without waiting for the answer; says when it was refused at once.
    pub async fn set_ready_briefly(&self, agent: u128) -> Option<Status> {
        let agent_id = "me".into();
        let request = self.by(user(agent), pb::SetReadyRequest { agent_id });
        let mut door = self.agents_door();
        let asked = tokio::time::timeout(Duration::from_millis(5), door.set_ready(request));
        asked.await.ok()?.err()
    }

    pub async fn end_wrap_up(&self, asker: UserId, agent: u128) -> Result<AgentStatus, Status> {
        let request = pb::EndWrapUpRequest {
            agent_id: user(agent).to_string(),
            contact_id: String::new(),
        };
        Ok(self
            .agents_door()
            .end_wrap_up(self.by(asker, request))
            .await?
            .into_inner())
    }

    pub async fn status(&self, agent: u128) -> AgentStatus {
        let request = pb::GetAgentStatusRequest {
            agent_id: user(agent).to_string(),
        };
        self.agents_door()
            .get_agent_status(self.by(user(agent), request))
            .await
            .unwrap()
            .into_inner()
    }

    /// The agent, who is a supervisor too, picks a contact of the first queue up.
    pub async fn pick_up(&self, agent: u128, contact: ContactId) -> Result<(), Status> {
        self.pick_up_from(queue(0), agent, contact).await
    }

    pub async fn pick_up_from(
        &self,
        queue: QueueId,
        agent: u128,
        contact: ContactId,
    ) -> Result<(), Status> {
        let message = pb::PickUpContactRequest {
            queue_id: queue.to_string(),
            contact_id: contact.to_string(),
            device_id: String::new(),
        };
        let request = self.by_a(Person::Supervisor, user(agent), message);
        let mut door = WaitingContactsClient::new(self.node.conn(Role::Routing));
        soon(door.pick_up_contact(request)).await.map(drop)
    }

    /// Waits until the agent is seen in this state.
    pub async fn shows(&self, agent: u128, state: AgentState) {
        soon(async {
            while self.status(agent).await.state() != state {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub async fn page_of_agents(
        &self,
        page_size: i32,
        page_token: &str,
    ) -> Result<pb::ListAgentStatusesResponse, Status> {
        let message = pb::ListAgentStatusesRequest {
            page_size,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        let request = self.by(self.supervisor(), message);
        let page = self.agents_door().list_agent_statuses(request).await?;
        Ok(page.into_inner())
    }

    pub async fn page_of_queues(
        &self,
        page_size: i32,
        page_token: &str,
    ) -> Result<pb::ListQueueStatusesResponse, Status> {
        let message = pb::ListQueueStatusesRequest {
            page_size,
            page_token: page_token.to_owned(),
        };
        let mut door = QueueStatusesClient::new(self.node.conn(Role::Routing));
        let request = self.by(self.supervisor(), message);
        Ok(door.list_queue_statuses(request).await?.into_inner())
    }

    pub async fn agents(&self) -> Vec<AgentStatus> {
        let request = self.by(self.supervisor(), pb::ListAgentStatusesRequest::default());
        self.agents_door()
            .list_agent_statuses(request)
            .await
            .unwrap()
            .into_inner()
            .agents
    }

    pub async fn queues(&self) -> Vec<pb::QueueStatus> {
        let mut door = QueueStatusesClient::new(self.node.conn(Role::Routing));
        let request = self.by(self.supervisor(), pb::ListQueueStatusesRequest::default());
        door.list_queue_statuses(request)
            .await
            .unwrap()
            .into_inner()
            .queues
    }

    pub async fn dial(&self, agent: u128, action: Action) -> Result<AgentStatus, Status> {
        let request = pb::SetStatusFromDeviceRequest {
            tenant_id: TENANT.to_string(),
            user_id: user(agent).to_string(),
            device_id: self.device(agent).to_string(),
            action: action.into(),
        };
        Ok(self
            .contacts_door(&request.user_id)
            .set_status_from_device(request.clone())
            .await?
            .into_inner())
    }

    pub async fn alert(&self, r: &pb::Reservation, contact: ContactId) -> pb::AlertResponse {
        self.try_alert("floor", r, contact).await.unwrap()
    }

    pub async fn try_alert(
        &self,
        edge: &str,
        r: &pb::Reservation,
        contact: ContactId,
    ) -> Result<pb::AlertResponse, Status> {
        let request = pb::AlertRequest {
            tenant_id: TENANT.to_string(),
            reservation: Some(r.clone()),
            contact_id: contact.to_string(),
            edge: edge.into(),
            ..pb::AlertRequest::default()
        };
        let mut door = self.contacts_door(&r.agent_id);
        Ok(door.alert(request).await?.into_inner())
    }

    pub async fn connect(&self, r: &pb::Reservation, contact: ContactId) -> bool {
        let (tenant_id, contact_id) = (TENANT.to_string(), contact.to_string());
        let request = pb::ConnectRequest {
            tenant_id,
            reservation: Some(r.clone()),
            contact_id,
            edge_epoch: 0,
        };
        self.contacts_door(&r.agent_id)
            .connect(request)
            .await
            .unwrap()
            .into_inner()
            .ok
    }

    pub async fn end(&self, r: &pb::Reservation, contact: ContactId, why: OfferEnd) -> bool {
        let (tenant_id, contact_id) = (TENANT.to_string(), contact.to_string());
        let (reservation, why) = (Some(r.clone()), why.into());
        let request = pb::EndRequest {
            tenant_id,
            reservation,
            contact_id,
            why,
            edge_epoch: 0,
        };
        self.contacts_door(&r.agent_id)
            .end(request)
            .await
            .unwrap()
            .into_inner()
            .was_connected
    }

    pub async fn cancelled(&self) -> CancelOfferRequest {
        soon(async { self.cancels.lock().await.recv().await })
            .await
            .unwrap()
    }

    pub async fn events(&self) -> Events {
        Events(self.bus.watch(&["*.routing.#"]).await.unwrap())
    }

    /// A caller waits in the first queue.
    pub async fn call(&self, contact: ContactId, attach_no: u32) -> Call {
        self.call_at("floor", contact, attach_no).await
    }

    /// A caller whose stream broke attaches until it has its place again, as edges do.
    pub async fn call_again(&self, contact: ContactId) -> (Call, pb::Attached) {
        for attach_no in 2.. {
            let mut call = self.call(contact, attach_no).await;
            if let Ok(Some(answer)) = soon(call.answers.message()).await
                && let Some(Message::Attached(attached)) = answer.message
            {
                return (call, attached);
            }
        }
        panic!("numbers do not end")
    }

    /// The same, held by that node.
    pub async fn call_at(&self, edge: &str, contact: ContactId, attach_no: u32) -> Call {
        let since = i64::try_from(contact.as_u128()).unwrap();
        let since = prost_types::Timestamp {
            seconds: since,
            nanos: 0,
        };
        self.call_since(edge, contact, attach_no, since).await
    }

    /// A caller who comes in now; the others have waited since long ago.
    pub async fn call_now(&self, contact: ContactId) -> Call {
        self.call_now_again(contact, 1).await
    }

    /// The same, and not for the first time.
    pub async fn call_now_again(&self, contact: ContactId, attach_no: u32) -> Call {
        let now = crate::wire::time(SystemClock.now());
        self.call_since("floor", contact, attach_no, now).await
    }

    async fn call_since(
        &self,
        edge: &str,
        contact: ContactId,
        attach_no: u32,
        since: prost_types::Timestamp,
    ) -> Call {
        let (out, messages) = mpsc::channel(16);
        let attach = pb::Attach {
            tenant_id: TENANT.to_string(),
            queue_id: queue(0).to_string(),
            contact_id: contact.to_string(),
            attach_no,
            enqueue_time: Some(since),
            edge: edge.into(),
            ..pb::Attach::default()
        };
        let call = |message| pb::WaitRequest {
            message: Some(message),
        };
        out.try_send(call(wait_request::Message::Attach(attach)))
            .unwrap();
        let owner = To::Shard(Shard::of(queue(0).as_u128()));
        let mut door = WaitingClient::new(self.node.conn_to(Role::Routing, owner));
        let answers = soon(door.wait(ReceiverStream::new(messages)))
            .await
            .unwrap()
            .into_inner();
        Call { out, answers }
    }
}

/// The routing events of the floor.
pub struct Events(Box<dyn Watch>);

impl Events {
    pub async fn next_of(&mut self, contact: ContactId) -> Event {
        loop {
            match soon(self.0.next()).await {
                Some(Seen::Event(event)) if event.subject == contact.to_string() => return event,
                Some(_) => {}
                None => panic!("the bus is closed"),
            }
        }
    }
}

impl Events {
    /// The next incident, which the monitor needs some seconds to be sure of.
    pub async fn next_incident(&mut self) -> centro_proto::events::InvariantBroken {
        loop {
            let Some(Seen::Event(event)) = soon(self.0.next()).await else {
                panic!("no more events")
            };
            if let Some(incident) = event.decode() {
                return incident;
            }
        }
    }

    /// The agent's next change to this state.
    pub async fn until(&mut self, agent: u128, state: AgentState) -> AgentStateChanged {
        loop {
            let Some(Seen::Event(event)) = soon(self.0.next()).await else {
                panic!("no more events")
            };
            let change = event.decode::<AgentStateChanged>();
            if let Some(change) = change
                && change.agent_id == user(agent).to_string()
                && change.state() == state
            {
                return change;
            }
        }
    }
}

/// A caller's stream.
pub struct Call {
    out: mpsc::Sender<pb::WaitRequest>,
    answers: Streaming<pb::WaitResponse>,
}

impl Call {
    pub async fn next(&mut self) -> Message {
        soon(self.answers.message())
            .await
            .unwrap()
            .unwrap()
            .message
            .unwrap()
    }

    pub async fn offer(&mut self) -> pb::Offer {
        loop {
            if let Message::Offer(offer) = self.next().await {
                return offer;
            }
        }
    }

    fn say(&self, message: wait_request::Message) {
        self.out
            .try_send(pb::WaitRequest {
                message: Some(message),
            })
            .unwrap();
    }

    pub fn ask_position(&self, attach_no: u32) {
        self.say(wait_request::Message::AskPosition(pb::AskPosition {
            attach_no,
        }));
    }

    pub fn left(&self, attach_no: u32, reason: LeftReason) {
        self.say(wait_request::Message::Left(pb::Left {
            attach_no,
            reason: reason.into(),
            agent_id: String::new(),
        }));
    }

    /// The contact leaves with whoever answered.
    pub fn left_with(&self, attach_no: u32, agent_id: &str) {
        self.say(wait_request::Message::Left(pb::Left {
            attach_no,
            reason: LeftReason::Answered.into(),
            agent_id: agent_id.to_owned(),
        }));
    }

    pub fn offer_ended(&self, attach_no: u32, r: &pb::Reservation, why: OfferEnd) {
        let (reservation, why) = (Some(r.clone()), why.into());
        let ended = pb::OfferEnded {
            attach_no,
            reservation,
            exclude_for: None,
            why,
        };
        self.say(wait_request::Message::OfferEnded(ended));
    }

    /// The stream breaks, sooner or later.
    pub async fn broken(&mut self) -> bool {
        loop {
            match soon(self.answers.message()).await {
                Ok(Some(_)) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// The stream ends in good order.
    pub async fn ended(&mut self) -> bool {
        matches!(soon(self.answers.message()).await, Ok(None))
    }
}
