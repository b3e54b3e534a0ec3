//! Two legs that hear each other, and perhaps a recording that hears both.

use crate::{
    leg::{Leg, Shared},
    recorder::{Recording, Side, Tap},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// Passes packets between two legs while it lives. Dropping it ends the passing; the legs stay open.
#[derive(Debug)]
pub struct Bridge {
    number: u64,
    legs: [Arc<Shared>; 2],
}

/// Where the packets of a leg go.
#[derive(Debug)]
pub(crate) struct Route {
    pub number: u64,
    pub to: Arc<Shared>,
    pub tap: Option<Tap>,
}

impl Bridge {
    /// Joins two legs. A leg that was bridged elsewhere leaves there. What a leg plays keeps precedence over the bridge: stop it
    /// to let the peer be heard.
    pub fn join(caller: &Leg, agent: &Leg, recording: Option<&Recording>) -> Self {
        let number = NUMBERS.fetch_add(1, Relaxed);
        let (left, right) = (Arc::clone(caller.shared()), Arc::clone(agent.shared()));
        let route = |to: &Arc<Shared>, side| Route {
            number,
            to: Arc::clone(to),
            tap: recording.map(|recording| recording.tap(side)),
        };
        left.set_route(Some(route(&right, Side::Caller)));
        right.set_route(Some(route(&left, Side::Agent)));
        Self {
            number,
            legs: [left, right],
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        for leg in &self.legs {
            leg.end_route(self.number);
        }
    }
}
