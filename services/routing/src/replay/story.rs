//! What became of one contact, for people.

use super::Asked;
use crate::reasons::Language;
use centro_kernel::{ContactId, SkillId, Timestamp, UserId};
use centro_routing_core::{Event, Rank};
use std::collections::HashMap;

/// The bids that an agent compared, with the number of the reservation that came of it.
type Compared = (u64, Vec<(String, Rank)>);

/// What was told until now.
#[derive(Default)]
pub struct Story {
    pub lines: Vec<String>,
    compared: HashMap<UserId, Compared>,
}

impl Story {
    /// Something happened.
    pub fn event(&mut self, asked: &Asked, at: Timestamp, event: &Event) {
        let Some(contact) = asked.contact else { return };
        if let Event::BidsCompared {
            reservation, bids, ..
        } = event
        {
            let bids = bids
                .iter()
                .map(|(queue, rank, _)| (queue.to_string(), *rank));
            let compared = (reservation.number, bids.collect());
            self.compared.insert(reservation.agent, compared);
        }
        if let Some(words) = self.words(contact, event) {
            self.lines.push(format!("{}  {words}", moment(at)));
        }
    }

    fn words(&self, contact: ContactId, event: &Event) -> Option<String> {
        Some(match event {
            Event::ContactQueued {
                contact: c,
                queue,
                priority,
                position,
                ..
            } if *c == contact => {
                format!("waits in {queue}, place {position}, priority {priority}")
            }
            Event::ContactReprioritised {
                contact: c,
                priority,
                position,
                ..
            } if *c == contact => {
                format!("a person gave it priority {priority}: place {position}")
            }
            Event::ContactBoosted {
                contact: c, why, ..
            } if *c == contact => format!("goes first from here on ({why:?})"),
            Event::NeedsRelaxed {
                contact: c, step, ..
            } if *c == contact => format!("needs less from here on: step {step}"),
            Event::ContactOffered {
                contact: c,
                queue,
                reservation,
                decision,
            } if *c == contact => {
                let names = |skill: SkillId| Some(skill.to_string());
                let sentence = Language::English.decision(decision, &names);
                let (agent, number) = (reservation.agent, reservation.number);
                let mut text = format!("{queue} offers it to {agent} ({number}). {sentence}");
                if let Some((n, bids)) = self.compared.get(&agent)
                    && *n == number
                {
                    let bids = bids.iter().map(|(queue, rank)| {
                        let since = moment(rank.enqueued_at);
                        format!("{queue} with weight {}, waiting since {since}", rank.weight)
                    });
                    let bids: Vec<_> = bids.collect();
                    text += &format!(" The agent chose between {}.", bids.join("; "));
                }
                text
            }
            Event::OfferEnded {
                contact: c,
                reservation,
                why,
                ..
            } if *c == contact => format!("the offer to {} ended: {why:?}", reservation.agent),
            Event::ContactConnected {
                contact: c,
                reservation,
                ..
            } if *c == contact => format!("connected with {}", reservation.agent),
            Event::ContactLeft {
                contact: c,
                queue,
                reason,
                wait,
                ..
            } if *c == contact => {
                format!("left {queue} after {} ms: {reason:?}", wait.as_millis())
            }
            Event::WrapUpEnded {
                contact: c, agent, ..
            } if *c == contact => format!("{agent} is done with it"),
            _ => return None,
        })
    }
}

/// `2026-01-05 09:00:05.250`, in UTC.
pub fn moment(at: Timestamp) -> String {
    let time = prost_types::Timestamp {
        seconds: at.as_millis().div_euclid(1_000),
        nanos: i32::try_from(at.as_millis().rem_euclid(1_000)).unwrap_or_default() * 1_000_000,
    };
    time.to_string()
}
