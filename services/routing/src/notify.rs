//! What happened, in the words of `proto/centro/events/v1`.

use crate::{
    directory::Directory,
    reasons,
    wire::{
        chosen_out, kind_out, left_reason_out, offer_end_out, outcome_out, party, state_out, time,
    },
};
use centro_bus::Event as Published;
use centro_kernel::{ContactId, QueueId, TenantId, Timestamp, contact::Reservation};
use centro_proto::events as pb;
use centro_routing_core::{Boost, Event};
use std::time::Duration;

/// The public event for what happened in a tenant.
pub fn publish(
    tenant: TenantId,
    now: Timestamp,
    event: &Event,
    directory: &Directory,
) -> Published {
    let tenant = Some(tenant);
    match event {
        Event::ContactQueued {
            contact,
            queue,
            kind,
            caller,
            enqueued_at,
            priority,
            position,
        } => {
            let data = pb::ContactQueued {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                caller: party(caller),
                dialled: caller.dialled.clone(),
                enqueue_time: Some(time(*enqueued_at)),
                priority: *priority,
                position: *position,
                kind: kind_out(*kind).into(),
            };
            Published::new(tenant, "routing.contact.queued", contact, now, &data)
        }
        Event::ContactReprioritised {
            contact,
            queue,
            priority,
            position,
        } => {
            let data = pb::ContactReprioritised {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                priority: *priority,
                position: *position,
            };
            Published::new(tenant, "routing.contact.reprioritised", contact, now, &data)
        }
        Event::ContactBoosted {
            contact,
            queue,
            why,
        } => {
            let cause = match why {
                Boost::Waited => pb::contact_boosted::Cause::Waited,
                Boost::Overtaken => pb::contact_boosted::Cause::Overtaken,
            };
            let data = pb::ContactBoosted {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                cause: cause.into(),
            };
            Published::new(tenant, "routing.contact.boosted", contact, now, &data)
        }
        Event::NeedsRelaxed {
            contact,
            queue,
            step,
        } => {
            let data = pb::NeedsRelaxed {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                step: (*step).into(),
            };
            Published::new(tenant, "routing.contact.needs_relaxed", contact, now, &data)
        }
        Event::ContactOffered {
            contact,
            queue,
            reservation,
            decision,
        } => {
            let (contact_id, queue_id, agent_id, reservation) = ids(*contact, *queue, *reservation);
            let data = pb::ContactOffered {
                contact_id,
                queue_id,
                agent_id,
                reservation,
                decision: Some(reasons::decision_out(decision, directory)),
            };
            Published::new(tenant, "routing.contact.offered", contact, now, &data)
        }
        Event::BidsCompared {
            reservation,
            queue,
            bids,
        } => {
            let data = pb::BidsCompared {
                agent_id: reservation.agent.to_string(),
                reservation: reservation.number,
                queue_id: queue.to_string(),
                bids: bids.iter().map(reasons::bid_out).collect(),
            };
            let agent = reservation.agent;
            Published::new(tenant, "routing.agent.bids_compared", agent, now, &data)
        }
        Event::OfferEnded {
            contact,
            queue,
            reservation,
            why,
            ring,
        } => {
            let (contact_id, queue_id, agent_id, reservation) = ids(*contact, *queue, *reservation);
            let (why, ring_ms) = (offer_end_out(*why).into(), millis(*ring));
            let data = pb::OfferEnded {
                contact_id,
                queue_id,
                agent_id,
                reservation,
                why,
                ring_ms,
            };
            Published::new(tenant, "routing.contact.offer_ended", contact, now, &data)
        }
        Event::ContactConnected {
            contact,
            queue,
            reservation,
        } => {
            let (contact_id, queue_id, agent_id, reservation) = ids(*contact, *queue, *reservation);
            let data = pb::ContactConnected {
                contact_id,
                queue_id,
                agent_id,
                reservation,
            };
            Published::new(tenant, "routing.contact.connected", contact, now, &data)
        }
        Event::ContactLeft {
            contact,
            queue,
            agent,
            reason,
            enqueued_at,
            wait,
        } => {
            let data = pb::ContactLeft {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                agent_id: agent.map(|a| a.to_string()).unwrap_or_default(),
                outcome: outcome_out(reason.outcome()).into(),
                reason: left_reason_out(*reason).into(),
                enqueue_time: Some(time(*enqueued_at)),
                wait_ms: millis(*wait),
            };
            Published::new(tenant, "routing.contact.left", contact, now, &data)
        }
        Event::WrapUpEnded {
            contact,
            queue,
            agent,
            wrap_up,
        } => {
            let data = pb::WrapUpEnded {
                contact_id: contact.to_string(),
                queue_id: queue.to_string(),
                agent_id: agent.to_string(),
                wrap_up_ms: millis(*wrap_up),
            };
            Published::new(tenant, "routing.contact.wrap_up_ended", contact, now, &data)
        }
        Event::AgentStateChanged { view, previous } => {
            let (chosen, pause_reason) = chosen_out(&view.chosen);
            let data = pb::AgentStateChanged {
                agent_id: view.agent.to_string(),
                state: state_out(view.state).into(),
                since: Some(time(view.since)),
                chosen: chosen.into(),
                pause_reason,
                device_id: view.device.map(|d| d.to_string()).unwrap_or_default(),
                device_online: view.device_online,
                queue_ids: view.queues().map(|q| q.to_string()).collect(),
                contact_id: view.contact.map(|c| c.to_string()).unwrap_or_default(),
                contact_queue_id: view
                    .contact_queue
                    .map(|q| q.to_string())
                    .unwrap_or_default(),
                previous_state: state_out(*previous).into(),
            };
            Published::new(
                tenant,
                "routing.agent.state_changed",
                view.agent,
                now,
                &data,
            )
        }
    }
}

fn ids(
    contact: ContactId,
    queue: QueueId,
    reservation: Reservation,
) -> (String, String, String, u64) {
    (
        contact.to_string(),
        queue.to_string(),
        reservation.agent.to_string(),
        reservation.number,
    )
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
