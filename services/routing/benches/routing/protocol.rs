//! Contacts through the real actors: `Attach`, bid, grant, `Offer`, `Alert`, `Connect`, `Left`, `End`, with every step stored
//! and every event published.

use crate::{cpu, draw::Draw, edge::Edge, floor::Process};
use centro_kernel::{Clock, ContactId, QueueId, SystemClock, UserId, contact::OfferEnd};
use centro_proto::types::RingStrategy;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Contacts that wait or are served at once, all in all.
const AT_ONCE: usize = 400;
/// Edges, each a task of its own: every contact in hand is served beside the others, as calls are.
const EDGES: usize = 200;

/// How much goes on.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Logged in, with nothing else to do.
    pub agents: usize,
    /// Of which each agent serves `serves`.
    pub queues: usize,
    /// Queues of each agent.
    pub serves: usize,
}

/// What was measured.
pub struct Cost {
    /// Contacts that an agent had.
    pub contacts: u64,
    /// Time that passed.
    pub wall: Duration,
    /// Time of all cores, edges included.
    pub cpu: Duration,
}

/// Serves `contacts`, after a fifth of them that do not count.
pub fn run(shape: Shape, contacts: u64) -> Cost {
    let process = Process::new();
    let mut draw = Draw::new(11);
    let queues: Vec<_> = (0..shape.queues)
        .map(|_| QueueId::from_u128(draw.id()))
        .collect();
    for queue in &queues {
        process.add_queue(*queue, RingStrategy::LongestIdle);
    }
    for n in 0..shape.agents {
        let first = n * shape.serves;
        let serves: Vec<_> = (first..first + shape.serves)
            .map(|at| queues[at % shape.queues])
            .collect();
        process.add_agent(UserId::from_u128(draw.id()), &serves);
    }
    let queues: Arc<[QueueId]> = queues.into();
    let contact = Arc::new(AtomicU64::new(0));
    let mut serve = |contacts: u64| {
        let edges: Vec<_> = (0..EDGES as u64)
            .map(|n| {
                let contacts = contacts / EDGES as u64;
                let (floor, queues) = (process.floor.clone(), queues.clone());
                let draw = Draw::new(draw.next() + n);
                let contact = contact.clone();
                let edge = Edge::new(floor);
                process
                    .runtime
                    .spawn(serve_contacts(edge, queues, draw, contact, contacts))
            })
            .collect();
        process.runtime.block_on(async {
            for edge in edges {
                edge.await.expect("the edge serves its contacts");
            }
        });
    };
    serve(contacts / 5);
    let (wall, cpu) = (Instant::now(), cpu::of_this_process());
    serve(contacts);
    Cost {
        contacts,
        wall: wall.elapsed(),
        cpu: cpu::of_this_process() - cpu,
    }
}

/// Keeps a number of contacts in the queues until so many were served.
async fn serve_contacts(
    mut edge: Edge,
    queues: Arc<[QueueId]>,
    mut draw: Draw,
    next: Arc<AtomicU64>,
    contacts: u64,
) {
    let mut waiting: Vec<(QueueId, ContactId)> = Vec::new();
    let mut attach = |edge: &Edge, waiting: &mut Vec<(QueueId, ContactId)>| {
        let queue = queues[draw.below(queues.len())];
        let number = next.fetch_add(1, Ordering::Relaxed) + 1;
        let contact = ContactId::from_u128(u128::from(number) << 64 | u128::from(draw.next()));
        // The number of the attachment tells the contacts of this stream apart.
        waiting.push((queue, contact));
        let attach_no = u32::try_from(waiting.len()).expect("few contacts");
        edge.attach(queue, contact, attach_no, SystemClock.now());
    };
    let at_once = (AT_ONCE / EDGES).min(usize::try_from(contacts).unwrap_or(AT_ONCE));
    for _ in 0..at_once {
        attach(&edge, &mut waiting);
    }
    for served in 0..contacts {
        let offered = edge.offer().await;
        let (queue, contact) = waiting[offered.attach_no as usize - 1];
        assert!(edge.alert(offered, contact).await, "the device may ring");
        assert!(edge.connect(offered, contact).await, "they may be bridged");
        edge.left(queue, contact, offered.attach_no);
        edge.end(offered, contact, OfferEnd::Answered).await;
        if served + (at_once as u64) < contacts {
            attach(&edge, &mut waiting);
        }
    }
}
