//! A queue that rings everybody: how long it takes until those who did not answer are free again.

use crate::{
    draw::Draw,
    edge::{Edge, Offered},
    floor::Process,
};
use centro_kernel::{Clock, ContactId, QueueId, SystemClock, UserId, contact::OfferEnd};
use centro_proto::types::RingStrategy;
use centro_routing_core::State;
use futures::future::join_all;
use std::time::{Duration, Instant};

/// From the winner's `ConnectOk` until the record of the last loser says ready, once per contact.
pub fn run(agents: usize, contacts: usize) -> Vec<Duration> {
    let process = Process::new();
    let mut draw = Draw::new(17);
    let queue = QueueId::from_u128(draw.id());
    process.add_queue(queue, RingStrategy::RingAll);
    for _ in 0..agents {
        process.add_agent(UserId::from_u128(draw.id()), &[queue]);
    }
    let mut edge = Edge::new(process.floor.clone());
    process.runtime.block_on(async {
        let mut times = Vec::with_capacity(contacts);
        for _ in 0..contacts {
            let contact = ContactId::from_u128(draw.id());
            let winner = draw.below(agents);
            times.push(ring(&mut edge, queue, contact, agents, winner).await);
        }
        times
    })
}

async fn ring(
    edge: &mut Edge,
    queue: QueueId,
    contact: ContactId,
    agents: usize,
    winner: usize,
) -> Duration {
    edge.attach(queue, contact, 1, SystemClock.now());
    let mut offers: Vec<Offered> = Vec::with_capacity(agents);
    while offers.len() < agents {
        offers.push(edge.offer().await);
    }
    let rings = join_all(offers.iter().map(|offer| edge.alert(*offer, contact))).await;
    assert!(rings.into_iter().all(|rings| rings), "every device rings");
    let winner = offers.swap_remove(winner);
    assert!(edge.connect(winner, contact).await, "one gets the contact");
    let begun = Instant::now();
    edge.left(queue, contact, 1);
    let ends = offers
        .iter()
        .map(|offer| edge.end(*offer, contact, OfferEnd::Elsewhere));
    let losers = join_all(ends).await;
    let time = begun.elapsed();
    assert!(losers.iter().all(|view| view.state == State::Ready));
    edge.end(winner, contact, OfferEnd::Answered).await;
    time
}
