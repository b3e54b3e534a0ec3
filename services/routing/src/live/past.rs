//! What happened before this process started, from the events that analytics keeps.

use super::{Zone, figures::Counted};
use crate::{
    router::Router,
    wire::{self, instant},
};
use centro_kernel::{Timestamp, contact::Reservation};
use centro_node::Role;
use centro_proto::{
    analytics::{JournalEvent, ReplayRequest, journal_client::JournalClient},
    events as pb, types,
};
use centro_routing_core::{AgentRecord, Chosen, Event, State, View};
use prost::Message;
use std::{str::FromStr, sync::Arc, time::Duration};
use tonic::Status;

/// How long to wait before asking again: from the first, doubling up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// A stream that says nothing for so long is broken.
const SILENCE: Duration = Duration::from_secs(30);

/// Puts the past, which ends at `started`, before what this process counts. Ends when it is there, or is not wanted any more.
pub(crate) async fn recall(router: Arc<Router>, started: Timestamp) {
    let figures = &router.live.figures;
    let mut pause = RETRY.0;
    while figures.awaits_past(started) {
        match read(&router, started).await {
            Ok(past) => return figures.put_before(started, past),
            Err(status) => tracing::debug!(%status, "waiting for the day's events"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY.1);
    }
}

async fn read(router: &Router, until: Timestamp) -> Result<Counted, Status> {
    if !router.directory.is_loaded() {
        return Err(Status::unavailable(
            "the tenants' time zones are not known yet",
        ));
    }
    let mut client = JournalClient::new(router.node.conn(Role::Analytics));
    let request = ReplayRequest {
        from: None,
        to: Some(wire::time(until)),
    };
    let mut answers = client.replay(request).await?.into_inner();
    let mut past = None;
    loop {
        let next = tokio::time::timeout(SILENCE, answers.message()).await;
        let next = next.map_err(|_| Status::deadline_exceeded("the stream is silent"))??;
        let Some(page) = next else {
            return past.ok_or_else(|| Status::internal("it does not say how far back it goes"));
        };
        if let Some(since) = &page.complete_since {
            past = Some(Counted::new(instant(since).min(until)));
        }
        if let Some(past) = &mut past {
            for kept in &page.events {
                match told(router, kept) {
                    Some((zone, at, event)) => past.count(zone.day_start(at), at, &event),
                    None => tracing::warn!(kind = kept.kind, "a kept event cannot be read"),
                }
            }
        }
    }
}

/// The event, and where its tenant lives.
fn told(router: &Router, kept: &JournalEvent) -> Option<(Zone, Timestamp, Event)> {
    let zone = router.directory.zone(id(&kept.tenant_id)?);
    let (at, event) = event(kept)?;
    Some((zone, at, event))
}

/// The event as this service told it.
fn event(kept: &JournalEvent) -> Option<(Timestamp, Event)> {
    let at = instant(kept.time.as_ref()?);
    let data = kept.data.as_slice();
    let event = match kept.kind.as_str() {
        "routing.contact.queued" => {
            let e = pb::ContactQueued::decode(data).ok()?;
            Event::ContactQueued {
                contact: id(&e.contact_id)?,
                queue: id(&e.queue_id)?,
                kind: wire::kind(e.kind()),
                caller: Arc::default(),
                enqueued_at: instant(e.enqueue_time.as_ref()?),
                priority: e.priority,
                position: e.position,
            }
        }
        "routing.contact.offer_ended" => {
            let e = pb::OfferEnded::decode(data).ok()?;
            Event::OfferEnded {
                contact: id(&e.contact_id)?,
                queue: id(&e.queue_id)?,
                reservation: reservation(&e.agent_id, e.reservation)?,
                why: wire::offer_end(e.why()),
                ring: Duration::from_millis(e.ring_ms),
            }
        }
        "routing.contact.connected" => {
            let e = pb::ContactConnected::decode(data).ok()?;
            Event::ContactConnected {
                contact: id(&e.contact_id)?,
                queue: id(&e.queue_id)?,
                reservation: reservation(&e.agent_id, e.reservation)?,
            }
        }
        "routing.contact.left" => {
            let e = pb::ContactLeft::decode(data).ok()?;
            Event::ContactLeft {
                contact: id(&e.contact_id)?,
                queue: id(&e.queue_id)?,
                agent: id(&e.agent_id),
                reason: wire::left_reason(e.reason())?,
                enqueued_at: instant(e.enqueue_time.as_ref()?),
                wait: Duration::from_millis(e.wait_ms),
            }
        }
        "routing.contact.wrap_up_ended" => {
            let e = pb::WrapUpEnded::decode(data).ok()?;
            Event::WrapUpEnded {
                contact: id(&e.contact_id)?,
                queue: id(&e.queue_id)?,
                agent: id(&e.agent_id)?,
                wrap_up: Duration::from_millis(e.wrap_up_ms),
            }
        }
        "routing.agent.state_changed" => {
            let e = pb::AgentStateChanged::decode(data).ok()?;
            Event::AgentStateChanged {
                previous: state(e.previous_state())?,
                view: view(&e, at)?,
            }
        }
        _ => return None,
    };
    Some((at, event))
}

/// The agent as far as figures look.
fn view(e: &pb::AgentStateChanged, at: Timestamp) -> Option<View> {
    let record = AgentRecord::new(id(&e.agent_id)?, at);
    Some(View {
        state: state(e.state())?,
        since: e.since.as_ref().map_or(at, instant),
        chosen: match e.chosen() {
            types::AgentState::Paused => Chosen::Paused(e.pause_reason.clone()),
            types::AgentState::LoggedOut => Chosen::LoggedOut,
            _ => Chosen::Ready,
        },
        device_online: e.device_online,
        ..record.shown
    })
}

fn state(state: types::AgentState) -> Option<State> {
    Some(match state {
        types::AgentState::Unspecified => return None,
        types::AgentState::LoggedOut => State::LoggedOut,
        types::AgentState::Ready => State::Ready,
        types::AgentState::Reserved => State::Reserved,
        types::AgentState::Alerting => State::Alerting,
        types::AgentState::Connected => State::Connected,
        types::AgentState::WrapUp => State::WrapUp,
        types::AgentState::Paused => State::Paused,
        types::AgentState::NotResponding => State::NotResponding,
    })
}

fn id<I: FromStr>(text: &str) -> Option<I> {
    text.parse().ok()
}

fn reservation(agent: &str, number: u64) -> Option<Reservation> {
    Some(Reservation {
        agent: id(agent)?,
        number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{directory::Directory, live::Figures, notify};
    use centro_kernel::{
        ContactId, QueueId, TenantId, UserId,
        contact::{LeftReason, OfferEnd},
    };
    use centro_routing_core::figures::{Rules, Serving};

    const QUEUE: QueueId = QueueId::from_u128(1);
    const AGENT: UserId = UserId::from_u128(2);
    const RESERVATION: Reservation = Reservation {
        agent: AGENT,
        number: 7,
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn shows(state: State, before: State, since: i64) -> Event {
        Event::AgentStateChanged {
            view: View {
                state,
                since: at(since),
                device_online: true,
                chosen: if state == State::Paused {
                    Chosen::Paused("lunch".into())
                } else {
                    Chosen::Ready
                },
                ..AgentRecord::new(AGENT, at(since)).shown
            },
            previous: before,
        }
    }

    /// A morning: one is answered and done with, one gives up, one still waits, and the agent goes to lunch.
    fn morning() -> Vec<(i64, Event)> {
        let queued = |n: u128, ms| Event::ContactQueued {
            contact: ContactId::from_u128(n),
            queue: QUEUE,
            kind: Default::default(),
            caller: Arc::default(),
            enqueued_at: at(ms),
            priority: 0,
            position: 1,
        };
        let left = |n: u128, reason, from, ms| Event::ContactLeft {
            contact: ContactId::from_u128(n),
            queue: QUEUE,
            agent: (reason == LeftReason::Answered).then_some(AGENT),
            reason,
            enqueued_at: at(from),
            wait: at(ms).since(at(from)),
        };
        let (contact, queue, reservation) = (ContactId::from_u128(1), QUEUE, RESERVATION);
        let rang = Duration::from_millis(400);
        let wrap_up = Duration::from_millis(500);
        vec![
            (1_000, shows(State::Ready, State::LoggedOut, 1_000)),
            (2_000, queued(1, 2_000)),
            (2_100, shows(State::Alerting, State::Ready, 2_100)),
            (2_200, queued(2, 2_200)),
            (
                2_500,
                Event::OfferEnded {
                    contact,
                    queue,
                    reservation,
                    why: OfferEnd::Answered,
                    ring: rang,
                },
            ),
            (
                2_500,
                Event::ContactConnected {
                    contact,
                    queue,
                    reservation,
                },
            ),
            (2_500, shows(State::Connected, State::Alerting, 2_500)),
            (2_501, left(1, LeftReason::Answered, 2_000, 2_501)),
            (3_000, left(2, LeftReason::Abandoned, 2_200, 3_000)),
            (9_000, shows(State::WrapUp, State::Connected, 9_000)),
            (
                9_500,
                Event::WrapUpEnded {
                    contact,
                    queue,
                    agent: AGENT,
                    wrap_up,
                },
            ),
            (9_500, shows(State::Paused, State::WrapUp, 9_500)),
            (9_800, queued(3, 9_800)),
        ]
    }

    fn all(figures: &Figures) -> impl PartialEq + std::fmt::Debug + use<> {
        let (rules, serving) = (Rules::default(), Serving { agents: 1, free: 0 });
        let (zone, now) = (Zone::default(), at(20_000));
        let queue = figures.queue(&zone, now, QUEUE, rules, 1, serving);
        (queue, figures.agent(&zone, now, AGENT))
    }

    /// As analytics keeps it: by way of the public event.
    fn kept((ms, told): (i64, Event)) -> JournalEvent {
        let tenant = TenantId::from_u128(9);
        let told = notify::publish(tenant, at(ms), &told, &Directory::default());
        JournalEvent {
            tenant_id: tenant.to_string(),
            kind: told.kind.clone(),
            time: Some(wire::time(told.time)),
            data: told.data.to_vec(),
        }
    }

    /// Wherever the process is cut, the figures are those of a process that was never away.
    #[test]
    fn the_past_and_what_happened_meanwhile_make_the_same_day() {
        let whole = Figures::new(at(500));
        for (ms, event) in morning() {
            whole.happened(&Zone::default(), at(ms), &[event]);
        }
        for cut in 0..=morning().len() {
            let started = morning().get(cut).map_or(9_900, |(ms, _)| *ms);
            let figures = Figures::new(at(started));
            assert_eq!(figures.await_past(), at(started));
            let mut past = Counted::new(at(500));
            for (n, told) in morning().into_iter().enumerate() {
                if n < cut {
                    let (ms, event) = event(&kept(told)).expect("figures are made of it");
                    past.count(Zone::default().day_start(ms), ms, &event);
                } else {
                    figures.happened(&Zone::default(), at(told.0), &[told.1]);
                }
            }
            figures.put_before(at(started), past);
            assert_eq!(all(&figures), all(&whole), "cut before {cut}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_event() {
        for (told, spoilt) in morning().into_iter().map(kept).map(|k| (k.clone(), k)) {
            assert!(event(&told).is_some());
            let other = JournalEvent {
                kind: "routing.contact.boosted".into(),
                ..spoilt.clone()
            };
            assert_eq!(event(&other), None);
            let cut = JournalEvent {
                data: vec![0xff],
                ..spoilt.clone()
            };
            assert_eq!(event(&cut), None);
            assert_eq!(
                event(&JournalEvent {
                    time: None,
                    ..spoilt
                }),
                None
            );
        }
    }

    /// A second gap while the first is read: what is read for the first does not reach far enough.
    #[test]
    fn only_the_past_up_to_the_last_gap_is_put_before() {
        let figures = Figures::new(at(100));
        let first = figures.begin_again(at(1_000));
        let second = figures.begin_again(at(1_000));
        assert!(second > first);
        figures.put_before(first, Counted::new(at(1)));
        assert!(figures.awaits_past(second) && !figures.awaits_past(first));
        figures.put_before(second, Counted::new(at(2)));
        assert!(!figures.awaits_past(second));
    }

    /// Until the past is there the day begins with the process, and says so; it is not put twice.
    #[test]
    fn without_the_past_the_figures_say_since_when_they_count() {
        let since = |f: &Figures| {
            f.queue(
                &Zone::default(),
                at(20_000),
                QUEUE,
                Rules::default(),
                1,
                Serving::default(),
            )
            .0
            .day_start
        };
        let figures = Figures::new(at(3_500));
        figures.await_past();
        assert_eq!(since(&figures), at(3_500));
        figures.put_before(at(3_500), Counted::new(at(500)));
        let awaits = figures.awaits_past(at(3_500));
        assert_eq!((since(&figures), awaits), (at(500), false));
        figures.put_before(at(3_500), Counted::new(at(100)));
        assert_eq!(since(&figures), at(500), "nobody awaits it");
    }
}
