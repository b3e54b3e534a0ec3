//! The broker dies, hangs, forgets, throws us out. Nothing is lost, and the order of a subject is kept.

use super::support::{LIMIT, all, connect, event, join, next, publish, settings, settle, take};
use centro_bus::{BusError, EventBus, RabbitBus, RabbitSettings, Subscription};
use centro_kernel::{EventId, TenantId};
use centro_testkit::{
    engines::{Engine, RabbitMq},
    eventually,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

const SUBJECTS: u64 = 3;
const EACH: u64 = 200;

async fn until(what: &str, condition: impl Fn() -> bool) {
    let waited = eventually(what, LIMIT, async || {
        anyhow::ensure!(condition());
        Ok(())
    });
    waited.await.unwrap();
}

/// Publishes all events of a subject in order, as an outbox does, and tells of each.
async fn publish_subject(bus: &RabbitBus, tenant: TenantId, subject: u64, progress: &Notify) {
    for sequence in 1..=EACH {
        publish(bus, event(tenant, subject, sequence)).await;
        progress.notify_one();
    }
}

/// Reads until every event of every subject came. New ones come in order; what comes again is known by its id.
async fn read_all(member: &mut Box<dyn Subscription>) -> u64 {
    let mut seen: BTreeSet<EventId> = BTreeSet::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut repeats = 0;
    while last.values().sum::<u64>() < SUBJECTS * EACH {
        let delivery = next(member).await;
        let event = delivery.event();
        if seen.insert(event.id) {
            let last = last.entry(event.subject.clone()).or_default();
            assert_eq!(event.sequence, *last + 1, "subject {}", event.subject);
            *last = event.sequence;
        } else {
            repeats += 1;
        }
        delivery.ack().await;
    }
    repeats
}

/// Publishes and reads while `disturb` does its worst, which begins when a part was published.
async fn through(bus: &RabbitBus, disturb: impl AsyncFnOnce()) {
    let tenant = TenantId::generate();
    let mut member = join(bus, &tenant.to_string(), tenant).await;
    let progress = Notify::new();
    let disturbed = async {
        for _ in 0..EACH / 4 {
            progress.notified().await;
        }
        disturb().await;
    };
    let (repeats, ..) = tokio::join!(
        read_all(&mut member),
        disturbed,
        publish_subject(bus, tenant, 0, &progress),
        publish_subject(bus, tenant, 1, &progress),
        publish_subject(bus, tenant, 2, &progress),
    );
    println!("{repeats} came again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_broker_is_killed() {
    let mut broker = RabbitMq::start().await.unwrap();
    let bus = connect(settings(&broker)).await;
    through(&bus, async || {
        settle(&broker);
        broker.kill().unwrap();
        until("the bus notices", || !bus.connected()).await;
        broker.revive().await.unwrap();
    })
    .await;
    until("the bus is connected", || bus.connected()).await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_an_operator_closes_the_connections() {
    let broker = RabbitMq::start().await.unwrap();
    let bus = connect(settings(&broker)).await;
    through(&bus, async || {
        for _ in 0..3 {
            let closed = broker.control(&["close_all_connections", "by the test"]);
            closed.unwrap();
        }
    })
    .await;

    // What was held when it broke comes again, and its acknowledgement means nothing.
    let tenant = TenantId::generate();
    let mut member = join(&bus, &tenant.to_string(), tenant).await;
    publish(&bus, event(tenant, "x", 1)).await;
    let held = next(&mut member).await;
    broker
        .control(&["close_all_connections", "by the test"])
        .unwrap();
    let again = next(&mut member).await;
    assert!(again.redelivered());
    assert_eq!(again.event().id, held.event().id);
    held.ack().await;
    drop(again);
    assert_eq!(take(&mut member).await.sequence, 1);
    publish(&bus, event(tenant, "x", 2)).await;
    assert_eq!(take(&mut member).await.sequence, 2);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_does_not_hang_when_the_broker_does() {
    let broker = RabbitMq::start().await.unwrap();
    let bus = connect(RabbitSettings {
        publish_timeout: Duration::from_millis(500),
        heartbeat: Duration::from_secs(1),
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let mut member = join(&bus, &tenant.to_string(), tenant).await;
    broker.freeze().unwrap();
    let begun = Instant::now();
    let refused = bus.publish(event(tenant, "x", 1)).await;
    assert_eq!(refused, Err(BusError::Unavailable));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let refused = bus.subscribe("another", &[&all(tenant)]).await;
    assert_eq!(refused.err(), Some(BusError::Unavailable));
    // Two missed heartbeats, and the broker counts as gone though its socket is open.
    until("the bus notices", || !bus.connected()).await;
    broker.thaw().unwrap();
    publish(&bus, event(tenant, "x", 2)).await;
    // The first may have reached the frozen broker's socket: refused means unknown.
    while take(&mut member).await.sequence != 2 {}
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_or_exchange_that_was_deleted_is_made_anew() {
    let broker = RabbitMq::start().await.unwrap();
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    let mut member = join(&bus, &group, tenant).await;
    publish(&bus, event(tenant, "x", 1)).await;
    let held = next(&mut member).await;
    let queue = format!("centro.events.group.{group}");
    broker.control(&["delete_queue", &queue]).unwrap();
    // What happens until the queue is there again is lost to this group, as if nobody had ever joined it.
    let came = async {
        loop {
            publish(&bus, event(tenant, "x", 2)).await;
            let next = tokio::time::timeout(Duration::from_millis(100), member.next());
            if let Ok(Some(delivery)) = next.await {
                break delivery;
            }
        }
    };
    let came = tokio::time::timeout(LIMIT, came).await.unwrap();
    assert_eq!(came.event().sequence, 2);
    held.ack().await;
    came.ack().await;

    // Without its exchange a broker refuses whatever is published.
    let connection = lapin::Connection::connect(&broker.url(), Default::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = lapin::options::ExchangeDeleteOptions::default();
    channel
        .exchange_delete("centro.events".into(), options)
        .await
        .unwrap();
    publish(&bus, event(tenant, "x", 3)).await;
    let mut joined = join(&bus, &group, tenant).await;
    publish(&bus, event(tenant, "x", 4)).await;
    drop(member);
    while take(&mut joined).await.sequence != 4 {}
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_member_takes_over_what_the_first_held() {
    let broker = super::support::shared().await;
    let (first, second) = (
        connect(settings(&broker)).await,
        connect(settings(&broker)).await,
    );
    let tenant = TenantId::generate();
    let group = tenant.to_string();
    let mut a = join(&first, &group, tenant).await;
    for n in 1..=4 {
        first.publish(event(tenant, "x", n)).await.unwrap();
    }
    let held = [next(&mut a).await, next(&mut a).await];
    let mut b = join(&second, &group, tenant).await;
    let [one, two] = held;
    one.ack().await;
    assert_eq!(two.event().sequence, 2);
    // As a process that ends: what it holds is nobody's.
    first.close().await;
    let again = next(&mut b).await;
    assert_eq!(again.event().sequence, 2);
    assert!(again.redelivered());
    again.ack().await;
    two.ack().await;
    assert_eq!(take(&mut b).await.sequence, 3);
    assert_eq!(take(&mut b).await.sequence, 4);
    assert!(a.next().await.is_none(), "its bus is closed");
    assert_eq!(
        first.publish(event(tenant, "x", 5)).await,
        Err(BusError::Unavailable)
    );
    second.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_events_under_way_arrive_in_the_order_in_which_they_were_published() {
    let broker = super::support::shared().await;
    let bus = Arc::new(connect(settings(&broker)).await);
    let tenant = TenantId::generate();
    let mut member = join(&bus, &tenant.to_string(), tenant).await;
    let publishing =
        futures::future::join_all((1..=500).map(|n| bus.publish(event(tenant, "x", n))));
    let reading = async {
        for n in 1..=500 {
            assert_eq!(take(&mut member).await.sequence, n);
        }
    };
    let (published, ()) = tokio::join!(publishing, reading);
    assert!(published.iter().all(Result::is_ok));
    bus.close().await;
}
