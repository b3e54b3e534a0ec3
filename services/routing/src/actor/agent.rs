//! One agent's actor.

use super::wakeup::{self, WakeUp, Wakes};
use crate::{
    metrics::{self, DEPOSED},
    notify,
    router::Router,
    store::{Changes, Commit, StoreError},
};
use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture,
};
use centro_cluster::Epoch;
use centro_kernel::{Code, ContactId, Fault, TenantId, Timestamp, UserId, contact::Reservation};
use centro_node::Role;
use centro_proto::telephony::{CancelOfferRequest, call_edge_client::CallEdgeClient};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentOut, AgentRecord, Answer, SlotPhase, State, View,
};
use futures::FutureExt;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{sync::oneshot, task::AbortHandle};

/// How often an unanswered request to an edge is repeated.
const REPEAT: Duration = Duration::from_millis(500);

/// Where an answer goes.
type Reply = oneshot::Sender<Result<(Answer, View), Fault>>;

/// A message of the protocol.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TellAgent(pub AgentMessage);

/// A request that waits for the record's word.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskAgent {
    /// Whose agent it must be.
    pub tenant: TenantId,
    /// What is asked.
    pub message: AgentMessage,
    /// Asked by somebody who manages agents.
    pub supervisor: bool,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Owns one agent.
pub struct AgentActor {
    router: Arc<Router>,
    tenant: TenantId,
    epoch: Epoch,
    core: Agent,
    /// Rings that are being taken back.
    cancels: HashMap<u64, AbortHandle>,
    wake_up: WakeUp,
}

impl AgentActor {
    /// The actor, before its record is loaded.
    pub fn new(router: Arc<Router>, tenant: TenantId, agent: UserId, epoch: Epoch) -> Self {
        let now = router.now();
        let (core, _) = Agent::recover(AgentRecord::new(agent, now), &router.deadlines, now);
        Self {
            router,
            tenant,
            epoch,
            core,
            cancels: HashMap::new(),
            wake_up: WakeUp::default(),
        }
    }

    /// Decides, commits, and carries out. False when the store takes its time; nothing else is handled meanwhile.
    fn step(
        &mut self,
        ctx: &mut Context<Self>,
        message: AgentMessage,
        reply: Option<Reply>,
    ) -> bool {
        let now = self.router.now();
        let mut out = self.core.handle(&self.router.deadlines, now, message);
        if !out.fence {
            self.carry_out(out, reply);
            return true;
        }
        let events = std::mem::take(&mut out.events);
        let events = events
            .into_iter()
            .map(|e| notify::publish(self.tenant, now, e))
            .collect();
        let agent = self.core.record().id;
        let changes = Changes::Agent(agent, out.changes.pop().map(Box::new));
        let mut commit = self.router.store.commit(Commit {
            epoch: self.epoch,
            changes,
            events,
        });
        match (&mut commit).now_or_never() {
            Some(result) => self.committed(ctx, result, out, reply),
            None => {
                ctx.wait(
                    commit
                        .into_actor(self)
                        .map(move |result, actor: &mut Self, ctx| {
                            if actor.committed(ctx, result, out, reply) {
                                actor.rearm(ctx);
                            }
                        }),
                );
                false
            }
        }
    }

    fn committed(
        &mut self,
        ctx: &mut Context<Self>,
        result: Result<(), StoreError>,
        out: AgentOut,
        reply: Option<Reply>,
    ) -> bool {
        if result.is_err() {
            self.stop(ctx);
            return false;
        }
        self.router
            .live
            .agent_changed(self.tenant, self.core.view().clone());
        self.carry_out(out, reply);
        true
    }

    fn carry_out(&mut self, out: AgentOut, reply: Option<Reply>) {
        for effect in out.send {
            match effect {
                AgentEffect::Queue(queue, message) => {
                    self.router.tell_queue(self.tenant, queue, message)
                }
                AgentEffect::CancelOffer {
                    reservation,
                    contact,
                    ..
                } => {
                    self.cancel(reservation, contact);
                }
            }
        }
        if !self.cancels.is_empty() {
            let record = self.core.record();
            self.cancels.retain(|number, task| {
                let rings = record
                    .slot(*number)
                    .is_some_and(|s| s.phase == SlotPhase::Revoked);
                if !rings {
                    task.abort();
                }
                rings
            });
        }
        if let (Some(reply), Some(answer)) = (reply, out.answer) {
            let _ = reply.send(Ok((answer, self.core.view().clone())));
        }
    }

