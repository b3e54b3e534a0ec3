//! Signing in and out.

use super::{Desk, message, source};
use crate::{
    core::{person, roles::Roles},
    notify, secret,
    store::{self, Refreshed, UserChange, entity::user},
};
use centro_contract::{
    Basis, Principal,
    audit::{self, SignIn},
    principal,
    status::from_fault,
};
use centro_kernel::{Code, Fault, TenantId, Timestamp, UserId, name};
use centro_proto::identity::{self as pb, sessions_server::Sessions};
use std::{collections::BTreeSet, time::Duration};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Sessions for Desk {
    async fn sign_in(
        &self,
        request: Request<pb::SignInRequest>,
    ) -> Result<Response<pb::Session>, Status> {
        let source = source(&request);
        let asked = request.into_inner();
        let mut trail = Trail::default();
        let session = self.prove(asked, &source, &mut trail).await;
        trail.write("centro.identity.v1.Sessions.SignIn", &source, &session);
        Ok(Response::new(session.map_err(from_fault)?))
    }

    async fn refresh_session(
        &self,
        request: Request<pb::RefreshSessionRequest>,
    ) -> Result<Response<pb::Session>, Status> {
        let token = request.into_inner().refresh_token;
        let ttl = self.settings.refresh_token_ttl;
        let refreshed = self.store.refresh_session(&token, self.now(), ttl).await;
        match refreshed.map_err(from_fault)? {
            Refreshed::Goes {
                user,
                session_id,
                refresh_token,
            } => {
                let session = self.session(*user, session_id, refresh_token);
                let session = session.map_err(from_fault)?;
                Ok(Response::new(session))
            }
            Refreshed::Gone => Err(from_fault(session_ended())),
            Refreshed::UsedTwice { user_id } => {
                tracing::warn!(
                    user = user_id,
                    "a refresh token came twice; its session was ended"
                );
                Err(from_fault(session_ended()))
            }
        }
    }

    async fn sign_out(&self, request: Request<pb::SignOutRequest>) -> Result<Response<()>, Status> {
        let token = request.into_inner().refresh_token;
        let ended = self.store.end_session(&token, self.now()).await;
        ended.map_err(from_fault)?;
        Ok(Response::new(()))
    }

    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Result<Response<pb::Me>, Status> {
        let (tenant, who) = principal(&request)?;
        let me = self.me(tenant, &who).await.map_err(from_fault)?;
        Ok(Response::new(me))
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Result<Response<()>, Status> {
        let source = source(&request);
        let (tenant, who) = principal(&request)?;
        let user = who.user().ok_or_else(|| {
            from_fault(Fault::new(
                Code::Forbidden,
                "not_a_person",
                "an API key has no password",
            ))
        })?;
        let basis = request.extensions().get::<Basis>().cloned();
        let session = basis.map(|basis| basis.source).unwrap_or_default();
        let asked = request.into_inner();
        self.replace_password(tenant, user, asked, session, &source)
            .await
            .map_err(from_fault)?;
        Ok(Response::new(()))
    }

    async fn exchange_api_key(
        &self,
        request: Request<pb::ExchangeApiKeyRequest>,
    ) -> Result<Response<pb::Session>, Status> {
        let source = source(&request);
        let key = request.into_inner().api_key;
        let mut trail = Trail::default();
        let session = self.exchange(&key, &source, &mut trail).await;
        trail.write(
            "centro.identity.v1.Sessions.ExchangeApiKey",
            &source,
            &session,
        );
        Ok(Response::new(session.map_err(from_fault)?))
    }
}

/// Whose sign-in it is, as far as it has been found out.
#[derive(Default)]
struct Trail {
    tenant: Option<String>,
    caller: Option<String>,
}

impl Trail {
    /// Writes the audit record.
    fn write<T>(&self, rpc: &str, source: &str, outcome: &Result<T, Fault>) {
        audit::sign_in(&SignIn {
            rpc,
            tenant: self.tenant.as_deref(),
            caller: self.caller.as_deref(),
            source,
            refused: outcome.as_ref().err().map(|fault| fault.reason),
        });
    }
}

impl Desk {
    /// Checks login and password. Everything that may fail for an unknown login takes the same road as for a wrong
    /// password: one throttle, one hash, one answer.
    async fn prove(
        &self,
        asked: pb::SignInRequest,
        source: &str,
        trail: &mut Trail,
    ) -> Result<pb::Session, Fault> {
        let tenant = self.store.tenant_for_sign_in(&asked.tenant).await?;
        trail.tenant = tenant.as_ref().map(|tenant| tenant.id.clone());
        let tenant_key = tenant.as_ref().map_or("", |tenant| tenant.id.as_str());
        let guess = format!("{tenant_key} {}", name::key(&asked.login));
        self.guesses.admit(&guess, source, self.now())?;
        let user = match &tenant {
            Some(tenant) => {
                let tenant = store::id(&tenant.id)?;
                self.store.user_by_login(tenant, &asked.login).await
            }
            None => Ok(None),
        };
        let user = user.inspect_err(|_| self.guesses.unanswered(&guess, source))?;
        trail.caller = user.as_ref().map(|user| user.id.clone());
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(asked.password, hash).await;
        let right = right.inspect_err(|_| self.guesses.unanswered(&guess, source))?;
        let opened = match &user {
            Some(user) if right && !user.disabled => {
                let ttl = self.settings.refresh_token_ttl;
                let opened = self.store.open_session(user, self.now(), ttl).await;
                opened.inspect_err(|_| self.guesses.unanswered(&guess, source))?
            }
            _ => None,
        };
        match opened {
            Some(opened) => {
                self.guesses.succeeded(&guess, source);
                self.session(*opened.user, opened.session_id, opened.refresh_token)
            }
            None => {
                if let Some(tenant) = tenant {
                    let tenant: TenantId = store::id(&tenant.id)?;
                    let event = notify::sign_in_refused(tenant, user.as_ref(), source, self.now());
                    self.store.note_refused(&event).await?;
                }
                Err(Fault::new(
                    Code::Unauthenticated,
                    "credentials_wrong",
                    "the login or the password is wrong",
                ))
            }
        }
    }

    /// What a person who is signed in gets.
    fn session(
        &self,
        user: user::Model,
        session_id: String,
        refresh_token: String,
    ) -> Result<pb::Session, Fault> {
        let principal = Principal::User {
            tenant: store::id(&user.tenant)?,
            user: store::id(&user.id)?,
            roles: Roles::from_row(user.roles).list(),
        };
        let basis = Basis {
            source: session_id,
            version: u64::try_from(user.version).unwrap_or(0),
        };
        let ttl = self.settings.access_token_ttl;
        let (access_token, expire) = self.mint(&basis, &principal, ttl)?;
        Ok(pb::Session {
            access_token,
            expire_time: Some(message::time(expire.as_millis())),
            refresh_token,
            user: Some(message::user(user)),
        })
    }

    fn mint(
        &self,
        basis: &Basis,
        principal: &Principal,
        ttl: Duration,
    ) -> Result<(String, Timestamp), Fault> {
        let now = self.now();
        let token = self.keys.mint_on(basis, principal, now, ttl);
        let token = token.map_err(Fault::internal)?;
        Ok((token, now + ttl))
    }

    async fn me(&self, tenant: TenantId, who: &Principal) -> Result<pb::Me, Fault> {
        let row = self.store.tenant(tenant).await?;
        let (user, roles) = match who {
            Principal::User { user, .. } => {
                let user = self
                    .store
                    .user(tenant, *user)
                    .await
                    .ok()
                    .filter(|user| !user.disabled);
                let user = user.ok_or_else(session_ended)?;
                let roles = Roles::from_row(user.roles).list();
                (Some(message::user(user)), roles)
            }
            Principal::Key { role, .. } => (None, vec![*role]),
            Principal::Service { .. } | Principal::Operator { .. } => (None, Vec::new()),
        };
        let permissions: BTreeSet<&str> = roles
            .iter()
            .flat_map(|role| role.permissions())
            .copied()
            .collect();
        Ok(pb::Me {
            user,
            tenant: Some(message::tenant(row)),
            permissions: permissions.into_iter().map(str::to_owned).collect(),
        })
    }

    async fn replace_password(
        &self,
        tenant: TenantId,
        id: UserId,
        asked: pb::ChangePasswordRequest,
        session: String,
        source: &str,
    ) -> Result<(), Fault> {
        person::password(&asked.new_password, "/newPassword")?;
        let user = self.store.user(tenant, id).await?;
        // Somebody may replace the password while this one is checked; then the old one proves nothing any more.
        let seen = user.version.to_string();
        let guess = format!("{tenant} {}", user.login_key);
        self.guesses.admit(&guess, source, self.now())?;
        let right = self
            .passwords
            .verify(asked.current_password, Some(user.password_hash))
            .await;
        if !right.inspect_err(|_| self.guesses.unanswered(&guess, source))? {
            let fault = Fault::new(
                Code::Invalid,
                "password_wrong",
                "the present password is another one",
            );
            return Err(fault.at("/currentPassword"));
        }
        self.guesses.succeeded(&guess, source);
        let hash = self.passwords.hash(asked.new_password).await?;
        let change = UserChange {
            password_hash: Some(hash),
            keep_session: (!session.is_empty()).then_some(session),
            ..UserChange::default()
        };
        // An owner may change the own password, whoever else may not touch an owner.
        self.store
            .update_user(tenant, id, &seen, true, change, self.now())
            .await?;
        Ok(())
    }

    async fn exchange(
        &self,
        key: &str,
        source: &str,
        trail: &mut Trail,
    ) -> Result<pb::Session, Fault> {
        let wrong = || {
            Fault::new(
                Code::Unauthenticated,
                "api_key_wrong",
                "this API key is unknown or no longer valid",
            )
        };
        if !secret::is_api_key(key) {
            return Err(wrong());
        }
        let now = self.now();
        self.guesses.admit_key(source, now)?;
        let row = self.store.api_key(&secret::fingerprint(key)).await;
        if !matches!(row, Ok(None)) {
            self.guesses.key_answered(source);
        }
        let row = row?.ok_or_else(wrong)?;
        trail.tenant = Some(row.tenant.clone());
        trail.caller = Some(row.id.clone());
        if row
            .expire_ms
            .is_some_and(|expire| expire <= now.as_millis())
        {
            return Err(wrong());
        }
        let role = *Roles::from_row(row.role).list().first().ok_or_else(wrong)?;
        self.key_use.note(&row.id, now);
        let left = row.expire_ms.map_or(Duration::MAX, |expire| {
            Timestamp::from_millis(expire).since(now)
        });
        let principal = Principal::Key {
            tenant: store::id(&row.tenant)?,
            role,
        };
        let basis = Basis {
            source: row.id,
            version: 0,
        };
        let ttl = self.settings.access_token_ttl.min(left);
        let (access_token, expire) = self.mint(&basis, &principal, ttl)?;
        Ok(pb::Session {
            access_token,
            expire_time: Some(message::time(expire.as_millis())),
            refresh_token: String::new(),
            user: None,
        })
    }
}

fn session_ended() -> Fault {
    Fault::new(
        Code::Unauthenticated,
        "session_ended",
        "the session has ended; sign in again",
    )
}
