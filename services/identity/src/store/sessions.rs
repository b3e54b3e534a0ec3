//! Sessions: opened by a sign-in, kept alive by refresh tokens that are used once, ended for good.

use super::{
    Store,
    entity::{refresh_token, session, user},
    id,
    revocations::{self, Ending},
};
use crate::secret;
use centro_kernel::{Fault, Timestamp};
use centro_store::fault;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, Set,
};
use std::time::Duration;

/// How long a used refresh token is remembered, to notice that it comes again.
const REMEMBER_USED: Duration = Duration::from_secs(24 * 3600);
/// How long a used refresh token may come again: the answer to its first use may have been lost.
const LEEWAY: Duration = Duration::from_secs(30);
/// How many successors a refresh token has at most.
const SUCCESSORS: usize = 4;

/// A session has been opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Whose it is, as the person is now.
    pub user: Box<user::Model>,
    /// Which one.
    pub session_id: String,
    /// To be shown once; only its fingerprint is kept.
    pub refresh_token: String,
}

/// What became of a refresh token.
#[derive(Debug, Clone)]
pub enum Refreshed {
    /// The session goes on with a new token.
    Goes {
        /// Whose session it is.
        user: Box<user::Model>,
        /// Which one it is.
        session_id: String,
        /// To be shown once.
        refresh_token: String,
    },
    /// The token is unknown, too old, or the session has ended.
    Gone,
    /// The token had been used before: somebody else has it. The session has been ended.
    UsedTwice {
        /// Whose session it was.
        user_id: String,
    },
}

impl Store {
    /// Opens a session for a person who has just proved who it is. The proof takes a while, so the person is looked at
    /// again: `None` when it is gone, may not sign in any more, or has another password by now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_session(
        &self,
        user: &user::Model,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Opened>, Fault> {
        let expire_ms = (now + ttl).as_millis();
        let row = session::Model {
            id: hex::encode(rand::random::<[u8; 16]>()),
            tenant: user.tenant.clone(),
            user_id: user.id.clone(),
            create_ms: now.as_millis(),
            expire_ms,
        };
        let txn = self.begin(id(&user.tenant)?).await?;
        let id = row.id.clone();
        // Written before the look: from here on nobody else changes the person until we are through.
        row.into_active_model().insert(&txn).await.map_err(fault)?;
        let present = user::Entity::find_by_id(&user.id)
            .lock_exclusive()
            .one(&txn)
            .await
            .map_err(fault)?;
        let proved = |now: &user::Model| !now.disabled && now.password_hash == user.password_hash;
        let Some(user) = present.filter(proved) else {
            txn.rollback().await.map_err(fault)?;
            return Ok(None);
        };
        let refresh_token = add_token(&txn, &id, None, expire_ms).await?;
        self.commit(txn).await?;
        Ok(Some(Opened {
            user: Box::new(user),
            session_id: id,
            refresh_token,
        }))
    }

    /// Exchanges a refresh token for the next one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn refresh_session(
        &self,
        token: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Refreshed, Fault> {
        // Whose it is, the token will say.
        let txn = self.begin_of_all().await?;
        let wanted = refresh_token::Entity::find_by_id(secret::fingerprint(token));
        let Some(found) = wanted.clone().one(&txn).await.map_err(fault)? else {
            return Ok(Refreshed::Gone);
        };
        // Tokens of one session take turns, or one and its successor could both be exchanged. Sessions are locked before their
        // tokens, everywhere.
        let Some(session) = session::Entity::find_by_id(&found.session_id)
            .lock_exclusive()
            .one(&txn)
            .await
            .map_err(fault)?
        else {
            return Ok(Refreshed::Gone);
        };
        txn.narrow(id(&session.tenant)?).await.map_err(fault)?;
        // As it is now that it is our turn.
        let Some(found) = wanted.one(&txn).await.map_err(fault)? else {
            return Ok(Refreshed::Gone);
        };
        let repeated = found.used_ms.is_some();
        if repeated && !may_repeat(&txn, &found, now).await? {
            self.end(&txn, &session, now).await?;
            self.commit(txn).await?;
            return Ok(Refreshed::UsedTwice {
                user_id: session.user_id,
            });
        }
        let user = user::Entity::find_by_id(&session.user_id)
            .one(&txn)
            .await
            .map_err(fault)?;
        let user = user.filter(|user| !user.disabled && found.expire_ms > now.as_millis());
        let Some(user) = user else {
            self.end(&txn, &session, now).await?;
            self.commit(txn).await?;
            return Ok(Refreshed::Gone);
        };
        if !repeated {
            use_up(&txn, &found, now).await?;
        }
        let expire_ms = (now + ttl).as_millis();
        let id = session.id.clone();
        let mut kept = session.into_active_model();
        kept.expire_ms = Set(expire_ms);
        kept.update(&txn).await.map_err(fault)?;
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::SessionId.eq(&id))
            .filter(refresh_token::Column::UsedMs.lt((now - REMEMBER_USED).as_millis()))
            .exec(&txn)
            .await
            .map_err(fault)?;
        let refresh_token = add_token(&txn, &id, Some(found.fingerprint), expire_ms).await?;
        self.commit(txn).await?;
        Ok(Refreshed::Goes {
            user: Box::new(user),
            session_id: id,
            refresh_token,
        })
    }

    /// Ends the session of a refresh token. An unknown token changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_session(&self, token: &str, now: Timestamp) -> Result<(), Fault> {
        let txn = self.begin_of_all().await?;
        let found = refresh_token::Entity::find_by_id(secret::fingerprint(token));
        if let Some(found) = found.one(&txn).await.map_err(fault)? {
            let session = session::Entity::find_by_id(&found.session_id);
            if let Some(session) = session.one(&txn).await.map_err(fault)? {
                txn.narrow(id(&session.tenant)?).await.map_err(fault)?;
                self.end(&txn, &session, now).await?;
            }
        }
        self.commit(txn).await
    }

    /// Ends a session, its access tokens too.
    async fn end(
        &self,
        txn: &impl ConnectionTrait,
        session: &session::Model,
        now: Timestamp,
    ) -> Result<(), Fault> {
        remove(txn, std::slice::from_ref(&session.id)).await?;
        let endings = vec![Ending::of(&session.id)];
        let tenant = id(&session.tenant)?;
        revocations::revoke(txn, tenant, &session.user_id, endings, now).await
    }

    /// Forgets sessions that nobody can continue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_old_sessions(&self, now: Timestamp) -> Result<(), Fault> {
        let txn = self.begin_of_all().await?;
        session::Entity::delete_many()
            .filter(session::Column::ExpireMs.lte(now.as_millis()))
            .exec(&txn)
            .await
            .map_err(fault)?;
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::ExpireMs.lte(now.as_millis()))
            .exec(&txn)
            .await
            .map_err(fault)?;
        self.commit(txn).await
    }
}

