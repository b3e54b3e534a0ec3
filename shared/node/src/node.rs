//! What a process lends to the services it hosts.

use crate::{
    Conn, Health, Lifecycle, Mount, Peers, To,
    health::{CheckReport, Kind, Report},
    moved::Moves,
    peers::{Alone, Channels},
    revocations, trace,
};
use async_trait::async_trait;
use centro_bus::EventBus;
use centro_cluster::Ownership;
use centro_contract::{Keys, Principal, Revocations};
use centro_kernel::{Clock, Timestamp};
use centro_store::Records;
use parking_lot::Mutex;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// A unit of deployment: `centro run --role routing`, one Deployment in Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Tenants, people, sessions.
    Identity,
    /// Queues, numbers, dial plans, devices.
    Configuration,
    /// Calls.
    Telephony,
    /// Queue and agent actors.
    Routing,
    /// Conversations.
    Chat,
    /// Outbound contacts.
    Dialer,
    /// Facts and figures.
    Analytics,
    /// The public HTTP door.
    Gateway,
}

impl Role {
    /// Every role, in no particular order: services may start in any.
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Configuration,
        Self::Telephony,
        Self::Routing,
        Self::Chat,
        Self::Dialer,
        Self::Analytics,
        Self::Gateway,
    ];

    /// The name in settings, flags, metrics and spans.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Configuration => "configuration",
            Self::Telephony => "telephony",
            Self::Routing => "routing",
            Self::Chat => "chat",
            Self::Dialer => "dialer",
            Self::Analytics => "analytics",
            Self::Gateway => "gateway",
        }
    }

    /// The role with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One role's code.
#[async_trait]
pub trait Service: Send + 'static {
    /// Which role it is.
    const ROLE: Role;
    /// Its section of the settings.
    type Settings: Send;

    /// Builds the service and mounts its gRPC doors. Other services may not be up yet: work that needs them is put into
    /// a task with [`Node::spawn`] that repeats until they answer. Runs on the multi-thread tokio runtime.
    async fn start(settings: Self::Settings, node: Node, mount: &mut Mount) -> anyhow::Result<()>;
}

/// What a service gets from the process that hosts it. Cheap to clone.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    name: String,
    pub(crate) local: OnceLock<Routes>,
    opened: CancellationToken,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    ownership: Arc<dyn Ownership>,
    keys: Keys,
    revocations: Revocations,
    data: PathBuf,
    records: Records,
    arbiters: Vec<actix::ArbiterHandle>,
    lifecycle: Lifecycle,
    health: Health,
    service_token: Mutex<Option<(String, Timestamp)>>,
    peers: Arc<dyn Peers>,
    pub(crate) channels: Channels,
    pub(crate) moves: Moves,
}

/// The parts of a [`Node`].
pub struct NodeBuilder {
    /// Name of this process in the cluster; edges are addressed by it.
    pub name: String,
    /// Carries events.
    pub bus: Arc<dyn EventBus>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Says which shards are ours.
    pub ownership: Arc<dyn Ownership>,
    /// The installation's signing keys.
    pub keys: Keys,
    /// Folder for recordings, and for SQLite files.
    pub data: PathBuf,
    /// Where services keep their records.
    pub records: Records,
    /// Threads that run actors.
    pub arbiters: Vec<actix::ArbiterHandle>,
    /// Draining and stopping.
    pub lifecycle: Lifecycle,
}

/// How long a service's own token is good for; renewed at half time.
const SERVICE_TOKEN_TTL: Duration = Duration::from_secs(600);

impl NodeBuilder {
    /// The node of a process that runs everything. Its doors open with [`Node::open`].
    pub fn build(self) -> Node {
        self.build_among(Arc::new(Alone))
    }

    /// The node of one process among others.
    pub fn build_among(self, peers: Arc<dyn Peers>) -> Node {
        Node(Arc::new(Inner {
            name: self.name,
            local: OnceLock::new(),
            opened: CancellationToken::new(),
            bus: self.bus,
            clock: self.clock,
            ownership: self.ownership,
            keys: self.keys,
            revocations: Revocations::default(),
            data: self.data,
            records: self.records,
            arbiters: self.arbiters,
            lifecycle: self.lifecycle,
            health: Health::default(),
            service_token: Mutex::new(None),
            peers,
            channels: Channels::default(),
            moves: Moves::default(),
        }))
    }
}

impl Node {
    /// Name of this process in the cluster.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Carries events.
    pub fn bus(&self) -> Arc<dyn EventBus> {
        self.0.bus.clone()
    }

    /// Tells the time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }

    /// Says which shards are ours.
    pub fn ownership(&self) -> Arc<dyn Ownership> {
        self.0.ownership.clone()
    }

