//! Rows as messages.

use crate::{
    core::roles::{self, Roles},
    store::entity::{api_key, tenant, user},
};
use centro_kernel::Timestamp;
use centro_proto::identity as pb;

pub fn time(millis: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    }
}

pub fn instant(time: &prost_types::Timestamp) -> Timestamp {
    let millis = time
        .seconds
        .saturating_mul(1000)
        .saturating_add(i64::from(time.nanos) / 1_000_000);
    Timestamp::from_millis(millis)
}

pub fn user(row: user::Model) -> pb::User {
    pb::User {
        id: row.id,
        login: row.login,
        display_name: row.display_name,
        roles: Roles::from_row(row.roles).to_proto(),
        password: String::new(),
        disabled: row.disabled,
        create_time: Some(time(row.create_ms)),
        etag: row.version.to_string(),
    }
}

pub fn tenant(row: tenant::Model) -> pb::Tenant {
    pb::Tenant {
        id: row.id,
        slug: row.slug,
        display_name: row.display_name,
        create_time: Some(time(row.create_ms)),
    }
}

pub fn api_key(row: api_key::Model) -> pb::ApiKey {
    let role = Roles::from_row(row.role)
        .list()
        .first()
        .map_or(0, |role| roles::to_proto(*role) as i32);
    pb::ApiKey {
        id: row.id,
        display_name: row.display_name,
        role,
        secret: String::new(),
        create_time: Some(time(row.create_ms)),
        expire_time: row.expire_ms.map(time),
        last_use_time: row.last_use_ms.map(time),
    }
}
