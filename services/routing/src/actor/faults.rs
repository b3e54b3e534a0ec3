//! Ways to go wrong, for tests.

use super::{AgentActor, QueueActor};
use actix::{Actor, Handler, Message};
use std::sync::mpsc::Receiver;

/// Dies of a bug.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Die;

impl Handler<Die> for QueueActor {
    type Result = ();

    fn handle(&mut self, _: Die, _: &mut <Self as Actor>::Context) {
        panic!("a bug in a queue");
    }
}

impl Handler<Die> for AgentActor {
    type Result = ();

    fn handle(&mut self, _: Die, _: &mut <Self as Actor>::Context) {
        panic!("a bug in an agent");
    }
}

/// Does nothing until it is told, or nobody can tell it any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stall(pub Receiver<()>);

impl Handler<Stall> for AgentActor {
    type Result = ();

    fn handle(&mut self, stall: Stall, _: &mut <Self as Actor>::Context) {
        let _ = stall.0.recv();
    }
}
