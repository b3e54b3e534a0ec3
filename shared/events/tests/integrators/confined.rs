//! An integration's user reads its own queue, and can do nothing else.

use super::support::{LIMIT, PASSWORD, connect, event, integration, publish, settings, shared};
use centro_bus::{EventBus, Integration};
use centro_kernel::TenantId;
use centro_testkit::engines::RabbitMq;
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ErrorKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::FieldTable,
};
use serde_json::Value;
use tokio::time::timeout;

const SERVICES: &str = "centro.events";
const PUBLIC: &str = "centro.events.public";

/// A user's connection.
struct Confined {
    connection: Connection,
}

impl Confined {
    async fn of(broker: &RabbitMq, integration: &Integration) -> Self {
        let url = broker.url_of(&integration.user(), PASSWORD);
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&url, properties).await.unwrap();
        Self { connection }
    }

    /// A new one each time, for a refusal closes it.
    async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    async fn consume(&self, queue: &str) -> lapin::Result<lapin::Consumer> {
        let options = BasicConsumeOptions::default();
        let channel = self.channel().await;
        channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await
    }

    async fn bind(&self, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
        let (options, none) = (QueueBindOptions::default(), FieldTable::default());
        let channel = self.channel().await;
        channel
            .queue_bind(queue.into(), exchange.into(), key.into(), options, none)
            .await
    }

    async fn declare(&self, queue: &str) -> lapin::Result<()> {
        let options = QueueDeclareOptions {
            durable: true,
            ..QueueDeclareOptions::default()
        };
        let channel = self.channel().await;
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        declared.await.map(drop)
    }

    async fn publish(&self, exchange: &str, key: &str) -> lapin::Result<()> {
        let channel = self.channel().await;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
        sent.await?.await.map(drop)
    }

    async fn delete(&self, queue: &str) -> lapin::Result<()> {
        let channel = self.channel().await;
        let deleted = channel.queue_delete(queue.into(), QueueDeleteOptions::default());
        deleted.await.map(drop)
    }
}

