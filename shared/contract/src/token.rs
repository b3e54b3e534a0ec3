//! Access tokens: short-lived JWTs (RFC 7519, HS256) signed with the installation's secret, so that every process can
//! verify them without asking anybody.

use crate::{Principal, Role};
use centro_kernel::{TenantId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired; sign in again")]
    Expired,
    /// It was never good.
    #[error("the token is not valid")]
    Invalid,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ten: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
    /// Seconds since 1970, as RFC 7519 wants.
    exp: i64,
}

/// Signs and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<(EncodingKey, DecodingKey)>);

impl Keys {
    /// Keys from the installation's secret, at least 32 bytes.
    pub fn new(secret: &[u8]) -> Self {
        Self(Arc::new((
            EncodingKey::from_secret(secret),
            DecodingKey::from_secret(secret),
        )))
    }

    /// A token that says who the caller is until `now + ttl`.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when the token cannot be encoded.
    pub fn mint(
        &self,
        principal: &Principal,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<String, TokenError> {
        let (sub, ten, roles) = match principal {
            Principal::User {
                tenant,
                user,
                roles,
            } => (user.to_string(), Some(*tenant), roles.clone()),
            Principal::Key { tenant, role } => ("key".to_owned(), Some(*tenant), vec![*role]),
            Principal::Service { name } => (format!("service:{name}"), None, vec![]),
        };
        let claims = Claims {
            sub,
            ten,
            roles,
            exp: (now + ttl).as_millis() / 1000,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.0)
            .map_err(|_| TokenError::Invalid)
    }

    /// Who the token says the caller is.
    ///
    /// # Errors
    /// [`TokenError`] when it is forged, malformed or past its time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
        self.verify_until(token, now)
            .map(|(principal, _)| principal)
    }

    /// Who the token says the caller is, and until when.
    ///
    /// # Errors
    /// As [`Keys::verify`].
    pub fn verify_until(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Principal, Timestamp), TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false; // against our own clock, below
        validation.set_required_spec_claims(&["exp", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &self.0.1, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let until = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        if until <= now {
            return Err(TokenError::Expired);
        }
        let principal = match (claims.sub.strip_prefix("service:"), claims.ten) {
            (Some(name), None) => Principal::Service {
                name: name.to_owned(),
            },
            (None, Some(tenant)) if claims.sub == "key" => {
                let role = *claims.roles.first().ok_or(TokenError::Invalid)?;
                Principal::Key { tenant, role }
            }
            (None, Some(tenant)) => {
                let user: UserId = claims.sub.parse().map_err(|_| TokenError::Invalid)?;
                Principal::User {
                    tenant,
                    user,
                    roles: claims.roles,
                }
            }
            _ => return Err(TokenError::Invalid),
        };
        Ok((principal, until))
    }
}

/// How many tokens a process remembers. Each is some hundred bytes.
const CACHED: usize = 4096;
/// Ours are some hundred bytes; a longer one is nobody's.
const LONGEST: usize = 4096;

/// Remembers verified tokens until they expire, because calls between services come by the hundred with the same one.
pub struct TokenCache {
    keys: Keys,
    known: RwLock<HashMap<String, (Principal, Timestamp)>>,
}

impl TokenCache {
    /// An empty cache.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            known: RwLock::new(HashMap::new()),
        }
    }

    /// As [`Keys::verify`].
    ///
    /// # Errors
    /// As [`Keys::verify`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Invalid);
        }
        if let Some((principal, until)) = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            && now < *until
        {
            return Ok(principal.clone());
        }
        let (principal, until) = self.keys.verify_until(token, now)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED {
            known.retain(|_, (_, until)| now < *until);
        }
        if known.len() >= CACHED {
            known.clear();
        }
        known.insert(token.to_owned(), (principal.clone(), until));
        Ok(principal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_its_time_and_for_nobody_else() {
        let keys = Keys::new(&[7; 32]);
        let now = Timestamp::from_millis(1_000_000);
        let anna = Principal::User {
            tenant: TenantId::from_u128(1),
            user: UserId::from_u128(2),
            roles: vec![Role::Agent],
        };
        let token = keys.mint(&anna, now, Duration::from_secs(60)).unwrap();
        assert_eq!(keys.verify(&token, now), Ok(anna));
        assert_eq!(
            keys.verify(&token, now + Duration::from_secs(60)),
            Err(TokenError::Expired)
        );
        assert_eq!(
            Keys::new(&[8; 32]).verify(&token, now),
            Err(TokenError::Invalid)
        );
        assert_eq!(keys.verify("nonsense", now), Err(TokenError::Invalid));
    }

    #[test]
    fn a_remembered_token_expires_all_the_same() {
        let keys = Keys::new(&[7; 32]);
        let cache = TokenCache::new(keys.clone());
        let now = Timestamp::from_millis(1_000_000);
        let service = Principal::Service {
            name: "routing".to_owned(),
        };
        let token = keys.mint(&service, now, Duration::from_secs(60)).unwrap();
        assert_eq!(cache.verify(&token, now), Ok(service.clone()));
        assert_eq!(
            cache.verify(&token, now + Duration::from_secs(59)),
            Ok(service)
        );
        assert_eq!(
            cache.verify(&token, now + Duration::from_secs(60)),
            Err(TokenError::Expired)
        );
    }
}
