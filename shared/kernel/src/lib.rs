//! The vocabulary every crate shares: identifiers, time, contacts, typed errors. No I/O.

pub mod clock;
pub mod contact;
pub mod fault;
pub mod id;
pub mod name;

pub use clock::{Clock, SystemClock, TestClock, Timestamp};
pub use fault::{Code, Fault};
pub use id::{
    ApiKeyId, CallId, ContactId, DeviceId, DialPlanId, EventId, IdError, NumberId, QueueId,
    RecordingId, SkillId, TenantId, TrunkId, UserId,
};