/// Whether a used refresh token may come once more: it was used a moment ago and none of its successors was, so it is the
/// last of its session, and the answer may have been lost.
async fn may_repeat(
    txn: &impl ConnectionTrait,
    token: &refresh_token::Model,
    now: Timestamp,
) -> Result<bool, Fault> {
    let used = Timestamp::from_millis(token.used_ms.unwrap_or_default());
    if now > used + LEEWAY {
        return Ok(false);
    }
    let successors = refresh_token::Entity::find()
        .filter(refresh_token::Column::SessionId.eq(&token.session_id))
        .filter(refresh_token::Column::Parent.eq(&token.fingerprint))
        .all(txn)
        .await
        .map_err(fault)?;
    // One without successors was never exchanged itself: a sibling was, and now somebody else has this one.
    let unused = successors.iter().all(|next| next.used_ms.is_none());
    Ok(unused && (1..SUCCESSORS).contains(&successors.len()))
}

/// A token is used, and with it its siblings: whoever brings one of them later has it from somebody else.
async fn use_up(
    txn: &impl ConnectionTrait,
    token: &refresh_token::Model,
    now: Timestamp,
) -> Result<(), Fault> {
    let mut mine =
        sea_orm::Condition::any().add(refresh_token::Column::Fingerprint.eq(&token.fingerprint));
    if let Some(parent) = &token.parent {
        mine = mine.add(refresh_token::Column::Parent.eq(parent));
    }
    refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedMs, Some(now.as_millis()).into())
        // By the index of sessions: there is none by parent, and the table holds everybody's tokens.
        .filter(refresh_token::Column::SessionId.eq(&token.session_id))
        .filter(mine)
        .filter(refresh_token::Column::UsedMs.is_null())
        .exec(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

/// Ends every session of a person.
pub(super) async fn end_all(txn: &impl ConnectionTrait, user_id: &str) -> Result<(), Fault> {
    end_all_but(txn, user_id, "").await.map(drop)
}

/// Ends every session of a person but one, and says which.
pub(super) async fn end_all_but(
    txn: &impl ConnectionTrait,
    user_id: &str,
    kept: &str,
) -> Result<Vec<String>, Fault> {
    let of_user = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::Id.ne(kept));
    let ids: Vec<String> = of_user.into_tuple().all(txn).await.map_err(fault)?;
    for chunk in ids.chunks(500) {
        remove(txn, chunk).await?;
    }
    Ok(ids)
}

async fn remove(txn: &impl ConnectionTrait, sessions: &[String]) -> Result<(), Fault> {
    session::Entity::delete_many()
        .filter(session::Column::Id.is_in(sessions))
        .exec(txn)
        .await
        .map_err(fault)?;
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.is_in(sessions))
        .exec(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

async fn add_token(
    txn: &impl ConnectionTrait,
    session: &str,
    parent: Option<String>,
    expire_ms: i64,
) -> Result<String, Fault> {
    let token = secret::refresh_token();
    let row = refresh_token::Model {
        fingerprint: secret::fingerprint(&token),
        session_id: session.to_owned(),
        expire_ms,
        used_ms: None,
        parent,
    };
    row.into_active_model().insert(txn).await.map_err(fault)?;
    Ok(token)
}
