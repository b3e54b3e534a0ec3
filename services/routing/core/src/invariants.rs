//! What must hold, whatever the network and the machines do. In one place, for the checkers of `services/routing/proof`
//! and for whoever watches a running centre.
//!
//! Functions over borrowed records and plain facts about contacts; nothing here decides anything. What an agent's record
//! says is true by itself; what a contact does is told by its edge as [`Hold`]s.

use crate::{
    Agent, AgentRecord, Answer, EdgeEpoch, Entry, Event, Medium, Queue, QueueRecord, SlotPhase,
    Strategy,
};
use centro_kernel::{
    ContactId, QueueId, UserId,
    contact::{LeftReason, Reservation},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A rule that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Broken {
    /// One agent is bridged to two contacts.
    TwoTalks,
    /// One agent's devices ring for two contacts, or ring while the agent talks.
    TwoRings,
    /// One agent holds two reservations for calls, or more for conversations than the capacity.
    TwoReservations,
    /// A conversation reached an agent in a call, or a call one in conversations that it may not interrupt.
    Interrupted,
    /// One contact is bridged with two agents, or connected at two by their records.
    TwoAgents,
    /// A contact is in two states at once: bridged and offered, or gone and still held.
    TwoStates,
    /// Two parties are bridged and the agent's record does not say so.
    UnknownTalk,
    /// A later contact was served before an earlier one that the agent could have served.
    Overtaken,
    /// A lighter queue won an agent while a heavier one's contact waited.
    WeightIgnored,
    /// A queue passed although a contact that the agent could serve waits.
    FalsePass,
    /// An agent's owner answered what the record does not say.
    FalseAnswer,
    /// An owner of an old epoch stored something.
    OldEpochStored,
    /// An edge took an offer of a queue or attachment that it has left.
    OldOfferTaken,
    /// A queue offered a contact and its record does not say so.
    UnknownOffer,
    /// Offers and refusals chase each other.
    PingPong,
    /// A contact waits although a free agent could serve it.
    WaitsBesideFree,
    /// A contact does not come to its end.
    ContactStuck,
    /// An agent does not become free again.
    AgentStuck,
    /// A contact that has left still stands in a queue.
    Ghost,
    /// There is no end to it.
    NoRest,
    /// What was published does not add up.
    SumsDiffer,
    /// What is stored is not what is in force.
    RecordsDiffer,
}

impl Broken {
    /// Every rule.
    pub const ALL: [Self; 22] = [
        Self::TwoTalks,
        Self::TwoRings,
        Self::TwoReservations,
        Self::Interrupted,
        Self::TwoAgents,
        Self::TwoStates,
        Self::UnknownTalk,
        Self::Overtaken,
        Self::WeightIgnored,
        Self::FalsePass,
        Self::FalseAnswer,
        Self::OldEpochStored,
        Self::OldOfferTaken,
        Self::UnknownOffer,
        Self::PingPong,
        Self::WaitsBesideFree,
        Self::ContactStuck,
        Self::AgentStuck,
        Self::Ghost,
        Self::NoRest,
        Self::SumsDiffer,
        Self::RecordsDiffer,
    ];

    /// Its name in events and metrics: stable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoTalks => "two_talks",
            Self::TwoRings => "two_rings",
            Self::TwoReservations => "two_reservations",
            Self::Interrupted => "interrupted",
            Self::TwoAgents => "two_agents",
            Self::TwoStates => "two_states",
            Self::UnknownTalk => "unknown_talk",
            Self::Overtaken => "overtaken",
            Self::WeightIgnored => "weight_ignored",
            Self::FalsePass => "false_pass",
            Self::FalseAnswer => "false_answer",
            Self::OldEpochStored => "old_epoch_stored",
            Self::OldOfferTaken => "old_offer_taken",
            Self::UnknownOffer => "unknown_offer",
            Self::PingPong => "ping_pong",
            Self::WaitsBesideFree => "waits_beside_free",
            Self::ContactStuck => "contact_stuck",
            Self::AgentStuck => "agent_stuck",
            Self::Ghost => "ghost",
            Self::NoRest => "no_rest",
            Self::SumsDiffer => "sums_differ",
            Self::RecordsDiffer => "records_differ",
        }
    }

    /// What is seen, as a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TwoTalks => "one agent is bridged to two contacts",
            Self::TwoRings => "an agent's device rings while another rings or the agent talks",
            Self::TwoReservations => "an agent holds two calls, or more conversations than allowed",
            Self::Interrupted => {
                "a conversation reached an agent in a call, or a call interrupted one"
            }
            Self::TwoAgents => "one contact is connected with two agents",
            Self::TwoStates => "a contact is in two states at once",
            Self::UnknownTalk => "a bridged contact is unknown to its agent's record",
            Self::Overtaken => "a later contact was served before an earlier one",
            Self::WeightIgnored => "a lighter queue won while a heavier one waited",
            Self::FalsePass => "a queue passed although a contact that fits waits",
            Self::FalseAnswer => "an owner answered what the agent's record does not say",
            Self::OldEpochStored => "an owner of an old epoch stored something",
            Self::OldOfferTaken => "an edge took an offer of a queue it has left",
            Self::UnknownOffer => "a queue offered a contact and does not know it",
            Self::PingPong => "more grants than contacts and surprises explain",
            Self::WaitsBesideFree => "a contact waits although a free agent fits",
            Self::ContactStuck => "a contact is stuck",
            Self::AgentStuck => "an agent is stuck",
            Self::Ghost => "a contact that is gone still stands in a queue",
            Self::NoRest => "it does not come to rest",
            Self::SumsDiffer => "the published facts do not add up",
            Self::RecordsDiffer => "what is stored is not what is in force",
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Broken {}

