//! `/v1/live`: a WebSocket that tells what happens in the caller's tenant, as CloudEvents. The first message of the
//! client is `{"token": "…"}`; a token in the URL would end in logs.

mod event;
mod filter;

use crate::{
    callers::{Caller, Callers},
    door::Shared,
};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use centro_bus::{Seen, Watch};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// The client says who it is within this time.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// A client that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest message of a client, in bytes.
const MAX_MESSAGE: usize = 8 << 10;

/// The token has ended or was called back: come back with a new one.
const TOKEN_EXPIRED: u16 = 4001;
/// The first message was no valid token.
const TOKEN_REFUSED: u16 = 4003;
/// The events cannot be had right now: come back later.
const UNAVAILABLE: u16 = 4013;

/// Streams at once of which it is not known whose they are: all of them, and those from one address.
const STRANGERS: usize = 64;
const STRANGERS_PER_SOURCE: usize = 8;

/// Counts the open streams of people and programs that are known.
#[derive(Debug)]
pub struct Open {
    taken: AtomicUsize,
    limit: usize,
}

impl Open {
    /// Room for so many.
    pub fn new(limit: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            limit,
        }
    }

    fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) >= self.limit
    }

    fn enter(self: &Arc<Self>) -> Option<Place> {
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| {
                (n < self.limit).then_some(n + 1)
            });
        taken.is_ok().then(|| Place(self.clone()))
    }
}

struct Place(Arc<Open>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where streams wait until it is known whose they are. Small, so that strangers cannot take the places of people, and
/// with few places per address, so that one stranger cannot take those of all others.
#[derive(Debug, Default)]
pub struct Lobby(Mutex<HashMap<Option<IpAddr>, usize>>);

impl Lobby {
    fn enter(self: &Arc<Self>, source: Option<IpAddr>) -> Option<Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = waiting.get(&source).copied().unwrap_or_default();
        if here >= STRANGERS_PER_SOURCE || waiting.values().sum::<usize>() >= STRANGERS {
            return None;
        }
        waiting.insert(source, here + 1);
        Some(Waiting(self.clone(), source))
    }
}

struct Waiting(Arc<Lobby>, Option<IpAddr>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = waiting.get_mut(&self.1) {
            *here -= 1;
            if *here == 0 {
                waiting.remove(&self.1);
            }
        }
    }
}

#[derive(Deserialize)]
struct Introduction {
    token: String,
}

/// Accepts a stream.
pub async fn accept(
    shared: web::Data<Shared>,
    request: HttpRequest,
    body: web::Payload,
) -> HttpResponse {
    let source = shared.proxies.source(&request);
    let waiting = match shared.live.is_full() {
        false => shared.lobby.enter(source),
        true => None,
    };
    let Some(waiting) = waiting else {
        let detail = "too many live streams are open; try again later";
        return shared.problem(
            &request,
            http::StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            detail,
        );
    };
    let Ok((response, session, messages)) = actix_ws::handle(&request, body) else {
        let detail = "this path speaks WebSocket only";
        return shared.problem(
            &request,
            http::StatusCode::UPGRADE_REQUIRED,
            "websocket_needed",
            detail,
        );
    };
    actix_web::rt::spawn(async move {
        let stop = shared.node.lifecycle().stopping();
        let end = tokio::select! {
            end = serve(&shared, waiting, source, session.clone(), messages.max_frame_size(MAX_MESSAGE)) => end,
            () = stop.cancelled() => Some(reason(CloseCode::Restart, "the server restarts")),
        };
        if let Some(end) = end {
            let _ = session.close(Some(end)).await; // gone already: fine
        }
    });
    response
}

