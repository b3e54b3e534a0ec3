//! Keeps the process's table of revocations up to date: the bus is watched first, then identity is asked for all of them,
//! so that none falls between.

use crate::{Node, Role};
use centro_bus::Seen;
use centro_contract::revocation::Revocation;
use centro_kernel::Timestamp;
use centro_proto::{
    events::AccessRevoked,
    identity::{self as pb, ListRevocationsRequest, revocations_client::RevocationsClient},
};
use std::time::Duration;
use tonic::{Code, Status};

const PATTERN: &str = "*.identity.access.revoked";
/// Longest list, in bytes: as many as the table holds, at some 60 bytes each, with room to spare.
const LONGEST_LIST: usize = 16 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Follows identity for ever.
pub(crate) async fn follow(node: Node) {
    loop {
        match node.bus().watch(&[PATTERN]).await {
            Ok(mut events) => {
                load(&node).await;
                while let Some(seen) = events.next().await {
                    match seen {
                        Seen::Event(event) => {
                            let revoked = event.decode::<AccessRevoked>().unwrap_or_default();
                            add(&node, revoked.revocations);
                        }
                        Seen::Lagged(lost) => {
                            tracing::info!(lost, "revocations were missed, reading all of them");
                            load(&node).await;
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "revocations cannot be followed yet"),
        }
        tokio::time::sleep(LONGEST_PAUSE).await;
    }
}

/// Asks identity until it answers.
async fn load(node: &Node) {
    let mut pause = FIRST_PAUSE;
    while let Err(status) = ask(node).await {
        tracing::debug!(%status, "waiting for identity's revocations");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    node.revocations().set_loaded();
}

async fn ask(node: &Node) -> Result<(), Status> {
    let mut identity =
        RevocationsClient::new(node.conn(Role::Identity)).max_decoding_message_size(LONGEST_LIST);
    match identity.list_revocations(ListRevocationsRequest {}).await {
        Ok(answer) => add(node, answer.into_inner().revocations),
        // There is no identity service that this process could reach at any time: nobody revokes anything.
        Err(status) if status.code() == Code::Unimplemented => {}
        Err(status) => return Err(status),
    }
    Ok(())
}

fn add(node: &Node, revoked: Vec<pb::Revocation>) {
    let revoked = revoked.into_iter().map(|one| Revocation {
        subject: one.subject,
        before_version: one.before_version,
        until: one.expire_time.map_or(Timestamp::from_millis(0), |time| {
            let millis = time.seconds.saturating_mul(1000);
            Timestamp::from_millis(millis.saturating_add(i64::from(time.nanos) / 1_000_000))
        }),
    });
    node.revocations().add(revoked, node.clock().now());
}
