//! The limits and the end of the embedded bus.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::{BusError, Event, EventBus, Limits, LocalBus, Seen};
use centro_kernel::Timestamp;
use std::time::Duration;

fn small() -> LocalBus {
    LocalBus::new(Limits {
        unread: 2,
        watched: 2,
        patience: Duration::from_millis(20),
    })
}

fn event(subject: impl ToString) -> Event {
    let time = Timestamp::from_millis(0);
    Event::new(
        None,
        "test.thing.happened",
        subject,
        time,
        &prost_types::Duration::default(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_full_group_makes_the_publisher_wait_and_then_refuses() {
    let bus = small();
    let mut member = bus.subscribe("slow", &["#"]).await.unwrap();
    bus.publish(event(1)).await.unwrap();
    bus.publish(event(2)).await.unwrap();
    let full = BusError::Full {
        group: "slow".into(),
        limit: 2,
    };
    assert_eq!(bus.publish(event(3)).await, Err(full));

    // Held and not acknowledged is not read yet.
    let held = member.next().await.unwrap();
    assert!(bus.publish(event(3)).await.is_err());
    let (published, ()) = tokio::join!(bus.publish(event(3)), held.ack());
    assert_eq!(published, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_one_group_refuses_is_given_to_none() {
    let bus = small();
    let _slow = bus.subscribe("slow", &["-.test.#"]).await.unwrap();
    bus.publish(event(1)).await.unwrap();
    bus.publish(event(2)).await.unwrap();
    let mut late = bus.subscribe("late", &["#"]).await.unwrap();
    let mut watch = bus.watch(&["#"]).await.unwrap();
    assert!(bus.publish(event(3)).await.is_err());
    bus.close();
    assert!(late.next().await.is_none());
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_slow_watcher_loses_the_oldest_and_is_told_how_many() {
    let bus = small();
    let mut watch = bus.watch(&["#"]).await.unwrap();
    for n in 0..5 {
        bus.publish(event(n)).await.unwrap();
    }
    assert!(matches!(watch.next().await, Some(Seen::Lagged(3))));
    for n in 3..5 {
        assert!(matches!(watch.next().await, Some(Seen::Event(e)) if e.subject == n.to_string()));
    }
}

#[tokio::test]
async fn a_closed_bus_gives_out_what_it_has_and_takes_no_more() {
    let bus = small();
    let mut member = bus.subscribe("g", &["#"]).await.unwrap();
    let mut watch = bus.watch(&["#"]).await.unwrap();
    bus.publish(event(1)).await.unwrap();
    bus.close();
    assert_eq!(bus.publish(event(2)).await, Err(BusError::Unavailable));
    assert!(bus.subscribe("h", &["#"]).await.is_err());
    member.next().await.unwrap().ack().await;
    assert!(member.next().await.is_none());
    assert!(matches!(watch.next().await, Some(Seen::Event(_))));
    assert!(watch.next().await.is_none());
}
