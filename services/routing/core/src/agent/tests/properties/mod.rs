//! Rules that hold whatever people, queues and edges say, and whatever is lost, repeated or late.

mod acts;

use super::*;
use acts::{Act, QUEUES, acts, membership};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Longer than anything that ends by itself, and shorter than two of the longest.
const LONG_ENOUGH: u64 = 5 * 60 * 60 * 1_000;

/// What was promised so far, and the agent who has to keep it.
struct Trial {
    desk: Desk,
    said: Vec<AgentMessage>,
    epoch: Epoch,
    /// Numbers that were given out.
    given: BTreeSet<u64>,
    /// How far each got, by rank of its phase.
    phases: BTreeMap<u64, u8>,
    /// What is over for good: reservation and contact.
    over: BTreeSet<(u64, ContactId)>,
    /// What was said of ended ones, and when.
    truths: BTreeMap<(u64, ContactId), (bool, Timestamp)>,
    /// What each version means to each queue.
    news: BTreeMap<(QueueId, u64), Presence>,
    /// The latest view that was told, and how long each state lasted by what was told.
    view: View,
    logged_in: Duration,
    by_state: Duration,
    state_since: Timestamp,
    looked: Timestamp,
}

const fn rank(phase: SlotPhase) -> u8 {
    match phase {
        SlotPhase::Reserved => 0,
        SlotPhase::Alerting => 1,
        SlotPhase::Revoked | SlotPhase::Connected => 2,
        SlotPhase::WrapUp => 3,
    }
}

