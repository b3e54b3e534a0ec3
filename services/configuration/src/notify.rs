//! What the configuration tells the world.

use centro_bus::Event;
use centro_kernel::{TenantId, Timestamp};
use centro_proto::{
    configuration::{Change, change},
    events::ConfigurationChanged,
};

/// An object was made, changed or deleted.
pub fn changed(
    tenant: TenantId,
    version: i64,
    deleted: bool,
    object: change::Object,
    key: &str,
    now: Timestamp,
) -> Event {
    let change = Change {
        tenant_id: tenant.to_string(),
        version: u64::try_from(version).unwrap_or(0),
        deleted,
        object: Some(object),
    };
    let data = ConfigurationChanged {
        change: Some(change),
    };
    Event::new(
        Some(tenant),
        "configuration.object.changed",
        key,
        now,
        &data,
    )
}
