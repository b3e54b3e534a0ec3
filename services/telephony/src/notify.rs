//! Events out, in order, never in the way of a call: a bounded line to one task that repeats until the bus takes each.

use centro_bus::{Event, EventBus};
use centro_kernel::{Clock, TenantId};
use centro_node::Lifecycle;
use prost::{Message, Name};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// Events that may wait for a bus that is down. A call sends about five.
const LINE: usize = 50_000;

/// Tells the world. Cheap to clone.
#[derive(Clone)]
pub struct Notifier {
    line: mpsc::Sender<Event>,
    clock: Arc<dyn Clock>,
}

impl Notifier {
    /// Starts the task that publishes; it empties the line before it ends.
    pub fn start(bus: Arc<dyn EventBus>, clock: Arc<dyn Clock>, lifecycle: Lifecycle) -> Self {
        let (line, mut waiting) = mpsc::channel::<Event>(LINE);
        lifecycle.telling().clone().spawn(async move {
            let stop = lifecycle.stopping();
            // Calls that the stop ends still have something to say.
            let quiet = lifecycle.quiet();
            tokio::pin!(quiet);
            let mut over = false;
            loop {
                let event = if over {
                    waiting.try_recv().ok()
                } else {
                    tokio::select! {
                        biased;
                        event = waiting.recv() => event,
                        () = &mut quiet => {
                            over = true;
                            continue;
                        }
                    }
                };
                let Some(event) = event else { return };
                let mut pause = Duration::from_millis(20);
                while let Err(error) = bus.publish(event.clone()).await {
                    if stop.is_cancelled() {
                        tracing::warn!(%error, kind = event.kind, "an event was not published before the stop");
                        break;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
            }
        });
        Self { line, clock }
    }

    /// Puts an event in line that strangers can cause, unless the line is long already: it leaves the rest to real calls.
    pub fn mention<M: Message + Name>(
        &self,
        tenant: Option<TenantId>,
        kind: &str,
        subject: impl ToString,
        data: &M,
    ) {
        if self.line.capacity() > LINE / 2 {
            self.tell(tenant, kind, subject, data);
        }
    }

    /// Puts an event in line. When the line is full the event is lost, and the log says so.
    pub fn tell<M: Message + Name>(
        &self,
        tenant: Option<TenantId>,
        kind: &str,
        subject: impl ToString,
        data: &M,
    ) {
        let event = Event::new(tenant, kind, subject, self.clock.now(), data);
        if self.line.try_send(event).is_err() {
            tracing::error!(
                kind,
                "an event was lost: the bus has not taken events for long"
            );
        }
    }
}
