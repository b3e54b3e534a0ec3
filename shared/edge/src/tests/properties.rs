//! Rules that hold whatever an edge is told, and whatever is lost, repeated or late.

use super::*;
use crate::state::Exit;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const QUEUES: [QueueId; 3] = [QUEUE, OTHER, QueueId::from_u128(3)];

/// One thing that happens; numbers choose among what there is. What is not said was lost.
#[derive(Clone, Copy, Debug)]
enum Act {
    Say(Saying, u8, u8),
    /// What a call that goes well brings next.
    Next(u8),
    /// Said before, and now again.
    Again(u16),
    /// Time passes, and every tick that is due comes.
    Wait(u16),
}

#[derive(Clone, Copy, Debug)]
enum Saying {
    Arrive,
    Attached,
    NotTaken,
    QueueLost,
    LeftOk,
    Offer,
    AlertOk,
    ConnectOk,
    Refused,
    Ended,
    Cancel,
    Answered,
    Briefed,
    Rejected,
    Busy,
    DeviceFailed,
    CouldNotRing,
    AgentHungUp,
    HungUp,
    Star,
    TimedOut,
    MoveTo,
    TakenOut,
    Transfer,
    Revalidate,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    use Saying::*;
    let often = [
        Arrive, Attached, Offer, AlertOk, Answered, Briefed, ConnectOk, Ended,
    ];
    let at_times = [LeftOk, Refused, Transfer, MoveTo];
    let rarely = [
        NotTaken,
        QueueLost,
        Cancel,
        Rejected,
        Busy,
        DeviceFailed,
        CouldNotRing,
        AgentHungUp,
        HungUp,
        Star,
        TimedOut,
        TakenOut,
        Revalidate,
    ];
    let saying = prop_oneof![
        10 => prop::sample::select(often.to_vec()),
        2 => prop::sample::select(at_times.to_vec()),
        1 => prop::sample::select(rarely.to_vec()),
    ];
    let act = prop_oneof![
        40 => (saying, any::<u8>(), any::<u8>()).prop_map(|(s, x, y)| Act::Say(s, x, y)),
        20 => any::<u8>().prop_map(Act::Next),
        6 => any::<u16>().prop_map(Act::Again),
        6 => (0_u16..1_000).prop_map(Act::Wait),
        1 => any::<u16>().prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..200)
}

/// What the edge asked for so far, and is still owed an answer to.
struct Trial {
    edge: Edge,
    now: Timestamp,
    said: Vec<Command>,
    /// Numbers that each agent's record gave out.
    given: BTreeMap<UserId, u64>,
    ends: BTreeMap<Reservation, OfferEnd>,
    lefts: BTreeMap<(QueueId, u32), (LeftReason, Option<UserId>)>,
    /// The last attachment that a queue confirmed.
    confirmed: u32,
    /// With whom the customer can talk.
    bridged: Option<Reservation>,
    /// Every reservation that was ever bridged, rung.
    bridges: BTreeSet<Reservation>,
    rung: BTreeSet<Reservation>,
    /// The present stay is over: left unanswered, or answered.
    out: bool,
}

impl Trial {
    fn new() -> Self {
        Self {
            edge: Edge::new(Timing::default()),
            now: at(0),
            said: vec![],
            given: BTreeMap::new(),
            ends: BTreeMap::new(),
            lefts: BTreeMap::new(),
            confirmed: 0,
            bridged: None,
            bridges: BTreeSet::new(),
            rung: BTreeSet::new(),
            out: false,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Say(saying, x, y) => {
                let command = self.command(saying, x, y);
                self.said.push(command);
                self.say(command);
            }
            Act::Next(x) => {
                let command = self.command(self.next(), 1 + x / 2 * 2 % 8, x);
                self.said.push(command);
                self.say(command);
            }
            Act::Again(which) => {
                if !self.said.is_empty() {
                    self.say(self.said[usize::from(which) % self.said.len()]);
                }
            }
            Act::Wait(ms) => self.wait(u64::from(ms)),
        }
        self.repeats_what_it_is_owed();
    }

