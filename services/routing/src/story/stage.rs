//! Where a story is played: a node with routing in it and nothing else, whose clock is tokio's paused one. Whatever is due
//! next is done next, so a day lasts as long as its work.

use super::{
    caller::{self, Callers, Door},
    log::{Fact, Log, Name},
    phone::Phones,
    plan::{Cast, PRELUDE, Plan},
    text::{Medium, Rules, Strategy},
    translate,
};
use crate::{
    Settings,
    directory::Directory,
    feed,
    router::{Actor, Router},
};
use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalCluster};
use centro_contract::Keys;
use centro_kernel::{Clock, DeviceId, QueueId, SkillId, TenantId, Timestamp, UserId};
use centro_node::{Conn, Lifecycle, Mount, Node, NodeBuilder, Role};
use centro_proto::{
    configuration::{
        Change, Device, DeviceWithCredentials, QueueAgent, RoutingProfile, UserSkill,
        change::Object,
    },
    events::InvariantBroken,
    telephony::call_edge_server::CallEdgeServer,
};
use centro_routing_core::{self as core, QueueSettings};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Whose centre it is.
pub const TENANT: TenantId = TenantId::from_u128(1);
/// The name of the process.
pub const NODE: &str = "story";
/// Midnight of a Monday, 5 January 2026.
const MIDNIGHT: Timestamp = Timestamp::from_millis(1_767_571_200_000);

/// The time of day of a story, told by tokio's clock.
struct StoryClock {
    origin: Instant,
    begun: Timestamp,
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        self.begun + self.origin.elapsed()
    }
}

/// The place, with everybody on it.
pub struct Stage {
    pub(super) cast: Cast,
    pub(super) seed: u64,
    pub(super) phones: Phones,
    pub(super) callers: Callers,
    pub(super) node: Node,
    pub(super) bus: LocalBus,
    router: Arc<Router>,
    origin: Instant,
    log: Mutex<Log>,
    incidents: Mutex<Vec<InvariantBroken>>,
    /// Grows with everything that is seen.
    news: watch::Sender<u64>,
    rules: Mutex<BTreeMap<QueueId, Rules>>,
    lost_desktops: Mutex<BTreeSet<UserId>>,
    version: AtomicU64,
}

impl Stage {
    /// Opens the centre, configured and with nobody logged in.
    ///
    /// # Errors
    /// The centre does not start.
    pub fn open(plan: &mut Plan, settings: &Settings) -> anyhow::Result<Arc<Self>> {
        let origin = Instant::now();
        let begun = MIDNIGHT + plan.clock - PRELUDE;
        let bus = LocalBus::default();
        let first = u64::try_from(begun.as_millis())?;
        let node = NodeBuilder {
            name: NODE.into(),
            bus: Arc::new(bus.clone()),
            clock: Arc::new(StoryClock { origin, begun }),
            ownership: Arc::new(LocalCluster::new(Epoch(first)).join(NODE)),
            keys: Keys::new(&[7; 32]),
            data: std::env::temp_dir(),
            records: centro_node::Records::folder(std::env::temp_dir()),
            arbiters: vec![actix::Arbiter::current()],
            lifecycle: Lifecycle::default(),
        }
        .build();
        let directory: Arc<Directory> = Arc::default();
        // What happens at a moment of a story is known at that moment.
        let store = crate::in_memory(settings, &node, Duration::ZERO);
        let router = crate::router(settings, node.clone(), store, directory.clone());
        let stage = Arc::new(Self {
            cast: std::mem::take(&mut plan.cast),
            seed: plan.seed,
            phones: Phones::new(&plan.agents),
            callers: Callers::default(),
            node: node.clone(),
            bus,
            router: router.clone(),
            origin,
            log: Mutex::default(),
            incidents: Mutex::default(),
            news: watch::Sender::new(0),
            rules: Mutex::default(),
            lost_desktops: Mutex::default(),
            version: AtomicU64::new(0),
        });
        let mut mount = Mount::default();
        crate::open(&mut mount, router);
        mount.grpc(CallEdgeServer::new(Door(stage.clone())));
        node.open(mount);
        stage.configure_all(plan);
        directory.set_loaded();
        directory.set_registered();
        Ok(stage)
    }

