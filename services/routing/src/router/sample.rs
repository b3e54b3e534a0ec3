//! Looks at running actors without starting any.

use super::{Router, deliver};
use crate::actor::{LookAtAgent, LookAtQueue};
use futures::future::join_all;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// A mailbox in which a message waits longer than this is counted with so much.
const LONGEST: Duration = Duration::from_secs(3);

/// Where the next sample begins, so that each actor has its turn.
static TURN: AtomicUsize = AtomicUsize::new(0);

impl Router {
    /// How many queues and agents have an actor here.
    pub(crate) fn actors(&self) -> (usize, usize) {
        (self.queues.len(), self.agents.len())
    }

    /// How long messages wait now in the mailboxes of at most `most` queues and as many agents.
    pub(crate) async fn mailbox_waits(&self, most: usize) -> Vec<Duration> {
        let from = TURN.fetch_add(most, Ordering::Relaxed);
        let some = |all: usize| (from % all.max(1), most.min(all));
        let (skip, take) = some(self.queues.len());
        let queues = self.queues.iter().skip(skip).take(take);
        let queues: Vec<_> = queues.map(|queue| *queue.key()).collect();
        let (skip, take) = some(self.agents.len());
        let agents = self.agents.iter().skip(skip).take(take);
        let agents: Vec<_> = agents.map(|agent| *agent.key()).collect();
        let sent = Instant::now();
        let mut answers = Vec::new();
        for queue in queues {
            let (handled, answer) = oneshot::channel();
            let look = LookAtQueue(Box::new(move |_| {
                let _ = handled.send(sent.elapsed());
            }));
            if deliver(&self.queues, queue, look, || None).is_ok() {
                answers.push(answer);
            }
        }
        for agent in agents {
            let (handled, answer) = oneshot::channel();
            let look = LookAtAgent(Box::new(move |_| {
                let _ = handled.send(sent.elapsed());
            }));
            if deliver(&self.agents, agent, look, || None).is_ok() {
                answers.push(answer);
            }
        }
        let waits = answers
            .into_iter()
            .map(|answer| tokio::time::timeout(LONGEST, answer));
        let waits = join_all(waits).await.into_iter();
        // Who ended meanwhile has no mailbox.
        waits
            .filter_map(|wait| wait.unwrap_or(Ok(LONGEST)).ok())
            .collect()
    }
}