/// Runs a stream to its end; `None` when the client is gone.
async fn serve(
    shared: &Shared,
    waiting: Waiting,
    source: Option<IpAddr>,
    mut session: Session,
    mut messages: MessageStream,
) -> Option<CloseReason> {
    let refused = |text: &str| Some(reason(CloseCode::Other(TOKEN_REFUSED), text));
    let caller = match tokio::time::timeout(
        INTRODUCTION,
        introduced(&shared.callers, source, &mut session, &mut messages),
    )
    .await
    {
        Ok(Ok(caller)) => caller?,
        Ok(Err(text)) => return refused(&text),
        Err(_) => return refused("the first message, {\"token\": …}, did not come in time"),
    };
    let Some(tenant) = caller.verified.principal.tenant() else {
        return refused("the token is not valid");
    };
    let Some(_place) = shared.live.enter() else {
        let text = "too many live streams are open; try again later";
        return Some(reason(CloseCode::Other(UNAVAILABLE), text));
    };
    drop(waiting);
    let Ok(mut events) = shared.node.bus().watch(&[&format!("{tenant}.#")]).await else {
        return Some(reason(
            CloseCode::Other(UNAVAILABLE),
            "events cannot be watched right now",
        ));
    };
    relay(
        shared,
        &caller,
        events.as_mut(),
        &mut session,
        &mut messages,
    )
    .await
}

/// Waits for the first message. `Ok(None)`: the client left; `Err`: it is nobody.
async fn introduced(
    callers: &Callers,
    source: Option<IpAddr>,
    session: &mut Session,
    messages: &mut MessageStream,
) -> Result<Option<Caller>, String> {
    loop {
        match messages.recv().await {
            Some(Ok(Message::Text(text))) => {
                let introduction: Introduction = serde_json::from_str(&text)
                    .map_err(|_| "the first message must be {\"token\": …}".to_owned())?;
                let source = source.map(|ip| ip.to_string()).unwrap_or_default();
                let caller = callers.of_secret(&introduction.token, &source).await;
                return caller
                    .map(Some)
                    .map_err(|status| status.message().to_owned());
            }
            Some(Ok(Message::Ping(bytes))) if session.pong(&bytes).await.is_ok() => {}
            Some(Ok(Message::Pong(_))) => {}
            _ => return Ok(None),
        }
    }
}

async fn relay(
    shared: &Shared,
    caller: &Caller,
    events: &mut dyn Watch,
    session: &mut Session,
    messages: &mut MessageStream,
) -> Option<CloseReason> {
    let clock = shared.node.clock();
    let revocations = shared.node.revocations();
    let mut revoked = revocations.watch();
    let verified = &caller.verified;
    let mut heartbeat = tokio::time::interval(shared.settings.live_heartbeat);
    let expired = || {
        Some(reason(
            CloseCode::Other(TOKEN_EXPIRED),
            "the token is no longer good; come back with a new one",
        ))
    };
    loop {
        let now = clock.now();
        if verified.until <= now || revocations.void(verified) {
            return expired();
        }
        let text = tokio::select! {
            seen = events.next() => match seen {
                Some(Seen::Event(event)) if filter::may_see(&verified.principal, &event) => event::json(&event),
                Some(Seen::Event(_)) => None,
                Some(Seen::Lagged(missed)) => Some(json!({"type": "lagged", "missed": missed}).to_string()),
                None => return Some(reason(CloseCode::Restart, "the server restarts")),
            },
            // The first tick comes at once: it tells the client that it is accepted.
            _ = heartbeat.tick() => Some(json!({"type": "heartbeat", "time": event::rfc3339(clock.now())}).to_string()),
            () = tokio::time::sleep(verified.until.since(now)) => None,
            // Looked at above. The table outlives us.
            _ = revoked.changed() => None,
            message = messages.recv() => match message {
                Some(Ok(Message::Ping(bytes))) => {
                    session.pong(&bytes).await.ok()?;
                    None
                }
                Some(Ok(Message::Pong(_) | Message::Text(_))) => None,
                _ => return None,
            },
        };
        if let Some(text) = text {
            // A full buffer makes us wait here, and the bus counts what we miss meanwhile.
            tokio::time::timeout(PATIENCE, session.text(text))
                .await
                .ok()?
                .ok()?;
        }
    }
}

fn reason(code: CloseCode, text: &str) -> CloseReason {
    // A control frame holds 125 bytes (RFC 6455, 5.5), two of them the code.
    let text: String = text.chars().take(60).collect();
    CloseReason {
        code,
        description: Some(text),
    }
}