    fn configure_all(&self, plan: &Plan) {
        self.let_log_in_anywhere(plan.log_in_to_any_queue);
        for (queue, rules) in &plan.queues {
            self.configure(*queue, rules.clone());
        }
        for agent in &plan.agents {
            let capacity = RoutingProfile {
                user_id: agent.id.to_string(),
                chat_capacity: Some(agent.capacity.chats.into()),
                voice_interrupts_chat: Some(agent.capacity.voice_interrupts_chat),
                ..RoutingProfile::default()
            };
            self.change(Object::RoutingProfile(capacity), false);
            for (skill, level) in &agent.skills {
                self.teach(agent.id, *skill, *level);
            }
            for queue in &agent.queues {
                self.assign_with_order(agent.id, *queue, agent.order, true);
            }
            let device = Device {
                id: device(agent.id).to_string(),
                user_id: agent.id.to_string(),
                ..Device::default()
            };
            let object = DeviceWithCredentials {
                device: Some(device),
                credentials: None,
            };
            self.change(Object::Device(object), false);
            self.register(agent.id, !agent.phone.unregistered);
        }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.node.clock().now()
    }

    /// How long ago the story began; zero before that.
    pub fn moment(&self) -> Duration {
        self.origin.elapsed().saturating_sub(PRELUDE)
    }

    /// Waits for a moment of the story.
    pub async fn wait_until(&self, moment: Duration) {
        tokio::time::sleep_until(self.origin + PRELUDE + moment).await;
    }

    /// Waits for a moment of the story, and until everything is done that was due then: time does not go on before.
    pub async fn wait_past(&self, moment: Duration) {
        self.wait_until(moment + Duration::from_millis(1)).await;
    }

    /// Something was seen.
    pub fn saw(&self, fact: Fact) {
        self.log.lock().saw(self.moment(), fact);
        self.news.send_modify(|n| *n += 1);
    }

    /// The monitor saw a rule broken that must always hold.
    pub fn saw_broken(&self, incident: InvariantBroken) {
        let what = format!("{}: {}", incident.rule, incident.description);
        self.log.lock().broken.push((self.moment(), what));
        self.incidents.lock().push(incident);
    }

    /// Something goes wrong. The fault is given the ids behind names.
    #[cfg(test)]
    pub fn go_wrong(&self, fault: impl FnOnce(&Arc<Router>, &dyn Fn(&str) -> Actor)) {
        fault(&self.router, &|name| self.cast.actor(name));
    }

    /// What the monitor saw.
    #[cfg(test)]
    pub fn incidents(&self) -> Vec<InvariantBroken> {
        self.incidents.lock().clone()
    }

