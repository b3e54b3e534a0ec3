//! What identity tells the world.

use crate::store::entity::{api_key, user};
use centro_bus::Event;
use centro_kernel::{TenantId, Timestamp};
use centro_proto::events;

/// A person was added or changed.
pub fn user_changed(tenant: TenantId, user: &user::Model, now: Timestamp) -> Event {
    about(tenant, "identity.user.changed", user, now)
}

/// A person is gone.
pub fn user_deleted(tenant: TenantId, user: &user::Model, now: Timestamp) -> Event {
    about(tenant, "identity.user.deleted", user, now)
}

fn about(tenant: TenantId, kind: &str, user: &user::Model, now: Timestamp) -> Event {
    let data = events::UserChanged {
        user_id: user.id.clone(),
        display_name: user.display_name.clone(),
        disabled: user.disabled,
    };
    Event::new(Some(tenant), kind, &user.id, now, &data)
}

/// A sign-in failed. What was typed is told only when it is somebody's login: people type their password there.
pub fn sign_in_refused(
    tenant: TenantId,
    user: Option<&user::Model>,
    source: &str,
    now: Timestamp,
) -> Event {
    let data = events::SignInRefused {
        login: user.map(|user| user.login.clone()).unwrap_or_default(),
        source: source.to_owned(),
        user_id: user.map(|user| user.id.clone()).unwrap_or_default(),
    };
    let subject = user.map_or(source, |user| &user.id);
    Event::new(
        Some(tenant),
        "identity.session.refused",
        subject,
        now,
        &data,
    )
}

/// A program was given a key.
pub fn api_key_created(tenant: TenantId, key: &api_key::Model, now: Timestamp) -> Event {
    about_key(tenant, "identity.api_key.created", key, now)
}

/// A program's key is gone.
pub fn api_key_deleted(tenant: TenantId, key: &api_key::Model, now: Timestamp) -> Event {
    about_key(tenant, "identity.api_key.deleted", key, now)
}

fn about_key(tenant: TenantId, kind: &str, key: &api_key::Model, now: Timestamp) -> Event {
    let data = events::ApiKeyChanged {
        api_key_id: key.id.clone(),
        display_name: key.display_name.clone(),
    };
    Event::new(Some(tenant), kind, &key.id, now, &data)
}
