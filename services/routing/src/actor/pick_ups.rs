//! Who waits to hear what became of a pick-up.

use super::queue::QueueActor;
use actix::{Handler, Message};
use centro_kernel::{Code, ContactId, Fault, UserId};
use centro_routing_core::{NoPickUp, PickUp, QueueMessage};
use std::collections::HashMap;
use tokio::sync::oneshot;

/// People who may wait for pick-ups of one queue at once.
const MOST: usize = 256;

/// The phone rings, or why it does not.
pub type Outcome = Result<(), NoPickUp>;
type Reply = oneshot::Sender<Result<Outcome, Fault>>;

/// A person takes a contact out of turn, and waits until the phone rings or is known not to.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskPickUp {
    /// Who.
    pub agent: UserId,
    /// What, and on which device.
    pub pick_up: PickUp,
    /// Where the answer goes.
    pub reply: Reply,
}

/// The same pick-up asked twice has one outcome, and both hear it.
#[derive(Default)]
pub struct PickUps(HashMap<(UserId, ContactId), Vec<Reply>>);

impl PickUps {
    /// False: too many wait already, and the asker was told so.
    fn wait(&mut self, agent: UserId, contact: ContactId, reply: Reply) -> bool {
        if self.0.values().map(Vec::len).sum::<usize>() >= MOST {
            self.0.retain(|_, all| {
                all.retain(|reply| !reply.is_closed());
                !all.is_empty()
            });
        }
        if self.0.values().map(Vec::len).sum::<usize>() >= MOST {
            let text = "too many pick up at once in this queue, try again";
            let _ = reply.send(Err(Fault::new(Code::Busy, "mailbox_full", text)));
            return false;
        }
        self.0.entry((agent, contact)).or_default().push(reply);
        true
    }

    /// Everybody who waits for it hears the outcome.
    pub fn tell(&mut self, agent: UserId, contact: ContactId, outcome: Outcome) {
        for reply in self.0.remove(&(agent, contact)).into_iter().flatten() {
            let _ = reply.send(Ok(outcome));
        }
    }
}

impl Handler<AskPickUp> for QueueActor {
    type Result = ();

    fn handle(&mut self, ask: AskPickUp, ctx: &mut Self::Context) {
        let AskPickUp {
            agent,
            pick_up,
            reply,
        } = ask;
        if self.pick_ups.wait(agent, pick_up.contact, reply) {
            self.tell(ctx, QueueMessage::PickUp { agent, pick_up });
        }
    }
}
