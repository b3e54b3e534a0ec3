//! Everything queues, agents and edges say to each other, and the result of one step.
//!
//! Each message may be lost, repeated or late; the comment names the key by which a repeat is known.

use crate::{
    agent::{AgentRecord, Chosen, Membership},
    event::Event,
    queue::{Entry, Place, Tombstone, Wish},
    settings::{Briefing, QueueSettings, Standing, Terms},
    skills::{Needs, Profile, Skills},
};
use centro_kernel::{
    ContactId, DeviceId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::{sync::Arc, time::Duration};

/// Epoch of a queue's owner; grows with every change of owner.
pub type Epoch = u64;

/// Epoch of a contact's owner. It grows with every change of owner where the contact outlives its process, as a
/// conversation in writing or a callback does; 0 for a call, which has one owner for life.
pub type EdgeEpoch = u64;

/// How customer and agent speak.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum Medium {
    /// By voice: one at a time.
    #[default]
    Voice,
    /// In writing: several at a time.
    Chat,
}

/// How a contact came about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub enum ContactKind {
    /// The customer called.
    #[default]
    Call,
    /// The customer writes.
    Chat,
    /// The customer called and asked to be called back (spec S34).
    Callback,
    /// We call the customer.
    Outbound,
}

/// The customer's side of a contact, as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// Number as received; E.164 where it could be told.
    pub number: String,
    /// Name, when one was sent.
    pub display_name: String,
    /// What the caller dialled.
    pub dialled: String,
}

/// What a queue bids with: the higher weight wins, then the longer wait, then a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rank {
    /// The queue's score, with what the contact gained by ageing; 0 for a queue without one.
    pub weight: u32,
    /// Since when the contact behind the bid waits.
    pub enqueued_at: Timestamp,
}

/// A contact asks for its place. Key: contact, attach_no.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Attach {
    /// Which contact.
    pub contact: ContactId,
    /// Grows with every attachment of the contact.
    pub attach_no: u32,
    /// When it first entered this queue.
    pub enqueued_at: Timestamp,
    /// Higher is served first.
    pub priority: u32,
    /// Agents not to be offered, and for how long.
    pub excluded: Vec<(UserId, Duration)>,
    /// Reservations that ring or settle right now.
    pub holding: Vec<Reservation>,
    /// What the contact needs (spec D23).
    pub needs: Arc<Needs>,
    /// How it came about.
    pub kind: ContactKind,
    /// Who waits.
    pub caller: Arc<Caller>,
    /// Name of the process that holds the contact.
    pub edge: Arc<str>,
}

/// An agent's state as one of its queues needs it. Key: agent, ver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Presence {
    /// Which agent.
    pub agent: UserId,
    /// The agent's version; an older one is ignored.
    pub ver: u64,
    /// Logged in to this queue.
    pub member: bool,
    /// Has room for a contact of this queue. The queue then answers with a bid or a pass, always.
    pub free: bool,
    /// What the agent does, as this queue counts it.
    pub standing: Standing,
    /// When the agent's last contact ended, or the agent became ready.
    pub idle_since: Timestamp,
    /// When the agent logged in.
    pub logged_in_at: Timestamp,
    /// When the agent's last contact was received; the log-in when there was none.
    pub received_at: Timestamp,
    /// Contacts since log-in.
    pub contacts: u32,
    /// Time in conversations since log-in.
    pub talk: Duration,
    /// Open contacts of this queue's medium.
    pub load: u8,
    /// Place among the agents of this queue, for a linear queue; the lower comes first.
    pub order: u64,
    /// What the agent can do.
    pub skills: Skills,
    /// The agent was just granted to another queue, for a contact that waits since then.
    pub lost_to: Option<Timestamp>,
}