/// What an edge does with a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Use {
    /// Asked whether the device may ring; nothing rings.
    Asks,
    /// The device rings.
    Rings,
    /// The device answered; the agent is told about the customer, who still waits.
    Briefs,
    /// The agent's record was asked whether the two may be bridged; nothing is.
    Commits,
    /// Given up; waits for the record's word.
    Settles,
    /// The parties are bridged.
    Bridged,
}

/// One contact's use of one reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hold {
    /// Which contact.
    pub contact: ContactId,
    /// Whose reservation.
    pub of: Reservation,
    /// How far it is.
    pub how: Use,
}

const fn ensure(holds: bool, broken: Broken) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(broken) }
}

/// A contact is waiting, offered, connected or gone, and never two of it. `holds` are the contact's own.
///
/// # Errors
/// The rule that is broken.
pub fn contact(holds: &[Hold], gone: bool) -> Result<(), Broken> {
    let count = |how: &[Use]| holds.iter().filter(|h| how.contains(&h.how)).count();
    let bridged = count(&[Use::Bridged]);
    ensure(bridged <= 1, Broken::TwoAgents)?;
    ensure(
        count(&[Use::Briefs, Use::Commits, Use::Settles]) <= 1,
        Broken::TwoStates,
    )?;
    ensure(bridged == 0 || holds.len() == 1, Broken::TwoStates)?;
    ensure(!gone || holds.is_empty(), Broken::TwoStates)
}

