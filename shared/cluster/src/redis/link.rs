//! A connection that never hangs.

use super::Settings;
use ::redis::{
    Client, ErrorKind, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;

/// Requests that may be on their way at once; more wait, and their time runs.
const ON_THE_WAY: usize = 4_096;

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Away {
    /// None came in time. Whether it was done is unknown.
    #[error("Redis did not answer within {0:?}")]
    Late(Duration),
    /// The connection broke, or Redis refused.
    #[error(transparent)]
    Failed(#[from] RedisError),
}

impl Away {
    /// What a script refused with, e.g. `FENCED`.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Failed(error) => error.code(),
            Self::Late(_) => None,
        }
    }

    /// Whether it will be the same the next time: a wrong password, or a server that is none.
    pub fn is_final(&self) -> bool {
        let is = |error: &RedisError| {
            let kind = error.kind();
            kind == ErrorKind::AuthenticationFailed
                || kind == ErrorKind::InvalidClientConfig
                || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
        };
        matches!(self, Self::Failed(error) if is(error))
    }
}

/// One connection that many share, and that is made again when it breaks. Cheap to clone.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    client: Client,
    /// Connections live on the runtime on which the link was made, whoever asks.
    runtime: Handle,
    present: Mutex<(u64, ConnectionManager)>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// A link that connects when it is first used. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(settings: &Settings) -> RedisResult<Self> {
        let client = Client::open(settings.url.as_str())?;
        let present = Mutex::new((0, connection(&client)?));
        let runtime = Handle::current();
        Ok(Self(Arc::new(Inner {
            client,
            runtime,
            present,
        })))
    }

    /// Asks, for so long at most. It is carried on when the asker goes away, so that a write is never half on its way.
    ///
    /// # Errors
    /// No answer, or a bad one.
    pub async fn ask<T, F>(
        &self,
        patience: Duration,
        ask: impl FnOnce(ConnectionManager) -> F + Send + 'static,
    ) -> Result<T, Away>
    where
        F: Future<Output = RedisResult<T>> + Send,
        T: Send + 'static,
    {
        let link = self.clone();
        let asked = self.0.runtime.spawn(async move {
            let (number, connection) = link.0.present.lock().clone();
            match tokio::time::timeout(patience, ask(connection)).await {
                Ok(answer) => Ok(answer?),
                Err(_) => {
                    link.renew(number);
                    Err(Away::Late(patience))
                }
            }
        });
        // The runtime is going down with everything on it.
        asked.await.unwrap_or(Err(Away::Late(Duration::ZERO)))
    }

    /// What is wrong when nothing came in time: the connection is made again and again, so its own error is not seen.
    pub async fn why(&self, away: Away) -> Away {
        let Away::Late(patience) = away else {
            return away;
        };
        let connecting = self.0.client.get_multiplexed_async_connection();
        match tokio::time::timeout(patience, connecting).await {
            Ok(Err(error)) => error.into(),
            _ => away,
        }
    }

    /// A connection that does not answer may be dead without a word: the next request gets a new one.
    fn renew(&self, number: u64) {
        let mut present = self.0.present.lock();
        if present.0 != number {
            return;
        }
        match connection(&self.0.client) {
            Ok(connection) => *present = (number + 1, connection),
            Err(error) => tracing::warn!(%error, "no new connection to Redis"),
        }
    }
}

fn connection(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(1)))
        .set_response_timeout(None)
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(200))
        .set_number_of_retries(8)
        .set_pipeline_buffer_size(ON_THE_WAY);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}
