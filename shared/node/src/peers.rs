//! The other processes: where they answer, and the connections to them.

use crate::Role;
use centro_cluster::Members;
use dashmap::DashMap;
use http::{Request, Response};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tonic::{
    Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::ServiceExt;

/// How long a connection may take to be made. A process that died is known to all after its session; until then this is
/// how long it can hold somebody up.
const CONNECT: Duration = Duration::from_secs(1);
/// How often a quiet connection is tried, and how long the answer may take: a process that is frozen or cut off says nothing.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// How long a process that could not be reached is passed over while another can do the same.
const PASSED_OVER: Duration = Duration::from_secs(1);
/// Connections that are kept at once.
const MOST: usize = 1_024;

/// Who is there. Look-ups are answered from memory at once.
pub trait Peers: Send + Sync + 'static {
    /// Whether this process runs the role.
    fn here(&self, role: Role) -> bool;

    /// Where the process of that name answers, e.g. `10.0.3.7:7000`; `None` when none is known.
    fn address(&self, node: &str) -> Option<Arc<str>>;

    /// Where the other processes answer that run the role and take new work.
    fn with(&self, role: Role) -> Vec<Arc<str>>;
}

/// A process that runs everything and knows nobody.
pub(crate) struct Alone;

impl Peers for Alone {
    fn here(&self, _: Role) -> bool {
        true
    }

    fn address(&self, _: &str) -> Option<Arc<str>> {
        None
    }

    fn with(&self, _: Role) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// The other processes of a cluster, by who its members are.
pub struct PeersOf {
    members: Arc<dyn Members>,
    me: Arc<str>,
    roles: Vec<Role>,
}

impl PeersOf {
    /// As the process `me` sees them, which runs these roles.
    pub fn new(members: Arc<dyn Members>, me: &str, roles: &[Role]) -> Self {
        Self {
            members,
            me: Arc::from(me),
            roles: roles.to_vec(),
        }
    }
}

impl Peers for PeersOf {
    fn here(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    fn address(&self, node: &str) -> Option<Arc<str>> {
        let member = self.members.member(node)?;
        Some(member.address).filter(|address| !address.is_empty())
    }

    fn with(&self, role: Role) -> Vec<Arc<str>> {
        let others = self.members.members().into_iter();
        let reached = others.filter(|m| m.name != self.me && !m.address.is_empty());
        let run: Vec<_> = reached
            .filter(|member| member.roles.iter().any(|name| **name == *role.name()))
            .collect();
        // Whoever is leaving still answers: better than nobody.
        let stay = run.iter().filter(|member| !member.draining);
        let stay: Vec<_> = stay.map(|member| member.address.clone()).collect();
        if stay.is_empty() {
            return run.into_iter().map(|member| member.address).collect();
        }
        stay
    }
}

/// Open connections by address; each is made when it is first wanted and again when it broke.
#[derive(Default)]
pub(crate) struct Channels {
    open: DashMap<Arc<str>, Channel>,
    failed: DashMap<Arc<str>, Instant>,
    /// Whose turn it is, for each role: who asks for one must not move the turns of another.
    turns: [AtomicUsize; Role::ALL.len()],
}

impl Channels {
    /// One of the addresses, in turn, and not one that could not be reached a moment ago if there is another.
    pub fn choose(&self, role: Role, addresses: &[Arc<str>]) -> Option<Arc<str>> {
        let from = self.turns[role as usize].fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..addresses.len()).map(|n| &addresses[(from + n) % addresses.len()]);
        let mut well = in_turn.clone().filter(|address| {
            let failed = self.failed.get(*address);
            failed.is_none_or(|at| at.elapsed() > PASSED_OVER)
        });
        well.next().or_else(|| in_turn.clone().next()).cloned()
    }

    /// Sends the request to the address.
    pub async fn send(
        &self,
        address: &Arc<str>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Status> {
        let channel = self.channel(address)?;
        match channel.oneshot(request).await {
            Ok(response) => {
                self.failed.remove(address);
                Ok(response)
            }
            Err(error) => {
                self.failed.insert(address.clone(), Instant::now());
                tracing::debug!(%address, %error, "a process cannot be reached");
                Err(Status::unavailable(format!("{address} cannot be reached")))
            }
        }
    }

    fn channel(&self, address: &Arc<str>) -> Result<Channel, Status> {
        if let Some(channel) = self.open.get(address) {
            return Ok(channel.clone());
        }
        if self.open.len() >= MOST {
            // Processes come and go with new addresses; those still in use are opened again.
            self.open.clear();
            self.failed.clear();
        }
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .map_err(|_| Status::internal(format!("{address} is no address of a process")))?;
        let channel = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true)
            .connect_lazy();
        self.open.insert(address.clone(), channel.clone());
        Ok(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> [Arc<str>; 3] {
        ["a:1", "b:1", "c:1"].map(Arc::from)
    }

    #[test]
    fn processes_take_turns() {
        let channels = Channels::default();
        let taken: Vec<_> = (0..6)
            .map(|_| {
                channels.choose(Role::Identity, &addresses());
                channels.choose(Role::Chat, &addresses()).unwrap()
            })
            .collect();
        assert_eq!(taken[..3], taken[3..]);
        assert!(
            addresses()
                .iter()
                .all(|address| taken[..3].contains(address))
        );
        assert_eq!(channels.choose(Role::Chat, &[]), None);
    }

    #[test]
    fn one_that_could_not_be_reached_is_passed_over_while_another_can() {
        let channels = Channels::default();
        let [a, b, c] = addresses();
        channels.failed.insert(b.clone(), Instant::now());
        for _ in 0..6 {
            assert_ne!(channels.choose(Role::Chat, &addresses()), Some(b.clone()));
        }
        for other in [a, c] {
            channels.failed.insert(other, Instant::now());
        }
        assert!(
            channels.choose(Role::Chat, &addresses()).is_some(),
            "better one of them than none"
        );
    }
}