    fn next(&self) -> Saying {
        let mut legs = self.edge.legs.values();
        match (self.edge.phase(), legs.next().map(|s| s.leg)) {
            (Phase::New | Phase::Gone(_), _) => Saying::Arrive,
            (Phase::Connected(_), _) => Saying::Transfer,
            (Phase::Waiting, Some(Leg::Asking)) => Saying::AlertOk,
            (Phase::Waiting, Some(Leg::Ringing)) => Saying::Answered,
            (Phase::Waiting, Some(Leg::Briefing)) => Saying::Briefed,
            (Phase::Waiting, Some(Leg::Committing)) => Saying::ConnectOk,
            (Phase::Waiting, Some(Leg::Settling)) => Saying::Ended,
            (Phase::Waiting, None) if self.confirmed < self.edge.attach_no() => Saying::Attached,
            (Phase::Waiting, None) => Saying::Offer,
        }
    }

    /// Mostly what fits, else anything.
    fn command(&mut self, saying: Saying, x: u8, y: u8) -> Command {
        let mostly = !x.is_multiple_of(8);
        let any_queue = QUEUES[usize::from(x) % QUEUES.len()];
        let queue = self.edge.queue.filter(|_| mostly).unwrap_or(any_queue);
        let attach_no = self.edge.attach_no() - u32::from(!mostly && self.edge.attach_no() > 0);
        let wanted = match saying {
            Saying::AlertOk => Some(Leg::Asking),
            Saying::Answered => Some(Leg::Ringing),
            Saying::Briefed => Some(Leg::Briefing),
            Saying::ConnectOk | Saying::AgentHungUp => Some(Leg::Committing),
            _ => None,
        };
        let legs = self.edge.legs.iter();
        let fitting = legs.filter(|(_, s)| wanted.is_none_or(|leg| s.leg == leg));
        let mut known: Vec<_> = fitting.map(|(r, _)| *r).filter(|_| mostly).collect();
        if matches!(saying, Saying::Ended) {
            known = self.ends.keys().copied().collect();
        }
        let any = res(u128::from(x % 4), u64::from(y % 8));
        let r = *known
            .get(usize::from(y) % known.len().max(1))
            .unwrap_or(&any);
        let reason = [LeftReason::QueueFull, LeftReason::QueueClosed][usize::from(y % 2)];
        match saying {
            Saying::Arrive => Command::Arrive(any_queue),
            Saying::Attached => Command::Attached {
                queue,
                attach_no,
                epoch: 1,
            },
            Saying::NotTaken => Command::NotTaken {
                queue,
                attach_no,
                reason,
            },
            Saying::QueueLost => Command::QueueLost { queue, attach_no },
            Saying::LeftOk => {
                let owed = self
                    .lefts
                    .keys()
                    .nth(usize::from(y) % self.lefts.len().max(1));
                let (queue, attach_no) = *owed.unwrap_or(&(queue, attach_no));
                Command::LeftOk { queue, attach_no }
            }
            Saying::Offer => {
                let agent = UserId::from_u128(u128::from(x % 4));
                let next = self.given.entry(agent).or_insert(0);
                *next += u64::from(mostly);
                Command::Offer {
                    queue,
                    attach_no,
                    reservation: Reservation {
                        agent,
                        number: *next,
                    },
                    ring_for: Duration::from_millis(u64::from(y) * 80),
                    brief_for: Duration::from_millis(u64::from(x % 3) * 400),
                }
            }
            Saying::AlertOk => Command::AlertOk(r),
            Saying::ConnectOk => Command::ConnectOk(r),
            Saying::Refused => Command::Refused(r),
            Saying::Ended => ended(r, x.is_multiple_of(2)),
            Saying::Cancel => Command::Cancel(r),
            Saying::Answered => Command::Answered(r),
            Saying::Briefed => Command::Briefed(r),
            Saying::Rejected => Command::Rejected(r),
            Saying::Busy => Command::Busy(r),
            Saying::DeviceFailed => Command::DeviceFailed(r),
            Saying::CouldNotRing => Command::CouldNotRing(r),
            Saying::AgentHungUp => Command::AgentHungUp(self.bridged.unwrap_or(r)),
            Saying::HungUp => Command::HungUp,
            Saying::Star => Command::Star,
            Saying::TimedOut => Command::TimedOut,
            Saying::MoveTo => Command::MoveTo {
                queue,
                attach_no,
                to: QUEUES[usize::from(y) % QUEUES.len()],
            },
            Saying::TakenOut => Command::TakenOut { queue, attach_no },
            Saying::Transfer => Command::Transfer(any_queue),
            Saying::Revalidate => Command::Revalidate,
        }
    }

