//! A transport for the generated clients: this process or a peer, decided per call.

use crate::{Node, Role, moved, trace};
use centro_cluster::{Owner, Ownership, Shard};
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use std::{
    convert::Infallible,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{Status, body::Body};
use tower::ServiceExt;

/// How long a call may take when its request does not say.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// How long a call waits for a shard that nobody owns: a hand-over takes less. Who tried again instead would back off, and come
/// seconds late.
const SETTLES: Duration = Duration::from_secs(2);

/// Which of the processes that run a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Any of them.
    Any,
    /// The owner of the shard.
    Shard(Shard),
    /// The one of this name; an empty name is any of them.
    Node(Arc<str>),
}

/// A connection to whichever process runs a role. Every failure is a gRPC status, near and far alike. The deadline
/// covers the time to the first answer; a stream has its own rule for silence.
#[derive(Clone)]
pub struct Conn {
    node: Node,
    role: Role,
    to: To,
}

/// Another process that is asked.
struct Away {
    address: Arc<str>,
    /// As the owner of which shard, if it is asked as that.
    of: Option<(Shard, Owner)>,
}

impl Conn {
    pub(crate) fn new(node: Node, role: Role, to: To) -> Self {
        Self { node, role, to }
    }

    /// The same, to that one of the processes.
    pub fn to(&self, to: To) -> Self {
        Self::new(self.node.clone(), self.role, to)
    }

    /// Comes when the shard has another owner than now, so that who could not be reached is tried again; never when this goes
    /// to no shard. Must be called on a tokio runtime.
    pub fn moves(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = &self.node.0;
        let moves = match &self.to {
            To::Shard(shard) => {
                let ownership = self.node.ownership();
                let now = ownership.owner(*shard);
                Some(inner.moves.from(&ownership, *shard, now))
            }
            To::Any | To::Node(_) => None,
        };
        async move {
            match moves {
                Some(moves) => moves.await,
                None => std::future::pending().await,
            }
        }
    }

    /// Where the call goes: nowhere else (`None`) than to this process, or to that one.
    async fn away(&self) -> Result<Option<Away>, Status> {
        let peers = self.node.peers();
        let mut of = None;
        let named = match &self.to {
            To::Node(name) if !name.is_empty() => Some(name.clone()),
            To::Any | To::Node(_) => None,
            To::Shard(shard) => match owner(&*self.node.ownership(), *shard).await {
                Some(Owner::Here(_)) => return Ok(None),
                Some(Owner::There { node, epoch }) => {
                    let name = node.clone();
                    of = Some((*shard, Owner::There { node, epoch }));
                    Some(name)
                }
                None => return Err(Status::unavailable("nobody owns it now, try again")),
            },
        };
        match named {
            Some(name) if *name == *self.node.name() => Ok(None),
            Some(name) => match peers.address(&name) {
                Some(address) => Ok(Some(Away { address, of })),
                None => Err(Status::unavailable(format!("{} is at {name}", self.role))),
            },
            None if peers.here(self.role) => Ok(None),
            None => {
                let address = self
                    .node
                    .0
                    .channels
                    .choose(self.role, &peers.with(self.role));
                let nobody = || Status::unavailable(format!("nobody runs {} now", self.role));
                let address = address.ok_or_else(nobody)?;
                Ok(Some(Away { address, of: None }))
            }
        }
    }

    async fn send(self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        let away = self.away().await?;
        if !request.headers().contains_key(AUTHORIZATION) {
            let token = self.node.service_token();
            let value = token.and_then(|t| HeaderValue::try_from(format!("Bearer {t}")).ok());
            request.headers_mut().insert(
                AUTHORIZATION,
                value.ok_or_else(|| Status::internal("no service token could be made"))?,
            );
        }
        trace::inject(request.headers_mut());
        if let Some(away) = away {
            return self.ask(away, request).await;
        }
        let routes = self
            .node
            .0
            .local
            .get()
            .ok_or_else(|| Status::unavailable(format!("{} is starting", self.role)))?;
        match routes.clone().oneshot(request).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }

    /// Asks another process, if it is asked as the owner of a shard for as long as it is that.
    async fn ask(
        &self,
        Away { address, of }: Away,
        request: Request<Body>,
    ) -> Result<Response<Body>, Status> {
        let inner = &self.node.0;
        let answer = inner.channels.send(&address, request);
        let Some((shard, owner)) = of else {
            return answer.await;
        };
        let mut moved = Box::pin(inner.moves.from(&self.node.ownership(), shard, Some(owner)));
        let answer = tokio::select! {
            answer = answer => answer?,
            () = &mut moved => return Err(moved::another()),
        };
        Ok(moved::until(moved, answer))
    }
}

/// Who owns the shard, as soon as somebody does; `None` when nobody does for long.
async fn owner(ownership: &dyn Ownership, shard: Shard) -> Option<Owner> {
    if let Some(owner) = ownership.owner(shard) {
        return Some(owner);
    }
    let mut changes = ownership.changes();
    let waited = tokio::time::timeout(SETTLES, async {
        loop {
            if let Some(owner) = ownership.owner(shard) {
                return Some(owner);
            }
            changes.next().await?;
        }
    });
    waited.await.ok().flatten()
}

impl tower::Service<Request<Body>> for Conn {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let conn = self.clone();
        Box::pin(async move {
            let limit = grpc_timeout(&request).unwrap_or(DEFAULT_DEADLINE);
            let answer = tokio::time::timeout(limit, conn.send(request)).await;
            Ok(answer
                .unwrap_or_else(|_| Err(Status::deadline_exceeded("the deadline has passed")))
                .unwrap_or_else(Status::into_http))
        })
    }
}

/// The `grpc-timeout` header: digits and a unit (gRPC over HTTP/2, "Requests").
fn grpc_timeout(request: &Request<Body>) -> Option<Duration> {
    let value = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n.checked_mul(3600)?),
        "M" => Duration::from_secs(n.checked_mul(60)?),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_cluster::{Epoch, LocalCluster};

    const SHARD: Shard = Shard::of(7);

    #[tokio::test(start_paused = true)]
    async fn between_two_owners_a_call_waits_for_the_next() {
        let cluster = LocalCluster::new(Epoch(1));
        let (here, _there) = (cluster.join("here"), cluster.join("there"));
        cluster.hand_over(SHARD, None);
        let moves = async {
            tokio::task::yield_now().await;
            cluster.hand_over(SHARD, Some("there"));
        };
        let (found, ()) = tokio::join!(owner(&here, SHARD), moves);
        assert!(matches!(found, Some(Owner::There { .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let cluster = LocalCluster::new(Epoch(1));
        let here = cluster.join("here");
        cluster.hand_over(SHARD, None);
        let before = tokio::time::Instant::now();
        assert_eq!(owner(&here, SHARD).await, None);
        assert_eq!(before.elapsed(), SETTLES);
    }
}
