//! `/v1/live`: a WebSocket that tells what happens in the caller's tenant, as CloudEvents. The first message of the
//! client is `{"token": "…"}`; a token in the URL would end in logs.

mod event;
mod filter;
mod lobby;

pub use lobby::Lobby;

use crate::{
    callers::{Caller, Callers},
    door::Shared,
};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use centro_bus::{Seen, Watch};
use centro_contract::{status, token::TokenError};
use lobby::Waiting;
use serde::Deserialize;
use serde_json::json;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tonic::{Code, Status};

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
    if shared.live.is_full() {
        let detail = "too many live streams are open; try again later";
        return shared.problem(
            &request,
            http::StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            detail,
        );
    }
    let Ok((response, session, messages)) = actix_ws::handle(&request, body) else {
        let detail = "this path speaks WebSocket only";
        return shared.problem(
            &request,
            http::StatusCode::UPGRADE_REQUIRED,
            "websocket_needed",
            detail,
        );
    };
    let waiting = shared.lobby.enter(lobby::place(source, &shared.proxies));
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
    mut waiting: Waiting,
    source: Option<IpAddr>,
    mut session: Session,
    mut messages: MessageStream,
) -> Option<CloseReason> {
    let patience = shared.settings.live_introduction;
    let caller = tokio::select! {
        caller = introduced(&shared.callers, source, patience, &mut session, &mut messages) => caller,
        () = waiting.has_to_go() => Err(reason(
            CloseCode::Other(UNAVAILABLE),
            "too many streams have not said whose they are",
        )),
    };
    let caller = match caller {
        Ok(caller) => caller?,
        Err(end) => return Some(end),
    };
    let Some(tenant) = caller.verified.principal.tenant() else {
        return Some(nobody("the token is not valid"));
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

/// Finds out whose stream it is. `Ok(None)`: the client left; `Err`: why the stream ends. The client has `patience` to say
/// it; how long it takes us to look it up is not its fault.
async fn introduced(
    callers: &Callers,
    source: Option<IpAddr>,
    patience: Duration,
    session: &mut Session,
    messages: &mut MessageStream,
) -> Result<Option<Caller>, CloseReason> {
    let first = tokio::time::timeout(patience, first(session, messages)).await;
    let Some(first) =
        first.map_err(|_| nobody("the first message, {\"token\": …}, did not come in time"))?
    else {
        return Ok(None);
    };
    let introduction: Introduction = serde_json::from_str(&first)
        .map_err(|_| nobody("the first message must be {\"token\": …}"))?;
    let source = source.map(|ip| ip.to_string()).unwrap_or_default();
    let caller = callers.of_secret(&introduction.token, &source).await;
    caller.map(Some).map_err(|status| refusal(&status))
}

/// The first message that says something; `None` when the client left.
async fn first(session: &mut Session, messages: &mut MessageStream) -> Option<String> {
    loop {
        match messages.recv().await {
            Some(Ok(Message::Text(text))) => return Some(text.to_string()),
            Some(Ok(Message::Ping(bytes))) => session.pong(&bytes).await.ok()?,
            Some(Ok(Message::Pong(_))) => {}
            _ => return None,
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

/// Whoever is there has not shown who it is.
fn nobody(text: &str) -> CloseReason {
    reason(CloseCode::Other(TOKEN_REFUSED), text)
}

/// What a client does about it depends on the cause: wait, get a new token, or sign in.
fn refusal(status: &Status) -> CloseReason {
    let ended = [TokenError::Expired.reason(), TokenError::Revoked.reason()];
    let code = match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => UNAVAILABLE,
        _ if ended.contains(&status::reason(status).as_str()) => TOKEN_EXPIRED,
        _ => TOKEN_REFUSED,
    };
    reason(CloseCode::Other(code), status.message())
}

fn reason(code: CloseCode, text: &str) -> CloseReason {
    // A control frame holds 125 bytes (RFC 6455, 5.5), two of them the code.
    let text: String = text.chars().take(60).collect();
    CloseReason {
        code,
        description: Some(text),
    }
}
