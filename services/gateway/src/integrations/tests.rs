//! Numbers have no gap and no second meaning, whatever ends a herald and whenever.

use super::*;
use async_trait::async_trait;
use centro_bus::{
    BusError, Event, LocalBus, RabbitBus, RabbitSettings, Seen, Subscription, Watch, Wire,
};
use centro_kernel::{ContactId, EventId, QueueId, SystemClock, TenantId, Timestamp, UserId};
use centro_proto::events::{AccessRevoked, AgentStateChanged, ContactReprioritised};
use centro_store::{Limits, Records};
use centro_testkit::engines::{self, Engine, RabbitMq, on_both_engines};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{task::JoinHandle, time::timeout};

const LIMIT: Duration = Duration::from_secs(60);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

async fn database(data: &std::path::Path) -> Db {
    let url = engines::records().await;
    let records = Records::at(&url, data, Limits::default()).unwrap();
    crate::repeats::Store::open(&records).await.unwrap().db()
}

fn about_contact(tenant: TenantId, contact: ContactId) -> Event {
    let data = ContactReprioritised {
        contact_id: contact.to_string(),
        queue_id: QueueId::from_u128(1).to_string(),
        ..ContactReprioritised::default()
    };
    let kind = "routing.contact.reprioritised";
    Event::new(Some(tenant), kind, contact, NOW, &data)
}

fn about_agent(tenant: TenantId) -> Event {
    let agent = UserId::generate();
    let kind = "routing.agent.state_changed";
    Event::new(
        Some(tenant),
        kind,
        agent,
        NOW,
        &AgentStateChanged::default(),
    )
}

/// A bus that breaks now and then, after it took some of what it was given.
struct Flaky {
    bus: Arc<LocalBus>,
    /// Every so-and-so-many publish is refused.
    every: u32,
    count: AtomicU32,
}

#[async_trait]
impl EventBus for Flaky {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        if self.count.fetch_add(1, Ordering::Relaxed) % self.every == self.every - 1 {
            return Err(BusError::Unavailable);
        }
        self.bus.publish(event).await
    }

    async fn subscribe(&self, _: &str, _: &[&str]) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Unavailable)
    }

    async fn watch(&self, _: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        Err(BusError::Unavailable)
    }
}

async fn herald(bus: &LocalBus, public: Arc<dyn EventBus>, db: Db) -> JoinHandle<()> {
    let herald = Herald {
        numbers: Numbers::new(&db),
        subscription: bus.subscribe(GROUP, &["#"]).await.unwrap(),
        public,
        clock: Arc::new(SystemClock),
    };
    tokio::spawn(herald.run())
}

/// Reads until `wanted` different events were seen.
async fn hear(watch: &mut Box<dyn Watch>, wanted: usize) -> Vec<Event> {
    let (mut heard, mut ids) = (vec![], std::collections::HashSet::new());
    while ids.len() < wanted {
        match timeout(LIMIT, watch.next()).await.expect("nothing came") {
            Some(Seen::Event(event)) => {
                ids.insert(event.id);
                heard.push(event);
            }
            other => panic!("{other:?} after {}", ids.len()),
        }
    }
    heard
}

