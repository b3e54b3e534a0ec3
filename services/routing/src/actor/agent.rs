//! One agent's actor.

use super::{
    queue::{CheckEdges, LetGo, Reconcile},
    wakeup::{self, WakeUp, Wakes},
};
use crate::{
    log_in::LogIn,
    metrics::{self, DEPOSED},
    router::Router,
    store::{Changes, Commit, Said, StoreError},
    watch::Watch,
};
use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture,
};
use centro_cluster::Epoch;
use centro_kernel::{ContactId, Fault, TenantId, Timestamp, UserId, contact::Reservation};
use centro_node::{Role, To};
use centro_proto::telephony::{
    CancelOfferRequest, HasOfferRequest, call_edge_client::CallEdgeClient,
};
use centro_routing_core::{
    Agent, AgentEffect, AgentMessage, AgentOut, AgentRecord, Answer, Chosen, Event, SlotPhase, View,
};
use futures::FutureExt;
use std::{collections::HashMap, mem::take, sync::Arc, time::Duration};
use tokio::{sync::oneshot, task::AbortHandle};

/// How often an unanswered request to an edge is repeated.
const REPEAT: Duration = Duration::from_millis(500);

/// Where an answer goes.
type Reply = oneshot::Sender<Result<(Answer, View), Fault>>;

/// A message of the protocol.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TellAgent(pub AgentMessage);

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    /// A message of the protocol.
    Message(AgentMessage),
    /// The person logs in, with what the configuration allows at the moment it is the request's turn.
    LogIn(LogIn),
}

impl From<AgentMessage> for Ask {
    fn from(message: AgentMessage) -> Self {
        Self::Message(message)
    }
}

impl From<LogIn> for Ask {
    fn from(wanted: LogIn) -> Self {
        Self::LogIn(wanted)
    }
}

/// A request that waits for the record's word.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskAgent {
    /// Whose agent it must be.
    pub tenant: TenantId,
    /// What is asked.
    pub ask: Ask,
    /// Where the answer goes.
    pub reply: Reply,
}

/// Reads from the agent as it is between two steps.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LookAtAgent(pub Box<dyn FnOnce(&Agent) + Send>);

/// Owns one agent.
pub struct AgentActor {
    router: Arc<Router>,
    tenant: TenantId,
    epoch: Epoch,
    core: Agent,
    /// Rings that are being taken back.
    cancels: HashMap<u64, AbortHandle>,
    wake_up: WakeUp,
    watch: Watch<Agent>,
}

