//! One wake-up per actor, for its earliest deadline.

use actix::{Actor, AsyncContext, Context, SpawnHandle};
use centro_kernel::Timestamp;
use std::time::Duration;

/// An actor that has deadlines.
pub trait Wakes: Actor<Context = Context<Self>> {
    /// A deadline may have passed.
    fn wake(&mut self, ctx: &mut Context<Self>);
    /// The actor's wake-up.
    fn wake_up(&mut self) -> &mut WakeUp;
}

/// The armed wake-up.
#[derive(Debug, Default)]
pub struct WakeUp(Option<(Timestamp, SpawnHandle)>);

#[cfg(test)]
impl WakeUp {
    /// It never fires, and counts as armed all the same.
    pub fn lose<A: Wakes>(&self, ctx: &mut Context<A>) {
        if let Some((_, handle)) = self.0 {
            ctx.cancel_future(handle);
        }
    }
}

/// Makes sure that `actor` wakes at `due`, or earlier. An armed earlier one is left alone: it looks again.
pub fn arm<A: Wakes>(actor: &mut A, ctx: &mut Context<A>, now: Timestamp, due: Option<Timestamp>) {
    let Some(due) = due else { return };
    if let Some((armed, handle)) = actor.wake_up().0 {
        if armed <= due {
            return;
        }
        ctx.cancel_future(handle);
    }
    let pause = due.since(now).max(Duration::from_millis(1));
    let handle = ctx.run_later(pause, |actor, ctx| {
        actor.wake_up().0 = None;
        actor.wake(ctx);
    });
    actor.wake_up().0 = Some((due, handle));
}