impl Trial {
    fn new() -> Self {
        let mut desk = Desk::empty();
        // So that hours of waiting are few steps.
        (desk.cfg.refresh, desk.cfg.recheck) = (secs(3_600), secs(600));
        let mut trial = Self {
            view: desk.agent.view().clone(),
            state_since: desk.now,
            looked: desk.now,
            desk,
            said: vec![],
            epoch: 1,
            given: BTreeSet::new(),
            phases: BTreeMap::new(),
            over: BTreeSet::new(),
            truths: BTreeMap::new(),
            news: BTreeMap::new(),
            logged_in: secs(0),
            by_state: secs(0),
        };
        trial.say(log_in_to(&[], |log_in| {
            log_in.queues = QUEUES.map(|queue| membership(queue, 1)).into();
            log_in.desktop = true;
        }));
        trial
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Say(saying, x, y) => {
                let message = self.message(*saying, *x, *y);
                self.said.push(message.clone());
                self.say(message);
            }
            Act::Next(x, y) => {
                let message = self.message(self.next(), x | 1, *y);
                self.said.push(message.clone());
                self.say(message);
            }
            Act::Again(which) => {
                if !self.said.is_empty() {
                    let at = usize::from(*which) % self.said.len();
                    self.say(self.said[at].clone());
                }
            }
            Act::Wait(ms) => self.wait(u64::from(*ms)),
            Act::TakeOver => self.take_over(),
        }
    }

    /// One step, of which everything is checked.
    fn say(&mut self, message: AgentMessage) -> AgentOut {
        let before = self.desk.agent.record().clone();
        self.pass_time();
        let mut twin = self.desk.clone();
        let written = serde_json::to_string(&twin.agent).unwrap();
        twin.agent = serde_json::from_str(&written).unwrap();
        let out = self.desk.say(message.clone());
        assert_eq!(
            out,
            twin.say(message.clone()),
            "the same again: {message:?}"
        );
        assert_eq!(self.desk.agent, twin.agent);
        self.check_record(&before, &message, &out);
        if self.desk.agent.record().slots.len() > before.slots.len() {
            let granted = crate::invariants::granted(self.desk.agent.record());
            assert_eq!(granted, Ok(()), "{message:?}");
        }
        self.check_answer(&message, &out);
        self.check_told(&out);
        out
    }

    fn check_record(&mut self, before: &AgentRecord, message: &AgentMessage, out: &AgentOut) {
        let record = self.desk.agent.record();
        assert!(
            record.ver >= before.ver && record.next >= before.next,
            "{message:?}"
        );
        let stored = out.changes.as_slice();
        assert!(
            stored.len() <= 1 && (stored.is_empty() || out.fence),
            "{message:?}"
        );
        match stored {
            [stored] => assert_eq!(stored, record),
            // When an edge is asked next is not worth a write.
            _ => assert_eq!(
                without_questions(before),
                without_questions(record),
                "{message:?}"
            ),
        }
        assert!(
            out.events.is_empty() || !stored.is_empty(),
            "an event without its cause"
        );
        for slot in record
            .slots
            .iter()
            .filter(|s| before.slot(s.number).is_none())
        {
            assert!(
                self.given.insert(slot.number),
                "a number twice: {message:?}"
            );
            let (calls, chats) = (before.load(Medium::Voice), before.load(Medium::Chat));
            let room = before
                .profile
                .capacity
                .has_room(slot.terms.medium, calls, chats);
            assert!(room, "beyond what the agent can do: {message:?}");
            if slot.pick_up.is_none() {
                let member = before.membership(slot.queue);
                assert!(member.is_some_and(|m| before.room_for(m)), "{message:?}");
            }
        }
        assert!(record.load(Medium::Voice) <= 1, "two calls: {message:?}");
        for slot in &record.slots {
            let rank = rank(slot.phase);
            let reached = self.phases.insert(slot.number, rank);
            assert!(
                reached.is_none_or(|was| was <= rank),
                "backwards: {message:?}"
            );
            assert!(slot.due.is_some(), "no deadline: {slot:?}");
            assert_eq!(slot.contact.is_some(), slot.phase != SlotPhase::Reserved);
        }
        let sorted = record
            .memberships
            .windows(2)
            .all(|w| w[0].queue < w[1].queue);
        assert!(sorted, "{message:?}");
    }

    fn check_answer(&mut self, message: &AgentMessage, out: &AgentOut) {
        let Some((number, contact, owner)) = message.asker() else {
            return;
        };
        assert!(out.fence, "believed, but not fenced: {message:?}");
        let key = (number, contact);
        let record = self.desk.agent.record();
        let answer = out.answer.expect("no answer");
        let true_of_it = crate::invariants::answer(record, number, contact, owner, answer);
        assert_eq!(
            true_of_it,
            Ok(()),
            "{message:?} is answered with {answer:?}"
        );
        match out.answer {
            Some(Answer::AlertOk { .. } | Answer::ConnectOk) => {
                assert!(
                    !self.over.contains(&key),
                    "refused or ended before: {message:?}"
                );
            }
            Some(Answer::Refused) => {
                // The edge may have asked too late; what it was told of the talk stays true.
                self.over.insert(key);
            }
            Some(Answer::Ended { was_connected }) => {
                self.over.insert(key);
                let now = self.desk.now;
                let (truth, since) = *self.truths.entry(key).or_insert((was_connected, now));
                if now.since(since) < self.desk.cfg.tombstone {
                    assert_eq!(truth, was_connected, "{message:?}");
                }
            }
            Some(Answer::Late) => {}
            ref other => panic!("{message:?} is answered with {other:?}"),
        }
    }

    fn check_told(&mut self, out: &AgentOut) {
        for (queue, news) in told(out) {
            // An answer changes no version, so what it counts is heard with the next one.
            let told = Presence {
                received_at: at(0),
                contacts: 0,
                lost_to: None,
                ..news.clone()
            };
            let known = self.news.entry((queue, news.ver));
            let known = known.or_insert_with(|| told.clone()).clone();
            assert_eq!(known, told, "one version, two meanings");
            assert_eq!(news.ver, self.desk.agent.record().ver, "old news");
        }
        for view in views(out) {
            let same_time = View {
                since: self.view.since,
                ..view.clone()
            };
            assert_ne!(same_time, self.view, "an event without a visible change");
            let now = self.desk.now;
            assert!(view.since == self.view.since || view.since == now);
            if self.view.state != view.state {
                assert_eq!(view.since, now, "a state begins when it begins");
                self.count_state(now);
            }
            self.view = view.clone();
        }
        assert_eq!(
            &self.view,
            self.desk.agent.view(),
            "others see what they were told"
        );
    }

    /// The state that was shown until now has lasted so long.
    fn count_state(&mut self, now: Timestamp) {
        if self.view.state != State::LoggedOut {
            self.by_state += now.since(self.state_since);
        }
        self.state_since = now;
    }

    /// Time as it passes for somebody who looks at the agent instead of listening.
    fn pass_time(&mut self) {
        if self.desk.agent.record().state() != State::LoggedOut {
            self.logged_in += self.desk.now.since(self.looked);
        }
        self.looked = self.desk.now;
    }

    fn wait(&mut self, ms: u64) {
        let until = self.desk.now + Duration::from_millis(ms);
        let mut at_once = 0;
        while let Some((due, timer)) = self.desk.agent.next_due().filter(|(due, _)| *due <= until) {
            at_once = if due > self.desk.now { 0 } else { at_once + 1 };
            assert!(at_once < 200, "timers fire without end: {timer:?}");
            self.desk.now = due.max(self.desk.now);
            self.say(AgentMessage::Timer(timer));
        }
        self.desk.now = until;
    }

    fn take_over(&mut self) {
        let before = self.desk.agent.record().clone();
        self.pass_time();
        let out = self.desk.take_over();
        assert!(!out.fence && out.changes.is_empty() && out.events.is_empty());
        let after = self.desk.agent.record();
        let mut with_old_times = after.clone();
        for (slot, old) in with_old_times.slots.iter_mut().zip(&before.slots) {
            assert!(slot.due >= old.due, "early: {old:?}");
            if old.phase == SlotPhase::WrapUp {
                assert_eq!(slot.due, old.due, "a wrap-up keeps its end");
            }
            slot.due = old.due;
        }
        assert_eq!(with_old_times, before);
        self.check_told(&out);
        let asked: BTreeSet<_> = told(&out).into_iter().map(|(queue, _)| queue).collect();
        let queues = self.desk.queues().into_iter();
        assert_eq!(asked, queues.collect(), "all queues are told");
    }

    /// Nothing more is heard: what is unfinished ends by its own deadlines.
    fn comes_to_rest(&mut self) {
        self.wait(LONG_ENOUGH);
        let record = self.desk.agent.record();
        let talks = |s: &Slot| s.phase == SlotPhase::Connected;
        assert!(record.slots.iter().all(talks), "stuck: {:?}", record.slots);
        assert_eq!(record.rest, None);
        let state = record.state();
        let stable = matches!(
            state,
            State::LoggedOut | State::Ready | State::Paused | State::NotResponding
        );
        assert!(stable || !record.slots.is_empty(), "{state:?}");
        if record.chosen == Chosen::LoggedOut && record.slots.is_empty() {
            assert!(record.memberships.is_empty() && record.device.is_none());
        }
        let now = self.desk.now;
        self.count_state(now);
        self.pass_time();
        assert_eq!(self.by_state, self.logged_in, "durations add up");
    }
}

