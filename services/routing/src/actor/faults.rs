//! Ways to go wrong, for stories and tests.

use super::{AgentActor, QueueActor};
use actix::{Actor, ActorContext, Handler, Message};
#[cfg(test)]
use {
    super::wakeup::Wakes,
    actix::{AsyncContext, Context, WrapFuture},
    std::sync::mpsc::Receiver,
};

/// Ends at once: nothing in hand is finished, nobody is told.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Crash;

impl Handler<Crash> for QueueActor {
    type Result = ();

    fn handle(&mut self, _: Crash, ctx: &mut <Self as Actor>::Context) {
        ctx.terminate();
    }
}

impl Handler<Crash> for AgentActor {
    type Result = ();

    fn handle(&mut self, _: Crash, ctx: &mut <Self as Actor>::Context) {
        ctx.terminate();
    }
}

/// Dies of a bug.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub struct Die;

#[cfg(test)]
impl Handler<Die> for QueueActor {
    type Result = ();

    fn handle(&mut self, _: Die, _: &mut <Self as Actor>::Context) {
        panic!("a bug in a queue");
    }
}

#[cfg(test)]
impl Handler<Die> for AgentActor {
    type Result = ();

    fn handle(&mut self, _: Die, _: &mut <Self as Actor>::Context) {
        panic!("a bug in an agent");
    }
}

/// Does nothing until it is told, or nobody can tell it any more.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stall(pub Receiver<()>);

#[cfg(test)]
impl Handler<Stall> for AgentActor {
    type Result = ();

    fn handle(&mut self, stall: Stall, _: &mut <Self as Actor>::Context) {
        let _ = stall.0.recv();
    }
}

/// Stops to work without dying.
#[cfg(test)]
#[derive(Message)]
#[rtype(result = "()")]
pub enum Fail {
    /// Handles nothing any more, as when its thread is blocked or its store hangs.
    Hang,
    /// Its armed wake-up never fires, and it does not know.
    LoseWakeUp,
}

#[cfg(test)]
impl Handler<Fail> for QueueActor {
    type Result = ();

    fn handle(&mut self, how: Fail, ctx: &mut Context<Self>) {
        fail(self, ctx, how);
    }
}

#[cfg(test)]
impl Handler<Fail> for AgentActor {
    type Result = ();

    fn handle(&mut self, how: Fail, ctx: &mut Context<Self>) {
        fail(self, ctx, how);
    }
}

#[cfg(test)]
fn fail<A: Wakes>(actor: &mut A, ctx: &mut Context<A>, how: Fail) {
    match how {
        Fail::Hang => ctx.wait(std::future::pending().into_actor(actor)),
        Fail::LoseWakeUp => actor.wake_up().lose(ctx),
    }
}