    /// Signs and verifies tokens.
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// Which tokens are void before their time; complete once the doors have been open for a moment.
    pub fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// Folder for recordings and other files. Databases are opened through [`Node::records`].
    pub fn data(&self) -> &Path {
        &self.0.data
    }

    /// Where services keep their records.
    pub fn records(&self) -> &Records {
        &self.0.records
    }

    /// Threads that run actors: start an actor with `Actor::start_in_arbiter(&handle, |_| …)`. A key is always put on
    /// the same one (`shard % len`).
    pub fn arbiters(&self) -> &[actix::ArbiterHandle] {
        &self.0.arbiters
    }

    /// Draining and stopping.
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.0.lifecycle
    }

    /// Where services register what they need to be well.
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// Whether the process lives: it does when it can answer.
    pub fn live(&self) -> Report {
        Report::of(vec![CheckReport::of("process", Ok(()))])
    }

    /// Whether everything has started: the doors are open and every startup check passes.
    pub fn startup(&self) -> Report {
        let open = self
            .0
            .local
            .get()
            .map(drop)
            .ok_or_else(|| "services are starting".to_owned());
        let mut checks = vec![CheckReport::of("doors", open)];
        checks.extend(self.0.health.ask(Kind::Startup));
        Report::of(checks)
    }

    /// Whether new work may come: started, not draining, every ready check passes.
    pub fn ready(&self) -> Report {
        let lifecycle = &self.0.lifecycle;
        let taking = if lifecycle.draining().is_cancelled() {
            Err("the process is draining".to_owned())
        } else if lifecycle.is_aside() {
            Err("an operator has drained the process".to_owned())
        } else {
            Ok(())
        };
        let mut checks = self.startup().checks;
        checks.push(CheckReport::of("draining", taking));
        checks.extend(self.0.health.ask(Kind::Ready));
        Report::of(checks)
    }

    /// Runs a task until it ends or the process stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.lifecycle.stopping();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// Runs a task as [`Node::spawn`] does, from when every service of this process has started: for what is lost on a
    /// service that does not listen yet. It never runs in a process that was opened with [`Node::open_alone`].
    pub fn spawn_when_open(&self, task: impl Future<Output = ()> + Send + 'static) {
        let opened = self.0.opened.clone();
        self.spawn(async move {
            opened.cancelled().await;
            task.await;
        });
    }

    /// The other processes.
    pub fn peers(&self) -> &dyn Peers {
        &*self.0.peers
    }

    /// Whether it is certain that no process of this name lives, so that nobody will ever answer for it.
    pub fn is_dead(&self, name: &str) -> bool {
        name != self.name() && self.0.ownership.is_dead(name)
    }

    /// A transport to the process of `role` that has what the key names. Who that is is looked up for each call.
    pub fn conn_to(&self, role: Role, to: To) -> Conn {
        Conn::new(self.clone(), role, to)
    }

    /// Runs a task until it ends, or the process has stopped and its live work with it: for what calls still need while
    /// they end.
    pub fn attend(&self, task: impl Future<Output = ()> + Send + 'static) {
        let lifecycle = self.0.lifecycle.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = lifecycle.quiet() => {}
            }
        });
    }

    /// A transport for a generated client of `role`, as this installation's service. To act for a person, put the
    /// person's `authorization` into the request's metadata.
    pub fn conn(&self, role: Role) -> Conn {
        Conn::new(self.clone(), role, To::Any)
    }

    /// Opens the in-process doors, learns what was called back, lets [`Node::spawn_when_open`] begin, and returns the
    /// routes, to be served on a socket too. To be called when all services of the process have started.
    pub fn open(&self, mount: Mount) -> Routes {
        let routes = self.open_alone(mount);
        self.0.opened.cancel();
        routes
    }

    /// Opens the doors for a short task of an administrator. The other services are not there: what is to be told to
    /// them is kept for the next process that is opened in full.
    pub fn open_alone(&self, mount: Mount) -> Routes {
        let routes = self.0.local.get_or_init(|| {
            self.spawn(revocations::follow(self.clone()));
            let (keys, revocations) = (self.0.keys.clone(), self.0.revocations.clone());
            trace::traced(mount.into_routes(keys, revocations, self.clock()))
        });
        routes.clone()
    }

    /// The token by which this process is known to services.
    pub(crate) fn service_token(&self) -> Option<String> {
        let now = self.0.clock.now();
        let mut cached = self.0.service_token.lock();
        if let Some((token, renew_at)) = cached.as_ref()
            && now < *renew_at
        {
            return Some(token.clone());
        }
        let principal = Principal::Service {
            name: self.0.name.clone(),
        };
        let token = self.0.keys.mint(&principal, now, SERVICE_TOKEN_TTL).ok()?;
        *cached = Some((token.clone(), now + SERVICE_TOKEN_TTL / 2));
        Some(token)
    }
}
