//! What the agent hears between the answer and the customer: a pause, the queue's announcement, how long the customer
//! waited (spec G15, D4). The customer goes on hearing music, and may leave.

use crate::{
    call::{actor::Call, leg::LegId},
    core::dialplan::duration,
};
use centro_edge::Command;
use centro_kernel::contact::Reservation;
use centro_media::PlaybackId;
use centro_proto::routing::Offer;
use std::time::Duration;

/// What a queue wants an agent to hear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Briefing {
    /// Silence first.
    pub delay: Duration,
    /// A shipped clip; empty: none.
    pub announcement: String,
    /// Whether to say how long the customer waited.
    pub tell_wait: bool,
    /// How long all of it may take; zero: there is none.
    pub limit: Duration,
}

impl Briefing {
    /// What an offer says of it.
    pub fn of(offer: &Offer) -> Self {
        let time = |field: &Option<prost_types::Duration>| {
            field.as_ref().and_then(duration).unwrap_or_default()
        };
        Self {
            delay: time(&offer.connect_delay),
            announcement: offer.agent_announcement.clone(),
            tell_wait: offer.report_wait_to_agent,
            limit: time(&offer.briefing_limit),
        }
    }
}

impl Call {
    /// Begins to tell the agent. Where nothing can be played the customer need not wait for it.
    pub(super) async fn brief_agent(&mut self, reservation: Reservation) {
        let waited = self.now().since(self.edge.enqueued_at());
        let briefing = self.briefings.remove(&reservation).unwrap_or_default();
        let language = &self.language;
        let mut parties = self.parties.values_mut();
        let agent = parties.find(|p| p.reservation == Some(reservation) && p.answered);
        if let Some(agent) = agent {
            let play = |sound: &super::sound::Sound| {
                sound.play_briefing(&briefing, briefing.tell_wait.then_some(waited), language)
            };
            agent.briefing = agent.sound.as_ref().and_then(play);
            if agent.briefing.is_some() {
                return;
            }
        }
        self.drive(Command::Briefed(reservation)).await;
    }

    /// Something was played to the end to a party that was called.
    pub(super) async fn played_to_party(&mut self, leg: LegId, id: PlaybackId) {
        let party = self.parties.get(&leg).filter(|p| p.briefing == Some(id));
        if let Some(reservation) = party.and_then(|p| p.reservation) {
            self.drive(Command::Briefed(reservation)).await;
        }
    }
}