impl Presence {
    /// Takes over what the same agent tells now. What it can do is mostly the very same, and stays where it is.
    pub(crate) fn hear(&mut self, news: &Self) {
        let Self {
            agent,
            ver,
            member,
            free,
            standing,
            idle_since,
            logged_in_at,
            received_at,
            contacts,
            talk,
            load,
            order,
            skills,
            lost_to,
        } = news;
        (self.agent, self.ver) = (*agent, *ver);
        (self.member, self.free, self.standing) = (*member, *free, *standing);
        (self.idle_since, self.logged_in_at) = (*idle_since, *logged_in_at);
        (self.received_at, self.contacts, self.talk) = (*received_at, *contacts, *talk);
        (self.load, self.order, self.lost_to) = (*load, *order, *lost_to);
        if !self.skills.is(skills) {
            self.skills = skills.clone();
        }
    }
}

/// A queue asks for an agent. Key: queue, epoch, ver, and the contact when it names one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bid {
    /// Which queue.
    pub queue: QueueId,
    /// Epoch of the queue's owner.
    pub epoch: Epoch,
    /// The agent's version that the queue knows.
    pub ver: u64,
    /// What it bids.
    pub rank: Rank,
    /// Under which rules.
    pub terms: Arc<Terms>,
    /// Somebody picks this very contact up: no order, no other queue is asked.
    pub pick_up: Option<PickUp>,
}

/// A person takes a waiting contact out of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PickUp {
    /// The contact.
    pub contact: ContactId,
    /// The device to ring when the person is not logged in with one.
    pub device: Option<DeviceId>,
}

/// Why a person does not get the contact that was to be picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoPickUp {
    /// It does not wait in this queue, or not any more.
    NotWaiting,
    /// It is being connected with somebody else, moved, or its stream to the queue is broken.
    Taken,
    /// The person talks, wraps up, or is offered something else.
    Busy,
    /// No phone of the person's can be rung.
    NoPhone,
    /// The person's record did not answer in time.
    Unanswered,
}

/// An agent is reserved for a queue. It is also the news that the agent is now at `ver + 1`. Key: reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The reservation.
    pub reservation: Reservation,
    /// The bid's version.
    pub ver: u64,
    /// The bid's epoch.
    pub epoch: Epoch,
    /// Whether the agent still has room.
    pub free: bool,
    /// The contact that the bid named.
    pub pick_up: Option<ContactId>,
}

/// What a queue hears.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueueMessage {
    /// From the edge.
    Attach(Attach),
    /// From the edge: an offer is over and the contact waits on. Key: reservation.
    OfferEnded {
        /// Which contact.
        contact: ContactId,
        /// The offer.
        reservation: Reservation,
        /// Do not offer this contact to this agent again for so long.
        exclude_for: Option<Duration>,
        /// How it ended.
        why: OfferEnd,
    },
    /// From the edge: the contact leaves. Repeated until [`EdgeMessage::LeftOk`]. Key: contact, attach_no. Of a call whose
    /// customer accepted a callback the place stays; whoever makes it attaches with the next number.
    Left {
        /// Which contact.
        contact: ContactId,
        /// The attachment that ends.
        attach_no: u32,
        /// Why.
        reason: LeftReason,
        /// Who answered; nobody unless that is why it leaves.
        agent: Option<UserId>,
    },
    /// The contact's stream broke. The edge may attach again.
    Detached {
        /// Which contact.
        contact: ContactId,
        /// The attachment whose stream it was.
        attach_no: u32,
    },
    /// From the edge: what is the contact's place now?
    AskPosition {
        /// Which contact.
        contact: ContactId,
    },
    /// The process that held the contact is dead.
    EdgeDead {
        /// Which contact.
        contact: ContactId,
    },
    /// From an agent.
    Presence(Presence),
    /// From an agent.
    Grant(Grant),
    /// A person takes this contact out of turn. Key: contact, agent.
    PickUp {
        /// Who.
        agent: UserId,
        /// What, and on which device.
        pick_up: PickUp,
    },
    /// From an agent: the phone rings for the contact that the person picked up. Key: contact, agent.
    PickUpRings {
        /// Who.
        agent: UserId,
        /// Which contact.
        contact: ContactId,
    },
    /// From an agent: no, not now. Key: contact, agent, reservation.
    PickUpRefused {
        /// Who.
        agent: UserId,
        /// Which contact.
        contact: ContactId,
        /// Number of the reservation that ended before anything rang; none: there was none.
        number: Option<u64>,
        /// Why.
        why: NoPickUp,
    },
    /// A person changes a contact's priority.
    SetPriority {
        /// Which contact.
        contact: ContactId,
        /// Higher is served first.
        priority: u32,
    },
    /// A person wants the contact elsewhere. The edge is asked until it left; the last wish counts.
    Wish {
        /// Which contact.
        contact: ContactId,
        /// Where to.
        wish: Wish,
    },
    /// The queue's settings changed.
    Configure(Box<QueueSettings>),
    /// The queue was deleted: everybody leaves.
    Close,
    /// One of `timers()` is due.
    Timer(QueueTimer),
}

