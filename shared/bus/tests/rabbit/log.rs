//! What was published can be read again.

use super::support::{LIMIT, all, connect, event, publish, settings, settle, shared};
use centro_bus::{EventBus, Replay, ReplayFrom, Replayed};
use centro_kernel::{TenantId, Timestamp};
use centro_testkit::engines::{Engine, RabbitMq};
use std::time::Duration;
use tokio::time::timeout;

async fn read(replay: &mut Replay) -> Option<Replayed> {
    timeout(LIMIT, replay.next()).await.expect("nothing came")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_from_the_beginning_from_an_offset_and_from_a_time() {
    let broker = shared().await;
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    let pattern = all(tenant);
    let patterns = [pattern.as_str()];
    let begin = Timestamp::from_millis(1_800_000_000_000);
    let mut sent = vec![];
    for n in 0..300 {
        let mut event = event(tenant, "x", n + 1);
        event.time = begin + Duration::from_secs(n);
        bus.publish(event.clone()).await.unwrap();
        bus.publish(self::event(TenantId::generate(), "another's", n))
            .await
            .unwrap();
        sent.push(event);
    }

    let mut replay = bus.replay(ReplayFrom::Oldest, &patterns, 300);
    let mut offsets = vec![];
    for event in &sent {
        let replayed = read(&mut replay).await.unwrap();
        assert_eq!(replayed.event, *event);
        assert!(offsets.last() < Some(&replayed.offset));
        offsets.push(replayed.offset);
    }
    assert_eq!(read(&mut replay).await, None, "that was the limit");

    let from = ReplayFrom::Offset(offsets[100] + 1);
    let mut replay = bus.replay(from, &patterns, u64::MAX);
    for n in 101..300 {
        let replayed = read(&mut replay).await.unwrap();
        assert_eq!((replayed.offset, &replayed.event), (offsets[n], &sent[n]));
    }
    // At the end it waits for what comes.
    let mut late = event(tenant, "x", 301);
    late.time = begin + Duration::from_secs(10);
    bus.publish(late.clone()).await.unwrap();
    assert_eq!(read(&mut replay).await.unwrap().event, late);
    bus.close().await;
    assert_eq!(read(&mut replay).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_from_a_time_begins_with_what_happened_then() {
    let broker = shared().await;
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    let mut before = event(tenant, "x", 1);
    before.time = before.time - Duration::from_secs(3_600);
    bus.publish(before).await.unwrap();
    let then = event(tenant, "x", 2);
    bus.publish(then.clone()).await.unwrap();
    let pattern = all(tenant);
    let mut replay = bus.replay(ReplayFrom::Time(then.time), &[&pattern], 1);
    assert_eq!(read(&mut replay).await.unwrap().event, then);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_goes_on_where_it_was_when_the_broker_comes_back() {
    let mut broker = RabbitMq::start().await.unwrap();
    let bus = connect(settings(&broker)).await;
    let tenant = TenantId::generate();
    for n in 1..=5 {
        publish(&bus, event(tenant, "x", n)).await;
    }
    let pattern = all(tenant);
    let mut replay = bus.replay(ReplayFrom::Oldest, &[&pattern], u64::MAX);
    let mut last = 0;
    for _ in 0..3 {
        last = read(&mut replay).await.unwrap().event.sequence;
    }
    assert_eq!(last, 3);
    settle(&broker);
    broker.kill().unwrap();
    broker.revive().await.unwrap();
    publish(&bus, event(tenant, "x", 6)).await;
    while last < 6 {
        let sequence = read(&mut replay).await.unwrap().event.sequence;
        // The publisher may have repeated the last one, the log repeats none.
        assert!(sequence == last + 1, "{sequence} after {last}");
        last = sequence;
    }
    bus.close().await;
}
