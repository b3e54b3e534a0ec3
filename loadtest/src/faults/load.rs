//! Callers: a line of them, or so many a second until it is enough.

use crate::{
    command::{caller_number, caller_tones},
    phone::{Dial, Dialled, Phones},
};
use anyhow::Result;
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// No caller waits longer than any row takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// Numbers given to callers so far: each calls once, so a call is known again at the agent.
static NUMBERS: AtomicUsize = AtomicUsize::new(1);

/// Callers on their way.
pub struct Load {
    stop: CancellationToken,
    task: JoinHandle<Vec<JoinHandle<Result<Dialled>>>>,
}

impl Load {
    /// Places a call every `1 / rate` seconds until it is told to stop, or so many were placed.
    pub fn start(phones: &Phones, number: &str, rate: f64, most: usize) -> Self {
        let stop = CancellationToken::new();
        let (phones, number, stopped) = (phones.clone(), number.to_owned(), stop.clone());
        let task = tokio::spawn(async move {
            let mut pace = time::interval(Duration::from_secs_f64(1.0 / rate));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut calls = Vec::new();
            while calls.len() < most {
                tokio::select! {
                    () = stopped.cancelled() => break,
                    _ = pace.tick() => calls.push(place(&phones, &number, None)),
                }
            }
            calls
        });
        Self { stop, task }
    }

    /// Waits until all that were to be placed are placed and over.
    pub async fn over(self) -> Vec<Result<Dialled>> {
        let calls = self.task.await.unwrap_or_default();
        let mut over = Vec::with_capacity(calls.len());
        for call in calls {
            over.push(call.await.unwrap_or_else(|fault| Err(fault.into())));
        }
        over
    }

    /// Places no more, and waits until all are over.
    pub async fn stop(self) -> Vec<Result<Dialled>> {
        self.stop.cancel();
        self.over().await
    }
}

/// One caller, who hangs up after so long, or waits for the other side to do so.
pub fn place(
    phones: &Phones,
    number: &str,
    hang_up_after: Option<Duration>,
) -> JoinHandle<Result<Dialled>> {
    let dial = Dial {
        from: caller_number(NUMBERS.fetch_add(1, Relaxed)),
        to: number.to_owned(),
        account: None,
        tones: caller_tones(true),
        hang_up_after,
        patience: PATIENCE,
    };
    let phones = phones.clone();
    tokio::spawn(async move { phones.dial(dial).await })
}
