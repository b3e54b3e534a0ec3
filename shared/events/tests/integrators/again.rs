//! A replay goes to the one queue that asked for it.

use super::support::{LIMIT, PASSWORD, connect, event, integration, publish, shared};
use centro_bus::{Again, Integration, ReplayFrom};
use centro_kernel::TenantId;
use futures::StreamExt;
use lapin::{
    Connection, ConnectionProperties, Consumer,
    options::{BasicAckOptions, BasicConsumeOptions},
    types::FieldTable,
};
use serde_json::Value;
use tokio::time::timeout;

async fn reader(url: &str, queue: &str) -> (Connection, Consumer) {
    let properties = ConnectionProperties::default();
    let connection = Connection::connect(url, properties).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let consumer = channel
        .basic_consume(queue.into(), "".into(), options, none)
        .await
        .unwrap();
    (connection, consumer)
}

async fn numbers(consumer: &mut Consumer, count: usize) -> Vec<u64> {
    let mut numbers = vec![];
    while numbers.len() < count {
        let delivery = timeout(LIMIT, consumer.next()).await.expect("nothing came");
        let delivery = delivery.unwrap().unwrap();
        let event: Value = serde_json::from_slice(&delivery.data).unwrap();
        let number = event["tenantsequence"].as_str().unwrap();
        numbers.push(number.parse().unwrap());
        delivery.ack(BasicAckOptions::default()).await.unwrap();
    }
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_goes_to_the_queue_that_asked_and_to_no_other() {
    const PUBLIC: &str = "centro.events.public";
    let broker = shared().await;
    let bus = connect(&broker).await;
    let (tenant, other) = (TenantId::generate(), TenantId::generate());
    let crm = integration(&broker, &bus, tenant).await;
    let second = Integration::new(tenant, "second").unwrap();
    bus.open_queue(&second, &["#"]).await.unwrap();
    let theirs = integration(&broker, &bus, other).await;
    for number in 1..=300 {
        publish(&bus, &event(tenant, number)).await;
        if number % 3 == 0 {
            publish(&bus, &event(other, number / 3)).await;
        }
    }
    let url = broker.url_of(&crm.user(), PASSWORD);
    let (_mine, mut mine) = reader(&url, &crm.queue(PUBLIC)).await;
    assert_eq!(numbers(&mut mine, 300).await, (1..=300).collect::<Vec<_>>());

    let again = |first, last, limit| Again {
        from: ReplayFrom::Oldest,
        first,
        last,
        limit,
    };
    let mut seen = vec![];
    let told = bus.tell_again(&crm, again(20, 299, u64::MAX), |progress| {
        seen.push(progress)
    });
    let told = told.await.unwrap();
    assert_eq!((told.told, told.first, told.last), (280, 20, 299));
    assert_eq!(seen.last(), Some(&told));
    assert_eq!(seen.len(), 2, "each batch says how far it is");
    let limited = bus
        .tell_again(&crm, again(1, 300, 7), |_| ())
        .await
        .unwrap();
    assert_eq!((limited.told, limited.last), (7, 7));
    let expected: Vec<_> = (20..=299).chain(1..=7).collect();
    assert_eq!(numbers(&mut mine, 287).await, expected);

    // The others have what they had.
    for (integration, count) in [(&second, 300), (&theirs, 100)] {
        let (_connection, mut consumer) = reader(&broker.url(), &integration.queue(PUBLIC)).await;
        let heard = numbers(&mut consumer, count).await;
        assert_eq!(heard, (1..=count as u64).collect::<Vec<_>>());
        publish(&bus, &event(integration.tenant(), 1_000)).await;
        assert_eq!(
            numbers(&mut consumer, 1).await,
            [1_000],
            "a replay in between"
        );
    }
    // Nobody's queue is no place to tell anything.
    let nobody = Integration::new(tenant, "nobody").unwrap();
    assert!(
        bus.tell_again(&nobody, again(1, 2, 9), |_| ())
            .await
            .is_err()
    );
    bus.close().await;
}
