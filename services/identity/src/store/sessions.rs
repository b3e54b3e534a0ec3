//! Sessions: opened by a sign-in, kept alive by refresh tokens that are used once, ended for good.

use super::{Store, entity::refresh_token, entity::session, entity::user};
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

/// A session has been opened.
#[derive(Debug, Clone)]
pub struct Opened {
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
    /// Opens a session for a person who has just proved who it is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_session(
        &self,
        user: &user::Model,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Opened, Fault> {
        let expire_ms = (now + ttl).as_millis();
        let row = session::Model {
            id: hex::encode(rand::random::<[u8; 16]>()),
            tenant: user.tenant.clone(),
            user_id: user.id.clone(),
            create_ms: now.as_millis(),
            expire_ms,
        };
        let txn = self.begin().await?;
        let id = row.id.clone();
        row.into_active_model().insert(&txn).await.map_err(fault)?;
        let refresh_token = add_token(&txn, &id, expire_ms).await?;
        self.commit(txn).await?;
        Ok(Opened { refresh_token })
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
        let txn = self.begin().await?;
        let found = refresh_token::Entity::find_by_id(secret::fingerprint(token))
            .lock_exclusive()
            .one(&txn)
            .await
            .map_err(fault)?;
        let Some(found) = found else {
            return Ok(Refreshed::Gone);
        };
        let Some(session) = session::Entity::find_by_id(&found.session_id)
            .one(&txn)
            .await
            .map_err(fault)?
        else {
            return Ok(Refreshed::Gone);
        };
        if found.used_ms.is_some() {
            end(&txn, &session.id).await?;
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
            end(&txn, &session.id).await?;
            self.commit(txn).await?;
            return Ok(Refreshed::Gone);
        };
        let expire_ms = (now + ttl).as_millis();
        let mut used = found.into_active_model();
        used.used_ms = Set(Some(now.as_millis()));
        used.update(&txn).await.map_err(fault)?;
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
        let refresh_token = add_token(&txn, &id, expire_ms).await?;
        self.commit(txn).await?;
        Ok(Refreshed::Goes {
            user: Box::new(user),
            refresh_token,
        })
    }

    /// Ends the session of a refresh token. An unknown token changes nothing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end_session(&self, token: &str) -> Result<(), Fault> {
        let txn = self.begin().await?;
        let found = refresh_token::Entity::find_by_id(secret::fingerprint(token));
        if let Some(found) = found.one(&txn).await.map_err(fault)? {
            end(&txn, &found.session_id).await?;
        }
        self.commit(txn).await
    }

    /// Forgets sessions that nobody can continue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_old_sessions(&self, now: Timestamp) -> Result<(), Fault> {
        let txn = self.begin().await?;
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::ExpireMs.lte(now.as_millis()))
            .exec(&txn)
            .await
            .map_err(fault)?;
        session::Entity::delete_many()
            .filter(session::Column::ExpireMs.lte(now.as_millis()))
            .exec(&txn)
            .await
            .map_err(fault)?;
        self.commit(txn).await
    }
}

/// Ends every session of a person.
pub(super) async fn end_all(txn: &impl ConnectionTrait, user_id: &str) -> Result<(), Fault> {
    let of_user = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::UserId.eq(user_id));
    let ids: Vec<String> = of_user.into_tuple().all(txn).await.map_err(fault)?;
    for chunk in ids.chunks(500) {
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::SessionId.is_in(chunk))
            .exec(txn)
            .await
            .map_err(fault)?;
    }
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(user_id))
        .exec(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

async fn end(txn: &impl ConnectionTrait, session: &str) -> Result<(), Fault> {
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.eq(session))
        .exec(txn)
        .await
        .map_err(fault)?;
    session::Entity::delete_by_id(session)
        .exec(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

async fn add_token(
    txn: &impl ConnectionTrait,
    session: &str,
    expire_ms: i64,
) -> Result<String, Fault> {
    let token = secret::refresh_token();
    let row = refresh_token::Model {
        fingerprint: secret::fingerprint(&token),
        session_id: session.to_owned(),
        expire_ms,
        used_ms: None,
    };
    row.into_active_model().insert(txn).await.map_err(fault)?;
    Ok(token)
}
