//! A contact's owner.

use crate::Mail;
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use centro_routing_core::{AgentMessage, Answer, Attach, EdgeMessage, QueueMessage};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    Asking,
    Ringing,
    Committing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Waiting,
    Connected(Reservation),
    Gone,
}

/// A contact's owner, as plain as it can be: one leg at a time, no transfers.
#[derive(Debug)]
pub struct Edge {
    pub contact: ContactId,
    pub queue: QueueId,
    pub phase: Phase,
    pub placed: bool,
    pub leg: Option<(Reservation, Leg)>,
    pub seen: BTreeMap<UserId, u64>,
    pub turned_away: BTreeSet<Reservation>,
    pub ends: BTreeMap<Reservation, OfferEnd>,
    pub left: Option<LeftReason>,
}

impl Edge {
    pub fn alert(&self, r: Reservation) -> Mail {
        let message = AgentMessage::Alert {
            number: r.number,
            contact: self.contact,
            edge: Arc::from("edge"),
            caller: Arc::default(),
            ring: Duration::from_secs(15),
        };
        Mail::Agent(r.agent, message)
    }

    pub fn connect(&self, r: Reservation) -> Mail {
        Mail::Agent(
            r.agent,
            AgentMessage::Connect {
                number: r.number,
                contact: self.contact,
            },
        )
    }

    pub fn end(&mut self, r: Reservation, why: OfferEnd, mail: &mut VecDeque<Mail>) {
        let why = *self.ends.entry(r).or_insert(why);
        let message = AgentMessage::End {
            number: r.number,
            contact: self.contact,
            why,
        };
        mail.push_back(Mail::Agent(r.agent, message));
    }

    pub fn offer_ended(&self, reservation: Reservation, why: OfferEnd, mail: &mut VecDeque<Mail>) {
        let contact = self.contact;
        let message = QueueMessage::OfferEnded {
            contact,
            reservation,
            exclude_for: None,
            why,
        };
        mail.push_back(Mail::Queue(self.queue, message));
    }

    pub fn leave(&mut self, reason: LeftReason, mail: &mut VecDeque<Mail>) {
        self.left = Some(reason);
        let message = QueueMessage::Left {
            contact: self.contact,
            attach_no: 1,
            reason,
        };
        mail.push_back(Mail::Queue(self.queue, message));
    }

    pub fn hear(&mut self, message: EdgeMessage, mail: &mut VecDeque<Mail>) {
        match message {
            EdgeMessage::Attached { .. } => self.placed = true,
            EdgeMessage::LeftOk { .. } => self.left = None,
            EdgeMessage::Position { .. } => {}
            EdgeMessage::NotTaken { reason, .. } => panic!("not taken: {reason:?}"),
            EdgeMessage::Offer { reservation: r, .. } => {
                let repeat =
                    self.leg.is_some_and(|l| l.0 == r) || self.phase == Phase::Connected(r);
                if repeat {
                    return;
                }
                let seen = self.seen.insert(
                    r.agent,
                    r.number.max(self.seen.get(&r.agent).copied().unwrap_or(0)),
                );
                if self.phase == Phase::Waiting
                    && self.leg.is_none()
                    && seen.is_none_or(|n| n < r.number)
                {
                    self.leg = Some((r, Leg::Asking));
                    mail.push_back(self.alert(r));
                } else {
                    self.end(r, OfferEnd::NeverRang, mail);
                    // A queue that heard of it at once would ask again at once.
                    self.turned_away.insert(r);
                    self.settle(mail);
                }
            }
        }
    }

    /// Tells the queue which offers were turned away, once nothing is undecided.
    fn settle(&mut self, mail: &mut VecDeque<Mail>) {
        if self.phase == Phase::Waiting && self.leg.is_none() {
            for r in std::mem::take(&mut self.turned_away) {
                self.offer_ended(r, OfferEnd::NeverRang, mail);
            }
        }
    }

