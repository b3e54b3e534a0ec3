//! The threads that move packets.
//!
//! Each lane is one thread with a runtime of its own, so a packet wakes the one thread that takes it and sends it on, and
//! no other: with shared workers every packet also woke idle siblings, which cost more than the packet. The legs of a call
//! go on one lane, so their locks are never waited for.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Which thread moves a leg's packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lane(usize);

/// All of them; dropping this ends the threads.
#[derive(Debug)]
pub(crate) struct Lanes {
    handles: Vec<Handle>,
    next: AtomicUsize,
    stop: CancellationToken,
}

impl Lanes {
    /// Starts `threads` lanes, at least one.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(threads: usize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            handles.push(runtime.handle().clone());
            let stop = stop.clone();
            thread::Builder::new()
                .name(format!("centro-media-{number}"))
                .spawn(move || runtime.block_on(stop.cancelled()))?;
        }
        Ok(Self {
            handles,
            next: AtomicUsize::new(0),
            stop,
        })
    }

    /// The lane of a new call: each in turn.
    pub fn next(&self) -> Lane {
        Lane(self.next.fetch_add(1, Relaxed) % self.handles.len())
    }

    /// Where a lane's tasks run.
    pub fn handle(&self, lane: Lane) -> &Handle {
        &self.handles[lane.0]
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
