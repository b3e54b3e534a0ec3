//! A broker for those who leave it as it is, and what all tests do.

use centro_bus::{Event, EventBus, Integration, RabbitBus, RabbitSettings};
use centro_events::Public;
use centro_kernel::{Clock, ContactId, QueueId, SystemClock, TenantId};
use centro_proto::events::ContactReprioritised;
use centro_testkit::engines::RabbitMq;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};

/// Longer than anything takes on a busy machine; who waits for it has failed.
pub const LIMIT: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "correct-horse";

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

/// The exchange of integrators.
pub fn settings(broker: &RabbitMq) -> RabbitSettings {
    let services = RabbitSettings {
        url: broker.url(),
        ..RabbitSettings::default()
    };
    services.for_integrators()
}

pub async fn connect(broker: &RabbitMq) -> RabbitBus {
    RabbitBus::connect(settings(broker), Arc::new(Public))
        .await
        .unwrap()
}

/// An integration with its queue and its user, made as `centro integration create` and its words say.
pub async fn integration(broker: &RabbitMq, bus: &RabbitBus, tenant: TenantId) -> Integration {
    let integration = Integration::new(tenant, "crm").unwrap();
    bus.open_queue(&integration, &["#"]).await.unwrap();
    for command in integration.commands("/", &settings(broker).exchange, PASSWORD) {
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        broker.control(&words).unwrap();
    }
    integration
}

/// The tenant's event of this number.
pub fn event(tenant: TenantId, number: u64) -> Event {
    let contact = ContactId::generate();
    let data = ContactReprioritised {
        contact_id: contact.to_string(),
        queue_id: QueueId::from_u128(1).to_string(),
        ..ContactReprioritised::default()
    };
    let kind = "routing.contact.reprioritised";
    Event {
        sequence: number,
        contact_sequence: 1,
        ..Event::new(Some(tenant), kind, contact, SystemClock.now(), &data)
    }
}

/// Publishes until the broker has it.
pub async fn publish(bus: &RabbitBus, event: &Event) {
    let published = async {
        while bus.publish(event.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, published).await.expect("nobody took it");
}
