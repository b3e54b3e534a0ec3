//! A call in a queue: what the edge of the routing protocol asks for, music, place in line.

use crate::{
    call::{
        actor::{Call, Stage},
        wait::{self, Place, WaitStream},
    },
    core::dialplan::{Outcome, duration},
    grpc::timestamp,
};
use centro_edge::{Command, Effect, Phase};
use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use centro_proto::{
    configuration::CallQueue,
    routing::{AlertRequest, Attach, Exclusion},
    types::{ContactKind, EndedBy},
};
use std::{collections::BTreeMap, time::Duration};

/// What the losers of an offer are told (RFC 3326, RFC 3261 §9.1).
pub(super) const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// The streams to queues, and what opened them: a `Left` that was lost with its stream needs a new one.
#[derive(Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, (QueueId, WaitStream)>,
    attaches: BTreeMap<u32, (QueueId, Attach)>,
    failures: u32,
}

impl Streams {
    /// Grows with each attempt that failed, up to 2 s.
    fn pause(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            n => Duration::from_millis(50 << n.min(6)).min(Duration::from_secs(2)),
        }
    }

    fn forget(&mut self, queue: QueueId, up_to: u32) {
        self.open.retain(|no, (q, _)| *q != queue || *no > up_to);
        self.attaches
            .retain(|no, (q, _)| *q != queue || *no > up_to);
    }
}

impl Call {
    pub(super) async fn enter_queue(&mut self, queue: QueueId, timeout: Option<Duration>) {
        if !self.answer() {
            return;
        }
        let known = self
            .context
            .directory
            .read()
            .queue(queue)
            .filter(|q| q.tenant == self.tenant);
        let Some(known) = known else {
            tracing::warn!(%queue, "a dial plan leads to a queue that does not exist");
            self.stage = Stage::Queued { until: None };
            return self.leave_node(Outcome::Full).await;
        };
        let now = self.now();
        self.stage = Stage::Queued {
            until: timeout.map(|t| now + t),
        };
        self.wait_in(queue, &known.queue);
        self.music();
        self.drive(Command::Arrive(queue)).await;
    }

    /// Waits by this queue's settings: its language, its announcements, its delays.
    fn wait_in(&mut self, queue: QueueId, settings: &CallQueue) {
        self.queue = Some(queue);
        self.language = if settings.language.is_empty() {
            "en".to_owned()
        } else {
            settings.language.clone()
        };
        let delay = settings.reject_delay.as_ref().and_then(duration);
        self.edge.set_reject_delay(delay.unwrap_or_default());
        let every = settings.announce_position_every.as_ref();
        self.announce_at = every.and_then(duration).map(|every| self.now() + every);
    }

    /// Tells the edge and does what it asks.
    pub(super) async fn drive(&mut self, command: Command) {
        if let Command::LeftOk { queue, attach_no } = command {
            self.streams.forget(queue, attach_no);
        }
        if let Command::Attached { .. } = command {
            self.streams.failures = 0;
        }
        let now = self.now();
        let effects = self.edge.handle(now, command);
        *self.ledger.lock() = self.edge.bonds();
        for effect in effects {
            self.effect(now, effect).await;
        }
    }

