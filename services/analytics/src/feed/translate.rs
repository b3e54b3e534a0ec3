//! The public events, in the words of the core.

use crate::{
    core::{
        Doing,
        stay::{Caller, Fact, Happening, Party},
    },
    store::{AgentChange, Bids, Offer, Reservation, Said},
    words,
};
use centro_bus::Event;
use centro_kernel::{ContactId, QueueId, Timestamp};
use centro_proto::{events as pb, types};
use prost::Message;
use std::{str::FromStr, time::Duration};

/// What the event says, `None` when it is nothing that is counted.
///
/// # Errors
/// What is wrong with an event that should be counted.
pub(super) fn said(event: &Event) -> Result<Option<Said>, &'static str> {
    let at = event.time;
    let said = match event.kind.as_str() {
        "telephony.call.arrived" => {
            let e: pb::CallArrived = decode(event)?;
            let caller = caller(e.caller, e.dialled);
            fact(&e.contact_id, None, at, Happening::Arrived { caller })?
        }
        "telephony.call.ended" => {
            let e: pb::CallEnded = decode(event)?;
            let queue = optional(&e.queue_id)?;
            let ended = Happening::CallEnded {
                by: words::ended_by(e.ended_by).unwrap_or(Party::System),
                agent: optional(&e.agent_id)?,
                talk: Duration::from_millis(e.talk_ms),
                hold: Duration::from_millis(e.hold_ms),
            };
            fact(&e.contact_id, queue, at, ended)?
        }
        "telephony.recording.started" | "telephony.recording.finished" => {
            let e: pb::RecordingChanged = decode(event)?;
            let queue = optional(&e.queue_id)?;
            if queue.is_none() {
                return Ok(None);
            }
            let recording = id(&e.recording_id)?;
            fact(&e.contact_id, queue, at, Happening::Recorded { recording })?
        }
        "routing.contact.queued" => {
            let e: pb::ContactQueued = decode(event)?;
            let enqueued = e.enqueue_time.as_ref().map_or(at, words::time);
            let caller = caller(e.caller, e.dialled);
            in_queue(
                &e.contact_id,
                &e.queue_id,
                at,
                Happening::Queued { caller, enqueued },
            )?
        }
        "routing.contact.offered" => {
            let e: pb::ContactOffered = decode(event)?;
            let (contact, queue) = (id(&e.contact_id)?, id(&e.queue_id)?);
            let offer = Offer {
                reservation: reservation(&e.agent_id, e.reservation)?,
                contact,
                queue,
                at,
                decision: e.decision.unwrap_or_default().encode_to_vec(),
            };
            let fact = Fact {
                contact,
                queue: Some(queue),
                at,
                what: Happening::Offered,
            };
            Said::Offered(fact, offer)
        }
        "routing.contact.offer_ended" => {
            let e: pb::OfferEnded = decode(event)?;
            let why = words::offer_end(e.why).ok_or("it has an unknown end of an offer")?;
            let ring = Duration::from_millis(e.ring_ms);
            in_queue(
                &e.contact_id,
                &e.queue_id,
                at,
                Happening::OfferEnded { why, ring },
            )?
        }
        "routing.contact.connected" => {
            let e: pb::ContactConnected = decode(event)?;
            let agent = id(&e.agent_id)?;
            in_queue(
                &e.contact_id,
                &e.queue_id,
                at,
                Happening::Connected { agent },
            )?
        }
        "routing.contact.left" => {
            let e: pb::ContactLeft = decode(event)?;
            let wait = Duration::from_millis(e.wait_ms);
            let left = Happening::Left {
                reason: words::left_reason(e.reason).ok_or("it has an unknown reason")?,
                agent: optional(&e.agent_id)?,
                enqueued: e.enqueue_time.as_ref().map_or(at - wait, words::time),
                wait,
            };
            in_queue(&e.contact_id, &e.queue_id, at, left)?
        }
        "routing.contact.wrap_up_ended" => {
            let e: pb::WrapUpEnded = decode(event)?;
            let wrap_up = Duration::from_millis(e.wrap_up_ms);
            in_queue(
                &e.contact_id,
                &e.queue_id,
                at,
                Happening::WrapUpEnded { wrap_up },
            )?
        }
        "routing.agent.bids_compared" => {
            let e: pb::BidsCompared = decode(event)?;
            Said::Bids(Bids {
                reservation: reservation(&e.agent_id, e.reservation)?,
                at,
                compared: e.encode_to_vec(),
            })
        }
        "routing.agent.state_changed" => {
            let e: pb::AgentStateChanged = decode(event)?;
            if e.state == i32::from(types::AgentState::Unspecified) {
                return Err("it has no state");
            }
            let paused = e.state == i32::from(types::AgentState::Paused);
            let ready = e.state == i32::from(types::AgentState::Ready);
            let doing = Doing {
                state: e.state,
                pause_reason: if paused {
                    e.pause_reason
                } else {
                    String::new()
                },
                unreachable: ready && !e.device_online,
            };
            Said::Agent(AgentChange {
                agent: id(&e.agent_id)?,
                doing,
                since: e.since.as_ref().map_or(at, words::time),
            })
        }
        _ => return Ok(None),
    };
    Ok(Some(said))
}

fn decode<M: prost::Message + prost::Name + Default>(event: &Event) -> Result<M, &'static str> {
    event.decode().ok_or("its data is not what its kind says")
}

fn in_queue(
    contact: &str,
    queue: &str,
    at: Timestamp,
    what: Happening,
) -> Result<Said, &'static str> {
    fact(contact, Some(id(queue)?), at, what)
}

fn fact(
    contact: &str,
    queue: Option<QueueId>,
    at: Timestamp,
    what: Happening,
) -> Result<Said, &'static str> {
    let contact: ContactId = id(contact)?;
    Ok(Said::Contact(Fact {
        contact,
        queue,
        at,
        what,
    }))
}

fn reservation(agent: &str, number: u64) -> Result<Reservation, &'static str> {
    Ok(Reservation {
        agent: id(agent)?,
        number: i64::try_from(number).map_err(|_| "it has an impossible reservation")?,
    })
}

fn id<I: FromStr>(text: &str) -> Result<I, &'static str> {
    text.parse().map_err(|_| "it has a malformed id")
}

fn optional<I: FromStr>(text: &str) -> Result<Option<I>, &'static str> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(text).map(Some)
    }
}

fn caller(party: Option<types::Party>, dialled: String) -> Caller {
    let party = party.unwrap_or_default();
    Caller {
        number: party.number,
        display_name: party.display_name,
        dialled,
    }
}
