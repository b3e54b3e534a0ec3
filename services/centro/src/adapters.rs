//! Which adapters a process has: those of one process that needs nothing beside it, or those of a cluster. Nothing else
//! knows the difference.

use crate::settings::Settings;
use anyhow::Result;
use centro_bus::{EventBus, LocalBus, RabbitBus};
use centro_cluster::{Epoch, LocalOwnership, Member, Ownership, Shard, redis::RedisOwnership};
use centro_events::{Internal, Public};
use centro_kernel::{Clock, SystemClock};
use centro_node::{Lifecycle, Node, NodeBuilder, Peers, PeersOf, Role};
use centro_routing::store::Shared;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// How often it is looked whether every shard has an owner, and for how long.
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(15);

/// What a process has of its surroundings.
pub struct Adapters {
    /// Carries events.
    pub bus: Bus,
    /// Where integrators are told; none where there is no broker, or no gateway in this process.
    integrators: Option<RabbitBus>,
    /// The other processes; none for one that is alone.
    cluster: Option<RedisOwnership>,
}

/// Carries events, and ends.
#[derive(Clone)]
pub enum Bus {
    /// Inside this process.
    Local(Arc<LocalBus>),
    /// Through a broker.
    Rabbit(RabbitBus),
}

impl Bus {
    /// As services see it.
    pub fn port(&self) -> Arc<dyn EventBus> {
        match self {
            Self::Local(bus) => bus.clone(),
            Self::Rabbit(bus) => Arc::new(bus.clone()),
        }
    }

    /// No more events: what was handed over is still delivered.
    pub async fn close(&self) {
        match self {
            Self::Local(bus) => bus.close(),
            Self::Rabbit(bus) => bus.close().await,
        }
    }
}

impl Adapters {
    /// Those of a process that shares nothing with others but its records.
    pub fn alone() -> Self {
        Self {
            bus: Bus::Local(Arc::default()),
            integrators: None,
            cluster: None,
        }
    }

    /// Those that the settings name.
    ///
    /// # Errors
    /// An engine cannot be reached, refuses us, or belongs to somebody else.
    pub async fn connect(settings: &Settings, roles: &[Role], secret: &[u8]) -> Result<Self> {
        let rabbitmq = &settings.bus.rabbitmq;
        let bus = if rabbitmq.url.is_empty() {
            Bus::Local(Arc::default())
        } else {
            let wire = Arc::new(Internal);
            Bus::Rabbit(RabbitBus::connect(rabbitmq.clone(), wire).await?)
        };
        let told = settings.bus.integrators && roles.contains(&Role::Gateway);
        let integrators = if told && !rabbitmq.url.is_empty() {
            let wire = Arc::new(Public);
            Some(RabbitBus::connect(rabbitmq.for_integrators(), wire).await?)
        } else {
            None
        };
        let redis = &settings.cluster.redis;
        let cluster = if redis.url.is_empty() {
            None
        } else {
            let me = Member {
                name: Arc::from(settings.node.name.as_str()),
                roles: roles.iter().map(|role| Arc::from(role.name())).collect(),
                address: Arc::from(settings.node.reached_at()),
                draining: false,
            };
            let owning = Role::Routing.name();
            Some(RedisOwnership::join(redis, me, owning, &installation(secret)).await?)
        };
        Ok(Self {
            bus,
            integrators,
            cluster,
        })
    }

    /// Where integrators are told, for a gateway.
    pub fn integrators(&self) -> Option<centro_gateway::Public> {
        let bus = self.integrators.clone()?;
        Some(centro_gateway::Public(Arc::new(bus)))
    }

    /// No more events, for services and for integrators.
    pub async fn close(&self) {
        self.bus.close().await;
        if let Some(integrators) = &self.integrators {
            integrators.close().await;
        }
    }

    /// Who owns what.
    pub fn ownership(&self) -> Arc<dyn Ownership> {
        match &self.cluster {
            Some(cluster) => Arc::new(cluster.clone()),
            // Epochs grow over restarts too.
            None => {
                let now = SystemClock.now().as_millis();
                Arc::new(LocalOwnership::new(Epoch(
                    u64::try_from(now).unwrap_or_default(),
                )))
            }
        }
    }

    /// A node among the others.
    pub fn build(&self, builder: NodeBuilder, roles: &[Role]) -> Node {
        let Some(cluster) = &self.cluster else {
            return builder.build();
        };
        let peers: Arc<dyn Peers> = Arc::new(PeersOf::new(
            Arc::new(cluster.clone()),
            &builder.name,
            roles,
        ));
        builder.build_among(peers)
    }

    /// Where routing keeps what others take over; `None`: in memory.
    pub fn hot_state(&self, settings: &Settings) -> Option<Shared> {
        let cluster = self.cluster.as_ref()?;
        Some(Shared {
            redis: settings.cluster.redis.clone(),
            nonce: cluster.nonce().clone(),
        })
    }

    /// Waits until every shard has an owner, or has had its time: a process that begins beside others takes part a session
    /// time later, and until then there is nobody to ask.
    pub async fn settled(&self) {
        let Some(cluster) = &self.cluster else { return };
        let owned = async {
            while Shard::all().any(|shard| cluster.owner(shard).is_none()) {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(PATIENCE, owned).await.is_err() {
            tracing::warn!("not every shard has an owner yet; calls wait until they have");
        }
    }

    /// Does what operators want of this process: nothing new while it is drained. Tells them how much goes on.
    pub fn obey(&self, lifecycle: &Lifecycle) {
        let Some(cluster) = &self.cluster else { return };
        let live = lifecycle.live().clone();
        cluster.tell_work(move || u32::try_from(live.len()).unwrap_or(u32::MAX));
        let (mut aside, lifecycle) = (cluster.aside(), lifecycle.clone());
        tokio::spawn(async move {
            loop {
                let wanted = *aside.borrow_and_update();
                if wanted != lifecycle.is_aside() {
                    lifecycle.set_aside(wanted);
                    tracing::warn!(drained = wanted, "an operator decided on this process");
                }
                let stopping = lifecycle.stopping();
                tokio::select! {
                    changed = aside.changed() => if changed.is_err() { return },
                    () = stopping.cancelled() => return,
                }
            }
        });
    }

    /// Gives the shards of this process to the others, and does not wait.
    pub fn give_away(&self) {
        if let Some(cluster) = &self.cluster {
            cluster.give_away();
        }
    }

    /// Gives the shards of this process to the others, who have them a moment later.
    pub async fn leave(&self) {
        if let Some(cluster) = &self.cluster
            && let Err(error) = cluster.drain().await
        {
            tracing::warn!(%error, "left without giving everything away");
        }
    }
}

/// Says whose centre this is without telling the secret that its processes share.
pub fn installation(secret: &[u8]) -> String {
    let digest = Sha256::new_with_prefix(b"centro installation").chain_update(secret);
    hex::encode(&digest.finalize()[..8])
}
