//! Faults that wait for the moment that hurts.

use crate::letter::{Letter, Mail};
use centro_edge::Command;
use centro_routing_core::{AgentMessage, QueueMessage};
use std::fmt;

/// A fault that waits for its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aim {
    /// The owner stores a grant and dies before it says so.
    GrantStored,
    /// The owner stores an offer and dies before it says so.
    OfferStored,
    /// The owner stores Alerting and dies before it answers.
    AlertStored,
    /// The owner stores Connected and dies before it answers.
    ConnectStored,
    /// The owner stores the end and dies before it answers.
    EndStored,
    /// The owner freezes just before a Connect; the zombie and the new owner both get it.
    ConnectAtZombie,
    /// The owner freezes just before an End; both get it.
    EndAtZombie,
    /// A queue's owner freezes just before a Grant; both get it.
    GrantAtZombie,
    /// A contact's process dies while it waits for ConnectOk.
    EdgeDiesCommitting,
    /// The owner of a contact that outlives it stores the commit and dies before it asks.
    CommitStored,
}

impl Aim {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::GrantStored,
        Self::OfferStored,
        Self::AlertStored,
        Self::ConnectStored,
        Self::EndStored,
        Self::ConnectAtZombie,
        Self::EndAtZombie,
        Self::GrantAtZombie,
        Self::EdgeDiesCommitting,
        Self::CommitStored,
    ];

    /// The step that answers or sends this is the moment.
    pub(super) const fn waits_for_sent(self, mail: &Mail) -> bool {
        matches!(
            (self, &mail.letter),
            (Self::GrantStored, Letter::Queue(QueueMessage::Grant(_)))
                | (Self::OfferStored, Letter::Edge(Command::Offer { .. }))
                | (Self::AlertStored, Letter::Edge(Command::AlertOk(_)))
                | (Self::ConnectStored, Letter::Edge(Command::ConnectOk(_)))
                | (Self::EndStored, Letter::Edge(Command::Ended { .. }))
                | (
                    Self::CommitStored,
                    Letter::Agent(AgentMessage::Connect { .. })
                )
        )
    }

    /// The moment is before this is read.
    pub(super) const fn waits_for_read(self, mail: &Mail) -> bool {
        matches!(
            (self, &mail.letter),
            (
                Self::ConnectAtZombie | Self::EdgeDiesCommitting,
                Letter::Agent(AgentMessage::Connect { .. })
            ) | (Self::EndAtZombie, Letter::Agent(AgentMessage::End { .. }))
                | (Self::GrantAtZombie, Letter::Queue(QueueMessage::Grant(_)))
        )
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GrantStored => "an agent's owner dies between storing and sending a grant",
            Self::OfferStored => "a queue's owner dies between storing and sending an offer",
            Self::AlertStored => "an agent's owner dies between storing and answering Alert",
            Self::ConnectStored => "an agent's owner dies between storing and answering Connect",
            Self::EndStored => "an agent's owner dies between storing and answering End",
            Self::ConnectAtZombie => "a Connect is read by the zombie and by the new owner",
            Self::EndAtZombie => "an End is read by the zombie and by the new owner",
            Self::GrantAtZombie => "a Grant is read by the zombie and by the new owner",
            Self::CommitStored => "a contact's owner dies between storing and asking Connect",
            Self::EdgeDiesCommitting => "a call dies while it waits for ConnectOk",
        })
    }
}
