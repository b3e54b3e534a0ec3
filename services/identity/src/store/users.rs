//! People: their rows, the rule about the last owner, and the events that tell of them.

use super::{
    Store,
    entity::{tenant, user},
    revocations::{self, Ending},
    sessions,
};
use crate::{
    core::roles::{self, Roles},
    notify,
};
use centro_contract::Role;
use centro_kernel::{Code, Fault, TenantId, Timestamp, UserId, name};
use centro_store::{fault, outbox};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr,
};

/// A person to be. Everything is checked already.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Trimmed.
    pub login: String,
    /// Trimmed.
    pub display_name: String,
    /// At least one.
    pub roles: Roles,
    /// An argon2id hash.
    pub password_hash: String,
    /// Whether the person may not sign in.
    pub disabled: bool,
}

/// What changes about a person; `None` stays as it is. Everything is checked already.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Trimmed.
    pub login: Option<String>,
    /// Trimmed.
    pub display_name: Option<String>,
    /// At least one.
    pub roles: Option<Roles>,
    /// An argon2id hash. The person's sessions end.
    pub password_hash: Option<String>,
    /// The session that goes on all the same: the one in which the person replaced the own password.
    pub keep_session: Option<String>,
    /// When true, the person's sessions end.
    pub disabled: Option<bool>,
}

impl Store {
    /// A new person.
    ///
    /// # Errors
    /// `login_taken` with the `existing_id`.
    pub async fn create_user(
        &self,
        tenant: TenantId,
        new: NewUser,
        now: Timestamp,
    ) -> Result<user::Model, Fault> {
        let txn = self.begin(tenant).await?;
        let row = insert(&txn, tenant, new, now).await?;
        self.commit(txn).await?;
        Ok(row)
    }

    /// One person of the tenant.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn user(&self, tenant: TenantId, id: UserId) -> Result<user::Model, Fault> {
        find(&self.db.of(tenant), tenant, id).await
    }

    /// The person with this login, in any case.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn user_by_login(
        &self,
        tenant: TenantId,
        login: &str,
    ) -> Result<Option<user::Model>, Fault> {
        user::Entity::find()
            .filter(user::Column::Tenant.eq(tenant.to_string()))
            .filter(user::Column::LoginKey.eq(name::key(login)))
            .one(&self.db.of(tenant))
            .await
            .map_err(fault)
    }

    /// A page of the tenant's people, oldest first, and the token of the next.
    ///
    /// # Errors
    /// `page_token_unknown`.
    pub async fn users(
        &self,
        tenant: TenantId,
        role: Option<Role>,
        limit: u64,
        token: &str,
    ) -> Result<(Vec<user::Model>, String), Fault> {
        let pages = self.pages.list("users", tenant, &role);
        let mut query = user::Entity::find()
            .filter(user::Column::Tenant.eq(tenant.to_string()))
            .order_by_asc(user::Column::Id)
            .limit(limit + 1);
        if let Some(after) = pages.after::<String>(token)? {
            query = query.filter(user::Column::Id.gt(after));
        }
        if let Some(role) = role {
            query = query.filter(user::Column::Roles.is_in(Roles::rows_with(role)));
        }
        let mut rows = query.all(&self.db.of(tenant)).await.map_err(fault)?;
        let next = pages.next(&mut rows, limit, |row| row.id.clone());
        Ok((rows, next))
    }

    /// Changes a person. `etag` is the one the caller saw; empty means any.
    ///
    /// # Errors
    /// `not_found`, `etag_mismatch`, `owner_only`, `last_admin`, `login_taken`.
    pub async fn update_user(
        &self,
        tenant: TenantId,
        id: UserId,
        etag: &str,
        by_owner: bool,
        change: UserChange,
        now: Timestamp,
    ) -> Result<user::Model, Fault> {
        let txn = self.begin(tenant).await?;
        lock(&txn, tenant).await?;
        let before = find(&txn, tenant, id).await?;
        check_etag(&before, etag)?;
        let ends_sessions = change.password_hash.is_some() || change.disabled == Some(true);
        let keep = change.keep_session.clone();
        let after = merged(&before, change);
        let (old_roles, new_roles) = (Roles::from_row(before.roles), Roles::from_row(after.roles));
        roles::may_touch(by_owner, old_roles, new_roles)?;
        if !is_active_owner(&after) {
            keep_an_owner(&txn, &before).await?;
        }
        after
            .clone()
            .into_active_model()
            .reset_all()
            .update(&txn)
            .await
            .map_err(taken_or)?;
        let endings = match (ends_sessions, keep) {
            (true, Some(kept)) => {
                let ended = sessions::end_all_but(&txn, &after.id, &kept).await?;
                ended.into_iter().map(Ending::of).collect()
            }
            (true, None) => {
                sessions::end_all(&txn, &after.id).await?;
                vec![Ending::before(&after.id, after.version)]
            }
            // Sessions go on; their next tokens have the new roles.
            (false, _) if old_roles != new_roles => {
                vec![Ending::before(&after.id, after.version)]
            }
            (false, _) => Vec::new(),
        };
        revocations::revoke(&txn, tenant, &after.id, endings, now).await?;
        outbox::append(&txn, &notify::user_changed(tenant, &after, now)).await?;
        self.commit(txn).await?;
        Ok(after)
    }

    /// Removes a person and the person's sessions.
    ///
    /// # Errors
    /// `not_found`, `owner_only`, `last_admin`.
    pub async fn delete_user(
        &self,
        tenant: TenantId,
        id: UserId,
        by_owner: bool,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let txn = self.begin(tenant).await?;
        lock(&txn, tenant).await?;
        let row = find(&txn, tenant, id).await?;
        let roles = Roles::from_row(row.roles);
        roles::may_touch(by_owner, roles, roles)?;
        keep_an_owner(&txn, &row).await?;
        user::Entity::delete_by_id(&row.id)
            .exec(&txn)
            .await
            .map_err(fault)?;
        sessions::end_all(&txn, &row.id).await?;
        let endings = vec![Ending::before(&row.id, i64::MAX)];
        revocations::revoke(&txn, tenant, &row.id, endings, now).await?;
        outbox::append(&txn, &notify::user_deleted(tenant, &row, now)).await?;
        self.commit(txn).await
    }
}

