//! Draining (no new work, live work goes on) and stopping.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Two signals every service obeys: `draining` first, `stopping` when live work has ended or the grace time passed.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    draining: CancellationToken,
    aside: Arc<AtomicBool>,
    stopping: CancellationToken,
    live: TaskTracker,
    telling: TaskTracker,
    closing: TaskTracker,
    failure: Arc<OnceLock<String>>,
}

impl Lifecycle {
    /// Cancelled when no new work may be taken.
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Whether new work may be taken: the process is neither about to end nor put aside by an operator.
    pub fn takes_new(&self) -> bool {
        !self.draining.is_cancelled() && !self.is_aside()
    }

    /// Whether an operator wants nothing new to be begun here, for now.
    pub fn is_aside(&self) -> bool {
        self.aside.load(Ordering::Relaxed)
    }

    /// An operator wants nothing new to be begun here, or no longer minds.
    pub fn set_aside(&self, aside: bool) {
        self.aside.store(aside, Ordering::Relaxed);
    }

    /// Cancelled when the process ends.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Tasks tracked here (calls, recordings being closed) are waited for before the process stops.
    pub fn live(&self) -> &TaskTracker {
        &self.live
    }

    /// Comes when the process has stopped and its live work with it: nothing happens any more that must be told.
    pub async fn quiet(&self) {
        self.stopping.cancelled().await;
        self.live.wait().await;
    }

    /// Tasks tracked here publish what happened. They go on until it is quiet and all of it is published, and are waited
    /// for before the bus is closed.
    pub fn telling(&self) -> &TaskTracker {
        &self.telling
    }

    /// Tasks tracked here write down what they have gathered once the bus is closed; they are waited for after the live
    /// ones, before the process ends.
    pub fn closing(&self) -> &TaskTracker {
        &self.closing
    }

    /// No new work from now on.
    pub fn drain(&self) {
        self.draining.cancel();
        self.live.close();
    }

    /// A part the process cannot do without has ended: everything ends now, and the process says that it failed, so that a
    /// supervisor starts it again. The first reason counts.
    pub fn fail(&self, reason: &str) {
        let _ = self.failure.set(reason.to_owned());
        self.stop();
    }

    /// Why the process ends by itself, if it does.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Everything ends now.
    pub fn stop(&self) {
        self.drain();
        self.stopping.cancel();
        self.telling.close();
        self.closing.close();
    }
}
