//! A contact, and the processes that hold it.

use crate::shard::Who;
use centro_edge::{Edge, Leg, Phase};
use centro_kernel::{ContactId, QueueId, Timestamp};
use centro_routing_core::invariants::{Hold, Use};

/// A contact and the process that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contact {
    pub(super) edge: Option<Edge>,
    /// The attachment whose stream is open.
    pub(super) stream: Option<(QueueId, u32)>,
    /// What outlives the process; a call does not.
    pub(super) kept: Option<Box<Stored>>,
}

/// What the store holds of a contact, and perhaps an old owner that does not know that it is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stored {
    pub(super) epoch: u64,
    pub(super) record: Edge,
    pub(super) zombie: Option<Edge>,
}

impl Contact {
    pub(super) fn new(edge: Edge, durable: bool) -> Self {
        if !durable {
            return Self {
                edge: Some(edge),
                stream: None,
                kept: None,
            };
        }
        let (edge, _) = edge.take_over(1, Timestamp::default());
        let kept = Stored {
            epoch: 1,
            record: edge.clone(),
            zombie: None,
        };
        Self {
            edge: Some(edge),
            stream: None,
            kept: Some(Box::new(kept)),
        }
    }

    /// Its edge; none while its process is dead.
    pub const fn edge(&self) -> Option<&Edge> {
        self.edge.as_ref()
    }

    /// Whether it outlives its process.
    pub const fn is_durable(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether it died with its process.
    pub const fn is_dead(&self) -> bool {
        self.edge.is_none() && self.kept.is_none()
    }

    /// Whether an old owner still acts.
    pub fn has_zombie(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.zombie.is_some())
    }

    /// Epoch of the owner; 0 when it has one for life.
    pub fn epoch(&self) -> u64 {
        self.kept.as_ref().map_or(0, |kept| kept.epoch)
    }

    /// One of its owners.
    pub(super) fn instance(&self, who: Who) -> Option<&Edge> {
        match who {
            Who::Live => self.edge.as_ref(),
            Who::Zombie => self.kept.as_ref()?.zombie.as_ref(),
        }
    }

    pub(super) const fn slot(&mut self, who: Who) -> Option<&mut Edge> {
        match (who, &mut self.kept) {
            (Who::Live, _) => self.edge.as_mut(),
            (Who::Zombie, Some(kept)) => kept.zombie.as_mut(),
            (Who::Zombie, None) => None,
        }
    }

    /// Its owner dies, or freezes and does not know that it loses the contact. What was on its way to it is lost.
    pub(super) fn stop(&mut self, freezes: bool) {
        let old = self.edge.take();
        self.stream = None;
        if let Some(kept) = self.kept.as_mut().filter(|_| freezes) {
            kept.zombie = old;
        }
    }

    pub(super) fn drop_zombie(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.zombie = None;
        }
    }

    /// Where it is; none once its process has died.
    pub fn phase(&self) -> Option<Phase> {
        self.edge.as_ref().map(Edge::phase)
    }

    /// The queue and attachment of its stream.
    pub fn stream(&self) -> Option<(QueueId, u32)> {
        self.stream.filter(|_| self.edge.is_some())
    }

    pub(super) const fn kill(&mut self) -> Option<Edge> {
        self.edge.take()
    }
}

/// What an edge does with reservations right now.
pub(super) fn holds(contact: ContactId, edge: &Edge) -> Vec<Hold> {
    let bridged = match edge.phase() {
        Phase::Connected(of) => Some((of, Use::Bridged)),
        Phase::New | Phase::Waiting | Phase::Gone(_) => None,
    };
    let legs = edge.legs().map(|(of, leg)| {
        let how = match leg {
            Leg::Asking => Use::Asks,
            Leg::Ringing => Use::Rings,
            Leg::Briefing => Use::Briefs,
            Leg::Committing => Use::Commits,
            Leg::Settling => Use::Settles,
        };
        (of, how)
    });
    bridged
        .into_iter()
        .chain(legs)
        .map(|(of, how)| Hold { contact, of, how })
        .collect()
}
