//! A routing process as the product wires it: a node that is alone, an embedded bus, an arbiter and a worker for every two
//! cores (docs/decisions/0005).

use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_kernel::{Clock, DeviceId, QueueId, SystemClock, TenantId, UserId};
use centro_node::{Lifecycle, NodeBuilder};
use centro_proto::{
    configuration::{
        CallQueue, Change, Device, DeviceWithCredentials, QueueAgent, WrapUpMode, change::Object,
    },
    types::RingStrategy,
};
use centro_routing::{Settings, bench::Floor};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;

const TENANT: TenantId = TenantId::from_u128(1);

/// The process.
pub struct Process {
    /// Where the doors' and edges' tasks run.
    pub runtime: Runtime,
    /// Its routing.
    pub floor: Floor,
    version: AtomicU64,
}

impl Process {
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = (cores / 2).max(1);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .expect("a runtime");
        let started = SystemClock.now().as_millis().unsigned_abs();
        let node = NodeBuilder {
            name: "bench".into(),
            bus: Arc::new(LocalBus::default()),
            clock: Arc::new(SystemClock),
            ownership: Arc::new(LocalOwnership::new(Epoch(started))),
            keys: Keys::new(&[7; 32]),
            data: std::env::temp_dir(),
            records: centro_node::Records::folder(std::env::temp_dir()),
            arbiters: arbiters(threads),
            lifecycle: Lifecycle::default(),
        }
        .build();
        let settings = Settings::default();
        let floor = runtime.block_on(async { Floor::new(node, &settings, TENANT) });
        Self {
            runtime,
            floor,
            version: AtomicU64::new(0),
        }
    }

    /// A queue without wrap-up.
    pub fn add_queue(&self, id: QueueId, strategy: RingStrategy) {
        self.put(Object::CallQueue(CallQueue {
            id: id.to_string(),
            ring_strategy: strategy.into(),
            wrap_up_mode: WrapUpMode::None.into(),
            ..CallQueue::default()
        }));
    }

    /// An agent with a registered phone, assigned to these queues and logged in.
    pub fn add_agent(&self, id: UserId, queues: &[QueueId]) {
        let device = DeviceId::from_u128(id.as_u128());
        self.put(Object::Device(DeviceWithCredentials {
            device: Some(Device {
                id: device.to_string(),
                user_id: id.to_string(),
                ..Device::default()
            }),
            credentials: None,
        }));
        self.floor.register(device);
        for queue in queues {
            self.put(Object::QueueAgent(QueueAgent {
                queue_id: queue.to_string(),
                user_id: id.to_string(),
                ..QueueAgent::default()
            }));
        }
        let logged_in = self.runtime.block_on(self.floor.log_in(id));
        logged_in.expect("the agent logs in");
    }

    fn put(&self, object: Object) {
        let version = 1 + self.version.fetch_add(1, Ordering::Relaxed);
        self.floor.apply(&Change {
            tenant_id: TENANT.to_string(),
            version,
            deleted: false,
            object: Some(object),
        });
    }
}

/// Arbiters live as long as their actix system, which gets a thread of its own.
fn arbiters(count: usize) -> Vec<actix::ArbiterHandle> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let system = actix::System::new();
        let arbiters: Vec<_> = system.block_on(async move {
            let arbiters = (0..count).map(|_| actix::Arbiter::new().handle());
            arbiters.collect()
        });
        let _ = sender.send(arbiters);
        let _ = system.run();
    });
    let wait = Duration::from_secs(10);
    receiver.recv_timeout(wait).expect("the arbiters start")
}