/// Each event has one number, and the numbers of each tenant are 1 to the last.
fn assert_whole(heard: &[Event]) {
    let mut numbers = HashMap::<EventId, (u64, u64)>::new();
    let mut all = HashMap::<TenantId, Vec<u64>>::new();
    let mut contacts = HashMap::<String, Vec<u64>>::new();
    for event in heard {
        let pair = (event.sequence, event.contact_sequence);
        match numbers.insert(event.id, pair) {
            Some(before) => assert_eq!(before, pair, "an event has two numbers"),
            None => {
                all.entry(event.tenant.unwrap()).or_default().push(pair.0);
                if pair.1 > 0 {
                    let of_contact = contacts.entry(event.subject.clone());
                    of_contact.or_default().push(pair.1);
                }
            }
        }
    }
    for mut numbers in all.into_values().chain(contacts.into_values()) {
        numbers.sort_unstable();
        let last = numbers.len() as u64;
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "a gap, or twice");
    }
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn each_tenant_and_each_contact_has_numbers_without_a_gap() {
    let data = tempfile::tempdir().unwrap();
    let (bus, public) = (Arc::new(LocalBus::default()), Arc::new(LocalBus::default()));
    let mut watch = public.watch(&["#"]).await.unwrap();
    let herald = herald(&bus, public.clone(), database(data.path()).await).await;
    let (one, two) = (TenantId::from_u128(1), TenantId::from_u128(2));
    let contact = ContactId::from_u128(3);
    let revoked = AccessRevoked::default();
    let sent = [
        about_contact(one, contact),
        about_agent(two),
        // For our own processes, and of no tenant: integrators are not told, and no number is missing.
        Event::new(Some(one), "identity.access.revoked", "x", NOW, &revoked),
        Event::new(None, "telephony.call.refused", "x", NOW, &revoked),
        about_agent(one),
        about_contact(one, contact),
    ];
    for event in &sent {
        bus.publish(event.clone()).await.unwrap();
    }
    let heard = hear(&mut watch, 4).await;
    let told: Vec<_> = heard
        .iter()
        .map(|event| (event.id, event.sequence, event.contact_sequence))
        .collect();
    let expected = [
        (sent[0].id, 1, 1),
        (sent[1].id, 1, 0),
        (sent[4].id, 2, 0),
        (sent[5].id, 3, 2),
    ];
    assert_eq!(told, expected);
    assert_eq!(heard[0].data, sent[0].data);
    herald.abort();
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_whole_when_heralds_die_and_the_exchange_breaks() {
    let data = tempfile::tempdir().unwrap();
    let db = database(data.path()).await;
    let (bus, public) = (Arc::new(LocalBus::default()), Arc::new(LocalBus::default()));
    let flaky = Arc::new(Flaky {
        bus: public.clone(),
        every: 41,
        count: AtomicU32::new(0),
    });
    let mut watch = public.watch(&["#"]).await.unwrap();
    // The group is there from the start; whoever joins later goes on.
    let first = herald(&bus, flaky.clone(), db.clone()).await;
    let tenants: Vec<_> = (0..3).map(TenantId::from_u128).collect();
    let contacts: Vec<_> = (0..5).map(ContactId::from_u128).collect();
    let sender = {
        let bus = bus.clone();
        tokio::spawn(async move {
            for n in 0..600 {
                let tenant = tenants[n % 3];
                // A contact is one tenant's.
                let contact = ContactId::from_u128(contacts[n % 5].as_u128() * 3 + (n % 3) as u128);
                let event = match n % 4 {
                    0 => about_agent(tenant),
                    _ => about_contact(tenant, contact),
                };
                bus.publish(event).await.unwrap();
                if n % 10 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let mut heard = vec![];
    let mut member = first;
    // Killed at any point of its work: after some were heard, wherever it is then.
    for seen in [40, 90, 170, 260, 400] {
        heard.extend(hear(&mut watch, seen - distinct(&heard)).await);
        member.abort();
        let _ = member.await;
        member = herald(&bus, flaky.clone(), db.clone()).await;
    }
    sender.await.unwrap();
    while distinct(&heard) < 600 {
        heard.extend(hear(&mut watch, 1).await);
    }
    assert_whole(&heard);
    member.abort();
}

fn distinct(events: &[Event]) -> usize {
    let ids: std::collections::HashSet<_> = events.iter().map(|event| event.id).collect();
    ids.len()
}

/// A frozen gateway that wakes up gives numbers beside the one that took over.
#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_number_the_same_events_at_once_agree() {
    let data = tempfile::tempdir().unwrap();
    let db = database(data.path()).await;
    let tenants: Vec<_> = (0..4).map(TenantId::from_u128).collect();
    let events: Vec<_> = (0..200)
        .map(|n| about_contact(tenants[n % 4], ContactId::from_u128((n % 4) as u128)))
        .collect();
    let number = |reversed: bool| {
        let (numbers, events) = (Numbers::new(&db), events.clone());
        tokio::spawn(async move {
            let mut batches: Vec<_> = events.chunks(20).collect();
            if reversed {
                batches.reverse();
            }
            let mut all = vec![];
            for batch in batches {
                let given = loop {
                    match numbers.give(batch, NOW).await {
                        Ok(given) => break given,
                        Err(fault) => assert_eq!(fault.code, centro_kernel::Code::Unavailable),
                    }
                };
                all.extend(given);
            }
            all
        })
    };
    let (one, other) = (number(false), number(true));
    let mut all = one.await.unwrap();
    all.extend(other.await.unwrap());
    assert_eq!(all.len(), 400);
    assert_whole(&all);
}

#[on_both_engines]
async fn an_event_keeps_its_number_for_two_days_and_a_contact_counts_on_for_a_month() {
    let data = tempfile::tempdir().unwrap();
    let numbers = Numbers::new(&database(data.path()).await);
    let (tenant, contact) = (TenantId::from_u128(1), ContactId::from_u128(1));
    let days = |n: u64| NOW + Duration::from_secs(n * 24 * 3_600);
    let (first, second) = (
        about_contact(tenant, contact),
        about_contact(tenant, contact),
    );
    let give = async |event: &Event, now| {
        let given = numbers
            .give(std::slice::from_ref(event), now)
            .await
            .unwrap();
        (given[0].sequence, given[0].contact_sequence)
    };
    assert_eq!(give(&first, NOW).await, (1, 1));
    numbers.forget(days(2)).await.unwrap();
    assert_eq!(give(&first, days(2)).await, (1, 1), "a repeat");
    assert_eq!(give(&second, days(29)).await, (2, 2));
    assert_eq!(numbers.last(tenant).await, Ok(2));
    assert_eq!(numbers.last(TenantId::from_u128(2)).await, Ok(0));
    assert_eq!(numbers.given_at(tenant, 1).await, Ok(Some(NOW)));
    assert_eq!(numbers.given_at(tenant, 3).await, Ok(None));
    numbers.forget(days(59)).await.unwrap();
    assert_eq!(
        give(&about_contact(tenant, contact), days(59)).await,
        (3, 3)
    );
    numbers.forget(days(90)).await.unwrap();
    assert_eq!(
        give(&about_contact(tenant, contact), days(90)).await,
        (4, 1)
    );
}

/// The real thing: both exchanges on one broker that is killed, and a gateway that dies; read as integrators do, from JSON.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_misses_nothing_when_the_broker_and_a_gateway_die() {
    let mut broker = RabbitMq::start().await.unwrap();
    let settings = RabbitSettings {
        url: broker.url(),
        publish_timeout: Duration::from_secs(1),
        ..RabbitSettings::default()
    };
    let connect = |settings: RabbitSettings, wire: Arc<dyn Wire>| async {
        RabbitBus::connect(settings, wire).await.unwrap()
    };
    let bus = connect(settings.clone(), Arc::new(centro_events::Internal)).await;
    let public = settings.for_integrators();
    let public = connect(public, Arc::new(centro_events::Public)).await;
    let data = tempfile::tempdir().unwrap();
    let db = database(data.path()).await;
    let tenant = TenantId::from_u128(1);
    let mut queue = public.subscribe("crm", &["#"]).await.unwrap();
    let next = async || Herald {
        numbers: Numbers::new(&db),
        subscription: bus.subscribe(GROUP, &["#"]).await.unwrap(),
        public: Arc::new(public.clone()),
        clock: Arc::new(SystemClock),
    };
    let mut herald = tokio::spawn(next().await.run());
    let sending = {
        let bus = bus.clone();
        tokio::spawn(async move {
            for n in 0..400_u128 {
                let event = about_contact(tenant, ContactId::from_u128(n % 7));
                // As an outbox does.
                while bus.publish(event.clone()).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    };
    let mut heard = vec![];
    while distinct(&heard) < 400 {
        let delivery = timeout(LIMIT, queue.next()).await.expect("nothing came");
        let delivery = delivery.unwrap();
        heard.push(delivery.event().clone());
        delivery.ack().await;
        match heard.len() {
            // RabbitMQ 3.10 writes down which Raft groups it has some seconds after it made one (decision 0018).
            60 => {
                let write = "[ok = dets:sync(T) || T <- dets:all()].";
                broker.control(&["eval", write]).unwrap();
                broker.kill().unwrap();
                broker.revive().await.unwrap();
            }
            150 => {
                herald.abort();
                let _ = herald.await;
                herald = tokio::spawn(next().await.run());
            }
            _ => {}
        }
    }
    sending.await.unwrap();
    assert_whole(&heard);
    herald.abort();
    public.close().await;
    bus.close().await;
}
