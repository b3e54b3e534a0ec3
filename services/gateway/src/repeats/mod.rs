//! `Idempotency-Key`: a request that makes something and is sent again makes nothing more and gets the first answer.
//!
//! A row is written before the service is asked, and gets the reply after it. So a repeat finds the reply, a call that
//! is under way, or, when we died or gave up in between, that nobody knows what became of it. What a service refused is
//! forgotten: it may be tried again. Replies may hold secrets that are shown once, so they are sealed with a key that
//! takes the caller's `Idempotency-Key` to make, which is not kept.

mod seal;
mod store;
#[cfg(test)]
mod tests;

use crate::rest::Problem;
use bytes::Bytes;
use centro_contract::{Principal, status::reason, token::Verified};
use centro_kernel::{Clock, Fault};
use centro_node::Node;
use centro_store::Refused;
use http::StatusCode;
use sha2::{Digest, Sha256};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use store::Found;
pub(crate) use store::Store;
pub use store::first_look;
use tonic::{Code, Status};

/// How long an answer is kept.
const KEEP: Duration = Duration::from_secs(24 * 3600);
/// How often old answers are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// Answers kept at most; the oldest give way.
const MOST: u64 = 20_000;
/// How long another process may be asking the service; then nobody knows what became of it.
const UNDER_WAY: Duration = Duration::from_secs(120);
/// Longest reply that is kept, in bytes.
const LONGEST: usize = 1 << 20;

/// Remembers what was asked with a key, and the answers.
#[derive(Clone)]
pub struct Repeats(Arc<Inner>);

struct Inner {
    store: Store,
    node: String,
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
    running: Mutex<HashSet<String>>,
}

/// A request with a key.
pub struct Keyed<'a> {
    /// Who asks.
    pub caller: &'a Verified,
    /// The RPC.
    pub method: &'a str,
    /// The `Idempotency-Key`.
    pub key: &'a str,
    /// Path, query and body.
    pub parts: [&'a [u8]; 3],
}

/// How to go on.
pub enum Begun {
    /// Ask the service, then say what came of it.
    First(Ticket),
    /// This was the reply.
    Again(Bytes),
}

/// A call under way. Dropped without [`Ticket::end`], nobody knows what became of it.
pub struct Ticket {
    repeats: Repeats,
    id: String,
    seal: [u8; 32],
}

impl Repeats {
    /// Opens the store.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(node: &Node) -> Result<Self, Refused> {
        let store = Store::open(node.records()).await?;
        let repeats = Self(Arc::new(Inner {
            store,
            node: node.name().to_owned(),
            clock: node.clock(),
            secret: node.keys().derive("idempotency"),
            running: Mutex::default(),
        }));
        let forgetting = repeats.clone();
        node.spawn(async move {
            let mut tick = tokio::time::interval(FORGET_EVERY);
            loop {
                tick.tick().await;
                let inner = &forgetting.0;
                if let Err(fault) = inner.store.forget(inner.clock.now(), MOST).await {
                    tracing::warn!(%fault, "old answers are still kept");
                }
            }
        });
        Ok(repeats)
    }

    /// The gateway's database.
    pub fn db(&self) -> centro_store::Db {
        self.0.store.db()
    }

    /// Whether this was asked before.
    ///
    /// # Errors
    /// 409 while the first is under way, or when nobody knows what became of it; 422 when the key came with another
    /// request; 503 when the store cannot be asked.
    pub async fn begin(&self, asked: &Keyed<'_>) -> Result<Begun, Problem> {
        let Inner {
            store,
            node,
            clock,
            secret,
            ..
        } = &*self.0;
        let id = asked.id();
        let seal = seal::key(secret, &[asked.key.as_bytes(), id.as_bytes()]);
        let request = digest(&asked.parts);
        if !self.running().insert(id.clone()) {
            return Err(running());
        }
        let ticket = Ticket {
            repeats: self.clone(),
            id,
            seal,
        };
        let now = clock.now();
        let found = store
            .enter(&ticket.id, &request, node, now, now + KEEP)
            .await;
        match found.map_err(|fault| away(&fault))? {
            Found::New => Ok(Begun::First(ticket)),
            Found::Known { request: first, .. } if first != request => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this key came with another request; take a new one",
            )),
            Found::Known {
                reply: Some(reply), ..
            } => {
                let reply = seal::open(&ticket.seal, reply);
                reply.map(Begun::Again).ok_or_else(unknown)
            }
            // Ours would be in our list.
            Found::Known {
                owner: (owner, since),
                ..
            } if owner != *node && now < since + UNDER_WAY => Err(running()),
            Found::Known { reply: None, .. } => Err(unknown()),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// What the service said.
    pub async fn end(self, reply: &Result<Bytes, Status>) {
        let store = &self.repeats.0.store;
        let done = match reply {
            Ok(reply) if reply.len() <= LONGEST => match seal::close(&self.seal, reply) {
                Some(sealed) => store.answer(&self.id, sealed).await,
                None => Ok(()),
            },
            // Too long to be kept: a repeat is told that the outcome is not known.
            Ok(_) => Ok(()),
            Err(status) if is_unknown(status) => Ok(()),
            Err(_) => store.remove(&self.id).await,
        };
        if let Err(fault) = done {
            tracing::warn!(%fault, "an answer could not be kept for repeats");
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.repeats.running().remove(&self.id);
    }
}

impl Keyed<'_> {
    /// Names the request in the store, without giving the key away.
    fn id(&self) -> String {
        let tenant = self.caller.principal.tenant().map(|id| id.to_string());
        let who = match &self.caller.principal {
            Principal::User { user, .. } => user.to_string(),
            Principal::Operator { name } => format!("operator:{name}"),
            _ => self.caller.basis.source.clone(),
        };
        digest(&[
            tenant.unwrap_or_default().as_bytes(),
            who.as_bytes(),
            self.method.as_bytes(),
            self.key.as_bytes(),
        ])
    }
}

/// A digest of several texts; where one ends and the next begins counts.
fn digest(parts: &[&[u8]]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update((part.len() as u64).to_be_bytes());
        sum.update(part);
    }
    sum.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a failure leaves open what the service has done.
fn is_unknown(status: &Status) -> bool {
    match status.code() {
        Code::DeadlineExceeded
        | Code::Internal
        | Code::Unknown
        | Code::Cancelled
        | Code::DataLoss => true,
        // A connection may break after the work was done. A refusal of our own has a reason and came before it, but where
        // the storage went away, perhaps with the commit.
        Code::Unavailable => matches!(reason(status).as_str(), "" | "storage_unavailable"),
        _ => false,
    }
}

fn running() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_running",
        "the first request with this key is still under way",
    )
    .with_header(
        http::header::RETRY_AFTER,
        http::HeaderValue::from_static("1"),
    )
}

fn unknown() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency_outcome_unknown",
        "the first request with this key may or may not have been carried out; look before you repeat it with a new key",
    )
}

fn away(fault: &Fault) -> Problem {
    tracing::error!(%fault, "repeats cannot be looked up");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "storage_unavailable",
        "whether this is a repeat cannot be looked up; try again later",
    )
}
