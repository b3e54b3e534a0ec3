//! Requests of people that another process answers.

use crate::grpc::Doors;
use centro_cluster::{Owner, Ownership, Shard};
use centro_node::{Conn, Role, To};
use std::{future::Future, time::Duration};
use tonic::Request;

/// Says that a request was sent on once. Where the owner changes in this moment the second process waits until it is the
/// owner itself, or says that nobody owns it now, instead of sending it on and on.
const SENT_ON: &str = "x-centro-sent-on";
/// How long a request waits for an owner: a hand-over takes less, and longer than this nobody looks at a page that stands
/// still. Twice this is within the time a call may take.
const SETTLES: Duration = Duration::from_secs(2);

impl Doors {
    /// The way to the process that has the key's actor, when that is another one. Between two owners it waits a moment
    /// for the next.
    pub(crate) fn elsewhere<T>(
        &self,
        key: u128,
        request: &Request<T>,
    ) -> impl Future<Output = Option<Conn>> + Send + use<T> {
        let shard = Shard::of(key);
        let sent_on = request.metadata().contains_key(SENT_ON);
        let node = self.0.node.clone();
        async move {
            let there = settled(&*node.ownership(), shard, sent_on).await;
            there.then(|| node.conn_to(Role::Routing, To::Shard(shard)))
        }
    }
}

/// Whether the request is to be sent on, as soon as that is known. Who waited in vain is answered here: that the owner is
/// changing.
async fn settled(ownership: &dyn Ownership, shard: Shard, sent_on: bool) -> bool {
    let known = || match ownership.owner(shard) {
        Some(Owner::Here(_)) => Some(false),
        Some(Owner::There { .. }) if !sent_on => Some(true),
        Some(Owner::There { .. }) | None => None,
    };
    if let Some(there) = known() {
        return there;
    }
    let mut changes = ownership.changes();
    let waited = tokio::time::timeout(SETTLES, async {
        loop {
            if let Some(there) = known() {
                return there;
            }
            if changes.next().await.is_none() {
                return false;
            }
        }
    });
    waited.await.unwrap_or(false)
}

/// The request as it is sent on: in the name of who made it.
pub(crate) fn sent_on<T>(request: Request<T>) -> Request<T> {
    let (metadata, _, message) = request.into_parts();
    let mut on = Request::new(message);
    *on.metadata_mut() = metadata;
    on.metadata_mut()
        .insert(SENT_ON, tonic::metadata::MetadataValue::from_static("1"));
    on
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_cluster::{Epoch, LocalCluster};

    const SHARD: Shard = Shard::of(7);

    #[tokio::test(start_paused = true)]
    async fn between_two_owners_a_request_waits_for_the_next() {
        let cluster = LocalCluster::new(Epoch(1));
        let (here, _there) = (cluster.join("here"), cluster.join("there"));
        assert!(!settled(&here, SHARD, false).await, "it is here");
        for (next, sent_on) in [("there", true), ("here", false)] {
            cluster.hand_over(SHARD, None);
            let waits = settled(&here, SHARD, false);
            let moves = async {
                tokio::task::yield_now().await;
                cluster.hand_over(SHARD, Some(next));
            };
            assert_eq!(tokio::join!(waits, moves).0, sent_on, "{next}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_on_is_not_sent_on_again() {
        let cluster = LocalCluster::new(Epoch(1));
        let (here, _there) = (cluster.join("here"), cluster.join("there"));
        cluster.hand_over(SHARD, Some("there"));
        assert!(settled(&here, SHARD, false).await);
        let waits = settled(&here, SHARD, true);
        let moves = async { cluster.hand_over(SHARD, Some("here")) };
        assert!(!tokio::join!(waits, moves).0, "it came here");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_an_owner_for_ever() {
        let cluster = LocalCluster::new(Epoch(1));
        let here = cluster.join("here");
        cluster.hand_over(SHARD, None);
        let before = tokio::time::Instant::now();
        assert!(!settled(&here, SHARD, false).await);
        assert_eq!(before.elapsed(), SETTLES);
    }
}
