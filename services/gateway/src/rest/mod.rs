//! REST for every RPC with a `google.api.http` option, driven by the descriptors: no entity is named here. Knows no
//! HTTP server.
//!
//! A request is first admitted (route, caller, permission: 404, 405, 401, 403), only then its body is read and checked
//! (400, 413, 415), then the RPC is called with the caller's own token.

mod decode;
mod invoke;
mod json;
pub mod problem;
pub mod query;
mod refusal;
mod reply;
mod request;
mod scalar;

pub use problem::Problem;
pub use reply::proto_json;

use crate::{
    Settings,
    callers::{Caller, Callers},
    repeats::{Begun, Keyed, Repeats},
};
use bytes::Bytes;
use centro_contract::{Access, Api, Route, guard, router::Found};
use centro_node::{Conn, Node, Role};
use futures::Stream;
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use invoke::Invocation;
use std::{pin::Pin, sync::Arc, time::Duration};
use tokio::runtime::Handle;
use tracing::Instrument;

/// A request without its body.
#[derive(Debug, Clone)]
pub struct Head {
    /// HTTP method.
    pub verb: Verb,
    /// Raw path, still escaped.
    pub path: String,
    /// Raw query, without the question mark.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
}

/// What goes back.
pub enum Answer {
    /// All at once.
    Whole {
        /// HTTP status.
        status: StatusCode,
        /// Headers.
        headers: HeaderMap,
        /// Body.
        body: Bytes,
    },
    /// Bytes as they come; an error breaks the connection off, so that nobody takes a part for the whole.
    Bytes {
        /// Headers.
        headers: HeaderMap,
        /// Body.
        chunks: Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>,
    },
    /// Messages as they come.
    Messages {
        /// `text/event-stream` or `application/x-ndjson`.
        content_type: &'static str,
        /// One frame per message.
        frames: Pin<Box<dyn Stream<Item = Bytes> + Send>>,
    },
}

/// A request that may go on.
pub struct Admitted {
    route: Arc<Route>,
    captured: Vec<String>,
    caller: Option<Caller>,
}

/// The transcoder.
pub struct Rest {
    api: Arc<Api>,
    node: Node,
    callers: Arc<Callers>,
    deadline: Duration,
    longest_deadline: Duration,
    repeats: Repeats,
    runtime: Handle,
}

impl Rest {
    /// Calls services on `runtime`, whatever thread the request came on.
    pub fn new(
        api: Arc<Api>,
        node: Node,
        callers: Arc<Callers>,
        settings: &Settings,
        repeats: Repeats,
        runtime: Handle,
    ) -> Self {
        Self {
            api,
            node,
            callers,
            deadline: settings.request_timeout,
            longest_deadline: settings.longest_request_timeout,
            repeats,
            runtime,
        }
    }

    /// Decides on route and access.
    ///
    /// # Errors
    /// 404, 405, 401, 403, or 503 when identity cannot be asked about an API key.
    pub async fn admit(&self, head: &Head) -> Result<Admitted, Problem> {
        let verb = if head.verb == Verb::HEAD {
            &Verb::GET
        } else {
            &head.verb
        };
        let (route, captured) = match self.api.router.find(verb, &head.path) {
            Found::Route(route, captured) => (route, captured),
            Found::Verbs(verbs) => return Err(Problem::verb_not_allowed(&verbs)),
            Found::Nothing => {
                return Err(Problem::new(
                    StatusCode::NOT_FOUND,
                    "route_unknown",
                    "nothing is served at this path",
                ));
            }
            Found::BadEscape => {
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "path_malformed",
                    "the path is not valid UTF-8",
                ));
            }
        };
        if route.method.access == Access::Public {
            return Ok(Admitted {
                route,
                captured,
                caller: None,
            });
        }
        let refused = |status| refusal::problem(&status, &route);
        let caller = self
            .callers
            .of_headers(&head.headers)
            .await
            .map_err(refused)?;
        guard::decide(&route.method, &caller.verified.principal).map_err(refused)?;
        Ok(Admitted {
            route,
            captured,
            caller: Some(caller),
        })
    }

    /// Answers an admitted request.
    ///
    /// # Errors
    /// A problem for everything that goes wrong.
    pub async fn answer(
        &self,
        admitted: Admitted,
        head: &Head,
        body: &Bytes,
    ) -> Result<Answer, Problem> {
        let Admitted {
            route,
            captured,
            caller,
        } = admitted;
        let message = request::read(&self.api, &route, &captured, head, body)?;
        let deadline = request::deadline(&head.headers, self.deadline, self.longest_deadline)?;
        let method = &route.method;
        let conn = self.conn(method.descriptor.parent_service().package_name())?;
        let (path, headers) = (method.path.clone(), head.headers.clone());
        let call = Invocation {
            conn,
            path,
            message,
            token: caller.as_ref().map(|caller| caller.token.clone()),
            headers,
            deadline,
        };
        let refused = |status| refusal::problem(&status, &route);
        // On the services' own runtime: work in progress must not hang on an HTTP thread.
        let span = tracing::Span::current();
        if method.descriptor.is_server_streaming() {
            let stream = self
                .runtime
                .spawn(call.stream().instrument(span))
                .await
                .map_err(broken)?
                .map_err(refused)?;
            return reply::stream(&route, &head.headers, stream).await;
        }
        let key = request::idempotency_key(&head.headers)?;
        let key = key.filter(|_| method.creates && head.verb == Verb::POST);
        let asked = key.zip(caller).map(|(key, caller)| {
            let parts = (head.path.clone(), head.query.clone(), body.clone());
            (key.to_owned(), caller, method.path.clone(), parts)
        });
        let repeats = self.repeats.clone();
        // All of it goes on when the caller has gone meanwhile: that is when it is asked for again. Else a key would be
        // left behind of which nobody knows what became, though nothing was asked.
        let call = async move {
            let ticket = match &asked {
                Some((key, caller, method, (path, query, body))) => {
                    let asked = Keyed {
                        caller: &caller.verified,
                        method: method.as_str(),
                        key,
                        parts: [path.as_bytes(), query.as_bytes(), body],
                    };
                    match repeats.begin(&asked).await? {
                        Begun::First(ticket) => Some(ticket),
                        Begun::Again(bytes) => return Ok(Ok(bytes)),
                    }
                }
                None => None,
            };
            let answer = call.unary().await;
            if let Some(ticket) = ticket {
                ticket.end(&answer).await;
            }
            Ok::<_, Problem>(answer)
        };
        let answer = self.runtime.spawn(call.instrument(span)).await;
        let bytes = answer.map_err(broken)??.map_err(refused)?;
        reply::whole(&route, head, bytes)
    }

    /// The service that owns a package: `centro.routing.v1` is served by the role `routing`.
    fn conn(&self, package: &str) -> Result<Conn, Problem> {
        let role = package.split('.').nth(1).and_then(Role::named);
        role.map(|role| self.node.conn(role)).ok_or_else(|| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "no service answers for this path",
            )
        })
    }
}

/// A call that ended in a panic.
fn broken(error: tokio::task::JoinError) -> Problem {
    tracing::error!(%error, "a call broke off");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "something failed on our side; the log has the details",
    )
}

fn media_type(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers
        .get(name)
        .and_then(|value: &HeaderValue| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
