//! What every bus promises. Each case has a tenant and groups of its own, so that a broker may be shared by all of them.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::{
    CloudEvents, Delivery, Event, EventBus, LocalBus, RabbitBus, RabbitSettings, Seen, Subscription,
};
use centro_kernel::{EventId, TenantId, Timestamp};
use centro_testkit::engines::RabbitMq;
use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::Mutex;

/// Longer than any bus takes; a case that waits for it has failed.
const LIMIT: Duration = Duration::from_secs(20);

macro_rules! contract {
    ($($case:ident)+) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(&super::LocalBus::default()).await;
            })+
        }

        mod rabbit {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let broker = super::broker().await;
                let bus = super::rabbit(&broker).await;
                super::$case(&bus).await;
                bus.close().await;
            })+
        }
    };
}

/// The broker that all cases share while there are any.
async fn broker() -> Arc<RabbitMq> {
    static BROKER: Mutex<Weak<RabbitMq>> = Mutex::const_new(Weak::new());
    let mut shared = BROKER.lock().await;
    if let Some(broker) = shared.upgrade() {
        return broker;
    }
    let broker = Arc::new(RabbitMq::start().await.unwrap());
    *shared = Arc::downgrade(&broker);
    broker
}

async fn rabbit(broker: &RabbitMq) -> RabbitBus {
    let settings = RabbitSettings {
        url: broker.url(),
        publish_timeout: LIMIT,
        ..RabbitSettings::default()
    };
    RabbitBus::connect(settings, Arc::new(CloudEvents))
        .await
        .unwrap()
}

contract! {
    an_event_reaches_every_group_that_asked_for_it_whole
    a_group_gets_only_what_its_patterns_name
    an_event_goes_to_one_member_of_a_group
    an_event_that_was_not_acknowledged_comes_again_and_says_so
    events_of_one_subject_keep_their_order_among_members
    events_of_one_subject_keep_their_order_when_the_first_comes_again
    a_group_keeps_its_backlog_while_it_has_no_member
    a_group_begins_with_its_first_member
    a_member_may_hold_many_before_it_acknowledges
    a_watcher_sees_what_is_published_while_it_looks
    many_publishers_lose_nothing
}

/// Names that no other case uses.
struct Case {
    tenant: TenantId,
}

impl Case {
    fn new() -> Self {
        Self {
            tenant: TenantId::generate(),
        }
    }

    fn group(&self, name: &str) -> String {
        format!("{name}.{}", self.tenant)
    }

    fn all(&self) -> String {
        format!("{}.#", self.tenant)
    }

    fn event(&self, kind: &str, subject: impl ToString) -> Event {
        let data = prost_types::Duration {
            seconds: 7,
            nanos: 0,
        };
        Event::new(
            Some(self.tenant),
            kind,
            subject,
            Timestamp::from_millis(42),
            &data,
        )
    }

    async fn join(&self, bus: &dyn EventBus, group: &str) -> Box<dyn Subscription> {
        bus.subscribe(&self.group(group), &[&self.all()])
            .await
            .unwrap()
    }
}

async fn next(member: &mut Box<dyn Subscription>) -> Box<dyn Delivery> {
    tokio::time::timeout(LIMIT, member.next())
        .await
        .expect("no event came")
        .expect("the bus closed")
}

async fn take(member: &mut Box<dyn Subscription>) -> Event {
    let delivery = next(member).await;
    let event = delivery.event().clone();
    delivery.ack().await;
    event
}

async fn an_event_reaches_every_group_that_asked_for_it_whole(bus: &dyn EventBus) {
    let case = Case::new();
    let (mut a, mut b) = (case.join(bus, "a").await, case.join(bus, "b").await);
    let mut event = case.event("routing.contact.queued", "con_1");
    event.sequence = 9;
    event.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into());
    bus.publish(event.clone()).await.unwrap();
    assert_eq!(take(&mut a).await, event);
    let delivery = next(&mut b).await;
    assert_eq!(*delivery.event(), event);
    assert!(!delivery.redelivered());
    delivery.ack().await;
}

async fn a_group_gets_only_what_its_patterns_name(bus: &dyn EventBus) {
    let case = Case::new();
    let pattern = format!("{}.routing.contact.*", case.tenant);
    let mut member = bus.subscribe(&case.group("g"), &[&pattern]).await.unwrap();
    for kind in [
        "routing.agent.state_changed",
        "telephony.contact.queued",
        "routing.contact.left",
    ] {
        bus.publish(case.event(kind, "x")).await.unwrap();
    }
    bus.publish(Case::new().event("routing.contact.left", "another tenant's"))
        .await
        .unwrap();
    bus.publish(case.event("routing.contact.queued", "x"))
        .await
        .unwrap();
    assert_eq!(take(&mut member).await.kind, "routing.contact.left");
    assert_eq!(take(&mut member).await.kind, "routing.contact.queued");
}