/// One agent, one call, and conversations up to the capacity, as long as that does not change; and nobody talks without its record's word. `holds` are all uses of this agent's reservations.
///
/// `in_time`: no deadline fired before one that real time puts first (docs/protocol.md, "Deadlines"). Otherwise two
/// devices may ring for a moment; never may two contacts be connected.
///
/// # Errors
/// The rule that is broken.
pub fn agent<'a>(
    record: &AgentRecord,
    holds: impl Iterator<Item = &'a Hold>,
    in_time: bool,
) -> Result<(), Broken> {
    let (mut talks, mut rings) = (0_usize, 0_usize);
    for hold in holds {
        let slot = record.slot(hold.of.number);
        let writes = slot.is_some_and(|slot| slot.terms.medium == Medium::Chat);
        match hold.how {
            // Several conversations go on at once; each must be known all the same.
            Use::Rings | Use::Briefs | Use::Commits if writes => {}
            Use::Bridged => {
                talks += usize::from(!writes);
                let known = slot.is_some_and(|slot| {
                    slot.phase == SlotPhase::Connected && slot.contact == Some(hold.contact)
                });
                ensure(known, Broken::UnknownTalk)?;
            }
            Use::Rings | Use::Briefs | Use::Commits => rings += 1,
            Use::Asks | Use::Settles => {}
        }
    }
    ensure(talks <= 1, Broken::TwoTalks)?;
    ensure(!in_time || talks + rings <= 1, Broken::TwoRings)?;
    let chats = usize::from(record.profile.capacity.chats);
    ensure(
        record.load(Medium::Voice) <= 1 && record.load(Medium::Chat) <= chats,
        Broken::TwoReservations,
    )?;
    let of = |medium| {
        let slots = record.slots.iter();
        slots.filter(move |slot| slot.terms.medium == medium)
    };
    let interrupts = record.profile.capacity.voice_interrupts_chat;
    let apart = of(Medium::Voice).all(|call| {
        of(Medium::Chat).all(|chat| interrupts && chat.number < call.number) // granted before the call
    });
    ensure(apart, Broken::Interrupted)
}

/// An agent that was just given a reservation holds no more of its medium than it may. An agent whose capacity was made
/// smaller keeps what it has, so only the newest reservation is judged.
///
/// # Errors
/// [`Broken::TwoReservations`].
pub fn granted(record: &AgentRecord) -> Result<(), Broken> {
    let Some(newest) = record.slots.last() else {
        return Ok(());
    };
    let medium = newest.terms.medium;
    let most = match medium {
        Medium::Voice => 1,
        Medium::Chat => usize::from(record.profile.capacity.chats),
    };
    ensure(record.load(medium) <= most, Broken::TwoReservations)
}

/// By the agents' records, a contact is connected at one of them at most.
///
/// # Errors
/// [`Broken::TwoAgents`].
pub fn connected_once<'a>(
    contact: ContactId,
    records: impl Iterator<Item = &'a AgentRecord>,
) -> Result<(), Broken> {
    let connected = |record: &&AgentRecord| {
        record
            .slots
            .iter()
            .any(|s| s.phase == SlotPhase::Connected && s.contact == Some(contact))
    };
    ensure(records.filter(connected).count() <= 1, Broken::TwoAgents)
}

/// An answer to an edge is true of the record that is stored when it is given: it will be believed.
///
/// # Errors
/// [`Broken::FalseAnswer`].
pub fn answer(
    stored: &AgentRecord,
    number: u64,
    contact: ContactId,
    edge_epoch: EdgeEpoch,
    answer: Answer,
) -> Result<(), Broken> {
    // To an old owner of the contact whatever it asks for is over.
    let own = |s: &&crate::Slot| s.contact == Some(contact) && s.edge_epoch <= edge_epoch;
    let slot = stored.slot(number).filter(own);
    let phase = slot.map(|s| s.phase);
    let (rings, talks) = (Some(SlotPhase::Alerting), Some(SlotPhase::Connected));
    let holds = match answer {
        Answer::AlertOk { .. } => phase == rings,
        Answer::ConnectOk => phase == talks,
        Answer::Refused => phase != rings && phase != talks,
        Answer::Ended { .. } => matches!(phase, None | Some(SlotPhase::WrapUp)),
        _ => true,
    };
    ensure(holds, Broken::FalseAnswer)
}