    /// One step, of which everything is checked.
    fn say(&mut self, command: Command) {
        let before = self.edge.clone();
        let effects = self.edge.handle(self.now, command);
        let mut twin = before.clone();
        assert_eq!(effects, twin.handle(self.now, command), "the same again");
        match command {
            Command::Ended { reservation, .. } => drop(self.ends.remove(&reservation)),
            Command::LeftOk { queue, attach_no } => {
                self.lefts
                    .retain(|(q, no), _| *q != queue || *no > attach_no);
            }
            Command::Attached { attach_no, .. } if before.queue == self.edge.queue => {
                self.confirmed = attach_no.max(self.confirmed);
            }
            // A new stay begins: in a queue, or on the way to one.
            Command::Arrive(_) if before.phase() != self.edge.phase() => self.out = false,
            Command::Transfer(_) if before.phase() != self.edge.phase() => {
                (self.out, self.bridged) = (false, None);
            }
            // The agent's side is gone, or the agent is not ours any more.
            Command::AgentHungUp(_) | Command::Refused(_) | Command::HungUp
                if !matches!(self.edge.phase(), Phase::Connected(_)) =>
            {
                self.bridged = None;
            }
            _ => {}
        }
        for effect in &effects {
            self.check(&before, command, effect);
        }
        if let Phase::Connected(r) = self.edge.phase() {
            assert_eq!(self.bridged, Some(r));
            assert!(self.edge.legs.is_empty() && self.edge.exit.is_none());
        } else {
            assert_eq!(self.bridged, None, "{command:?}");
        }
        if matches!(self.edge.phase(), Phase::Gone(_) | Phase::New) {
            assert!(
                self.edge.legs.is_empty() && self.edge.queue.is_none(),
                "{command:?}"
            );
        }
        let late = self.edge.exit == Some(Exit::Leave(LeftReason::Timeout));
        let delayed = self.edge.busy() || (late && self.edge.briefing().is_some());
        assert!(
            self.edge.exit.is_none() || delayed,
            "a wish that nothing delays"
        );
        let legs = self.edge.legs.values();
        let on_the_line = [Leg::Briefing, Leg::Committing, Leg::Settling];
        let about_to = legs.filter(|s| on_the_line.contains(&s.leg)).count();
        assert!(about_to <= 1, "two agents on the line: {command:?}");
        if self.edge.briefing().is_some() {
            assert_eq!(
                self.edge.legs.len(),
                1,
                "somebody rings in vain: {command:?}"
            );
        }
    }

