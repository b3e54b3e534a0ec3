//! Ways to go wrong, for stories and tests.

use super::{AgentActor, QueueActor};
use actix::{Actor, ActorContext, Handler, Message};
#[cfg(test)]
use std::sync::mpsc::Receiver;

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
