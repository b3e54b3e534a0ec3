//! From here on nothing goes wrong any more and people behave: does everything come to rest?

use super::small::{NOW, STEPS_TO_REST, Small, State};
use crate::{
    World,
    letter::{Actor, EdgeTimer, Letter, Mail, Timer},
    queue_id,
    shard::Who,
    world::Outcome,
};
use centro_edge::{Command, Leg, Phase};
use centro_routing_core::{AgentTimer, QueueTimer, invariants::Broken};
use std::{collections::VecDeque, fmt};

/// What happens next when nothing goes wrong any more.
pub(crate) enum Move {
    /// A letter is read, or a person does something.
    Mail(Mail),
    /// A deadline.
    Timer(Actor, Timer),
    /// A shard gets a new owner.
    TakeOver(Actor),
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mail(mail) => write!(f, "{mail}"),
            Self::Timer(actor, timer) => write!(f, "deadline {actor}: {timer}"),
            Self::TakeOver(shard) => write!(f, "new owner {shard}"),
        }
    }
}

impl Small {
    /// Runs on from a state, letters in the order they were sent.
    ///
    /// # Errors
    /// The rule that is broken on the way or at the end.
    pub fn comes_to_rest(&self, state: &State) -> Result<(), Broken> {
        self.run_on(state, |_| {})
    }

    /// The same, and tells of each step.
    pub(crate) fn run_on(&self, state: &State, mut tell: impl FnMut(&Move)) -> Result<(), Broken> {
        let mut world = state.world.clone();
        let durable: Vec<_> = world.durable().collect();
        for shard in world.shards().chain(durable) {
            world.drop_zombie(shard);
        }
        let mut mails: VecDeque<Mail> = state.net.iter().map(|mail| (**mail).clone()).collect();
        for _ in 0..STEPS_TO_REST {
            if let Some(shard) = world.unowned().first() {
                tell(&Move::TakeOver(*shard));
                mails.extend(world.take_over(NOW, *shard));
                continue;
            }
            let next = mails.pop_front().map(Move::Mail);
            let Some(next) = next.or_else(|| self.next_move(&world)) else {
                return world.at_rest();
            };
            tell(&next);
            let step = match next {
                Move::Mail(mail) => {
                    if let (Actor::Contact(c), Letter::Edge(Command::TimedOut)) =
                        (mail.to, &mail.letter)
                        && world.is_servable(c)
                    {
                        return Err(Broken::WaitsBesideFree);
                    }
                    world.deliver(NOW, Who::Live, mail)
                }
                Move::Timer(actor, timer) => self.fire(&mut world, Who::Live, actor, timer),
                Move::TakeOver(_) => continue,
            };
            if step.outcome == Outcome::Done {
                mails.extend(step.sent);
            }
            if let Some(broken) = world.broken() {
                return Err(broken);
            }
        }
        Err(Broken::NoRest)
    }

    /// Repeats, then arrivals and answers, then deadlines in the order of real time, then the ends of talks, then the
    /// callers' patience.
    fn next_move(&self, world: &World) -> Option<Move> {
        let contacts = 0..self.shape.contacts.len();
        let actors = world.shards().chain(contacts.clone().map(Actor::Contact));
        let timers: Vec<_> = actors
            .flat_map(|actor| {
                let timers = world.timers(Who::Live, actor);
                let timers = timers.into_iter().filter(|t| !World::is_kept_off(t));
                timers.map(move |timer| (actor, timer))
            })
            .collect();
        let timer = |fits: &dyn Fn(&Actor, &Timer) -> bool| {
            let found = timers.iter().find(|(actor, timer)| fits(actor, timer));
            found.map(|(actor, timer)| Move::Timer(*actor, *timer))
        };
        let in_phase = |fits: &dyn Fn(Phase) -> bool| {
            contacts
                .clone()
                .find(|c| world.contact(*c).phase().is_some_and(fits))
        };
        let input = |c, command| Move::Mail(Mail::edge(c, command));
        timer(&|_, t| t.is_repeat() || matches!(t, Timer::Agent(AgentTimer::Solicit)))
            .or_else(|| timer(&|_, t| matches!(t, Timer::Queue(QueueTimer::Bid(_)))))
            .or_else(|| {
                let c = in_phase(&|phase| phase == Phase::New)?;
                let queue = queue_id(self.shape.contacts[c].queue);
                Some(input(c, Command::Arrive(queue)))
            })
            .or_else(|| {
                contacts.clone().find_map(|c| {
                    let edge = world.contact(c).edge()?;
                    let settles = edge.legs().any(|(_, leg)| leg == Leg::Settling);
                    let (of, _) = edge.legs().find(|(_, leg)| *leg == Leg::Ringing)?;
                    (!edge.is_leaving() && !settles).then(|| input(c, Command::Answered(of)))
                })
            })
            .or_else(|| {
                timer(&|actor, t| {
                    *t != Timer::Edge(EdgeTimer::Ring)
                        && !world.is_out_of_order(*actor, t)
                        && (!world.is_recheck(*actor, t) || world.talks_with_nobody(*actor, t))
                })
            })
            .or_else(|| {
                let c = in_phase(&|phase| matches!(phase, Phase::Connected(_)))?;
                Some(input(c, Command::HungUp))
            })
            .or_else(|| timer(&|_, t| *t == Timer::Edge(EdgeTimer::Ring)))
            .or_else(|| {
                let c = in_phase(&|phase| phase == Phase::Waiting)?;
                Some(input(c, Command::TimedOut))
            })
    }
}
