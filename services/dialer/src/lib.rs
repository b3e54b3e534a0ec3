//! Outbound contacts: campaigns and callbacks. The edge of calls we make, as telephony is of those we get.
//!
//! | owns | messages in | messages out |
//! |---|---|---|
//! | nothing yet | `DialerHealth.Ping` | none |
//!
//! The service runs and answers. It dials nobody yet, and no API offers to.

mod grpc;

use async_trait::async_trait;
use centro_node::{Mount, Node, Role, Service};

/// The dialer service.
pub struct Dialer;

#[async_trait]
impl Service for Dialer {
    const ROLE: Role = Role::Dialer;
    type Settings = ();

    async fn start((): (), _: Node, mount: &mut Mount) -> anyhow::Result<()> {
        mount.grpc(grpc::server());
        Ok(())
    }
}