/// A person logs in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogIn {
    /// The device to ring.
    pub device: DeviceId,
    /// Whether it is registered.
    pub device_online: bool,
    /// The queues to serve.
    pub queues: Vec<Membership>,
    /// They are all that the agent is assigned to, and later ones count too.
    pub all_queues: bool,
    /// Ready at once; otherwise paused.
    pub ready: bool,
    /// The person sits at a desktop, which will show signs of life; otherwise there is the phone only.
    pub desktop: bool,
    /// What the person can do.
    pub profile: Profile,
}

/// What an agent hears.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AgentMessage {
    /// The person logs in, or changes device or queues while logged in.
    LogIn(Box<LogIn>),
    /// The person or a supervisor chose. A contact in progress goes on; the choice takes effect afterwards.
    SetStatus(Chosen),
    /// Pauses or takes part again in one queue; the others go on.
    SetQueueStatus {
        /// Which queue.
        queue: QueueId,
        /// The reason of the pause, or none: take part.
        pause: Option<Arc<str>>,
    },
    /// Ends the wrap-up before its time.
    EndWrapUp {
        /// Of this contact; none: of all that the asker may end.
        contact: Option<ContactId>,
        /// Asked by somebody who manages agents, who always may (spec S37).
        supervisor: bool,
    },
    /// Prolongs the wrap-up.
    ExtendWrapUp {
        /// Of this contact; none: of all that the asker may prolong.
        contact: Option<ContactId>,
        /// By how long.
        by: Duration,
        /// Asked by somebody who manages agents, who always may.
        supervisor: bool,
    },
    /// The agent's desktop shows a sign of life, seen or hidden; it is expected to come again.
    DesktopSeen,
    /// The agent's desktop was closed on purpose.
    DesktopClosed,
    /// What the agent can do, or how much at once, has changed.
    SetProfile(Profile),
    /// A device registered or went away.
    Device {
        /// Which device.
        device: DeviceId,
        /// Whether it is registered.
        online: bool,
    },
    /// The agent logs out of these queues, or is logged out of them by a supervisor. What rings there is revoked, and from
    /// here on the queues are a choice: assignments are followed no more.
    LeaveQueues(Vec<QueueId>),
    /// The agent is no longer assigned to these queues. A log-in that needed no assignment stays (spec S48, P8).
    Unassigned(Vec<QueueId>),
    /// There are no such queues any more.
    QueuesDeleted(Vec<QueueId>),
    /// The agent was assigned to these queues, or their settings changed. Obeyed by whoever logged in to all of them, and
    /// where the agent is logged in already.
    JoinQueues(Vec<Membership>),
    /// From a queue.
    Bid(Bid),
    /// From a queue: it has no contact for this agent now. Key: queue, epoch, ver.
    Pass {
        /// Which queue.
        queue: QueueId,
        /// Epoch of its owner.
        epoch: Epoch,
        /// The agent's version that it answers.
        ver: u64,
    },
    /// From a queue: the reservation is not needed. Honoured only while nothing was asked to ring. Key: number.
    Release {
        /// The reservation's number.
        number: u64,
    },
    /// From the edge: may the device ring? Repeated. Key: number.
    Alert {
        /// The reservation's number.
        number: u64,
        /// Which contact.
        contact: ContactId,
        /// Name of the process to tell when the ring must stop.
        edge: Arc<str>,
        /// The contact's owner; see [`EdgeEpoch`].
        edge_epoch: EdgeEpoch,
        /// Who calls.
        caller: Arc<Caller>,
        /// How long it will ring.
        ring: Duration,
    },
    /// From the edge: may the parties be bridged? Repeated; also the question after the edge slept. Key: number.
    Connect {
        /// The reservation's number.
        number: u64,
        /// Which contact.
        contact: ContactId,
        /// The contact's owner.
        edge_epoch: EdgeEpoch,
    },
    /// From the edge: the reservation is over. Repeated until answered. Key: number.
    End {
        /// The reservation's number.
        number: u64,
        /// Which contact.
        contact: ContactId,
        /// How it ended.
        why: OfferEnd,
        /// The contact's owner.
        edge_epoch: EdgeEpoch,
    },
    /// The process that held the contact is dead. Never said of a contact that outlives its process.
    EdgeDead {
        /// Which contact.
        contact: ContactId,
    },
    /// The answer to [`AgentEffect::AskEdge`]: the edge does not have it, or is gone. Key: number.
    NotHeld {
        /// The reservation's number.
        number: u64,
        /// Which contact.
        contact: ContactId,
        /// The owner who says so.
        edge_epoch: EdgeEpoch,
    },
    /// A queue has a new owner.
    QueueMoved {
        /// Which queue.
        queue: QueueId,
        /// The new owner's epoch.
        epoch: Epoch,
    },
    /// One of `timers()` is due.
    Timer(AgentTimer),
}

