//! A large centre in which nothing happens: what it costs to be ready.

use crate::{
    centre::{Against, Centre},
    figures::{self, round},
    floor,
    phone::{Phones, Script},
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
    let begun = Instant::now();
    let tag: u32 = rand::random();
    let queue = |n: usize| async move {
        api.post(
            "/v1/call-queues",
            json!({"displayName": format!("Idle {tag:08x} {n}")}),
        )
        .await
    };
    let made = stream::iter(0..shape.queues)
        .map(queue)
        .buffer_unordered(AT_ONCE);
    made.try_for_each(|_| async { Ok(()) }).await?;
    eprintln!("{} queues after {:.0?}", shape.queues, begun.elapsed());
    let phones = &Phones::open(
        "127.0.0.1:0".parse()?,
        centre.credentials.sip,
        Script::default(),
    )
    .await?;
    let device = |n: usize| async move {
        let (_, account) = floor::device(api, &format!("Idle {tag:08x} {n}"), None).await?;
        floor::register(phones, &account).await
    };
    let made = stream::iter(0..shape.devices)
        .map(device)
        .buffer_unordered(AT_ONCE);
    made.try_for_each(|()| async { Ok(()) }).await?;
    eprintln!(
        "{} phones registered after {:.0?}",
        shape.devices,
        begun.elapsed()
    );
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