    /// What was seen until now.
    pub fn with_log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.log.lock())
    }

    /// Tells when something more was seen.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The way to routing's doors.
    pub fn routing(&self) -> Conn {
        self.node.conn(Role::Routing)
    }

    /// The queue in which a caller waits.
    pub fn queue_of(&self, caller: &Name) -> Option<QueueId> {
        let name = self.log.lock().board.waits.get(caller).cloned()?;
        let mut queues = self.cast.queues();
        queues.find(|(n, _)| **n == name).map(|(_, id)| id)
    }

    /// A queue's settings now.
    pub fn rules(&self, queue: QueueId) -> Rules {
        self.rules.lock().get(&queue).cloned().unwrap_or_default()
    }

    /// Some of a queue's settings change.
    pub fn configure(&self, queue: QueueId, rules: Rules) {
        let rules = rules.or(self.rules(queue));
        self.rules.lock().insert(queue, rules.clone());
        let name = self.cast.queue(queue);
        let configured = translate::queue(queue, &name, &rules);
        self.change(Object::CallQueue(configured), false);
        // Chat has no queues in the configuration yet.
        self.router
            .directory
            .amend(queue, |settings| chat(&rules, settings));
        self.router.reconcile(Actor::Queue(queue));
    }

    /// A queue is deleted.
    pub fn delete(&self, queue: QueueId) {
        let name = self.cast.queue(queue);
        let deleted = translate::queue(queue, &name, &self.rules(queue));
        self.change(Object::CallQueue(deleted), true);
    }

    /// An agent is assigned to a queue, or no longer.
    pub fn assign(&self, agent: UserId, queue: QueueId, assigned: bool) {
        self.assign_with_order(agent, queue, 0, assigned);
    }

    fn assign_with_order(&self, agent: UserId, queue: QueueId, order: u32, assigned: bool) {
        let assignment = QueueAgent {
            queue_id: queue.to_string(),
            user_id: agent.to_string(),
            order,
            create_time: Some(crate::wire::time(self.now())),
        };
        self.change(Object::QueueAgent(assignment), !assigned);
    }

    /// An agent has a skill at this level from now on; at level 0 no longer.
    pub fn teach(&self, agent: UserId, skill: SkillId, level: u8) {
        let has = UserSkill {
            skill_id: skill.to_string(),
            user_id: agent.to_string(),
            level: level.into(),
            create_time: None,
        };
        self.change(Object::UserSkill(has), level == 0);
    }

    /// People may be logged in to queues to which they are not assigned, or no longer.
    pub fn let_log_in_anywhere(&self, may: bool) {
        self.router.directory.set_open_to_unassigned(TENANT, may);
    }

    /// An agent's phone registers, or its registration ends.
    pub fn register(&self, agent: UserId, online: bool) {
        feed::set_online(&self.router, device(agent), online);
    }

    /// A queue's actor dies.
    pub fn kill_queue(&self, queue: QueueId) {
        self.router.crash(Actor::Queue(queue));
    }

    /// An agent's actor dies.
    pub fn kill_agent(&self, agent: UserId) {
        self.router.crash(Actor::Agent(agent));
    }

    /// An agent's desktop shows no signs of life any more, or shows them again.
    pub fn lose_desktop(&self, agent: UserId, lost: bool) {
        let mut all = self.lost_desktops.lock();
        if lost {
            all.insert(agent);
        } else {
            all.remove(&agent);
        }
    }

    /// Whether an agent's desktop shows no signs of life.
    pub fn has_lost_desktop(&self, agent: UserId) -> bool {
        self.lost_desktops.lock().contains(&agent)
    }

    /// A caller comes.
    pub fn call(self: &Arc<Self>, caller: super::plan::Caller) {
        caller::come(self, caller);
    }

    /// Lets everything end.
    pub async fn close(&self) {
        let lifecycle = self.node.lifecycle();
        lifecycle.drain();
        lifecycle.stop();
        if let Some(recorder) = &self.router.recorder {
            recorder.finish().await;
        }
    }

    fn change(&self, object: Object, deleted: bool) {
        let change = Change {
            tenant_id: TENANT.to_string(),
            version: 1 + self.version.fetch_add(1, Ordering::Relaxed),
            deleted,
            object: Some(object),
        };
        feed::apply(&self.router, &change);
    }
}

/// An agent's phone.
pub fn device(agent: UserId) -> DeviceId {
    DeviceId::from_u128(agent.as_u128())
}

/// What the configuration cannot say of a queue yet.
fn chat(rules: &Rules, settings: &mut QueueSettings) {
    if rules.medium == Some(Medium::Chat) {
        Arc::make_mut(&mut settings.terms).medium = core::Medium::Chat;
    }
    match rules.ring_strategy {
        Some(Strategy::Balanced) => settings.strategy = core::Strategy::Balanced,
        Some(Strategy::FillFirst) => settings.strategy = core::Strategy::FillFirst,
        Some(Strategy::ManualPick) => settings.strategy = core::Strategy::ManualPick,
        _ => {}
    }
}
