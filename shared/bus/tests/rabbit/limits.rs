//! A group has a limit, and publishers are told when it is reached.

use super::support::{LIMIT, connect, event, join, publish, settings, shared, take};
use centro_bus::{BusError, EventBus, RabbitSettings};
use centro_kernel::TenantId;
use futures::StreamExt;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_is_full_refuses_publishers_until_it_was_read() {
    let broker = shared().await;
    let bus = connect(RabbitSettings {
        unread: 1_000,
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    drop(join(&bus, &group, tenant).await);
    // The broker counts a little late, so it may take some more than its limit.
    let mut published = futures::stream::iter(1..)
        .map(|n| bus.publish(event(tenant, "x", n)))
        .buffered(64);
    let filled = async {
        let mut taken = 0;
        loop {
            match published.next().await {
                Some(Ok(())) => taken += 1,
                refused => break (taken, refused),
            }
        }
    };
    let (taken, refused) = timeout(LIMIT, filled).await.expect("there is no limit");
    assert_eq!(refused, Some(Err(BusError::Unavailable)));
    assert!(taken >= 1_000, "only {taken}");
    drop(published);

    // Another who takes the limit for another leaves it as it is, and reads.
    let other = connect(settings(&broker)).await;
    let mut member = join(&other, &group, tenant).await;
    for n in 1..=taken {
        assert_eq!(take(&mut member).await.sequence, n);
    }
    let last = 1_000_000;
    publish(&bus, event(tenant, "x", last)).await;
    while take(&mut member).await.sequence != last {}
    other.close().await;
    bus.close().await;
}
