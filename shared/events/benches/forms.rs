//! What an event costs in JSON against protobuf: `cargo bench -p centro-events`, one line of JSON per figure. With `rabbit` as an
//! argument also what publishing costs on a real broker.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a bench may stop at the first surprise

use centro_bus::{Event, EventBus, RabbitBus, RabbitSettings, Wire};
use centro_events::{Internal, Public};
use centro_kernel::{Clock, ContactId, QueueId, SystemClock, TenantId, UserId};
use centro_proto::{
    events::{ContactOffered, ContactQueued},
    types::{Candidate, Decision, Party},
};
use centro_testkit::engines::RabbitMq;
use std::{hint::black_box, sync::Arc, time::Instant};

const ROUNDS: u32 = 20_000;
const PUBLISHED: u32 = 20_000;
const AT_ONCE: u32 = 256;

fn main() {
    let forms: [(&str, Arc<dyn Wire>); 2] =
        [("protobuf", Arc::new(Internal)), ("json", Arc::new(Public))];
    for (event, name) in [(queued(), "queued"), (offered(), "offered")] {
        for (form, wire) in &forms {
            let bytes = wire.write(&event);
            let write = each(|| {
                black_box(wire.write(black_box(&event)));
            });
            let read = each(|| {
                black_box(wire.read(black_box(&bytes)).unwrap());
            });
            println!(
                r#"{{"bench":"form","event":"{name}","form":"{form}","bytes":{},"write_us":{write:.2},"read_us":{read:.2}}}"#,
                bytes.len()
            );
        }
    }
    if std::env::args().any(|argument| argument == "rabbit") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let broker = RabbitMq::start().await.unwrap();
            for round in 0..3 {
                for (form, wire) in &forms {
                    publish(&broker, form, wire.clone(), round).await;
                }
            }
        });
    }
}

/// Microseconds.
fn each(work: impl Fn()) -> f64 {
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    begin.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

async fn publish(broker: &RabbitMq, form: &str, wire: Arc<dyn Wire>, round: u32) {
    let settings = RabbitSettings {
        url: broker.url(),
        exchange: format!("bench.{form}"),
        ..RabbitSettings::default()
    };
    let bus = RabbitBus::connect(settings, wire).await.unwrap();
    let event = queued();
    let begin = Instant::now();
    for _ in 0..PUBLISHED / AT_ONCE {
        let sent = (0..AT_ONCE).map(|_| bus.publish(event.clone()));
        for told in futures::future::join_all(sent).await {
            told.unwrap();
        }
    }
    let count = PUBLISHED / AT_ONCE * AT_ONCE;
    let per_second = f64::from(count) / begin.elapsed().as_secs_f64();
    println!(
        r#"{{"bench":"publish","form":"{form}","round":{round},"events_per_second":{per_second:.0}}}"#
    );
    bus.close().await;
}

fn queued() -> Event {
    let contact = ContactId::generate();
    let now = SystemClock.now();
    let data = ContactQueued {
        contact_id: contact.to_string(),
        queue_id: QueueId::generate().to_string(),
        caller: Some(Party {
            number: "+390212345678".into(),
            display_name: "Anna Bianchi".into(),
        }),
        dialled: "+390287654321".into(),
        enqueue_time: Some(prost_types::Timestamp {
            seconds: now.as_millis() / 1_000,
            nanos: 0,
        }),
        priority: 50,
        position: 3,
        kind: 1,
    };
    numbered(Event::new(
        Some(TenantId::generate()),
        "routing.contact.queued",
        contact,
        now,
        &data,
    ))
}

fn offered() -> Event {
    let contact = ContactId::generate();
    let agent = UserId::generate();
    let candidate = || Candidate {
        agent_id: UserId::generate().to_string(),
        ..Candidate::default()
    };
    let data = ContactOffered {
        contact_id: contact.to_string(),
        queue_id: QueueId::generate().to_string(),
        agent_id: agent.to_string(),
        reservation: 7,
        decision: Some(Decision {
            candidates: (0..10).map(|_| candidate()).collect(),
            ..Decision::default()
        }),
    };
    let kind = "routing.contact.offered";
    let tenant = Some(TenantId::generate());
    numbered(Event::new(tenant, kind, contact, SystemClock.now(), &data))
}

fn numbered(event: Event) -> Event {
    Event {
        sequence: 123_456,
        contact_sequence: 3,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        ..event
    }
}
