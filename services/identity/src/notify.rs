//! What identity tells the world.

use crate::store::entity::user;
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

/// A sign-in failed.
pub fn sign_in_refused(tenant: TenantId, login: &str, source: &str, now: Timestamp) -> Event {
    let data = events::SignInRefused {
        login: login.to_owned(),
        source: source.to_owned(),
    };
    Event::new(Some(tenant), "identity.session.refused", login, now, &data)
}