async fn an_event_goes_to_one_member_of_a_group(bus: &dyn EventBus) {
    let case = Case::new();
    let (mut a, mut b) = (case.join(bus, "g").await, case.join(bus, "g").await);
    let sent: BTreeSet<EventId> = {
        let mut ids = BTreeSet::new();
        for n in 0..20 {
            let event = case.event("test.thing.happened", n);
            ids.insert(event.id);
            bus.publish(event).await.unwrap();
        }
        ids
    };
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let event = tokio::select! {
            event = take(&mut a) => event,
            event = take(&mut b) => event,
        };
        got.push(event.id);
    }
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), sent);
}

async fn an_event_that_was_not_acknowledged_comes_again_and_says_so(bus: &dyn EventBus) {
    let case = Case::new();
    let mut member = case.join(bus, "g").await;
    let event = case.event("test.thing.happened", "x");
    bus.publish(event.clone()).await.unwrap();
    drop(next(&mut member).await);
    let again = next(&mut member).await;
    assert!(again.redelivered());
    assert_eq!(again.event().id, event.id);
    again.ack().await;
    bus.publish(case.event("test.thing.happened", "y"))
        .await
        .unwrap();
    assert_eq!(take(&mut member).await.subject, "y");
}

async fn events_of_one_subject_keep_their_order_among_members(bus: &dyn EventBus) {
    let case = Case::new();
    let (mut a, mut b) = (case.join(bus, "g").await, case.join(bus, "g").await);
    for n in 0..30 {
        let mut event = case.event("test.thing.happened", n % 3);
        event.sequence = n;
        bus.publish(event).await.unwrap();
    }
    let mut last = [None; 3];
    for _ in 0..30 {
        let delivery = tokio::select! {
            delivery = next(&mut a) => delivery,
            delivery = next(&mut b) => delivery,
        };
        let event = delivery.event();
        let slot: usize = event.subject.parse().unwrap();
        assert!(
            last[slot] < Some(event.sequence),
            "{} came late",
            event.sequence
        );
        last[slot] = Some(event.sequence);
        tokio::task::yield_now().await;
        delivery.ack().await;
    }
}

async fn events_of_one_subject_keep_their_order_when_the_first_comes_again(bus: &dyn EventBus) {
    let case = Case::new();
    let mut member = case.join(bus, "g").await;
    for sequence in 1..=3 {
        bus.publish(Event {
            sequence,
            ..case.event("test.thing.happened", "x")
        })
        .await
        .unwrap();
    }
    drop(next(&mut member).await);
    for sequence in 1..=3 {
        assert_eq!(take(&mut member).await.sequence, sequence);
    }
}

async fn a_group_keeps_its_backlog_while_it_has_no_member(bus: &dyn EventBus) {
    let case = Case::new();
    let mut member = case.join(bus, "g").await;
    bus.publish(case.event("test.thing.happened", "held"))
        .await
        .unwrap();
    let held = next(&mut member).await;
    drop(member);
    drop(held);
    bus.publish(case.event("test.thing.happened", "later"))
        .await
        .unwrap();
    let mut member = case.join(bus, "g").await;
    assert_eq!(take(&mut member).await.subject, "held");
    assert_eq!(take(&mut member).await.subject, "later");
}

async fn a_group_begins_with_its_first_member(bus: &dyn EventBus) {
    let case = Case::new();
    bus.publish(case.event("test.thing.happened", "before"))
        .await
        .unwrap();
    let mut member = case.join(bus, "g").await;
    bus.publish(case.event("test.thing.happened", "after"))
        .await
        .unwrap();
    assert_eq!(take(&mut member).await.subject, "after");
}

async fn a_member_may_hold_many_before_it_acknowledges(bus: &dyn EventBus) {
    let case = Case::new();
    let mut member = case.join(bus, "g").await;
    for n in 0..50 {
        bus.publish(case.event("test.thing.happened", n % 2))
            .await
            .unwrap();
    }
    let mut held = Vec::new();
    for _ in 0..50 {
        held.push(next(&mut member).await);
    }
    for delivery in held {
        assert!(!delivery.redelivered());
        delivery.ack().await;
    }
}

async fn a_watcher_sees_what_is_published_while_it_looks(bus: &dyn EventBus) {
    let case = Case::new();
    bus.publish(case.event("test.thing.happened", "before"))
        .await
        .unwrap();
    let mut watch = bus.watch(&[&case.all()]).await.unwrap();
    for n in 0..5 {
        bus.publish(case.event("test.thing.happened", n))
            .await
            .unwrap();
    }
    for n in 0..5 {
        let seen = tokio::time::timeout(LIMIT, watch.next())
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(seen, Seen::Event(event) if event.subject == n.to_string()));
    }
}

async fn many_publishers_lose_nothing(bus: &dyn EventBus) {
    let case = Case::new();
    let mut member = case.join(bus, "g").await;
    let publish = |from: u64| {
        let case = &case;
        async move {
            for sequence in 0..100 {
                let event = case.event("test.thing.happened", from);
                bus.publish(Event { sequence, ..event }).await.unwrap();
            }
        }
    };
    let read = async {
        let mut expected = [0; 3];
        for _ in 0..300 {
            let event = take(&mut member).await;
            let from: usize = event.subject.parse().unwrap();
            assert_eq!(event.sequence, expected[from]);
            expected[from] += 1;
        }
    };
    tokio::join!(publish(0), publish(1), publish(2), read);
}