    fn check(&mut self, before: &Edge, command: Command, effect: &Effect) {
        let leg = |r: &Reservation| before.leg(*r);
        match effect {
            Effect::Bridge(r) => {
                assert_eq!(command, Command::ConnectOk(*r));
                assert_eq!(leg(r), Some(Leg::Committing));
                assert_eq!(self.bridged.replace(*r), None, "two bridges");
                assert!(
                    !std::mem::replace(&mut self.out, true),
                    "answered after it left"
                );
                assert!(self.bridges.insert(*r), "bridged twice");
                assert!(!self.ends.contains_key(r), "bridged after its end");
            }
            Effect::Out(_) => {
                assert!(
                    !std::mem::replace(&mut self.out, true),
                    "left twice, or answered"
                );
                assert_eq!(self.bridged, None);
            }
            Effect::Ring(r) => {
                assert_eq!((command, leg(r)), (Command::AlertOk(*r), Some(Leg::Asking)));
                assert!(self.rung.insert(*r), "rung twice");
                assert!(!self.ends.contains_key(r), "rung after its end");
            }
            Effect::Connect(r) => match command {
                Command::Answered(heard) | Command::Briefed(heard) => assert_eq!(heard, *r),
                Command::Tick if leg(r) == Some(Leg::Briefing) => {
                    assert!(before.legs[r].due <= self.now, "cut short");
                }
                Command::Revalidate => assert_eq!(before.phase(), Phase::Connected(*r)),
                _ => assert_eq!(leg(r), Some(Leg::Committing), "{command:?}"),
            },
            Effect::End { reservation, why } => {
                let known = *self.ends.entry(*reservation).or_insert(*why);
                assert_eq!(known, *why, "another reason for the same end");
            }
            Effect::Left {
                queue,
                attach_no,
                reason,
                agent,
            } => {
                let said = (*reason, *agent);
                let known = *self.lefts.entry((*queue, *attach_no)).or_insert(said);
                assert_eq!(known, said, "left for two reasons");
                let answered = *reason == LeftReason::Answered;
                assert_eq!(agent.is_some(), answered, "only an answer has an agent");
            }
            Effect::Brief(r) => {
                assert_eq!(command, Command::Answered(*r));
                assert!(!self.ends.contains_key(r), "briefed after its end");
            }
            Effect::Attach { attach_no, .. } => assert_eq!(*attach_no, self.edge.attach_no()),
            Effect::Alert(_) | Effect::Stop { .. } | Effect::OfferEnded { .. } => {}
        }
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        let mut at_once = 0;
        while let Some(due) = self.edge.next_due().filter(|due| *due <= until) {
            at_once = if due > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 50, "ticks without end");
            self.now = due.max(self.now);
            self.say(Command::Tick);
        }
        self.now = until;
    }

    /// Whatever the edge asked for and was not answered comes again within its time.
    fn repeats_what_it_is_owed(&self) {
        let mut edge = self.edge.clone();
        let later = self.now + edge.timing.retry;
        let owes = !self.ends.is_empty() || !self.lefts.is_empty();
        assert!(!owes || edge.next_due().is_some_and(|due| due <= later));
        let again = edge.handle(later, Command::Tick);
        for (r, why) in &self.ends {
            assert!(again.contains(&end(*r, *why)), "{r} is not ended again");
        }
        for ((queue, attach_no), (reason, agent)) in &self.lefts {
            let left = Effect::Left {
                queue: *queue,
                attach_no: *attach_no,
                reason: *reason,
                agent: *agent,
            };
            assert!(again.contains(&left), "{left:?}");
        }
        for (r, state) in &edge.legs {
            let asked = match state.leg {
                Leg::Asking => again.contains(&Effect::Alert(*r)),
                Leg::Committing => again.contains(&Effect::Connect(*r)),
                Leg::Settling => again
                    .iter()
                    .any(|e| matches!(e, Effect::End { reservation, .. } if reservation == r)),
                Leg::Ringing | Leg::Briefing => true,
            };
            assert!(asked, "{r} in {:?} is not asked for again", state.leg);
        }
        if edge.queue.is_some() && self.confirmed < edge.attach_no() {
            let attach = |e: &Effect| matches!(e, Effect::Attach { .. });
            assert!(again.iter().any(attach), "no place is asked for");
        }
    }

    /// The customer goes, everybody answers, and nothing is left.
    fn ends(&mut self) {
        self.say(Command::HungUp);
        self.wait(60_000);
        for (r, _) in std::mem::take(&mut self.ends) {
            self.say(ended(r, false));
        }
        // What was in commit has said what it did; now the rest is told.
        for (r, _) in std::mem::take(&mut self.ends) {
            self.say(ended(r, false));
        }
        for ((queue, attach_no), _) in std::mem::take(&mut self.lefts) {
            assert!(!self.edge.done());
            self.say(Command::LeftOk { queue, attach_no });
        }
        assert!(self.edge.done(), "{:?}", self.edge);
        assert!(self.edge.bonds().is_empty());
        assert_eq!(self.edge.next_due(), None);
        assert!(matches!(self.edge.phase(), Phase::Gone(_)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_an_edge_is_told_it_answers_one_and_tells_everybody(acts in acts()) {
        let mut trial = Trial::new();
        for act in acts {
            trial.act(act);
        }
        trial.ends();
    }
}

/// The histories above must reach what they are about; else they would prove nothing.
#[test]
fn the_histories_brief_bridge_and_settle_often() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut bridges, mut briefed, mut settling, mut wishes) = (0, 0, 0, 0);
    for _ in 0..100 {
        let mut trial = Trial::new();
        for act in acts().new_tree(&mut runner).unwrap().current() {
            trial.act(act);
            let mut legs = trial.edge.legs.values();
            settling += usize::from(legs.any(|s| s.leg == Leg::Settling));
            briefed += usize::from(trial.edge.briefing().is_some());
            wishes += usize::from(trial.edge.exit.is_some());
        }
        bridges += trial.bridges.len();
    }
    let reached = [bridges, briefed, settling, wishes];
    assert!(reached.iter().all(|count| *count > 50), "{reached:?}");
}
