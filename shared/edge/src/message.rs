//! What an edge is told and what it asks for.

use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::time::Duration;

/// What happened, as seen by whoever drives an [`crate::Edge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// The contact enters a queue: the first one, or the next after it left another unanswered.
    Arrive(QueueId),
    /// The queue confirmed a place.
    Attached {
        /// Which queue.
        queue: QueueId,
        /// Which attachment.
        attach_no: u32,
        /// The owner's epoch.
        epoch: u64,
    },
    /// The queue does not take the contact.
    NotTaken {
        /// Which queue.
        queue: QueueId,
        /// Which attachment.
        attach_no: u32,
        /// `QueueFull` or `QueueClosed`.
        reason: LeftReason,
    },
    /// The stream to the queue broke, or its owner changed.
    QueueLost {
        /// Which queue.
        queue: QueueId,
        /// The attachment that was lost; an older one is ignored.
        attach_no: u32,
    },
    /// The queue knows that the contact left.
    LeftOk {
        /// Which queue.
        queue: QueueId,
        /// Up to which attachment.
        attach_no: u32,
    },
    /// An agent is reserved for the contact.
    Offer {
        /// Who offers.
        queue: QueueId,
        /// The attachment the offer quotes.
        attach_no: u32,
        /// Whose reservation.
        reservation: Reservation,
        /// How long the device may ring, from now.
        ring_for: Duration,
        /// How long the agent may be briefed after the answer; zero: there is no briefing.
        brief_for: Duration,
    },
    /// The agent's record says alerting: the device may ring.
    AlertOk(Reservation),
    /// The agent's record says connected: bridge.
    ConnectOk(Reservation),
    /// The agent's record says this reservation is over for good.
    Refused(Reservation),
    /// The agent's record acknowledged the end.
    Ended {
        /// Whose reservation.
        reservation: Reservation,
        /// Whether the record had said connected.
        was_connected: bool,
    },
    /// The agent paused or logged out: stop ringing.
    Cancel(Reservation),
    /// The device answered.
    Answered(Reservation),
    /// The agent has heard the whole briefing.
    Briefed(Reservation),
    /// The person declined.
    Rejected(Reservation),
    /// The device is busy with another call (SIP 486, 600).
    Busy(Reservation),
    /// The device cannot be reached.
    DeviceFailed(Reservation),
    /// We could not ring it, for want of a port or the like: no fault of the agent's.
    CouldNotRing(Reservation),
    /// The agent's side hung up.
    AgentHungUp(Reservation),
    /// The customer hung up.
    HungUp,
    /// The customer chose to leave (`*`).
    Star,
    /// The node's time-out passed.
    TimedOut,
    /// A person moves the waiting contact to another queue; it keeps its enqueue time. The queue repeats it until the
    /// contact left; a repeat for an attachment that is over changes nothing.
    MoveTo {
        /// Where it waits.
        queue: QueueId,
        /// The attachment that the wish is about.
        attach_no: u32,
        /// Where it is wanted.
        to: QueueId,
    },
    /// A person takes the waiting contact out. Repeated like [`Command::MoveTo`].
    TakenOut {
        /// Where it waits.
        queue: QueueId,
        /// The attachment that the wish is about.
        attach_no: u32,
    },
    /// The agent sends the conversation on to a queue, where it keeps its enqueue time.
    Transfer(QueueId),
    /// This process slept past its session: is the agent still ours?
    Revalidate,
    /// Time passed; see [`crate::Edge::next_due`].
    Tick,
}

/// What an edge asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// To the queue: give the contact its place. A new `attach_no` means a new stream.
    Attach {
        /// Which queue.
        queue: QueueId,
        /// Grows with every attachment.
        attach_no: u32,
        /// When the contact entered this queue first.
        enqueued_at: Timestamp,
        /// Agents not to be offered this contact, and for how much longer.
        excluded: Vec<(UserId, Duration)>,
        /// Reservations that are in use right now.
        holding: Vec<Reservation>,
    },
    /// To the queue: this offer is over and the contact waits on.
    OfferEnded {
        /// Which queue.
        queue: QueueId,
        /// Current attachment.
        attach_no: u32,
        /// Which offer.
        reservation: Reservation,
        /// Do not offer the contact to this agent again for so long.
        exclude_for: Option<Duration>,
        /// Why it ended.
        why: OfferEnd,
    },
    /// To the queue: the contact left.
    Left {
        /// Which queue.
        queue: QueueId,
        /// The attachment that ends.
        attach_no: u32,
        /// Why.
        reason: LeftReason,
        /// Who answered; nobody unless that is why.
        agent: Option<UserId>,
    },
    /// To the agent's record: may the device ring?
    Alert(Reservation),
    /// To the agent's record: may the two be bridged?
    Connect(Reservation),
    /// To the agent's record: the reservation is over.
    End {
        /// Which one.
        reservation: Reservation,
        /// Why.
        why: OfferEnd,
    },
    /// Ring the agent's device.
    Ring(Reservation),
    /// Tell the agent what there is to know before the two are joined; [`Command::Briefed`] ends it.
    Brief(Reservation),
    /// Stop the agent's device, ringing or answered.
    Stop {
        /// Whose device.
        reservation: Reservation,
        /// Why.
        why: OfferEnd,
    },
    /// Join the customer and the agent.
    Bridge(Reservation),
    /// The contact is in no queue any more and was not answered.
    Out(LeftReason),
}