/// The record without what only says when an edge is asked next.
fn without_questions(record: &AgentRecord) -> AgentRecord {
    let mut record = record.clone();
    let talks = record.slots.iter_mut();
    for slot in talks.filter(|s| s.phase == SlotPhase::Connected) {
        slot.due = None;
    }
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_said_lost_repeated_or_late_the_rules_hold(acts in acts()) {
        let mut trial = Trial::new();
        for act in &acts {
            trial.act(act);
        }
        trial.comes_to_rest();
    }

    #[test]
    fn a_taken_over_agent_comes_to_rest_like_any_other(acts in acts()) {
        let mut trial = Trial::new();
        for act in &acts {
            trial.act(act);
        }
        trial.take_over();
        trial.comes_to_rest();
    }
}

/// The histories above must reach what they are about; else they would prove nothing.
#[test]
fn the_histories_reach_every_state_and_every_phase() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut states, mut phases, mut ends) = (BTreeSet::new(), BTreeSet::new(), 0);
    for _ in 0..100 {
        let mut trial = Trial::new();
        for act in acts().new_tree(&mut runner).unwrap().current() {
            trial.act(&act);
            let record = trial.desk.agent.record();
            states.insert(record.state());
            phases.extend(record.slots.iter().map(|s| s.phase));
        }
        ends += trial
            .truths
            .values()
            .filter(|(connected, _)| *connected)
            .count();
    }
    assert_eq!(states.len(), 8, "{states:?}");
    assert_eq!(phases.len(), 5, "{phases:?}");
    assert!(ends > 150, "{ends} talks ended");
}
