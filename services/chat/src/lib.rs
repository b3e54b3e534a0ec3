//! Conversations: web widget and messengers. The edge of chats, as telephony is the edge of calls.
//!
//! | owns | messages in | messages out |
//! |---|---|---|
//! | nothing yet | `ChatHealth.Ping` | none |
//!
//! The service runs and answers. It takes no conversations yet, and no API offers any.

mod grpc;

use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service};

/// The chat service.
pub struct Chat;

#[async_trait]
impl Service for Chat {
    const ROLE: Role = Role::Chat;
    type Settings = ();

    async fn start((): (), _: Node, mount: &mut Mount) -> anyhow::Result<()> {
        mount.grpc(grpc::server());
        Ok(())
    }
}
