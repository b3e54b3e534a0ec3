//! One queue's actor.

use super::{
    edges::{EdgeStream, Edges},
    pick_ups::PickUps,
    wakeup::{self, WakeUp, Wakes},
};
use crate::{
    metrics::{self, DEPOSED},
    router::Router,
    store::{Changes, Commit, Said, StoreError},
    watch::Watch,
};
use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture,
};
use centro_cluster::Epoch;
use centro_kernel::{QueueId, TenantId};
use centro_proto::routing::WaitResponse;
use centro_routing_core::{
    Answer, EdgeMessage, Queue, QueueEffect, QueueMessage, QueueOut, QueueRecord, QueueSettings,
};
use futures::FutureExt;
use std::{mem::take, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

/// Deadlines handled in one go; the rest after other messages had their turn.
const AT_ONCE: usize = 256;

type Sender = mpsc::Sender<Result<WaitResponse, Status>>;

/// Who waits for a step.
enum Asker {
    Nobody,
    /// A contact's edge, heard on its stream.
    Edge(Sender),
    Person(oneshot::Sender<Answer>),
}

/// A message of the protocol.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TellQueue(pub QueueMessage);

/// A person's request that waits for the record's word.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskQueue {
    /// What is asked.
    pub message: QueueMessage,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// Reads from the queue as it is between two steps.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LookAtQueue(pub Box<dyn FnOnce(&Queue) + Send>);

/// What an edge said, with the way back.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromEdge {
    /// What it said.
    pub message: QueueMessage,
    /// Its stream, when it attaches.
    pub stream: Option<EdgeStream>,
    /// Where to answer when the contact has no stream here.
    pub sender: Sender,
}

/// What the directory says of the queue may have changed: obey it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Reconcile;

/// The shard was lost: stop. What is stored under the old epoch would be refused anyway.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LetGo {
    /// The shard has come back meanwhile; who acts under its present epoch stays. Else nobody speaks to the actor any more,
    /// and it must end even if the shard comes back under the same epoch before it hears of this.
    pub ours_again: bool,
}

/// Nodes have died: whoever they held is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CheckEdges;

/// Owns one queue.
pub struct QueueActor {
    router: Arc<Router>,
    tenant: TenantId,
    epoch: Epoch,
    /// The epoch as agents and edges see it: another one for each activation.
    activation: u64,
    core: Queue,
    edges: Edges,
    pub(super) pick_ups: PickUps,
    wake_up: WakeUp,
    watch: Watch<Queue>,
}

impl QueueActor {
    /// The actor, before its record is loaded.
    pub fn new(
        router: Arc<Router>,
        tenant: TenantId,
        settings: QueueSettings,
        epoch: Epoch,
        activation: u64,
    ) -> Self {
        let now = router.now();
        let watch = Watch::new(&router, tenant, settings.id);
        let core = Queue::recover(
            settings,
            activation,
            QueueRecord::default(),
            &router.deadlines,
            now,
        );
        let (edges, wake_up) = (Edges::default(), WakeUp::default());
        Self {
            router,
            tenant,
            epoch,
            activation,
            core,
            edges,
            pick_ups: PickUps::default(),
            wake_up,
            watch,
        }
    }

    const fn id(&self) -> QueueId {
        self.core.settings().id
    }

    /// A message that nobody waits for.
    pub(super) fn tell(&mut self, ctx: &mut Context<Self>, message: QueueMessage) {
        if self.step(ctx, message, Asker::Nobody) {
            self.rearm(ctx);
        }
    }

