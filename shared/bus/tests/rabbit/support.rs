//! A broker for those who leave it as it is, and what all tests do.

use centro_bus::{
    BusError, CloudEvents, Delivery, Event, EventBus, RabbitBus, RabbitSettings, Subscription,
};
use centro_kernel::{Clock, SystemClock, TenantId};
use centro_testkit::engines::RabbitMq;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};

/// Longer than anything takes on a busy machine; who waits for it has failed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// The broker that tests share while there are any.
pub async fn shared() -> Arc<RabbitMq> {
    static BROKER: Mutex<Weak<RabbitMq>> = Mutex::const_new(Weak::new());
    let mut shared = BROKER.lock().await;
    if let Some(broker) = shared.upgrade() {
        return broker;
    }
    let broker = Arc::new(RabbitMq::start().await.unwrap());
    *shared = Arc::downgrade(&broker);
    broker
}

pub fn settings(broker: &RabbitMq) -> RabbitSettings {
    RabbitSettings {
        url: broker.url(),
        ..RabbitSettings::default()
    }
}

pub async fn connect(settings: RabbitSettings) -> RabbitBus {
    RabbitBus::connect(settings, Arc::new(CloudEvents))
        .await
        .unwrap()
}

/// RabbitMQ writes down which Raft groups it has some 3 s after it made one; killed before, it forgets them, whatever it
/// confirmed. Whoever kills it has it write them down first.
pub fn settle(broker: &RabbitMq) {
    let write = "[ok = dets:sync(T) || T <- dets:all()].";
    broker.control(&["eval", write]).unwrap();
}

/// An event of a tenant that happened now.
pub fn event(tenant: TenantId, subject: impl ToString, sequence: u64) -> Event {
    let data = prost_types::Duration::default();
    let now = SystemClock.now();
    Event {
        sequence,
        ..Event::new(Some(tenant), "test.thing.happened", subject, now, &data)
    }
}

pub fn all(tenant: TenantId) -> String {
    format!("{tenant}.#")
}

/// Publishes as an outbox does: the same event again until the bus has it.
pub async fn publish(bus: &RabbitBus, event: Event) {
    let published = async {
        while bus.publish(event.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, published).await.expect("nobody took it");
}

pub async fn next(member: &mut Box<dyn Subscription>) -> Box<dyn Delivery> {
    timeout(LIMIT, member.next())
        .await
        .expect("no event came")
        .expect("the bus closed")
}

pub async fn take(member: &mut Box<dyn Subscription>) -> Event {
    let delivery = next(member).await;
    let event = delivery.event().clone();
    delivery.ack().await;
    event
}

/// Joins when the bus can.
pub async fn join(bus: &RabbitBus, group: &str, tenant: TenantId) -> Box<dyn Subscription> {
    let joined = async {
        loop {
            match bus.subscribe(group, &[&all(tenant)]).await {
                Ok(member) => return member,
                Err(BusError::Unavailable) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(LIMIT, joined).await.expect("cannot join")
}
