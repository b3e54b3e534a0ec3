//! Small numbers for those who take part, and the product's ids for them.

use centro_kernel::{ContactId, DeviceId, QueueId, UserId};

/// The id of the n-th queue.
pub const fn queue_id(n: usize) -> QueueId {
    QueueId::from_u128(n as u128 + 1)
}

/// The id of the n-th agent.
pub const fn agent_id(n: usize) -> UserId {
    UserId::from_u128(n as u128 + 1)
}

/// The id of the n-th contact.
pub const fn contact_id(n: usize) -> ContactId {
    ContactId::from_u128(n as u128 + 1)
}

/// The device of the n-th agent.
pub(crate) const fn device_id(n: usize) -> DeviceId {
    DeviceId::from_u128(n as u128 + 1)
}

/// Back to the number.
pub(crate) const fn queue_no(id: QueueId) -> usize {
    id.as_u128() as usize - 1
}

/// Back to the number.
pub(crate) const fn agent_no(id: UserId) -> usize {
    id.as_u128() as usize - 1
}

/// Back to the number.
pub(crate) const fn contact_no(id: ContactId) -> usize {
    id.as_u128() as usize - 1
}
