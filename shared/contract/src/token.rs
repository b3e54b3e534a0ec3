//! Access tokens: short-lived JWTs (RFC 7519, HS256) signed with the installation's secret, so that every process can
//! verify them without asking anybody. What is called back before its time is in [`Revocations`].

use crate::{Principal, Revocations, Role};
use centro_kernel::{TenantId, Timestamp, UserId};
use hmac::{Hmac, Mac};
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
    /// Its session, person or key has ended or changed since.
    #[error("the token was called back; renew the session or sign in again")]
    Revoked,
}

impl TokenError {
    /// The stable code.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Invalid => "token_invalid",
            Self::Revoked => "token_revoked",
        }
    }
}

/// What a token rests on; when that ends, the token is void. Handlers find it in the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// Id of the session or of the API key; empty where there is none.
    pub source: String,
    /// Of a person: the version of the row the roles were read from. A version and not a time, because it says without
    /// a race whether the roles were read before or after they changed.
    pub version: u64,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who calls.
    pub principal: Principal,
    /// When it was made, to the second.
    pub since: Timestamp,
    /// Until when it is good, unless it is called back.
    pub until: Timestamp,
    /// What it rests on.
    pub basis: Basis,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ten: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sid: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    ver: u64,
    /// Seconds since 1970, as RFC 7519 wants.
    #[serde(default)]
    iat: i64,
    exp: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Signs and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    signs: EncodingKey,
    verifies: DecodingKey,
    derives: Hmac<sha2::Sha256>,
}

impl Keys {
    /// Keys from the installation's secret, at least 32 bytes.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[allow(clippy::expect_used)]
    pub fn new(secret: &[u8]) -> Self {
        Self(Arc::new(Inner {
            signs: EncodingKey::from_secret(secret),
            verifies: DecodingKey::from_secret(secret),
            derives: Hmac::new_from_slice(secret).expect("HMAC takes keys of any length"),
        }))
    }

    /// A key of its own for another purpose, from which neither the secret nor other purposes' keys can be found.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = self.0.derives.clone();
        mac.update(b"centro derived key: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A token that says who the caller is until `now + ttl`, and rests on nothing that could be called back.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when the token cannot be encoded.
    pub fn mint(
        &self,
        principal: &Principal,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<String, TokenError> {
        self.mint_on(&Basis::default(), principal, now, ttl)
    }

    /// A token that says who the caller is until `now + ttl` or until its basis is called back.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when the token cannot be encoded.
    pub fn mint_on(
        &self,
        basis: &Basis,
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
            Principal::Operator { name } => (format!("operator:{name}"), None, vec![]),
        };
        let claims = Claims {
            sub,
            ten,
            roles,
            sid: basis.source.clone(),
            ver: basis.version,
            iat: now.as_millis() / 1000,
            exp: (now + ttl).as_millis() / 1000,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.0.signs)
            .map_err(|_| TokenError::Invalid)
    }

    /// Who the token says the caller is.
    ///
    /// # Errors
    /// [`TokenError`] when it is forged, malformed or past its time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
        self.read(token, now).map(|verified| verified.principal)
    }

    /// Everything the token says. Whether it was called back is not looked at.
    ///
    /// # Errors
    /// As [`Keys::verify`].
    pub fn read(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false; // against our own clock, below
        validation.set_required_spec_claims(&["exp", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &self.0.verifies, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let until = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        if until <= now {
            return Err(TokenError::Expired);
        }
        let operator = claims.sub.strip_prefix("operator:");
        let principal = match (claims.sub.strip_prefix("service:"), claims.ten) {
            (None, None) if operator.is_some() => Principal::Operator {
                name: operator.unwrap_or_default().to_owned(),
            },
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
        Ok(Verified {
            principal,
            since: Timestamp::from_millis(claims.iat.saturating_mul(1000)),
            until,
            basis: Basis {
                source: claims.sid,
                version: claims.ver,
            },
        })
    }
}

/// How many tokens a process remembers. Each is some hundred bytes.
const CACHED: usize = 4096;
/// Ours are some hundred bytes; a longer one is nobody's.
const LONGEST: usize = 4096;

/// Remembers verified tokens until they expire, because calls between services come by the hundred with the same one.
pub struct TokenCache {
    keys: Keys,
    revocations: Revocations,
    known: RwLock<HashMap<String, Verified>>,
}

impl TokenCache {
    /// An empty cache.
    pub fn new(keys: Keys, revocations: Revocations) -> Self {
        Self {
            keys,
            revocations,
            known: RwLock::new(HashMap::new()),
        }
    }

    /// As [`Keys::read`], and not called back.
    ///
    /// # Errors
    /// As [`Keys::verify`]; [`TokenError::Revoked`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        let verified = self.look_up(token, now)?;
        if self.revocations.void(&verified) {
            return Err(TokenError::Revoked);
        }
        Ok(verified)
    }

    fn look_up(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Invalid);
        }
        if let Some(verified) = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            && now < verified.until
        {
            return Ok(verified.clone());
        }
        let verified = self.keys.read(token, now)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED {
            known.retain(|_, verified| now < verified.until);
        }
        if known.len() >= CACHED {
            known.clear();
        }
        known.insert(token.to_owned(), verified.clone());
        Ok(verified)
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
    fn an_operator_is_known_and_has_no_tenant() {
        let keys = Keys::new(&[7; 32]);
        let now = Timestamp::from_millis(1_000_000);
        let operator = Principal::Operator {
            name: "root@office".to_owned(),
        };
        let token = keys.mint(&operator, now, Duration::from_secs(60)).unwrap();
        assert_eq!(keys.verify(&token, now), Ok(operator.clone()));
        assert_eq!(operator.tenant(), None);
        assert!(operator.grants("cluster.operate") && !operator.grants("queues.edit"));
    }

    #[test]
    fn a_remembered_token_expires_all_the_same() {
        let keys = Keys::new(&[7; 32]);
        let cache = TokenCache::new(keys.clone(), Revocations::default());
        let now = Timestamp::from_millis(1_000_000);
        let service = Principal::Service {
            name: "routing".to_owned(),
        };
        let token = keys.mint(&service, now, Duration::from_secs(60)).unwrap();
        let verify = |after| {
            let verified = cache.verify(&token, now + Duration::from_secs(after));
            verified.map(|verified| verified.principal)
        };
        assert_eq!(verify(0), Ok(service.clone()));
        assert_eq!(verify(59), Ok(service));
        assert_eq!(verify(60), Err(TokenError::Expired));
    }

    #[test]
    fn a_key_for_one_purpose_is_no_key_for_another() {
        let keys = Keys::new(&[7; 32]);
        assert_eq!(keys.derive("pages"), Keys::new(&[7; 32]).derive("pages"));
        assert_ne!(keys.derive("pages"), keys.derive("other"));
        assert_ne!(keys.derive("pages"), Keys::new(&[8; 32]).derive("pages"));
    }
}