/// Order within a queue: of those that `waits` says really wait, nobody stands before the contact that was just offered
/// and could have been served.
///
/// # Errors
/// [`Broken::Overtaken`].
pub fn order(
    queue: &Queue,
    offered: ContactId,
    agent: UserId,
    waits: impl Fn(&Entry) -> bool,
) -> Result<(), Broken> {
    order_of_first(usize::MAX, queue, offered, agent, waits)
}

/// The same, looking at no more than the first of the line: for whoever has to be quick.
///
/// # Errors
/// [`Broken::Overtaken`].
pub fn order_of_first(
    first: usize,
    queue: &Queue,
    offered: ContactId,
    agent: UserId,
    waits: impl Fn(&Entry) -> bool,
) -> Result<(), Broken> {
    let line = queue.in_order().take(first);
    let mut before = line.take_while(|e| e.contact != offered);
    let overtaken = before.any(|e| e.offers.is_empty() && queue.could_take(agent, e) && waits(e));
    ensure(!overtaken, Broken::Overtaken)
}

/// What a queue offers stands in its record.
///
/// # Errors
/// [`Broken::UnknownOffer`].
pub fn offer(queue: &Queue, contact: ContactId, reservation: Reservation) -> Result<(), Broken> {
    let entry = queue.entry(contact);
    let known = entry.is_some_and(|entry| entry.offers.contains(&reservation));
    ensure(known, Broken::UnknownOffer)
}

/// The contact that waits for this agent's answer: the first that fits, when no bid runs for it. None where agents pick.
pub fn asks_for(queue: &Queue, agent: UserId) -> Option<ContactId> {
    let asks = queue.settings().strategy != Strategy::ManualPick && !queue.is_holding();
    let first = queue.first_asking(agent).filter(|_| asks)?;
    queue.covered_by(first).is_none().then_some(first)
}

/// A queue that has just passed has nobody for this agent.
///
/// # Errors
/// [`Broken::FalsePass`].
pub fn pass(queue: &Queue, agent: UserId) -> Result<(), Broken> {
    ensure(asks_for(queue, agent).is_none(), Broken::FalsePass)
}

/// Weight across queues: `queue` has not won the agent that it had `asked` for when the round began, and has not passed
/// since. `won` is the winner's weight. While the agent has not met the queue's present owner nothing is promised.
///
/// # Errors
/// [`Broken::WeightIgnored`].
pub fn weight(agent: &Agent, won: u32, queue: &Queue, asked: ContactId) -> Result<(), Broken> {
    let id = agent.record().id;
    let met = agent
        .epoch_seen(queue.settings().id)
        .is_none_or(|seen| seen == queue.epoch());
    let still = queue.first_asking(id) == Some(asked);
    let elsewhere = queue.covered_by(asked).is_some_and(|by| by != id);
    let heavier = queue.settings().weight.unwrap_or(0) > won;
    ensure(
        !(met && heavier && still && !elsewhere),
        Broken::WeightIgnored,
    )
}

/// An agent at rest holds nothing.
///
/// # Errors
/// [`Broken::AgentStuck`], [`Broken::RecordsDiffer`].
pub fn agent_at_rest(stored: &AgentRecord, live: &Agent) -> Result<(), Broken> {
    ensure(stored.slots.is_empty(), Broken::AgentStuck)?;
    ensure(stored == live.record(), Broken::RecordsDiffer)
}

/// When nobody waits, a queue is empty.
///
/// # Errors
/// [`Broken::Ghost`], [`Broken::RecordsDiffer`].
pub fn queue_at_rest(stored: &QueueRecord, live: &Queue) -> Result<(), Broken> {
    ensure(stored.entries.is_empty(), Broken::Ghost)?;
    ensure(live.waiting() == 0, Broken::RecordsDiffer)
}