impl AgentMessage {
    /// The reservation, contact and owner of it, where an edge waits for an answer.
    pub const fn asker(&self) -> Option<(u64, ContactId, EdgeEpoch)> {
        match self {
            Self::Alert {
                number,
                contact,
                edge_epoch,
                ..
            }
            | Self::Connect {
                number,
                contact,
                edge_epoch,
            }
            | Self::End {
                number,
                contact,
                edge_epoch,
                ..
            } => Some((*number, *contact, *edge_epoch)),
            _ => None,
        }
    }
}

/// What a queue tells the edge of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EdgeMessage {
    /// The contact has its place.
    Attached {
        /// The attachment.
        attach_no: u32,
        /// Epoch of the queue's owner.
        epoch: Epoch,
        /// Place in line, from 1.
        position: u32,
        /// How many wait.
        waiting: u32,
    },
    /// An agent is reserved for this contact. Key: reservation.
    Offer {
        /// The attachment it is for.
        attach_no: u32,
        /// Epoch of the queue's owner.
        epoch: Epoch,
        /// The reservation.
        reservation: Reservation,
        /// How long the device may ring.
        ring: Duration,
        /// What comes between answer and bridge.
        briefing: Arc<Briefing>,
    },
    /// Go to another queue and keep the enqueue time.
    MoveTo {
        /// The attachment it is for.
        attach_no: u32,
        /// Where to.
        queue: QueueId,
    },
    /// Leave the queue: a person took the contact out.
    TakenOut {
        /// The attachment it is for.
        attach_no: u32,
    },
    /// The contact's place now, as it was asked for.
    Position {
        /// Place in line, from 1.
        position: u32,
        /// How many wait.
        waiting: u32,
    },
    /// The queue knows that the contact left.
    LeftOk {
        /// The attachment that ended.
        attach_no: u32,
    },
    /// The queue does not take or keep the contact.
    NotTaken {
        /// The attachment it is for.
        attach_no: u32,
        /// Full, closed, empty, or nobody matches.
        reason: LeftReason,
    },
}

/// A queue's own deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum QueueTimer {
    /// Stop waiting for contacts after a takeover.
    Hold,
    /// A bid was not answered.
    Bid(UserId),
    /// The edge did not say how an offer ended.
    Offered(ContactId),
    /// The contact may be offered to the agent again.
    Unexclude(ContactId, UserId),
    /// The stream did not come back.
    Lost(ContactId),
    /// A promised callback was not made in time.
    Promise(ContactId),
    /// After an offer that nobody answered the contact may be offered again.
    Retry(ContactId),
    /// The contact's present needs have had their time.
    Relax(ContactId),
    /// The contact has waited as long as it may behind others.
    Boost(ContactId),
    /// The edge did not say that a contact went where it was wanted.
    Wish(ContactId),
    /// A person's pick-up was not answered.
    PickUp(ContactId, UserId),
    /// All agents had time to say that they are here.
    Settle,
    /// The queue has been empty long enough to send everybody away.
    Empty,
}

