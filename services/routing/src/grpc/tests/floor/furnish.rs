//! What the floor is told to have: queues, devices, who serves where.

use super::*;

impl Floor {
    /// Queues that all agents serve, and agents with phones.
    pub(super) fn furnish(&self, queues: u128, agents: u128) {
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

    pub(super) fn call_queue(n: u128, ring: i64) -> CallQueue {
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

    pub(super) fn change(&self, object: Object, deleted: bool) -> Change {
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

    pub(super) fn apply(&self, object: Object, deleted: bool) {
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
}
