//! The agents' phones: what they do by themselves, and what the story does to them.

use super::{
    caller::Mailbox,
    log::{Fact, Name},
    plan::{Agent, Touch, drawn},
    stage::Stage,
    text::{Phone, Range},
};
use centro_edge::Command;
use centro_kernel::{
    UserId,
    contact::{OfferEnd, Reservation},
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Kinds of lots.
const ANSWER: u64 = 11;
const TALK: u64 = 12;

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Party {
    /// The caller.
    pub caller: Name,
    /// In writing.
    pub chat: bool,
    /// The way to the caller's edge.
    pub mailbox: Mailbox,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Ringing,
    /// Answered; the agent's record has not said yes yet.
    Answered,
    Talking,
}

struct Set {
    agent: Name,
    behaviour: Phone,
    lines: BTreeMap<Reservation, (Line, Party)>,
}

/// All phones.
pub struct Phones(Mutex<BTreeMap<UserId, Set>>);

impl Phones {
    /// One for each agent.
    pub fn new(agents: &[Agent]) -> Self {
        let sets = agents.iter().map(|agent| {
            let set = Set {
                agent: agent.name.clone(),
                behaviour: agent.phone,
                lines: BTreeMap::new(),
            };
            (agent.id, set)
        });
        Self(Mutex::new(sets.collect()))
    }
}

/// Rings an agent's phone.
pub fn ring(stage: &Arc<Stage>, reservation: Reservation, party: Party) {
    let mut sets = stage.phones.0.lock();
    let Some(set) = sets.get_mut(&reservation.agent) else {
        return party.mailbox.tell(Command::DeviceFailed(reservation));
    };
    let behaviour = set.behaviour;
    if behaviour.unregistered && !party.chat {
        return party.mailbox.tell(Command::DeviceFailed(reservation));
    }
    if behaviour.busy && !party.chat {
        return party.mailbox.tell(Command::Busy(reservation));
    }
    let fact = Fact::Rings {
        agent: set.agent.clone(),
        caller: party.caller.clone(),
        chat: party.chat,
    };
    set.lines.insert(reservation, (Line::Ringing, party));
    drop(sets);
    stage.saw(fact);
    if let Some(after) = behaviour.answers_after {
        later(stage, after, ANSWER, reservation, Touch::Answer);
    } else if let Some(after) = behaviour.declines_after {
        later(stage, after, ANSWER, reservation, Touch::Decline);
    }
}

/// Stops a phone, ringing or answered.
pub fn stop(stage: &Stage, reservation: Reservation, why: OfferEnd) {
    let mut sets = stage.phones.0.lock();
    let Some(set) = sets.get_mut(&reservation.agent) else {
        return;
    };
    let Some((line, party)) = set.lines.remove(&reservation) else {
        return;
    };
    let (agent, caller) = (set.agent.clone(), party.caller);
    drop(sets);
    stage.saw(match line {
        Line::Talking => Fact::HungUp { caller, agent },
        Line::Ringing | Line::Answered => Fact::Silent { agent, caller, why },
    });
}

/// The two were bridged.
pub fn bridge(stage: &Arc<Stage>, reservation: Reservation) {
    let mut sets = stage.phones.0.lock();
    let Some(set) = sets.get_mut(&reservation.agent) else {
        return;
    };
    let Some((line, party)) = set.lines.get_mut(&reservation) else {
        return;
    };
    *line = Line::Talking;
    let fact = Fact::Talks {
        caller: party.caller.clone(),
        agent: set.agent.clone(),
        chat: party.chat,
    };
    let talks = set.behaviour.talks;
    drop(sets);
    stage.saw(fact);
    if let Some(talks) = talks {
        later(stage, talks, TALK, reservation, Touch::HangUp);
    }
}

/// The story touches an agent's phone: whichever line it concerns.
pub fn touch(stage: &Stage, agent: UserId, touch: Touch) -> Result<(), String> {
    let mut sets = stage.phones.0.lock();
    let Some(set) = sets.get_mut(&agent) else {
        return Err("there is no such phone".to_owned());
    };
    let line = match touch {
        Touch::Answer | Touch::Decline => Line::Ringing,
        Touch::HangUp => Line::Talking,
        Touch::Behave(behaviour) => {
            set.behaviour = behaviour;
            drop(sets);
            stage.register(agent, !behaviour.unregistered);
            return Ok(());
        }
        Touch::Register(online) => {
            set.behaviour.unregistered = !online;
            drop(sets);
            stage.register(agent, online);
            return Ok(());
        }
    };
    let found = |wanted| set.lines.iter().find(|(_, (line, _))| *line == wanted);
    let found = found(line).or_else(|| {
        let answered = matches!(touch, Touch::HangUp);
        found(Line::Answered).filter(|_| answered)
    });
    let reservation = found.map(|(reservation, _)| *reservation);
    let name = set.agent.clone();
    drop(sets);
    match reservation {
        Some(reservation) => {
            on_line(stage, reservation, touch);
            Ok(())
        }
        None => Err(match touch {
            Touch::HangUp => format!("{name} talks with nobody"),
            _ => format!("{name}'s phone does not ring"),
        }),
    }
}

/// The phone does something by itself after a while, if it can still be done.
fn later(stage: &Arc<Stage>, after: Range, kind: u64, reservation: Reservation, touch: Touch) {
    let whose = u64::try_from(reservation.agent.as_u128() & u128::from(u64::MAX)).unwrap_or(0);
    let lot = drawn(stage.seed, &[kind, whose, reservation.number]);
    let (stage, after): (_, Duration) = (stage.clone(), after.pick(lot));
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        on_line(&stage, reservation, touch);
    });
}

fn on_line(stage: &Stage, reservation: Reservation, touch: Touch) {
    let mut sets = stage.phones.0.lock();
    let Some(set) = sets.get_mut(&reservation.agent) else {
        return;
    };
    let Some((line, party)) = set.lines.get_mut(&reservation) else {
        return;
    };
    let party = party.clone();
    match (touch, *line) {
        (Touch::Answer, Line::Ringing) => {
            *line = Line::Answered;
            drop(sets);
            party.mailbox.tell(Command::Answered(reservation));
        }
        (Touch::Decline, Line::Ringing) => {
            drop(sets);
            party.mailbox.tell(Command::Rejected(reservation));
        }
        (Touch::HangUp, Line::Talking) => {
            let (agent, caller) = (set.agent.clone(), party.caller);
            set.lines.remove(&reservation);
            drop(sets);
            stage.saw(Fact::HungUp { caller, agent });
            party.mailbox.tell(Command::AgentHungUp(reservation));
        }
        // Before the bridge: the edge gives the agent up, and stops the phone.
        (Touch::HangUp, Line::Answered) => {
            drop(sets);
            party.mailbox.tell(Command::AgentHungUp(reservation));
        }
        _ => {}
    }
}
