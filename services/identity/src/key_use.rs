//! When API keys were last used, gathered in memory and written down now and then: a call costs no write.

use crate::store::Store;
use centro_kernel::Timestamp;
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};

/// Uses that are not written yet. At most one entry per existing key.
#[derive(Debug, Default)]
pub struct KeyUse(Mutex<HashMap<String, Timestamp>>);

impl KeyUse {
    /// The key was used.
    pub fn note(&self, id: &str, now: Timestamp) {
        self.0.lock().insert(id.to_owned(), now);
    }

    /// The last use that is not written yet.
    pub fn pending(&self, id: &str) -> Option<Timestamp> {
        self.0.lock().get(id).copied()
    }

    /// Writes down what has gathered. What cannot be written stays for the next time.
    pub async fn flush(&self, store: &Store) {
        let mut uses: Vec<(String, Timestamp)> = self
            .0
            .lock()
            .iter()
            .map(|(id, time)| (id.clone(), *time))
            .collect();
        if uses.is_empty() {
            return;
        }
        // In one order, or two processes wait for each other.
        uses.sort_unstable();
        match store.note_api_key_uses(&uses).await {
            Ok(()) => {
                let mut pending = self.0.lock();
                for (id, time) in uses {
                    if pending.get(&id) == Some(&time) {
                        pending.remove(&id);
                    }
                }
            }
            Err(fault) => tracing::warn!(%fault, "the last use of API keys is not written yet"),
        }
    }

    /// Flushes every `period`, for ever.
    pub async fn flush_every(&self, period: Duration, store: &Store) {
        let mut tick = tokio::time::interval(period);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.flush(store).await;
        }
    }
}
