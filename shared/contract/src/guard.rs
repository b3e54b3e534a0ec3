//! The one layer in front of every gRPC server: verifies the caller's token, decides by the RPC's access rule, writes the
//! audit record, fills defaults, checks field rules. An RPC that the contract does not know is refused.
//!
//! Calls between services (`internal`) are only verified: their messages are our own, and they are many. Client
//! streams are checked by their handlers, message by message.

use crate::{
    Access, Api, Keys, Method, Principal, Revocations, Scope,
    audit::{Audit, AuditLog, AuditRecord},
    rules::Violation,
    status::DOMAIN,
    token::{TokenCache, Verified},
};
use bytes::{BufMut, Bytes, BytesMut};
use centro_kernel::Clock;
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full, Limited};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{Body as HttpBody, StdError},
};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use tower::{Layer, Service};

/// Longest request of a checked RPC, in bytes.
const MAX_REQUEST: usize = 4 << 20;

/// gRPC's own health protocol has no access rule: probes ask it without a token.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// Decides on access alone; pure, so it is tested for every RPC.
///
/// # Errors
/// `PERMISSION_DENIED` with `internal_only`, `forbidden` or `out_of_scope`.
pub fn decide(method: &Method, principal: &Principal) -> Result<(), Status> {
    match &method.access {
        Access::Public => Ok(()),
        Access::Internal if matches!(principal, Principal::Service { .. }) => Ok(()),
        Access::Internal => Err(refusal("internal_only", "")),
        Access::Permission { permission, .. } if !principal.grants(permission) => {
            Err(refusal("forbidden", permission))
        }
        // No role of a tenant grants what is for operators; if one did by mistake, it would be refused all the same.
        Access::Permission {
            permission,
            scope: Scope::System,
        } => match principal {
            Principal::Operator { .. } => Ok(()),
            _ => Err(refusal("out_of_scope", permission)),
        },
        Access::Permission { permission, .. } if principal.tenant().is_none() => {
            Err(refusal("out_of_scope", permission))
        }
        Access::Permission { .. } => Ok(()),
    }
}

fn refusal(reason: &str, permission: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(
        reason,
        DOMAIN,
        [("permission".to_owned(), permission.to_owned())],
    );
    if permission.is_empty() {
        details.set_error_info(reason, DOMAIN, std::collections::HashMap::new());
    }
    Status::with_error_details(
        Code::PermissionDenied,
        "the caller may not do this",
        details,
    )
}

/// `UNAUTHENTICATED` with a stable reason.
pub fn unauthenticated(reason: &str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, std::collections::HashMap::new());
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// The token of an `authorization: Bearer …` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Stands in front of gRPC servers. Cheap to clone.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    api: Arc<Api>,
    tokens: TokenCache,
    revocations: Revocations,
    clock: Arc<dyn Clock>,
    audit: Box<dyn Audit>,
}

impl Guard {
    /// A guard that verifies with the installation's keys and audits into the log.
    pub fn new(api: Arc<Api>, keys: Keys, revocations: Revocations, clock: Arc<dyn Clock>) -> Self {
        Self::auditing(api, keys, revocations, clock, AuditLog)
    }

    /// A guard with its own place for audit records.
    pub fn auditing(
        api: Arc<Api>,
        keys: Keys,
        revocations: Revocations,
        clock: Arc<dyn Clock>,
        audit: impl Audit,
    ) -> Self {
        Self(Arc::new(Inner {
            api,
            tokens: TokenCache::new(keys, revocations.clone()),
            revocations,
            clock,
            audit: Box::new(audit),
        }))
    }

    /// Who sent the headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` with `token_missing`, `token_expired`, `token_invalid` or `token_revoked`; `UNAVAILABLE` while
    /// it is not known what was called back.
    async fn caller(&self, headers: &HeaderMap) -> Result<Verified, Status> {
        let token = bearer(headers)
            .ok_or_else(|| unauthenticated("token_missing", "this call needs an access token"))?;
        let verify = || {
            let verified = self.0.tokens.verify(token, self.0.clock.now());
            verified.map_err(|error| unauthenticated(error.reason(), &error.to_string()))
        };
        let verified = verify()?;
        // Services call each other from the first moment on; the list itself comes from one of them. Operators are no people
        // of identity's, and are needed most when it is away.
        if !verified.principal.is_revocable() {
            return Ok(verified);
        }
        if !self.0.revocations.loaded().await {
            return Err(Status::unavailable("identity cannot be asked yet"));
        }
        verify()
    }

