//! What a centre is made of, and the one place where the product's settings are made from it.

use crate::ids::{agent_id, contact_id, device_id, queue_id};
use centro_edge::Timing;
use centro_kernel::{Timestamp, UserId, contact::Reservation};
use centro_routing_core::{
    Ageing, AgentMessage, AgentRecord, Attach, Briefing, Capacity, ContactKind, Deadlines,
    EmptyRule, LogIn, Medium, Membership, Needs, PickUp, Profile, QueueMessage, QueueSettings,
    Rona, SkillMatch, Skills, Strategy, Terms, WrapUp,
};
use std::{sync::Arc, time::Duration};

/// A queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueShape {
    /// Calls or conversations in writing.
    pub medium: Medium,
    /// Its score.
    pub weight: Option<u32>,
    /// How agents take turns.
    pub strategy: Strategy,
    /// How many may wait; 0 means no limit.
    pub max_callers: u32,
    /// Who is turned away when nobody is here.
    pub join_empty: EmptyRule,
    /// Who is sent away when nobody is here any more.
    pub leave_empty: EmptyRule,
    /// How needs are used.
    pub skill_match: SkillMatch,
    /// Whether a contact leaves whose needs nobody here can meet.
    pub moves_on: bool,
    /// Help for those who wait long.
    pub ageing: Ageing,
    /// How long an agent who answered is kept from the customer; zero: not at all.
    pub brief: Duration,
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentShape {
    /// The queues served; somebody who serves none is a supervisor and logs in nowhere.
    pub queues: Vec<usize>,
    /// What the person can do.
    pub skills: Skills,
    /// How much at once.
    pub capacity: Capacity,
}

impl AgentShape {
    /// The most contacts at once: conversations, and a call that interrupts them.
    pub fn most_contacts(&self) -> u64 {
        let Capacity {
            chats,
            voice_interrupts_chat,
        } = self.capacity;
        u64::from(chats.max(1)) + u64::from(voice_interrupts_chat)
    }
}

/// A contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactShape {
    /// The queue it arrives at.
    pub queue: usize,
    /// Higher is served first.
    pub priority: u32,
    /// What it needs, step by step.
    pub needs: Arc<Needs>,
    /// It outlives its process, as a conversation or a callback does; a call does not.
    pub durable: bool,
}

/// A centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The queues.
    pub queues: Vec<QueueShape>,
    /// The people.
    pub agents: Vec<AgentShape>,
    /// The contacts.
    pub contacts: Vec<ContactShape>,
    /// Routing's deadlines.
    pub deadlines: Deadlines,
    /// The edges' deadlines.
    pub timing: Timing,
    /// How long a device rings.
    pub ring: Duration,
    /// Time after a contact before the next.
    pub wrap_up: Duration,
    /// Missed offers after which an agent counts as not responding.
    pub missed_offers: u32,
    /// How long nobody is asked for a contact whose offer was not answered.
    pub retry: Duration,
    /// How long an agent who declined is left alone.
    pub rest: Duration,
}

impl Shape {
    /// The weight of a queue.
    pub fn weight(&self, queue: usize) -> u32 {
        self.queues[queue].weight.unwrap_or(0)
    }

    /// Whether any queue helps those who wait long.
    pub fn ages(&self) -> bool {
        self.queues.iter().any(|q| q.ageing != Ageing::default())
    }

    pub(crate) fn settings(&self, queue: usize) -> QueueSettings {
        let shape = self.queues[queue];
        QueueSettings {
            weight: shape.weight,
            strategy: shape.strategy,
            max_callers: shape.max_callers,
            join_empty: shape.join_empty,
            leave_empty: shape.leave_empty,
            skill_match: shape.skill_match,
            move_on_when_no_agent_matches: shape.moves_on,
            ageing: shape.ageing,
            retry_delay: self.retry,
            terms: Arc::new(self.terms(shape.medium)),
            briefing: Arc::new(Briefing {
                connect_delay: shape.brief,
                ..Briefing::default()
            }),
            ..QueueSettings::new(queue_id(queue))
        }
    }

    fn terms(&self, medium: Medium) -> Terms {
        let default = Terms::default();
        Terms {
            medium,
            ring: self.ring,
            wrap_up: WrapUp {
                time: self.wrap_up,
                ..default.wrap_up
            },
            rona: Rona {
                count: self.missed_offers,
                ..default.rona
            },
            reject_delay: self.rest,
            busy_delay: self.rest,
            ..default
        }
    }

    pub(crate) fn log_in(&self, agent: usize) -> AgentMessage {
        let AgentShape {
            queues,
            skills,
            capacity,
        } = self.agents[agent].clone();
        let medium = |queue: &usize| self.queues[*queue].medium;
        let desktop = queues.iter().any(|q| medium(q) == Medium::Chat);
        let queues = queues.iter().map(|queue| Membership {
            medium: medium(queue),
            ..Membership::new(queue_id(*queue))
        });
        AgentMessage::LogIn(Box::new(LogIn {
            device: device_id(agent),
            device_online: true,
            queues: queues.collect(),
            all_queues: false,
            ready: true,
            desktop,
            profile: Profile { skills, capacity },
        }))
    }

    /// Whether the person logs in.
    pub(crate) fn works(&self, agent: usize) -> bool {
        !self.agents[agent].queues.is_empty()
    }

    /// Whether the person works with a desktop too.
    pub(crate) fn has_desktop(&self, agent: usize) -> bool {
        let mut queues = self.agents[agent].queues.iter();
        queues.any(|queue| self.queues[*queue].medium == Medium::Chat)
    }

    /// Somebody takes a contact out of turn; on a phone of their own when they are not logged in with one.
    pub(crate) fn pick_up(&self, agent: usize, contact: usize) -> QueueMessage {
        QueueMessage::PickUp {
            agent: agent_id(agent),
            pick_up: PickUp {
                contact: contact_id(contact),
                device: (!self.works(agent)).then(|| device_id(agent)),
            },
        }
    }

    fn kind(&self, contact: usize) -> ContactKind {
        let shape = &self.contacts[contact];
        match (self.queues[shape.queue].medium, shape.durable) {
            (Medium::Chat, _) => ContactKind::Chat,
            (Medium::Voice, true) => ContactKind::Callback,
            (Medium::Voice, false) => ContactKind::Call,
        }
    }

    pub(crate) fn device(agent: usize, online: bool) -> AgentMessage {
        let device = device_id(agent);
        AgentMessage::Device { device, online }
    }

    pub(crate) fn agent(&self, agent: usize) -> AgentRecord {
        AgentRecord::new(agent_id(agent), Timestamp::default())
    }

    /// A contact's request for a place, as telephony makes it.
    pub(crate) fn attach(
        &self,
        contact: usize,
        attach_no: u32,
        enqueued_at: Timestamp,
        excluded: Vec<(UserId, Duration)>,
        holding: Vec<Reservation>,
    ) -> Attach {
        Attach {
            contact: contact_id(contact),
            attach_no,
            enqueued_at,
            priority: self.contacts[contact].priority,
            excluded,
            holding,
            needs: self.contacts[contact].needs.clone(),
            kind: self.kind(contact),
            caller: Arc::default(),
            edge: Arc::from(""),
        }
    }
}