/// An agent's own deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AgentTimer {
    /// Decide with the bids that are there.
    Solicit,
    /// Remind the queues that did not answer.
    Refresh,
    /// A reservation's phase ends by itself, or its edge is asked whether it goes on.
    Slot(u64),
    /// The agent may be tried again.
    Rested,
    /// The desktop gave no sign of life.
    Desktop,
}

/// What a queue wants done after its step was stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueueEffect {
    /// Tell an agent.
    Agent(UserId, AgentMessage),
    /// Tell the edge of a contact.
    Edge(ContactId, EdgeMessage),
    /// Tell whoever asked for this pick-up what became of it. Every pick-up ends in one of these, within
    /// [`crate::Deadlines::bid`] times four.
    PickedUp {
        /// Who picks up.
        agent: UserId,
        /// Which contact.
        contact: ContactId,
        /// The phone rings, or why it does not.
        outcome: Result<(), NoPickUp>,
    },
}

/// What an agent wants done after its step was stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AgentEffect {
    /// Tell a queue.
    Queue(QueueId, QueueMessage),
    /// Tell the edge to stop ringing; repeated until it answered or the slot is gone.
    CancelOffer {
        /// The reservation.
        reservation: Reservation,
        /// Which contact.
        contact: ContactId,
        /// Name of the process that holds it.
        edge: Arc<str>,
    },
    /// Ask the edge whether it still has this conversation; `NotHeld` is its no. Without an answer it is asked again.
    AskEdge {
        /// The reservation.
        reservation: Reservation,
        /// Which contact.
        contact: ContactId,
        /// Name of the process that should hold it.
        edge: Arc<str>,
    },
}

/// A change of a queue's stored record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueueChange {
    /// The contact's entry is now this, and stands at this place.
    Put(Arc<Entry>, Place),
    /// The contact has no entry any more.
    Remove(ContactId),
    /// The contact has left.
    Bury(ContactId, Tombstone),
    /// Its leaving need not be remembered any more.
    Forget(ContactId),
}

/// The answer to whoever asked. Believed by its receiver, so it is given only after the epoch was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// The device may ring.
    AlertOk {
        /// The device to ring; none for what needs no phone.
        device: Option<DeviceId>,
    },
    /// The parties may be bridged.
    ConnectOk,
    /// The reservation is over for good.
    Refused,
    /// The reservation is over.
    Ended {
        /// Whether the parties had been connected.
        was_connected: bool,
    },
    /// A repeat that came too late to matter.
    Late,
    /// Done.
    Done,
    /// The agent is logged out.
    NotLoggedIn,
    /// The agent is not logged in to that queue.
    NotInQueue,
    /// There is no wrap-up to end.
    NotInWrapUp,
    /// The queue's rules do not let agents do that with their wrap-up.
    WrapUpFixed,
    /// The contact does not wait in this queue.
    NotWaiting,
}

/// Result of one step. Most have one thing to tell, and ask for no memory for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Out<C, E> {
    /// The stored state changed, or an answer below is one that its receiver will believe: check the epoch first.
    pub fence: bool,
    /// The message proves that a newer owner exists: stop, and let the sender ask the newer one.
    pub deposed: bool,
    /// What to store.
    pub changes: Vec<C>,
    /// What to tell the world, stored with the changes.
    pub events: SmallVec<[Event; 1]>,
    /// What to do once that is stored.
    pub send: SmallVec<[E; 1]>,
    /// What to answer once that is stored.
    pub answer: Option<Answer>,
}

impl<C, E> Default for Out<C, E> {
    fn default() -> Self {
        Self {
            fence: false,
            deposed: false,
            changes: Vec::new(),
            events: SmallVec::new(),
            send: SmallVec::new(),
            answer: None,
        }
    }
}

/// Result of a queue's step.
pub type QueueOut = Out<QueueChange, QueueEffect>;
/// Result of an agent's step: `changes` holds the whole record, at most once.
pub type AgentOut = Out<AgentRecord, AgentEffect>;
