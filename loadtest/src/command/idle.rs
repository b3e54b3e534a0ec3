//! A large centre in which nothing happens: what it costs to be ready.

use crate::{
    centre::{Against, Centre},
    figures::{self, round},
    floor,
    phone::{Account, Phones, Script},
};
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, json};
use std::time::{Duration, Instant};

/// Requests under way at once while the centre is filled.
const AT_ONCE: usize = 8;

/// The shape.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Queues.
    pub queues: usize,
    /// Registered phones.
    pub devices: usize,
    /// How long it is watched.
    pub time: Duration,
}

/// Runs it.
///
/// # Errors
/// When it could not be carried out.
pub async fn run(against: &Against, shape: &Shape) -> Result<bool> {
    let centre = Centre::open(against).await?;
    let api = &centre.owner().await?;
    let told = floor::Told::default();
    let tag: u32 = rand::random();
    let queue = |n: usize| async move {
        let queue = json!({"displayName": format!("Idle {tag:08x} {n}")});
        api.post("/v1/call-queues", queue).await
    };
    let queues = stream::iter(0..shape.queues)
        .map(queue)
        .buffer_unordered(AT_ONCE);
    queues
        .inspect(|_| told.step("queues made"))
        .try_for_each(|_| async { Ok(()) })
        .await?;
    let told = floor::Told::default();
    let device = |n: usize| async move {
        let (_, account) = floor::device(api, &format!("Idle {tag:08x} {n}"), None).await?;
        Ok::<_, anyhow::Error>(account)
    };
    let devices = stream::iter(0..shape.devices).map(device).buffered(AT_ONCE);
    let accounts: Vec<Account> = devices
        .inspect(|_| told.step("phones made"))
        .try_collect()
        .await?;
    let phones = Phones::open(
        "127.0.0.1:0".parse()?,
        centre.credentials.sip,
        Script::default(),
    )
    .await?;
    floor::register_all(&phones, &accounts).await?;
    // Transactions of the registrations live 32 s; what is measured is a centre at rest.
    tokio::time::sleep(Duration::from_secs(35)).await;
    let (cpu, begun) = (centre.cpu(), Instant::now());
    tokio::time::sleep(shape.time).await;
    let wall = begun.elapsed().as_secs_f64();
    let used = cpu
        .zip(centre.cpu())
        .map(|(before, after)| (after - before).as_secs_f64());

    let mut result = Map::new();
    result.insert("command".into(), json!("idle"));
    result.insert("queues".into(), json!(shape.queues));
    result.insert("devices".into(), json!(shape.devices));
    result.insert("seconds".into(), json!(shape.time.as_secs_f64()));
    result.insert(
        "cpu_percent".into(),
        json!(used.map(|used| round(used / wall * 100.0))),
    );
    result.insert("rss_mb".into(), json!(centre.rss_mb().map(f64::round)));
    figures::print(result);
    Ok(true)
}