    async fn effect(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Attach {
                queue,
                attach_no,
                enqueued_at,
                excluded,
                holding,
            } => {
                self.attach(queue, attach_no, enqueued_at, excluded, holding);
            }
            Effect::OfferEnded {
                attach_no,
                reservation,
                exclude_for,
                why,
                ..
            } => {
                if let Some((_, stream)) = self.streams.open.get(&attach_no) {
                    stream.offer_ended(reservation, exclude_for, why);
                }
            }
            Effect::Left {
                queue,
                attach_no,
                reason,
                agent,
            } => {
                self.reopen(queue, attach_no);
                if let Some((_, stream)) = self.streams.open.get(&attach_no) {
                    stream.left(reason, agent);
                }
            }
            Effect::Alert(reservation) => self.alert(now, reservation),
            Effect::Connect(reservation) => self.asker.connect(reservation),
            Effect::End { reservation, why } => self.asker.end(reservation, why),
            Effect::Ring(reservation) => Box::pin(self.ring_agent(reservation)).await,
            Effect::Stop { reservation, why } => {
                let reason = (why == OfferEnd::Elsewhere).then_some(ELSEWHERE);
                self.stop_parties(Some(reservation), reason);
                self.devices.remove(&reservation);
                self.briefings.remove(&reservation);
                if why == OfferEnd::Answered && self.talk_is_with(reservation) {
                    self.unbridge();
                }
            }
            Effect::Brief(reservation) => Box::pin(self.brief_agent(reservation)).await,
            Effect::Bridge(reservation) => self.bridge_agent(reservation),
            Effect::Out(reason) => Box::pin(self.out(reason)).await,
        }
    }

    fn alert(&self, now: Timestamp, reservation: Reservation) {
        // What is left of the offer, so that the agent's record waits as long as this phone may ring and be briefed.
        let alerts_until = self.edge.alert_until(reservation);
        let ring_for = alerts_until.map(|due| due.since(now)).unwrap_or_default();
        let request = AlertRequest {
            tenant_id: self.tenant.to_string(),
            reservation: Some(wait::to_proto(reservation)),
            contact_id: self.contact.to_string(),
            edge: self.context.node.clone(),
            queue_id: self.queue.map(|q| q.to_string()).unwrap_or_default(),
            caller: Some(self.caller.clone()),
            ring_timeout: Some(wait::proto_duration(ring_for)),
            edge_epoch: 0, // a call has one owner for life
        };
        self.asker.alert(reservation, request);
    }

    fn attach(
        &mut self,
        queue: QueueId,
        attach_no: u32,
        enqueued_at: Timestamp,
        excluded: Vec<(UserId, Duration)>,
        holding: Vec<Reservation>,
    ) {
        if self.streams.open.contains_key(&attach_no) {
            return; // open or opening: the queue will answer on it
        }
        if self.queue != Some(queue) {
            // A person moved the call; the time-out of the dial plan's node goes on.
            let known = self.context.directory.read().queue(queue);
            if let Some(known) = known.filter(|q| q.tenant == self.tenant) {
                self.wait_in(queue, &known.queue);
            }
        }
        let attach = Attach {
            tenant_id: self.tenant.to_string(),
            queue_id: queue.to_string(),
            contact_id: self.contact.to_string(),
            attach_no,
            enqueue_time: Some(timestamp(enqueued_at)),
            priority: 0,
            excluded: excluded
                .into_iter()
                .map(|(agent, left)| Exclusion {
                    agent_id: agent.to_string(),
                    remaining: Some(wait::proto_duration(left)),
                })
                .collect(),
            holding: holding.into_iter().map(wait::to_proto).collect(),
            edge: self.context.node.clone(),
            caller: Some(self.caller.clone()),
            dialled: self.dialled.clone(),
            // What the caller needs is said by a node of the dial plan that there is not yet.
            needs: None,
            kind: ContactKind::Call.into(),
        };
        self.streams.attaches.retain(|no, _| *no + 8 > attach_no);
        self.streams.attaches.insert(attach_no, (queue, attach));
        self.reopen(queue, attach_no);
    }

    /// Opens the stream of an attachment unless it is open.
    fn reopen(&mut self, queue: QueueId, attach_no: u32) {
        if self.streams.open.contains_key(&attach_no) {
            return;
        }
        let Some((_, attach)) = self.streams.attaches.get(&attach_no) else {
            return;
        };
        let pause = self.streams.pause();
        let stream = wait::open(
            &self.context,
            queue,
            attach.clone(),
            pause,
            self.mailbox.clone(),
        );
        self.streams.open.insert(stream.attach_no, (queue, stream));
    }

    pub(super) async fn on_stream_lost(&mut self, queue: QueueId, attach_no: u32, opened: bool) {
        if self.streams.open.remove(&attach_no).is_none() {
            return; // closed by us
        }
        self.streams.failures = if opened {
            1
        } else {
            self.streams.failures.saturating_add(1)
        };
        if self.edge.phase() == Phase::Waiting {
            self.drive(Command::QueueLost { queue, attach_no }).await;
        }
    }

    /// In no queue any more and not answered.
    async fn out(&mut self, reason: LeftReason) {
        self.announce_at = None;
        let Some(outcome) = Outcome::after_queue(reason) else {
            return self.close(EndedBy::Caller);
        };
        self.leave_node(outcome).await;
    }

    pub(super) fn music(&self) {
        if let Some(sound) = &self.sound {
            sound.play_music();
        }
    }

    /// Asks for the place in line, to say it.
    pub(super) fn announce(&mut self) {
        let queue = self
            .queue
            .and_then(|q| self.context.directory.read().queue(q));
        let every = queue.and_then(|q| q.queue.announce_position_every.as_ref().and_then(duration));
        self.announce_at = every.map(|every| self.now() + every.max(Duration::from_secs(5)));
        if let Some((_, stream)) = self.streams.open.get(&self.edge.attach_no()) {
            stream.ask_position();
        }
    }

    /// Says the place in line; music follows when it was said.
    pub(super) fn say_place(&self, place: Place) {
        if let (Stage::Queued { .. }, Some(sound)) = (&self.stage, &self.sound) {
            sound.play_position(place.position, &self.language);
        }
    }
}