    async fn admit<B>(&self, request: Request<B>) -> Result<Request<Body>, Status>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        let Some(method) = self.0.api.methods.get(request.uri().path()).cloned() else {
            if request.uri().path().starts_with(HEALTH) {
                return Ok(request.map(Body::new));
            }
            return Err(Status::unimplemented("not in the contract"));
        };
        let (mut parts, body) = request.into_parts();
        if method.access == Access::Public {
            // Audited by the service, which alone learns who it was. What services add to a call (the caller's address)
            // is believed from services only.
            let token = bearer(&parts.headers);
            let verified = token.map(|token| self.0.tokens.verify(token, self.0.clock.now()));
            if let Some(Ok(Verified {
                principal: service @ Principal::Service { .. },
                ..
            })) = verified
            {
                parts.extensions.insert(service);
            }
        } else {
            let caller = self.caller(&parts.headers).await;
            let verdict = caller
                .as_ref()
                .map_err(Status::clone)
                .and_then(|caller| decide(&method, &caller.principal));
            if method.audit {
                let reason = verdict.as_ref().err().map(crate::status::reason);
                self.0.audit.record(AuditRecord {
                    method: &method,
                    principal: caller.as_ref().ok().map(|caller| &caller.principal),
                    refused: reason.as_deref(),
                });
            }
            verdict?;
            let caller = caller?;
            parts.extensions.insert(caller.principal);
            parts.extensions.insert(caller.basis);
        }
        let body = if method.access == Access::Internal || method.descriptor.is_client_streaming() {
            Body::new(body)
        } else {
            self.checked(&method, body).await?
        };
        Ok(Request::from_parts(parts, body))
    }

    async fn checked<B>(&self, method: &Method, body: B) -> Result<Body, Status>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        let frame = Limited::new(body, MAX_REQUEST)
            .collect()
            .await
            .map_err(|_| Status::resource_exhausted("the request is too large or broke off"))?
            .to_bytes();
        // One uncompressed gRPC frame: flag, length, message.
        let length = frame
            .get(1..5)
            .and_then(|n| n.try_into().ok())
            .map(u32::from_be_bytes);
        if frame.first() != Some(&0)
            || length.and_then(|n| usize::try_from(n).ok()) != frame.len().checked_sub(5)
        {
            return Err(Status::invalid_argument(
                "expected one uncompressed message",
            ));
        }
        let mut message = DynamicMessage::decode(method.descriptor.input(), frame.slice(5..))
            .map_err(|_| Status::invalid_argument("not the message of this RPC"))?;
        let changed = method.creates && self.0.api.rules.fill_defaults(&mut message);
        check(&self.0.api, method, &message)?;
        Ok(Body::new(Full::new(if changed {
            framed(&message)?
        } else {
            frame
        })))
    }
}

fn framed(message: &DynamicMessage) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    let mut out = BytesMut::with_capacity(length + 5);
    out.put_u8(0);
    out.put_u32(
        u32::try_from(length)
            .map_err(|_| Status::resource_exhausted("the request is too large"))?,
    );
    message
        .encode(&mut out)
        .map_err(|error| Status::internal(error.to_string()))?;
    Ok(out.freeze())
}

/// Checks a request against the rules of its fields. Of a masked update only what the mask names is checked, without a
/// mask what the resource carries; the service checks the merged resource.
///
/// # Errors
/// `INVALID_ARGUMENT` with `validation_failed` and every violation: `field` in proto spelling from the request down,
/// `reason` the stable code.
pub fn check(api: &Api, method: &Method, request: &DynamicMessage) -> Result<(), Status> {
    let mut broken = api.rules.check(request);
    if !broken.is_empty()
        && let Some(mask) = &method.mask
    {
        let paths = masked(request, mask);
        broken.retain(|violation| concerns(violation, &paths));
    }
    if broken.is_empty() {
        return Ok(());
    }
    let violations: Vec<FieldViolation> = broken
        .into_iter()
        .map(|violation| {
            let mut field = FieldViolation::new(violation.path, violation.detail);
            field.reason = violation.code.to_owned();
            field
        })
        .collect();
    let mut details = ErrorDetails::with_bad_request(violations);
    details.set_error_info(
        "validation_failed",
        DOMAIN,
        std::collections::HashMap::new(),
    );
    Err(Status::with_error_details(
        Code::InvalidArgument,
        "the request breaks the rules of its fields",
        details,
    ))
}

/// The paths of the mask; without any, the fields that the resource carries.
fn masked(request: &DynamicMessage, mask: &FieldDescriptor) -> Vec<String> {
    let value = request.get_field(mask);
    let paths = value.as_message().and_then(|mask| {
        mask.get_field_by_name("paths")
            .map(|paths| paths.into_owned())
    });
    let paths: Vec<String> = paths
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(|path| path.as_str().map(str::to_owned))
        .collect();
    if !paths.is_empty() {
        return paths;
    }
    request
        .fields()
        .filter(|(field, _)| field != mask)
        .filter_map(|(_, value)| value.as_message())
        .flat_map(|resource| {
            resource
                .fields()
                .map(|(field, _)| field.name().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a violation is in a field that the update is about. A violation of the request itself always is.
fn concerns(violation: &Violation, paths: &[String]) -> bool {
    let Some((_, inner)) = violation.path.split_once('.') else {
        return true;
    };
    paths.iter().any(|path| {
        path == "*"
            || inner == path
            || inner
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.starts_with(['.', '[']))
    })
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded {
            guard: self.clone(),
            inner,
        }
    }
}

/// A server behind a [`Guard`].
#[derive(Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
    R: Default,
{
    type Response = Response<R>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = self.guard.clone();
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone); // the one that is ready
        Box::pin(async move {
            match guard.admit(request).await {
                Ok(request) => inner.call(request).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}
