//! What routing published, written into the log.

use super::{log::Fact, stage::Stage};
use crate::wire;
use centro_bus::{Event, EventBus, Seen};
use centro_kernel::{ContactId, QueueId, UserId};
use centro_proto::{events as pb, types::AgentState};
use std::{sync::Arc, time::Duration};

/// Begins to write.
///
/// # Errors
/// The bus is closed.
pub async fn begin(stage: &Arc<Stage>) -> anyhow::Result<()> {
    let mut watch = stage.bus.watch(&["*.routing.#"]).await?;
    let stage = stage.clone();
    tokio::spawn(async move {
        while let Some(seen) = watch.next().await {
            match seen {
                Seen::Event(event) => {
                    if let Some(incident) = event.decode::<pb::InvariantBroken>() {
                        stage.saw_broken(incident);
                    } else if let Some(fact) = fact(&stage, &event) {
                        stage.saw(fact);
                    }
                }
                Seen::Lagged(lost) => {
                    stage.saw(Fact::Told(format!("{lost} events were lost")));
                }
            }
        }
    });
    Ok(())
}

fn fact(stage: &Stage, event: &Event) -> Option<Fact> {
    let caller = |id: &str| Some(stage.cast.caller(id.parse::<ContactId>().ok()?));
    let queue = |id: &str| Some(stage.cast.queue(id.parse::<QueueId>().ok()?));
    let agent = |id: &str| Some(stage.cast.agent(id.parse::<UserId>().ok()?));
    if let Some(e) = event.decode::<pb::ContactQueued>() {
        return Some(Fact::Queued {
            caller: caller(&e.contact_id)?,
            queue: queue(&e.queue_id)?,
            place: e.position,
        });
    }
    if let Some(e) = event.decode::<pb::ContactReprioritised>() {
        return Some(Fact::Reprioritised {
            caller: caller(&e.contact_id)?,
            priority: e.priority,
            place: e.position,
        });
    }
    if let Some(e) = event.decode::<pb::ContactBoosted>() {
        let caller = caller(&e.contact_id)?;
        return Some(Fact::Boosted { caller });
    }
    if let Some(e) = event.decode::<pb::NeedsRelaxed>() {
        let caller = caller(&e.contact_id)?;
        return Some(Fact::Relaxed {
            caller,
            step: e.step,
        });
    }
    if let Some(e) = event.decode::<pb::ContactOffered>() {
        return Some(Fact::Offered {
            caller: caller(&e.contact_id)?,
            queue: queue(&e.queue_id)?,
            agent: agent(&e.agent_id)?,
        });
    }
    if let Some(e) = event.decode::<pb::OfferEnded>() {
        return Some(Fact::OfferEnded {
            caller: caller(&e.contact_id)?,
            agent: agent(&e.agent_id)?,
            why: wire::offer_end(e.why()),
        });
    }
    if let Some(e) = event.decode::<pb::ContactLeft>() {
        return Some(Fact::Left {
            caller: caller(&e.contact_id)?,
            queue: queue(&e.queue_id)?,
            reason: wire::left_reason(e.reason())?,
            wait: Duration::from_millis(e.wait_ms),
        });
    }
    if let Some(e) = event.decode::<pb::WrapUpEnded>() {
        return Some(Fact::WrapUpEnded {
            agent: agent(&e.agent_id)?,
            caller: caller(&e.contact_id)?,
            took: Duration::from_millis(e.wrap_up_ms),
        });
    }
    let e = event.decode::<pb::AgentStateChanged>()?;
    let mut queues: Vec<_> = e.queue_ids.iter().filter_map(|id| queue(id)).collect();
    queues.sort_unstable();
    Some(Fact::State {
        agent: agent(&e.agent_id)?,
        state: state(e.state(), &e.pause_reason),
        queues,
        phone: e.device_online,
    })
}

fn state(state: AgentState, reason: &str) -> String {
    match state {
        AgentState::Unspecified | AgentState::LoggedOut => "logged_out",
        AgentState::Ready => "ready",
        AgentState::Reserved => "reserved",
        AgentState::Alerting => "alerting",
        AgentState::Connected => "connected",
        AgentState::WrapUp => "wrap_up",
        AgentState::Paused if reason.is_empty() => "paused",
        AgentState::Paused => return format!("paused({reason})"),
        AgentState::NotResponding => "not_responding",
    }
    .to_owned()
}
