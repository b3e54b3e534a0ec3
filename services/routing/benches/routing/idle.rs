//! Queues in which nothing happens: what it costs that they are there.

use crate::{cpu, draw::Draw, floor::Process, process};
use centro_kernel::{ContactId, QueueId};
use centro_proto::types::RingStrategy;
use centro_routing_core::{Answer, QueueMessage};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// What was measured.
pub struct Cost {
    /// Memory that the started actors take, without their configuration.
    pub memory_mb: f64,
    /// Share of one core.
    pub cpu_percent: f64,
}

/// Starts an actor for each of so many queues, and watches for `time`.
pub fn run(queues: usize, time: Duration) -> Cost {
    let process = Process::new();
    let mut draw = Draw::new(13);
    let queues: Vec<_> = (0..queues).map(|_| QueueId::from_u128(draw.id())).collect();
    for queue in &queues {
        process.add_queue(*queue, RingStrategy::LongestIdle);
    }
    let pid = std::process::id();
    let before = process::rss_mb(pid).unwrap_or(0.0);
    process.runtime.block_on(async {
        for queue in &queues {
            // Something that a queue without contacts answers and does not remember.
            let message = QueueMessage::SetPriority {
                contact: ContactId::from_u128(1),
                priority: 1,
            };
            let answer = process.floor.ask_queue(*queue, message).await;
            assert_eq!(answer.ok(), Some(Answer::NotWaiting), "the actor runs");
        }
    });
    // The time after which a queue knows who is there; then it has no deadline left.
    sleep(Duration::from_secs(4));
    let memory_mb = process::rss_mb(pid).unwrap_or(0.0) - before;
    let (wall, used) = (Instant::now(), cpu::of_this_process());
    sleep(time);
    let used = cpu::of_this_process() - used;
    Cost {
        memory_mb,
        cpu_percent: used.as_secs_f64() / wall.elapsed().as_secs_f64() * 100.0,
    }
}