    /// Decides, commits, and carries out. False when the store takes its time; nothing else is handled meanwhile.
    fn step(&mut self, ctx: &mut Context<Self>, message: QueueMessage, asker: Asker) -> bool {
        let now = self.router.now();
        let heard = self.watch.hears(now, &self.core, &message);
        let mut out = self.core.handle(&self.router.deadlines, now, message);
        self.watch.step(now, heard, &self.core, &out);
        if out.deposed {
            self.stop(ctx);
            return false;
        }
        if !out.fence && out.changes.is_empty() && out.events.is_empty() {
            self.carry_out(ctx, out, asker);
            return true;
        }
        let said = self
            .router
            .said(self.tenant, now, take(&mut out.events).into_vec());
        let changes = Changes::Queue(self.id(), out.changes.clone());
        let mut commit = self.router.store.commit(Commit {
            epoch: self.epoch,
            tenant: self.tenant,
            changes,
            events: said.as_ref().map(Said::told).unwrap_or_default(),
        });
        match (&mut commit).now_or_never() {
            Some(result) => self.committed(ctx, result, out, said, asker),
            None => {
                ctx.wait(
                    commit
                        .into_actor(self)
                        .map(move |result, actor: &mut Self, ctx| {
                            if actor.committed(ctx, result, out, said, asker) {
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
        out: QueueOut,
        said: Option<Arc<Said>>,
        asker: Asker,
    ) -> bool {
        if result.is_err() {
            self.stop(ctx);
            return false;
        }
        if !out.changes.is_empty() {
            self.router.live.queue_changed(self.id(), &out.changes);
        }
        if let Some(said) = said {
            self.router.live.happened(said);
        }
        self.carry_out(ctx, out, asker);
        true
    }

    fn carry_out(&mut self, ctx: &mut Context<Self>, out: QueueOut, asker: Asker) {
        let sender = match &asker {
            Asker::Edge(sender) => Some(sender),
            Asker::Nobody | Asker::Person(_) => None,
        };
        for effect in out.send {
            match effect {
                QueueEffect::Agent(agent, message) => {
                    self.router.tell_agent(self.tenant, agent, message)
                }
                QueueEffect::Edge(contact, message) => {
                    let attach_no = self.edges.attach_no(contact);
                    let offer = matches!(message, EdgeMessage::Offer { .. });
                    let heard = self.edges.tell(contact, message, sender);
                    // Nobody reads: as good as a broken stream. An offer that was lost is released when the edge is back.
                    if let Some(attach_no) = attach_no.filter(|_| !heard) {
                        let detached = QueueMessage::Detached { contact, attach_no };
                        ctx.notify(TellQueue(detached));
                    } else if offer && attach_no.is_none() {
                        tracing::debug!(%contact, "an offer found no edge");
                    }
                }
                QueueEffect::PickedUp {
                    agent,
                    contact,
                    outcome,
                } => self.pick_ups.tell(agent, contact, outcome),
            }
        }
        if let (Asker::Person(reply), Some(answer)) = (asker, out.answer) {
            let _ = reply.send(answer);
        }
    }

    /// A newer owner exists, or the store cannot say. Nothing is answered; streams break and edges attach again.
    fn stop(&mut self, ctx: &mut Context<Self>) {
        metrics::count(&DEPOSED);
        self.watch.stopped(self.router.now());
        tracing::warn!(queue = %self.id(), "stopped: the queue has another owner, or the store is away");
        ctx.stop();
    }

    fn rearm(&mut self, ctx: &mut Context<Self>) {
        let due = self.core.next_due().map(|(due, _)| due);
        self.watch.is_due(due);
        wakeup::arm(self, ctx, self.router.now(), due);
    }
}

impl Actor for QueueActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let load = self.router.store.load_queue(self.id());
        ctx.wait(
            load.into_actor(self)
                .map(|record, actor, ctx| match record {
                    Ok(record) => {
                        let (deadlines, now) = (&actor.router.deadlines, actor.router.now());
                        let stored = actor.watch.keeps(&record);
                        actor.core = Queue::recover(
                            actor.core.settings().clone(),
                            actor.activation,
                            record,
                            deadlines,
                            now,
                        );
                        let ageing = actor.core.settings().ageing;
                        let line = actor.core.in_order();
                        let line =
                            line.map(|entry| (entry.place(&ageing), Arc::new(entry.clone())));
                        actor.router.live.queue_began(actor.id(), line.collect());
                        let (settings, epoch) = (actor.core.settings(), actor.activation);
                        let out = QueueOut::default();
                        actor.watch.activated(now, settings, epoch, stored, &out);
                        actor.rearm(ctx);
                        // Agents whom the activation before had passed wait for nobody; this one knows none of them.
                        actor
                            .router
                            .queue_activated(actor.tenant, actor.id(), actor.activation);
                        ctx.notify(CheckEdges);
                    }
                    Err(_) => actor.stop(ctx),
                }),
        );
    }
}

impl Wakes for QueueActor {
    fn wake(&mut self, ctx: &mut Context<Self>) {
        for _ in 0..AT_ONCE {
            let now = self.router.now();
            let Some((_, timer)) = self.core.next_due().filter(|(due, _)| *due <= now) else {
                break;
            };
            if !self.step(ctx, QueueMessage::Timer(timer), Asker::Nobody) {
                return;
            }
        }
        self.rearm(ctx);
    }

    fn wake_up(&mut self) -> &mut WakeUp {
        &mut self.wake_up
    }
}

impl Handler<TellQueue> for QueueActor {
    type Result = ();

    fn handle(&mut self, TellQueue(message): TellQueue, ctx: &mut Self::Context) {
        self.tell(ctx, message);
    }
}

impl Handler<AskQueue> for QueueActor {
    type Result = ();

    fn handle(&mut self, ask: AskQueue, ctx: &mut Self::Context) {
        if self.step(ctx, ask.message, Asker::Person(ask.reply)) {
            self.rearm(ctx);
        }
    }
}

impl Handler<LookAtQueue> for QueueActor {
    type Result = ();

    fn handle(&mut self, LookAtQueue(look): LookAtQueue, _: &mut Self::Context) {
        look(&self.core);
    }
}

impl Handler<Reconcile> for QueueActor {
    type Result = ();

    fn handle(&mut self, _: Reconcile, ctx: &mut Self::Context) {
        match self.router.directory.queue(self.id()) {
            Some(queue) if queue.settings != *self.core.settings() => {
                ctx.notify(TellQueue(QueueMessage::Configure(Box::new(queue.settings))));
            }
            Some(_) => {}
            None if self.router.directory.is_loaded() => ctx.notify(TellQueue(QueueMessage::Close)),
            None => {}
        }
    }
}

impl Handler<LetGo> for QueueActor {
    type Result = ();

    fn handle(&mut self, LetGo { ours_again }: LetGo, ctx: &mut Self::Context) {
        if !ours_again || self.router.epoch(self.id().as_u128()) != Some(self.epoch) {
            self.stop(ctx);
        }
    }
}

impl Handler<CheckEdges> for QueueActor {
    type Result = ();

    fn handle(&mut self, _: CheckEdges, ctx: &mut Self::Context) {
        for entry in self.core.in_order() {
            if self.router.is_dead(&entry.edge) {
                let contact = entry.contact;
                ctx.notify(TellQueue(QueueMessage::EdgeDead { contact }));
            }
        }
    }
}

impl Handler<FromEdge> for QueueActor {
    type Result = ();

    fn handle(&mut self, from: FromEdge, ctx: &mut Self::Context) {
        match (&from.message, from.stream) {
            // A late, older attachment must not take the stream of the newer one.
            (QueueMessage::Attach(attach), Some(stream))
                if self
                    .edges
                    .attach_no(attach.contact)
                    .is_none_or(|no| no <= attach.attach_no) =>
            {
                self.edges.put(attach.contact, stream);
            }
            (QueueMessage::Detached { contact, attach_no }, _) => {
                self.edges.remove(*contact, *attach_no);
            }
            _ => {}
        }
        if self.step(ctx, from.message, Asker::Edge(from.sender)) {
            self.rearm(ctx);
        }
    }
}
