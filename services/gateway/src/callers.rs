//! Who calls: an access token is verified here, an API key is first exchanged for one at identity.

use centro_contract::{
    Principal,
    guard::{bearer, unauthenticated},
    token::TokenError,
};
use centro_kernel::Timestamp;
use centro_node::{Node, Role};
use centro_proto::identity::{ExchangeApiKeyRequest, sessions_client::SessionsClient};
use http::HeaderMap;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tonic::Status;

/// How an API key starts.
const KEY: &str = "cc_live_";
/// Exchanged keys that are remembered.
const CACHED: usize = 1024;
/// A token is renewed this long before it ends.
const SPARE: Duration = Duration::from_secs(30);

/// A caller that is known.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The access token that says so.
    pub token: String,
    /// When the token ends.
    pub until: Timestamp,
}

/// Finds out who calls.
pub struct Callers {
    node: Node,
    exchanged: Mutex<HashMap<String, (String, Timestamp)>>,
}

impl Callers {
    /// Verifies with the node's keys, exchanges API keys at identity.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            exchanged: Mutex::new(HashMap::new()),
        }
    }

    /// Who sent the headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` with `token_missing`, `token_expired`, `token_invalid` or what identity says of a key;
    /// `UNAVAILABLE` when identity cannot be asked.
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let secret = bearer(headers)
            .ok_or_else(|| unauthenticated("token_missing", "sign in and send the access token"))?;
        self.of_secret(secret).await
    }

    /// Whose access token or API key it is.
    ///
    /// # Errors
    /// As [`Callers::of_headers`].
    pub async fn of_secret(&self, secret: &str) -> Result<Caller, Status> {
        let token = if secret.starts_with(KEY) {
            self.exchange(secret).await?
        } else {
            secret.to_owned()
        };
        let now = self.node.clock().now();
        let (principal, until) = self
            .node
            .keys()
            .verify_until(&token, now)
            .map_err(|error| {
                let reason = match error {
                    TokenError::Expired => "token_expired",
                    TokenError::Invalid => "token_invalid",
                };
                unauthenticated(reason, &error.to_string())
            })?;
        // Services speak gRPC; their tokens have no business at the public door.
        if matches!(principal, Principal::Service { .. }) {
            return Err(unauthenticated("token_invalid", "the token is not valid"));
        }
        Ok(Caller {
            principal,
            token,
            until,
        })
    }

    async fn exchange(&self, key: &str) -> Result<String, Status> {
        let now = self.node.clock().now();
        let known = self
            .known()
            .get(key)
            .filter(|(_, until)| now + SPARE < *until)
            .map(|(token, _)| token.clone());
        if let Some(token) = known {
            return Ok(token);
        }
        let mut identity = SessionsClient::new(self.node.conn(Role::Identity));
        let session = identity
            .exchange_api_key(ExchangeApiKeyRequest {
                api_key: key.to_owned(),
            })
            .await?
            .into_inner();
        let token = session.access_token;
        if let Ok((_, until)) = self.node.keys().verify_until(&token, now) {
            let mut known = self.known();
            if known.len() >= CACHED {
                known.retain(|_, (_, until)| now < *until);
            }
            if known.len() >= CACHED {
                known.clear();
            }
            known.insert(key.to_owned(), (token.clone(), until));
        }
        Ok(token)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Timestamp)>> {
        self.exchanged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
