//! All events as RabbitMQ has them, in a queue of our own that outlives the broker's death.

use super::Outcome;
use anyhow::{Context, Result};
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use serde_json::Value;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    time::Duration,
};

const QUEUE: &str = "faults.all";

/// RabbitMQ writes down a new quorum queue's part in its group some 3 s after it was made (decision 0018).
const WRITTEN: Duration = Duration::from_secs(5);

/// Begins to keep all events.
///
/// # Errors
/// What the broker says.
pub async fn keep(url: &str) -> Result<()> {
    let (connection, channel) = channel(url).await?;
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let mut quorum = FieldTable::default();
    let kind = AMQPValue::LongString("quorum".into());
    quorum.insert("x-queue-type".into(), kind);
    channel.queue_declare(QUEUE.into(), durable, quorum).await?;
    let bound = QueueBindOptions::default();
    let (exchange, all) = ("centro.events".into(), "#".into());
    channel
        .queue_bind(QUEUE.into(), exchange, all, bound, FieldTable::default())
        .await?;
    connection.close(200, "bye".into()).await?;
    tokio::time::sleep(WRITTEN).await;
    Ok(())
}

/// What an agent's record tells of a contact; the rest is told by its queue. The two are in different shards, each of which
/// tells in order for itself; `sequence` puts them into one.
const BY_AGENTS: [&str; 3] = [
    "routing.contact.connected",
    "routing.contact.offer_ended",
    "routing.contact.wrap_up_ended",
];

/// What was kept, in the order in which it came, without repeats.
#[derive(Debug, Default)]
pub struct Kept {
    events: Vec<Event>,
    repeats: usize,
}

#[derive(Debug)]
struct Event {
    source: String,
    subject: String,
    kind: String,
    sequence: u64,
}

/// Takes what was kept.
///
/// # Errors
/// What the broker says, or something that is no event.
pub async fn taken(url: &str) -> Result<Kept> {
    let (connection, channel) = channel(url).await?;
    let (mut kept, mut known) = (Kept::default(), HashSet::new());
    let options = BasicGetOptions { no_ack: true };
    while let Some(message) = channel.basic_get(QUEUE.into(), options).await? {
        let event: Value = serde_json::from_slice(&message.delivery.data)?;
        let text = |field: &str| {
            let text = event[field].as_str().context(field.to_owned())?;
            anyhow::Ok(text.to_owned())
        };
        if !known.insert(text("id")?) {
            kept.repeats += 1;
            continue;
        }
        kept.events.push(Event {
            source: text("source")?,
            subject: text("subject")?,
            kind: text("type")?,
            sequence: event["sequence"].as_str().unwrap_or("0").parse()?,
        });
    }
    connection.close(200, "bye".into()).await?;
    Ok(kept)
}

impl Kept {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// Notes what is wrong with them: each of so many calls must have told of the same things, in order.
    pub fn note(&self, calls: usize, outcome: &mut Outcome) {
        outcome.count("events", self.count());
        outcome.count("events_repeated", self.repeats);
        let (mut of_shard, mut of_subject) = (HashMap::new(), HashMap::new());
        let mut lives: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let (mut disordered, mut crossed) = (0, 0);
        for event in self.events.iter().filter(|event| event.sequence > 0) {
            let by_agent = BY_AGENTS.contains(&event.kind.as_str());
            let subject = (&event.source, &event.subject);
            disordered += later(&mut of_shard, (subject, by_agent), event.sequence);
            crossed += later(&mut of_subject, subject, event.sequence);
            let life = lives.entry(&event.subject).or_default();
            life.insert(&event.kind);
        }
        outcome.none("events_disordered", disordered);
        outcome.count("events_crossed", crossed);
        lives.retain(|_, life| life.contains("routing.contact.queued"));
        let mut shapes: HashMap<&BTreeSet<&str>, usize> = HashMap::new();
        for life in lives.values() {
            *shapes.entry(life).or_default() += 1;
        }
        // All calls were alike, so were most of their lives; another one lacks something.
        let usual = shapes.values().copied().max().unwrap_or(0);
        outcome.none("events_lost", calls.saturating_sub(usual));
        if shapes.len() > 1 {
            outcome.must(false, format!("lives of contacts differ: {shapes:?}"));
        }
    }
}

/// 1 when a later one was there already.
fn later<K: Eq + Hash>(newest: &mut HashMap<K, u64>, of: K, sequence: u64) -> usize {
    let newest = newest.entry(of).or_default();
    let later = usize::from(sequence < *newest);
    *newest = sequence.max(*newest);
    later
}

async fn channel(url: &str) -> Result<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}
