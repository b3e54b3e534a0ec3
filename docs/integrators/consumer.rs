//! Reads a tenant's events, each once, and says when one is missing.
//!
//! `consumer amqp://USER:PASSWORD@HOST/VHOST QUEUE STATE`; STATE is a file that remembers what was handled, so that it can be
//! stopped and killed at any time. Needs lapin, tokio, futures, serde and serde_json. Put what you do with an event into `handle`.

use futures::StreamExt;
use lapin::{Connection, ConnectionProperties, options::*, types::FieldTable};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, error::Error, fs, path::PathBuf, time::Duration};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The part of an event that is needed here.
#[derive(Deserialize)]
struct Event {
    tenantsequence: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    #[serde(default)]
    data: serde_json::Value,
}

fn handle(event: &Event) {
    let Event {
        tenantsequence,
        kind,
        subject,
        data,
    } = event;
    println!("{tenantsequence} {kind} {subject} {data}");
}

/// Which numbers were handled: all up to `last`, and those beyond it that came early.
#[derive(Default, Serialize, Deserialize)]
struct Handled {
    last: Option<u64>,
    early: BTreeSet<u64>,
    #[serde(skip)]
    path: PathBuf,
}

impl Handled {
    fn open(path: PathBuf) -> Result<Self> {
        let state = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Self::default(),
        };
        Ok(Self { path, ..state })
    }

    fn knows(&self, number: u64) -> bool {
        self.last.is_some_and(|last| number <= last) || self.early.contains(&number)
    }

    fn add(&mut self, number: u64) -> Result<()> {
        let mut last = self.last.unwrap_or(number.saturating_sub(1));
        self.early.insert(number);
        while self.early.remove(&(last + 1)) {
            last += 1;
        }
        self.last = Some(last);
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec(self)?)?;
        Ok(fs::rename(new, &self.path)?)
    }

    /// The first number that did not come although a later one did. It may still come; if it does not, ask for a replay.
    fn missing(&self) -> Option<u64> {
        self.early.first()?;
        self.last.map(|last| last + 1)
    }
}

async fn read(url: &str, queue: &str, handled: &mut Handled) -> Result<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(100, BasicQosOptions::default()).await?;
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut deliveries = channel
        .basic_consume(queue.into(), "".into(), options, none)
        .await?;
    while let Some(delivery) = deliveries.next().await {
        let delivery = delivery?;
        let event: Event = serde_json::from_slice(&delivery.data)?;
        let number = event.tenantsequence.parse()?;
        // The same event may come again. What was handled is remembered before the broker is told to forget it.
        if !handled.knows(number) {
            handle(&event);
            handled.add(number)?;
        }
        if let Some(missing) = handled.missing() {
            eprintln!("missing {missing}");
        }
        delivery.ack(BasicAckOptions::default()).await?;
    }
    Err("the broker ended reading".into())
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(queue), Some(state)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: consumer URL QUEUE STATE".into());
    };
    let mut handled = Handled::open(state.into())?;
    loop {
        if let Err(error) = read(&url, &queue, &mut handled).await {
            eprintln!("reading again in a moment: {error}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