fn refused<T: std::fmt::Debug>(what: &str, result: lapin::Result<T>) {
    let error = result.expect_err(what);
    match error.kind() {
        ErrorKind::ProtocolError(error) => assert_eq!(error.get_id(), 403, "{what}: {error}"),
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confined_user_reads_its_own_queue_and_nothing_else() {
    let broker = shared().await;
    let bus = connect(&broker).await;
    let (own, other) = (TenantId::generate(), TenantId::generate());
    let (crm, theirs) = (
        integration(&broker, &bus, own).await,
        integration(&broker, &bus, other).await,
    );
    // A service's group, as it is at the broker.
    let group = bus.subscribe("analytics", &["#"]).await.unwrap();
    publish(&bus, &event(other, 1)).await;
    publish(&bus, &event(own, 1)).await;
    let user = Confined::of(&broker, &crm).await;
    let queue = crm.queue(PUBLIC);

    let mut deliveries = user.consume(&queue).await.unwrap();
    let first = timeout(LIMIT, deliveries.next()).await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first.unwrap().data).unwrap();
    assert_eq!(first["tenantid"], own.to_string(), "another tenant's event");

    let service = format!("{PUBLIC}.group.analytics");
    let log = format!("{PUBLIC}.log");
    for queue in [&theirs.queue(PUBLIC), &service, &log] {
        refused("read", user.consume(queue).await);
        refused("delete", user.delete(queue).await);
        let channel = user.channel().await;
        let options = QueuePurgeOptions::default();
        refused(
            "purge",
            channel.queue_purge(queue.as_str().into(), options).await,
        );
    }
    refused(
        "bind",
        user.bind(&queue, PUBLIC, &format!("{other}.#")).await,
    );
    refused("bind to all", user.bind(&queue, PUBLIC, "#").await);
    refused("bind to services", user.bind(&queue, SERVICES, "#").await);
    refused("delete its own", user.delete(&queue).await);
    refused("declare", user.declare(&format!("{queue}.more")).await);
    refused("declare any", user.declare("mine").await);
    let key = format!("{own}.routing.contact.queued");
    for (exchange, key) in [
        (PUBLIC, key.as_str()),
        (&format!("{PUBLIC}.replay"), &queue),
        ("", &queue),
        ("amq.topic", &key),
    ] {
        refused(exchange, user.publish(exchange, key).await);
    }
    let channel = user.channel().await;
    let options = ExchangeDeleteOptions::default();
    refused(
        "delete an exchange",
        channel.exchange_delete(PUBLIC.into(), options).await,
    );
    drop(group);
    bus.close().await;
}

/// An operator who lets an integration make queues of its own still keeps it to its tenant.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_makes_its_own_queues_binds_them_to_its_tenant_only() {
    let broker = shared().await;
    let bus = connect(&broker).await;
    let (own, other) = (TenantId::generate(), TenantId::generate());
    let crm = integration(&broker, &bus, own).await;
    let theirs = integration(&broker, &bus, other).await;
    let prefix = crm.queue(PUBLIC).replace('.', r"\.");
    let wider = [
        "set_permissions",
        "-p",
        "/",
        &crm.user(),
        &format!(r"^{prefix}(\..*)?$"),
        &format!(r"^{prefix}(\..*)?$"),
        &format!(r"^({prefix}(\..*)?|centro\.events\.public)$"),
    ];
    broker.control(&wider).unwrap();
    let user = Confined::of(&broker, &crm).await;
    let mine = format!("{}.second", crm.queue(PUBLIC));
    user.declare(&mine).await.unwrap();
    user.bind(&mine, PUBLIC, &format!("{own}.routing.#"))
        .await
        .unwrap();
    for key in [
        &format!("{other}.#"),
        &format!("{other}.routing.contact.queued"),
        "#",
        "*.routing.#",
    ] {
        refused(key, user.bind(&mine, PUBLIC, key).await);
    }
    refused("another's queue", user.declare(&theirs.queue(PUBLIC)).await);
    refused("write", user.publish(PUBLIC, &format!("{own}.x.y.z")).await);
    publish(&bus, &event(other, 1)).await;
    publish(&bus, &event(own, 1)).await;
    let mut deliveries = user.consume(&mine).await.unwrap();
    let first = timeout(LIMIT, deliveries.next()).await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first.unwrap().data).unwrap();
    assert_eq!(first["tenantid"], own.to_string());
    user.delete(&mine).await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_bound_to_what_was_asked_for_and_goes_when_it_is_deleted() {
    let broker = shared().await;
    let bus = connect(&broker).await;
    let tenant = TenantId::generate();
    let integration = Integration::new(tenant, "calls").unwrap();
    assert!(bus.open_queue(&integration, &["a.b.c.d"]).await.is_err());
    assert!(bus.open_queue(&integration, &[]).await.is_err());
    let queue = bus.open_queue(&integration, &["telephony.#"]).await;
    let queue = queue.unwrap();
    assert_eq!(queue, integration.queue(&settings(&broker).exchange));
    let mut call = event(tenant, 1);
    publish(&bus, &call).await;
    call.kind = "telephony.call.ended".into();
    publish(&bus, &call).await;
    let (url, properties) = (broker.url(), ConnectionProperties::default());
    let everybody = Confined {
        connection: Connection::connect(&url, properties).await.unwrap(),
    };
    let mut deliveries = everybody.consume(&queue).await.unwrap();
    let first = timeout(LIMIT, deliveries.next()).await.unwrap().unwrap();
    let first: Value = serde_json::from_slice(&first.unwrap().data).unwrap();
    assert_eq!(first["type"], "telephony.call.ended", "the only one");
    drop(deliveries);
    bus.delete_queue(&integration).await.unwrap();
    bus.delete_queue(&integration).await.unwrap();
    let listed = broker.control(&["list_queues", "name"]).unwrap();
    assert!(!listed.contains(&queue), "{listed}");
    bus.close().await;
}