impl AgentActor {
    /// The actor, before its record is loaded.
    pub fn new(router: Arc<Router>, tenant: TenantId, agent: UserId, epoch: Epoch) -> Self {
        let now = router.now();
        let (core, _) = Agent::recover(AgentRecord::new(agent, now), &router.deadlines, now);
        let watch = Watch::new(&router, tenant, agent);
        Self {
            router,
            tenant,
            epoch,
            core,
            watch,
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
        let heard = self.watch.hears(now, &self.core, &message);
        let mut out = self.core.handle(&self.router.deadlines, now, message);
        self.watch.step(now, heard, &self.core, &out);
        if !out.fence {
            self.carry_out(out, reply);
            return true;
        }
        let said = self
            .router
            .said(self.tenant, now, take(&mut out.events).into_vec());
        let agent = self.core.record().id;
        let changes = Changes::Agent(agent, out.changes.pop().map(Box::new));
        let mut commit = self.router.store.commit(Commit {
            epoch: self.epoch,
            tenant: self.tenant,
            changes,
            events: said.as_ref().map(Said::told).unwrap_or_default(),
        });
        match (&mut commit).now_or_never() {
            Some(result) => self.committed(ctx, result, out, said, reply),
            None => {
                ctx.wait(
                    commit
                        .into_actor(self)
                        .map(move |result, actor: &mut Self, ctx| {
                            if actor.committed(ctx, result, out, said, reply) {
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
        said: Option<Arc<Said>>,
        reply: Option<Reply>,
    ) -> bool {
        if result.is_err() {
            self.stop(ctx);
            return false;
        }
        if let Some(said) = said {
            let live = &self.router.live;
            for event in &said.events {
                if let Event::AgentStateChanged { view, .. } = event {
                    live.agent_changed(self.tenant, view.clone());
                }
            }
            live.happened(said);
        }
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
                    edge,
                } => self.cancel(reservation, contact, edge),
                AgentEffect::AskEdge {
                    reservation,
                    contact,
                    edge,
                } => self.ask_edge(reservation, contact, edge),
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
    fn cancel(&mut self, reservation: Reservation, contact: ContactId, edge: Arc<str>) {
        let at = To::Node(edge);
        let mut client = CallEdgeClient::new(self.router.node.conn_to(Role::Telephony, at));
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

    /// Asks the edge whether it still has this conversation. Its no, or its death, ends the slot; silence does not: the
    /// edge is asked again.
    fn ask_edge(&self, reservation: Reservation, contact: ContactId, edge: Arc<str>) {
        let (router, tenant) = (self.router.clone(), self.tenant);
        let request = HasOfferRequest {
            tenant_id: tenant.to_string(),
            contact_id: contact.to_string(),
            agent_id: reservation.agent.to_string(),
            number: reservation.number,
        };
        tokio::spawn(async move {
            let at = To::Node(edge.clone());
            let mut client = CallEdgeClient::new(router.node.conn_to(Role::Telephony, at));
            let has = match client.has_offer(request).await {
                Ok(answer) => answer.into_inner().has,
                Err(status) => {
                    tracing::debug!(%status, %reservation, "the edge did not say whether it has a talk");
                    !router.is_dead(&edge)
                }
            };
            if !has {
                tracing::warn!(%contact, %reservation, "nobody has this talk any more: it is over");
                let number = reservation.number;
                let over = AgentMessage::NotHeld {
                    number,
                    contact,
                    edge_epoch: 0, // a call has one owner for life
                };
                router.tell_agent(tenant, reservation.agent, over);
            }
        });
    }

    fn stop(&mut self, ctx: &mut Context<Self>) {
        metrics::count(&DEPOSED);
        self.watch.stopped(self.router.now());
        let agent = self.core.record().id;
        tracing::warn!(%agent, "stopped: the agent has another owner, or the store is away");
        ctx.stop();
    }

    fn rearm(&mut self, ctx: &mut Context<Self>) {
        let due = self.core.next_due().map(|(due, _)| due);
        self.watch.is_due(due);
        wakeup::arm(self, ctx, self.router.now(), due);
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
                        let now = actor.router.now();
                        let stored = actor.watch.keeps(&record);
                        let (core, out) = Agent::recover(record, &actor.router.deadlines, now);
                        actor.core = core;
                        let view = actor.core.view().clone();
                        actor.router.live.agent_changed(actor.tenant, view);
                        let epoch = actor.epoch.0;
                        actor.watch.activated(now, &(), epoch, stored, &out);
                        actor.carry_out(out, None);
                        let reservations = actor.core.record().slots.clone();
                        for slot in reservations
                            .iter()
                            .filter(|s| s.phase == SlotPhase::Revoked)
                        {
                            if let Some(contact) = slot.contact {
                                let reservation = actor.core.record().reservation(slot.number);
                                actor.cancel(reservation, contact, slot.edge.clone());
                            }
                        }
                        // A new owner has met nobody yet: without the present epochs it would believe an old owner's word.
                        for membership in actor.core.record().memberships.iter() {
                            let queue = membership.queue;
                            if let Some(epoch) = actor.router.queue_epoch(queue) {
                                ctx.notify(TellAgent(AgentMessage::QueueMoved { queue, epoch }));
                            }
                        }
                        actor.rearm(ctx);
                        ctx.notify(Reconcile);
                        ctx.notify(CheckEdges);
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

impl Handler<LookAtAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, LookAtAgent(look): LookAtAgent, _: &mut Self::Context) {
        look(&self.core);
    }
}

impl Handler<Reconcile> for AgentActor {
    type Result = ();

    fn handle(&mut self, _: Reconcile, ctx: &mut Self::Context) {
        let (directory, record) = (&self.router.directory, self.core.record());
        if !directory.is_complete() {
            return;
        }
        if record.chosen != Chosen::LoggedOut && directory.is_suspended(record.id) {
            ctx.notify(TellAgent(AgentMessage::SetStatus(Chosen::LoggedOut)));
            return;
        }
        let serves = directory.memberships(self.tenant, record.id);
        let queues = record.memberships.iter().map(|m| m.queue);
        let (exist, gone): (Vec<_>, Vec<_>) = queues.partition(|q| directory.queue(*q).is_some());
        if !gone.is_empty() {
            ctx.notify(TellAgent(AgentMessage::QueuesDeleted(gone)));
        }
        let not_served = exist
            .into_iter()
            .filter(|q| !serves.iter().any(|m| m.queue == *q));
        let not_served: Vec<_> = not_served.collect();
        if !not_served.is_empty() {
            ctx.notify(TellAgent(AgentMessage::Unassigned(not_served)));
        }
        if record.chosen != Chosen::LoggedOut {
            ctx.notify(TellAgent(AgentMessage::JoinQueues(serves)));
            let profile = directory.profile(record.id);
            if record.profile != profile {
                ctx.notify(TellAgent(AgentMessage::SetProfile(profile)));
            }
        }
        if let Some(device) = record.device {
            let online = directory.rings_for(device, self.tenant, record.id);
            if online != record.device_online {
                ctx.notify(TellAgent(AgentMessage::Device { device, online }));
            }
        }
    }
}

impl Handler<LetGo> for AgentActor {
    type Result = ();

    fn handle(&mut self, LetGo { ours_again }: LetGo, ctx: &mut Self::Context) {
        if !ours_again || self.router.epoch(self.core.record().id.as_u128()) != Some(self.epoch) {
            self.stop(ctx);
        }
    }
}

impl Handler<CheckEdges> for AgentActor {
    type Result = ();

    fn handle(&mut self, _: CheckEdges, ctx: &mut Self::Context) {
        for slot in &self.core.record().slots {
            if let Some(contact) = slot.contact
                && self.router.is_dead(&slot.edge)
            {
                ctx.notify(TellAgent(AgentMessage::EdgeDead { contact }));
            }
        }
    }
}

impl Handler<AskAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, ask: AskAgent, ctx: &mut Self::Context) {
        let AskAgent { tenant, ask, reply } = ask;
        if tenant != self.tenant {
            let _ = reply.send(Err(Fault::not_found("agent", self.core.record().id)));
            return;
        }
        let message = match ask {
            Ask::Message(message) => message,
            // Here and not where it was asked: a change that comes meanwhile is behind us in the mailbox.
            Ask::LogIn(wanted) => {
                let directory = &self.router.directory;
                match wanted.against(directory, tenant, self.core.record().id) {
                    Ok(message) => message,
                    Err(fault) => {
                        let _ = reply.send(Err(fault));
                        return;
                    }
                }
            }
        };
        if self.step(ctx, message, Some(reply)) {
            self.rearm(ctx);
        }
    }
}