/// Adds a person inside `txn`.
pub(super) async fn insert(
    txn: &impl ConnectionTrait,
    tenant: TenantId,
    new: NewUser,
    now: Timestamp,
) -> Result<user::Model, Fault> {
    let row = user::Model {
        id: UserId::generate().to_string(),
        tenant: tenant.to_string(),
        login_key: name::key(&new.login),
        login: new.login,
        display_name: new.display_name,
        roles: new.roles.to_row(),
        password_hash: new.password_hash,
        disabled: new.disabled,
        create_ms: now.as_millis(),
        version: 1,
    };
    let existing = user::Entity::find()
        .filter(user::Column::Tenant.eq(&row.tenant))
        .filter(user::Column::LoginKey.eq(&row.login_key))
        .one(txn)
        .await
        .map_err(fault)?;
    if let Some(existing) = existing {
        return Err(taken(Some(&existing.id)));
    }
    row.clone()
        .into_active_model()
        .insert(txn)
        .await
        .map_err(taken_or)?;
    outbox::append(txn, &notify::user_changed(tenant, &row, now)).await?;
    Ok(row)
}

async fn find(
    db: &impl ConnectionTrait,
    tenant: TenantId,
    id: UserId,
) -> Result<user::Model, Fault> {
    user::Entity::find_by_id(id.to_string())
        .filter(user::Column::Tenant.eq(tenant.to_string()))
        .one(db)
        .await
        .map_err(fault)?
        .ok_or_else(|| Fault::not_found("user", id))
}

/// Two administrators who demote each other at once must not both succeed: writers of one tenant take turns.
async fn lock(txn: &impl ConnectionTrait, tenant: TenantId) -> Result<(), Fault> {
    tenant::Entity::find_by_id(tenant.to_string())
        .lock_exclusive()
        .one(txn)
        .await
        .map_err(fault)?;
    Ok(())
}

fn is_active_owner(row: &user::Model) -> bool {
    !row.disabled && Roles::from_row(row.roles).has(Role::Owner)
}

/// Refuses to lose `leaving` as an owner when nobody else is one: then nobody could ever make an owner again.
async fn keep_an_owner(txn: &impl ConnectionTrait, leaving: &user::Model) -> Result<(), Fault> {
    if !is_active_owner(leaving) {
        return Ok(());
    }
    let others = user::Entity::find()
        .filter(user::Column::Tenant.eq(&leaving.tenant))
        .filter(user::Column::Id.ne(&leaving.id))
        .filter(user::Column::Disabled.eq(false))
        .filter(user::Column::Roles.is_in(Roles::rows_with(Role::Owner)))
        .count(txn)
        .await
        .map_err(fault)?;
    if others == 0 {
        return Err(Fault::new(
            Code::Conflict,
            "last_admin",
            "this is the last owner who can sign in; make somebody else an owner first",
        ));
    }
    Ok(())
}

fn check_etag(row: &user::Model, etag: &str) -> Result<(), Fault> {
    let present = row.version.to_string();
    if etag.is_empty() || etag.trim_matches('"') == present {
        return Ok(());
    }
    Err(Fault::new(
        Code::Conflict,
        "etag_mismatch",
        "somebody else has changed this in the meantime; load it again",
    )
    .with("etag", present))
}

fn merged(before: &user::Model, change: UserChange) -> user::Model {
    let mut after = before.clone();
    if let Some(login) = change.login {
        after.login_key = name::key(&login);
        after.login = login;
    }
    if let Some(display_name) = change.display_name {
        after.display_name = display_name;
    }
    if let Some(roles) = change.roles {
        after.roles = roles.to_row();
    }
    if let Some(hash) = change.password_hash {
        after.password_hash = hash;
    }
    if let Some(disabled) = change.disabled {
        after.disabled = disabled;
    }
    after.version += 1;
    after
}

fn taken(existing: Option<&str>) -> Fault {
    let fault = Fault::new(
        Code::Conflict,
        "login_taken",
        "another person has this login",
    )
    .at("/login");
    match existing {
        Some(id) => fault.with("existing_id", id),
        None => fault,
    }
}

fn taken_or(error: DbErr) -> Fault {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => taken(None),
        _ => fault(error),
    }
}
