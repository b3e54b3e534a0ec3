//! A watcher that cannot follow is told so.

use super::support::{LIMIT, all, connect, event, publish, settings, shared};
use centro_bus::{EventBus, RabbitSettings, Seen, Watch};
use centro_kernel::TenantId;
use centro_testkit::eventually;
use std::time::Duration;
use tokio::time::timeout;

async fn see(watch: &mut Box<dyn Watch>) -> Seen {
    let seen = timeout(LIMIT, watch.next())
        .await
        .expect("nothing was seen");
    seen.expect("the bus closed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_watcher_loses_the_oldest_and_is_told_how_many() {
    let broker = shared().await;
    let bus = connect(RabbitSettings {
        watched: 3,
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let mut slow = bus.watch(&[&all(tenant)]).await.unwrap();
    let mut quick = bus.watch(&[&all(tenant)]).await.unwrap();
    for n in 1..=10 {
        bus.publish(event(tenant, "x", n)).await.unwrap();
        // One by one, so that the queue at the broker never drops any.
        assert!(matches!(see(&mut quick).await, Seen::Event(e) if e.sequence == n));
    }
    // The slow one has them too, a moment later.
    let mut lost = 0;
    let mut last = 0;
    while last < 10 {
        match see(&mut slow).await {
            Seen::Lagged(n) => lost += n,
            Seen::Event(event) => {
                assert_eq!(event.sequence, last + lost + 1, "a gap that was not told");
                last = event.sequence;
                lost = 0;
            }
        }
    }
    bus.close().await;
    assert!(slow.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_whose_connection_broke_is_told_and_sees_on() {
    let broker = centro_testkit::engines::RabbitMq::start().await.unwrap();
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    let mut watch = bus.watch(&[&all(tenant)]).await.unwrap();
    bus.publish(event(tenant, "x", 1)).await.unwrap();
    assert!(matches!(see(&mut watch).await, Seen::Event(e) if e.sequence == 1));
    broker
        .control(&["close_all_connections", "by the test"])
        .unwrap();
    assert!(matches!(see(&mut watch).await, Seen::Lagged(n) if n > 0));
    // What is published from then on is seen.
    publish(&bus, event(tenant, "x", 2)).await;
    assert!(matches!(see(&mut watch).await, Seen::Event(e) if e.sequence == 2));
    eventually(
        "both connections are back",
        Duration::from_secs(20),
        async || {
            anyhow::ensure!(bus.connected());
            Ok(())
        },
    )
    .await
    .unwrap();
    bus.close().await;
}