    /// Tells the edge to stop ringing, until it has answered or the slot is gone.
    fn cancel(&mut self, reservation: Reservation, contact: ContactId) {
        let mut client = CallEdgeClient::new(self.router.node.conn(Role::Telephony));
        let request = CancelOfferRequest {
            tenant_id: self.tenant.to_string(),
            contact_id: contact.to_string(),
            agent_id: reservation.agent.to_string(),
            number: reservation.number,
        };
        let task = tokio::spawn(async move {
            while let Err(status) = client.cancel_offer(request.clone()).await {
                tracing::debug!(%status, %reservation, "the edge has not stopped ringing yet");
                tokio::time::sleep(REPEAT).await;
            }
        });
        self.cancels.insert(reservation.number, task.abort_handle());
    }

    fn stop(&self, ctx: &mut Context<Self>) {
        metrics::count(&DEPOSED);
        let agent = self.core.record().id;
        tracing::warn!(%agent, "stopped: the agent has another owner, or the store is away");
        ctx.stop();
    }

    fn rearm(&mut self, ctx: &mut Context<Self>) {
        let due = self.core.next_due().map(|(due, _)| due);
        wakeup::arm(self, ctx, self.router.now(), due);
    }

    /// Whether somebody who does not manage agents may end this wrap-up (spec D6, P10).
    fn may_end_wrap_up(&self) -> bool {
        let view = self.core.view();
        view.state != State::WrapUp
            || view
                .contact_queue
                .and_then(|queue| self.router.directory.queue(queue))
                .is_some_and(|queue| queue.agent_may_end_wrap_up)
    }
}

impl Actor for AgentActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let load = self.router.store.load_agent(self.core.record().id);
        ctx.wait(
            load.into_actor(self)
                .map(|record, actor, ctx| match record {
                    Ok(Some(record)) => {
                        let (core, out) =
                            Agent::recover(record, &actor.router.deadlines, actor.router.now());
                        actor.core = core;
                        actor.carry_out(out, None);
                        let reservations = actor.core.record().slots.clone();
                        for slot in reservations
                            .iter()
                            .filter(|s| s.phase == SlotPhase::Revoked)
                        {
                            if let Some(contact) = slot.contact {
                                actor.cancel(actor.core.record().reservation(slot.number), contact);
                            }
                        }
                        actor.rearm(ctx);
                    }
                    Ok(None) => {}
                    Err(_) => actor.stop(ctx),
                }),
        );
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        for (_, task) in self.cancels.drain() {
            task.abort();
        }
    }
}

impl Wakes for AgentActor {
    fn wake(&mut self, ctx: &mut Context<Self>) {
        loop {
            let now: Timestamp = self.router.now();
            let Some((_, timer)) = self.core.next_due().filter(|(due, _)| *due <= now) else {
                break;
            };
            if !self.step(ctx, AgentMessage::Timer(timer), None) {
                return;
            }
        }
        self.rearm(ctx);
    }

    fn wake_up(&mut self) -> &mut WakeUp {
        &mut self.wake_up
    }
}

impl Handler<TellAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, TellAgent(message): TellAgent, ctx: &mut Self::Context) {
        if self.step(ctx, message, None) {
            self.rearm(ctx);
        }
    }
}

impl Handler<AskAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, ask: AskAgent, ctx: &mut Self::Context) {
        let AskAgent {
            tenant,
            mut message,
            supervisor,
            reply,
        } = ask;
        if tenant != self.tenant {
            let _ = reply.send(Err(Fault::not_found("agent", self.core.record().id)));
            return;
        }
        match &mut message {
            // Read here and not by the asker: a registration that comes meanwhile is behind us in the mailbox.
            AgentMessage::LogIn {
                device,
                device_online,
                ..
            } => {
                *device_online = self.router.directory.is_online(*device);
            }
            AgentMessage::EndWrapUp if !supervisor && !self.may_end_wrap_up() => {
                let text = "this queue does not let agents end their wrap-up early";
                let _ = reply.send(Err(Fault::new(
                    Code::Forbidden,
                    "wrap_up_not_endable",
                    text,
                )));
                return;
            }
            _ => {}
        }
        if self.step(ctx, message, Some(reply)) {
            self.rearm(ctx);
        }
    }
}
