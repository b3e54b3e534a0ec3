//! Who calls: an access token is verified here, an API key is first exchanged for one at identity.

use centro_contract::{
    Principal,
    caller::{API_KEY_PREFIX, SOURCE},
    guard::{bearer, unauthenticated},
    status::reason,
    token::{TokenError, Verified},
};
use centro_kernel::Timestamp;
use centro_node::{Node, Role};
use centro_proto::identity::{ExchangeApiKeyRequest, sessions_client::SessionsClient};
use http::HeaderMap;
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tonic::{Request, Status};

/// The longest key that is looked at; ours have 72 characters.
const LONGEST: usize = 128;
/// Exchanged keys that are remembered.
const CACHED: usize = 1024;
/// A token is renewed this long before it ends.
const SPARE: Duration = Duration::from_secs(30);

/// Keys that identity did not know, which are not asked for again: a key that is unknown stays so.
const UNKNOWN: usize = 1024;
/// What identity says of such a key.
const WRONG: &str = "api_key_wrong";

/// A caller that is known.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the access token says.
    pub verified: Verified,
    /// The access token.
    pub token: String,
}

/// Finds out who calls.
pub struct Callers {
    node: Node,
    exchanged: Mutex<HashMap<String, (String, Timestamp)>>,
    unknown: Mutex<HashSet<String>>,
}

impl Callers {
    /// Verifies with the node's keys, exchanges API keys at identity.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            exchanged: Mutex::new(HashMap::new()),
            unknown: Mutex::new(HashSet::new()),
        }
    }

    /// Who sent the headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` with `token_missing`, `token_expired`, `token_invalid`, `token_revoked` or what identity says of
    /// a key; `UNAVAILABLE` when identity cannot be asked.
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let secret = bearer(headers)
            .ok_or_else(|| unauthenticated("token_missing", "sign in and send the access token"))?;
        let source = headers.get(SOURCE).and_then(|value| value.to_str().ok());
        self.of_secret(secret, source.unwrap_or_default()).await
    }

    /// Whose access token or API key it is; `source` is the caller's address.
    ///
    /// # Errors
    /// As [`Callers::of_headers`].
    pub async fn of_secret(&self, secret: &str, source: &str) -> Result<Caller, Status> {
        if !secret.starts_with(API_KEY_PREFIX) {
            return self.of_token(secret.to_owned()).await;
        }
        let token = self.exchange(secret, source).await?;
        match self.of_token(token).await {
            // The key was deleted since; let identity say so.
            Err(status) if reason(&status) == TokenError::Revoked.reason() => {
                self.exchanged().remove(secret);
                let token = self.exchange(secret, source).await?;
                self.of_token(token).await
            }
            other => other,
        }
    }

    async fn of_token(&self, token: String) -> Result<Caller, Status> {
        let refused = |error: TokenError| unauthenticated(error.reason(), &error.to_string());
        let now = self.node.clock().now();
        let verified = self.node.keys().read(&token, now).map_err(refused)?;
        // Services speak gRPC; their tokens have no business at the public door.
        if matches!(verified.principal, Principal::Service { .. }) {
            return Err(refused(TokenError::Invalid));
        }
        if !verified.principal.is_revocable() {
            return Ok(Caller { verified, token });
        }
        let revocations = self.node.revocations();
        if !revocations.loaded().await {
            return Err(Status::unavailable("identity cannot be asked yet"));
        }
        if revocations.void(&verified) {
            return Err(refused(TokenError::Revoked));
        }
        Ok(Caller { verified, token })
    }

    async fn exchange(&self, key: &str, source: &str) -> Result<String, Status> {
        let now = self.node.clock().now();
        let known = self
            .exchanged()
            .get(key)
            .filter(|(_, until)| now + SPARE < *until)
            .map(|(token, _)| token.clone());
        if let Some(token) = known {
            return Ok(token);
        }
        let wrong = || unauthenticated(WRONG, "this API key is unknown or no longer valid");
        if key.len() > LONGEST || self.unknown().contains(key) {
            return Err(wrong());
        }
        let mut request = Request::new(ExchangeApiKeyRequest {
            api_key: key.to_owned(),
        });
        if let Ok(source) = source.parse() {
            request.metadata_mut().insert(SOURCE, source);
        }
        let mut identity = SessionsClient::new(self.node.conn(Role::Identity));
        let session = match identity.exchange_api_key(request).await {
            Ok(session) => session.into_inner(),
            Err(status) => {
                if reason(&status) == WRONG {
                    let mut unknown = self.unknown();
                    if unknown.len() >= UNKNOWN {
                        unknown.clear();
                    }
                    unknown.insert(key.to_owned());
                }
                return Err(status);
            }
        };
        let token = session.access_token;
        if let Ok(verified) = self.node.keys().read(&token, now) {
            let mut known = self.exchanged();
            if known.len() >= CACHED {
                known.retain(|_, (_, until)| now < *until);
            }
            if known.len() >= CACHED {
                known.clear();
            }
            known.insert(key.to_owned(), (token.clone(), verified.until));
        }
        Ok(token)
    }

    fn exchanged(&self) -> MutexGuard<'_, HashMap<String, (String, Timestamp)>> {
        self.exchanged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
