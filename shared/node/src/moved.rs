//! A call to the owner of a shard ends when the shard has another owner. One that died closes its connections; one that is
//! frozen or cut off says nothing, and whoever asked it would wait for their deadline, or on a stream for ever.

use centro_cluster::{Owner, Ownership, Seen, Shard};
use futures::{FutureExt, StreamExt, stream};
use http::Response;
use http_body_util::{BodyStream, StreamBody};
use std::{
    future::Future,
    sync::{Arc, OnceLock},
    task::Poll,
};
use tokio::sync::Notify;
use tonic::{Status, body::Body};

/// Rings when shards get another owner, one bell for each, so that a move wakes nobody else.
#[derive(Default)]
pub(crate) struct Moves(OnceLock<Arc<[Notify]>>);

impl Moves {
    /// Comes when the shard has another owner than this one, or one at all; not while it has none, for its owner may come
    /// back. Must be called on a tokio runtime.
    pub fn from(
        &self,
        ownership: &Arc<dyn Ownership>,
        shard: Shard,
        owner: Option<Owner>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let bells = self.0.get_or_init(|| ring(ownership)).clone();
        let ownership = ownership.clone();
        async move {
            loop {
                // Before the look: what changes after it is heard.
                let mut rings = std::pin::pin!(bells[shard.index()].notified());
                rings.as_mut().enable();
                let now = ownership.owner(shard);
                if now.is_some() && now != owner {
                    return;
                }
                rings.await;
            }
        }
    }
}

/// Begins to ring.
fn ring(ownership: &Arc<dyn Ownership>) -> Arc<[Notify]> {
    let bells: Arc<[Notify]> = Shard::all().map(|_| Notify::new()).collect();
    let (mut changes, ringing) = (ownership.changes(), bells.clone());
    tokio::spawn(async move {
        use centro_cluster::Change::{Gained, Lost, Moved, NodeDead};
        while let Some(seen) = changes.next().await {
            match seen {
                Seen::Change(Gained { shard, .. } | Lost { shard, .. } | Moved { shard, .. }) => {
                    ringing[shard.index()].notify_waiters()
                }
                Seen::Change(NodeDead { .. }) => {}
                Seen::Lagged => ringing.iter().for_each(Notify::notify_waiters),
            }
        }
    });
    bells
}

/// The answer, whose stream ends with an error when `moved` comes.
pub(crate) fn until(
    moved: impl Future<Output = ()> + Send + 'static,
    answer: Response<Body>,
) -> Response<Body> {
    answer.map(|body| {
        let (mut frames, mut moved) = (BodyStream::new(body), Box::pin(moved).fuse());
        let until = stream::poll_fn(move |context| match moved.poll_unpin(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(another()))),
            Poll::Pending => frames.poll_next_unpin(context),
        });
        Body::new(StreamBody::new(until))
    })
}

/// What a call ends with whose shard has another owner.
pub(crate) fn another() -> Status {
    Status::unavailable("it has another owner now, try again")
}