/// The sums of one step of a queue: whoever came or went, and nobody else, makes the line longer or shorter. `before` and
/// `after` are its lengths. `newcomer` is who asked for a place in this step and had none: it may be turned away.
///
/// # Errors
/// [`Broken::SumsDiffer`].
pub fn line_adds_up(
    before: u32,
    newcomer: Option<ContactId>,
    events: &[Event],
    after: u32,
) -> Result<(), Broken> {
    let (mut waiting, mut taken) = (i64::from(before), newcomer.is_none());
    for event in events {
        match event {
            Event::ContactQueued { contact, .. } => {
                waiting += 1;
                taken |= newcomer == Some(*contact);
            }
            // The call has left; its place has not.
            Event::ContactLeft { reason, .. } if *reason == LeftReason::CallbackRequested => {}
            Event::ContactLeft { contact, .. } if newcomer != Some(*contact) || taken => {
                waiting -= 1;
            }
            _ => {}
        }
    }
    ensure(waiting == i64::from(after), Broken::SumsDiffer)
}

/// Reservations remembered per agent: more than can be open at a time (spec D25).
const MOST_CONNECTED: usize = 64;

/// The sums of what was published: who entered a queue leaves it once, nobody is offered who does not wait, a reservation
/// connects once. Memory grows with those who wait and with the agents.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    waiting: BTreeSet<(QueueId, ContactId)>,
    /// The last reservations that connected, per agent. Of several conversations the later may connect first.
    connected: BTreeMap<UserId, BTreeSet<u64>>,
    /// How often a contact took a place.
    pub queued: u64,
    /// How often one left a place, for whatever reason.
    pub left: u64,
    /// Of these, with an agent.
    pub answered: u64,
}

impl Sums {
    /// Adds a fact.
    ///
    /// # Errors
    /// [`Broken::SumsDiffer`].
    pub fn add(&mut self, event: &Event) -> Result<(), Broken> {
        match event {
            Event::ContactQueued { contact, queue, .. } => {
                self.queued += 1;
                ensure(self.waiting.insert((*queue, *contact)), Broken::SumsDiffer)
            }
            Event::ContactOffered { contact, queue, .. } => ensure(
                self.waiting.contains(&(*queue, *contact)),
                Broken::SumsDiffer,
            ),
            Event::ContactLeft {
                contact,
                queue,
                reason,
                ..
            } if *reason == LeftReason::CallbackRequested => {
                // The call has left; who was promised a callback waits on, and leaves once more.
                ensure(
                    self.waiting.contains(&(*queue, *contact)),
                    Broken::SumsDiffer,
                )
            }
            Event::ContactLeft {
                contact,
                queue,
                reason,
                ..
            } => {
                let waited = self.waiting.remove(&(*queue, *contact));
                let turned_away = matches!(
                    reason,
                    LeftReason::QueueFull | LeftReason::QueueClosed | LeftReason::JoinedEmpty
                );
                self.left += u64::from(waited);
                self.answered += u64::from(*reason == LeftReason::Answered);
                ensure(waited || turned_away, Broken::SumsDiffer)
            }
            Event::ContactConnected { reservation, .. } => {
                let connected = self.connected.entry(reservation.agent).or_default();
                let first = connected.insert(reservation.number);
                if connected.len() > MOST_CONNECTED {
                    connected.pop_first();
                }
                ensure(first, Broken::SumsDiffer)
            }
            Event::OfferEnded { .. }
            | Event::BidsCompared { .. }
            | Event::ContactReprioritised { .. }
            | Event::ContactBoosted { .. }
            | Event::NeedsRelaxed { .. }
            | Event::WrapUpEnded { .. }
            | Event::AgentStateChanged { .. } => Ok(()),
        }
    }

    /// Nobody waits, so everybody has left.
    ///
    /// # Errors
    /// [`Broken::SumsDiffer`].
    pub fn at_rest(&self) -> Result<(), Broken> {
        let equal = self.waiting.is_empty() && self.queued == self.left;
        ensure(equal, Broken::SumsDiffer)
    }
}