    pub fn answered(&mut self, r: Reservation, answer: Answer, mail: &mut VecDeque<Mail>) {
        let leg = self.leg.filter(|l| l.0 == r).map(|l| l.1);
        match (answer, leg) {
            (Answer::AlertOk { .. }, Some(Leg::Asking)) => self.leg = Some((r, Leg::Ringing)),
            (Answer::ConnectOk, Some(Leg::Committing)) => {
                self.leg = None;
                self.phase = Phase::Connected(r);
                self.leave(LeftReason::Answered, mail);
            }
            (Answer::Refused, Some(_)) => {
                self.leg = None;
                self.offer_ended(r, OfferEnd::NeverRang, mail);
                self.settle(mail);
            }
            (Answer::Ended { .. }, _) => drop(self.ends.remove(&r)),
            _ => {}
        }
    }

    pub fn pick_up(&mut self, mail: &mut VecDeque<Mail>) {
        if let Some((r, Leg::Ringing)) = self.leg {
            self.leg = Some((r, Leg::Committing));
            mail.push_back(self.connect(r));
        }
    }

    pub fn give_up(&mut self, only: Option<Reservation>, why: OfferEnd, mail: &mut VecDeque<Mail>) {
        if let Some((r, Leg::Asking | Leg::Ringing)) = self.leg
            && only.is_none_or(|only| only == r)
        {
            self.leg = None;
            self.end(r, why, mail);
            self.offer_ended(r, why, mail);
            self.settle(mail);
        }
    }

    pub fn hang_up(&mut self, mail: &mut VecDeque<Mail>) {
        match (self.phase, self.leg) {
            (Phase::Connected(r), _) => {
                self.phase = Phase::Gone;
                self.end(r, OfferEnd::Answered, mail);
            }
            (Phase::Waiting, leg) if leg.is_none_or(|l| l.1 != Leg::Committing) => {
                if let Some((r, _)) = self.leg.take() {
                    self.end(r, OfferEnd::CallerGone, mail);
                }
                self.phase = Phase::Gone;
                self.leave(LeftReason::Abandoned, mail);
            }
            _ => {}
        }
    }

    /// Does it still have this conversation?
    pub fn asked(&self, r: Reservation, mail: &mut VecDeque<Mail>) {
        let has = self.phase == Phase::Connected(r)
            || self.leg.is_some_and(|leg| leg.0 == r)
            || self.ends.contains_key(&r);
        if !has {
            let message = AgentMessage::NotHeld {
                number: r.number,
                contact: self.contact,
            };
            mail.push_back(Mail::Agent(r.agent, message));
        }
    }

    pub fn repeat(&self, now: Timestamp, mail: &mut VecDeque<Mail>) {
        let contact = self.contact;
        if !self.placed && self.phase == Phase::Waiting {
            let n = i64::try_from(contact.as_u128()).unwrap();
            let attach = Attach {
                contact,
                attach_no: 1,
                enqueued_at: Timestamp::from_millis(n).min(now),
                priority: 0,
                excluded: vec![],
                holding: self.leg.map(|l| l.0).into_iter().collect(),
                caller: Arc::default(),
                edge: Arc::from("edge"),
            };
            mail.push_back(Mail::Queue(self.queue, QueueMessage::Attach(attach)));
        }
        match self.leg {
            Some((r, Leg::Asking)) => mail.push_back(self.alert(r)),
            Some((r, Leg::Committing)) => mail.push_back(self.connect(r)),
            _ => {}
        }
        for (r, why) in &self.ends {
            let message = AgentMessage::End {
                number: r.number,
                contact,
                why: *why,
            };
            mail.push_back(Mail::Agent(r.agent, message));
        }
        if let Some(reason) = self.left {
            let message = QueueMessage::Left {
                contact,
                attach_no: 1,
                reason,
            };
            mail.push_back(Mail::Queue(self.queue, message));
        }
    }
}
