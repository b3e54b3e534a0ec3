//! What cannot be dealt with goes to the group's dead-letter queue and holds nobody up.

use super::support::{connect, event, join, next, settings, shared, take};
use centro_bus::{EventBus, RabbitSettings};
use centro_kernel::TenantId;
use centro_testkit::{engines::RabbitMq, eventually};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{BasicGetOptions, BasicPublishOptions},
};
use std::time::Duration;

async fn channel(broker: &RabbitMq) -> (Connection, lapin::Channel) {
    let connection = Connection::connect(&broker.url(), ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

async fn dead_letter(broker: &RabbitMq, group: &str) -> BasicGetMessage {
    let (_connection, channel) = channel(broker).await;
    let queue = format!("centro.events.group.{group}.dead");
    eventually("a dead letter", Duration::from_secs(20), async || {
        let options = BasicGetOptions { no_ack: true };
        let message = channel.basic_get(queue.as_str().into(), options).await?;
        message.ok_or_else(|| anyhow::anyhow!("none yet"))
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_back_too_often_is_laid_aside_and_the_next_one_comes() {
    let broker = shared().await;
    let bus = connect(RabbitSettings {
        delivery_limit: 3,
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    let mut member = join(&bus, &group, tenant).await;
    let poison = event(tenant, "x", 1);
    bus.publish(poison.clone()).await.unwrap();
    bus.publish(event(tenant, "x", 2)).await.unwrap();
    for time in 0..3 {
        let delivery = next(&mut member).await;
        assert_eq!(delivery.event().sequence, 1);
        assert_eq!(delivery.redelivered(), time > 0);
    }
    assert_eq!(take(&mut member).await.sequence, 2);
    let dead = dead_letter(&broker, &group).await;
    let id = dead.properties.message_id().as_ref().unwrap();
    assert_eq!(id.as_str(), poison.id.to_string());
    // It is not with the group any more.
    drop(member);
    let mut member = join(&bus, &group, tenant).await;
    bus.publish(event(tenant, "x", 3)).await.unwrap();
    assert_eq!(take(&mut member).await.sequence, 3);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_event_is_laid_aside() {
    let broker = shared().await;
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    let mut member = join(&bus, &group, tenant).await;
    let (_connection, channel) = channel(&broker).await;
    channel
        .basic_publish(
            "centro.events".into(),
            format!("{tenant}.x").into(),
            BasicPublishOptions::default(),
            b"rubbish",
            BasicProperties::default(),
        )
        .await
        .unwrap();
    assert_eq!(dead_letter(&broker, &group).await.data, b"rubbish");
    bus.publish(event(tenant, "x", 1)).await.unwrap();
    assert_eq!(take(&mut member).await.sequence, 1);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_has_the_properties_that_others_read() {
    let broker = shared().await;
    let bus = connect(RabbitSettings {
        delivery_limit: 1,
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    let mut member = join(&bus, &group, tenant).await;
    let mut sent = event(tenant, "x", 1);
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    sent.traceparent = Some(traceparent.into());
    bus.publish(sent.clone()).await.unwrap();
    drop(next(&mut member).await);
    let dead = dead_letter(&broker, &group).await;
    let properties = &dead.properties;
    let header = &properties.headers().as_ref().unwrap().inner()["traceparent"];
    assert_eq!(header.as_long_string().unwrap().to_string(), traceparent);
    assert_eq!(*properties.delivery_mode(), Some(2));
    let content_type = properties.content_type().as_ref().unwrap();
    assert!(
        content_type
            .as_str()
            .starts_with("application/cloudevents+json")
    );
    let kind = properties.kind().as_ref().unwrap();
    assert_eq!(kind.as_str(), "test.thing.happened");
    let seconds = sent.time.as_millis() as u64 / 1_000;
    assert_eq!(*properties.timestamp(), Some(seconds));
    bus.close().await;
}
