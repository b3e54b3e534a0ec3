//! Operators look at a cluster and steer it (`centro cluster`, and the same through the API).
//!
//! | part | what it does |
//! |---|---|
//! | [`Steering`] | moves shards, puts processes aside, and measures what it meant to those who wait |
//! | `lines` | who waits in which order, before and after: pure |
//! | `status` | members and shards as they are written: pure |
//! | `door` | the RPCs |
//!
//! Nothing here takes part in the cluster: what is wanted is written into Redis, and each process follows it with its next
//! look. So it works from any process, and from a command while processes hang.

mod door;
mod lines;
mod plan;
mod status;
mod steering;

pub use door::ClusterDoor;
pub use steering::Steering;
