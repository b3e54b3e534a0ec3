//! Named days of a queue and an agent, and, in `recount`, random ones against a naive recount.

mod recount;

use super::*;
use crate::{
    Event,
    agent::{AgentRecord, Chosen, State, View},
};
use centro_kernel::{
    ContactId, QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Outcome, Reservation},
};
use std::{sync::Arc, time::Duration};

const SUPPORT: QueueId = QueueId::from_u128(1);
const SALES: QueueId = QueueId::from_u128(2);
const BRUNO: UserId = UserId::from_u128(1);

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn contact(n: u128) -> ContactId {
    ContactId::from_u128(n)
}

const fn reservation(agent: UserId, number: u64) -> Reservation {
    Reservation { agent, number }
}

fn queued(n: u128, enqueued_at: i64) -> Event {
    Event::ContactQueued {
        contact: contact(n),
        queue: SUPPORT,
        kind: crate::ContactKind::Call,
        caller: Arc::default(),
        enqueued_at: at(enqueued_at),
        priority: 0,
        position: 1,
    }
}

fn left(n: u128, enqueued_at: i64, now: i64, reason: LeftReason) -> Event {
    Event::ContactLeft {
        contact: contact(n),
        queue: SUPPORT,
        agent: None,
        reason,
        enqueued_at: at(enqueued_at),
        wait: at(now).since(at(enqueued_at)),
    }
}

fn connected(n: u128, reservation: Reservation) -> Event {
    Event::ContactConnected {
        contact: contact(n),
        queue: SUPPORT,
        reservation,
    }
}

fn offer_ended(n: u128, reservation: Reservation, why: OfferEnd, ring_ms: u64) -> Event {
    Event::OfferEnded {
        contact: contact(n),
        queue: SUPPORT,
        reservation,
        why,
        ring: Duration::from_millis(ring_ms),
    }
}

fn wrap_up_ended(n: u128, agent: UserId, ms: u64) -> Event {
    Event::WrapUpEnded {
        contact: contact(n),
        queue: SUPPORT,
        agent,
        wrap_up: Duration::from_millis(ms),
    }
}

fn view(agent: UserId, state: State, since: i64, contact: Option<ContactId>) -> View {
    View {
        state,
        since: at(since),
        device_online: true,
        contact,
        contact_queue: contact.map(|_| SUPPORT),
        ..AgentRecord::new(agent, at(0)).shown
    }
}

fn state_changed(view: View, previous: State) -> Event {
    Event::AgentStateChanged { view, previous }
}

/// The queue "Support" since the epoch, with the rules of the specification.
struct Support(QueueFigures);

impl Support {
    fn new() -> Self {
        Self(QueueFigures::new(SUPPORT, Rules::default(), at(0)))
    }

    fn tell(&mut self, now: i64, event: Event) -> &mut Self {
        self.0.apply(at(now), &event);
        self
    }

    /// A caller who enters and leaves.
    fn stay(&mut self, n: u128, from: i64, to: i64, reason: LeftReason) -> &mut Self {
        self.tell(from, queued(n, from));
        self.tell(to, left(n, from, to, reason))
    }

    /// A caller whom Bruno serves, with no other caller at the same time.
    fn served(&mut self, n: u128, from: i64, answered: i64, talk: i64, wrap_up: i64) -> &mut Self {
        let (bruno, over) = (reservation(BRUNO, answered as u64), answered + talk);
        let talks = view(BRUNO, State::Connected, answered, Some(contact(n)));
        let wraps_up = view(BRUNO, State::WrapUp, over, Some(contact(n)));
        let ready = view(BRUNO, State::Ready, over + wrap_up, None);
        self.tell(from, queued(n, from));
        self.tell(answered, offer_ended(n, bruno, OfferEnd::Answered, 1_000));
        self.tell(answered, connected(n, bruno));
        self.tell(answered, state_changed(talks, State::Alerting));
        self.tell(answered, left(n, from, answered, LeftReason::Answered));
        self.tell(over, state_changed(wraps_up, State::Connected));
        self.tell(over + wrap_up, wrap_up_ended(n, BRUNO, wrap_up as u64));
        self.tell(over + wrap_up, state_changed(ready, State::WrapUp))
    }
}

#[test]
fn without_anybody_all_means_and_shares_are_unknown() {
    let mut support = Support::new();
    let today = support.0.today(at(1_000));
    assert_eq!(today.mean_wait.mean.millis(), None);
    assert_eq!(today.service_level.basis_points(), None);
    assert_eq!(today.speed_of_answer.millis(), None);
    assert_eq!(today.abandon_rate.basis_points(), None);
    assert_eq!(today.handle_time().millis(), None);
    assert_eq!(today.answer_rate.basis_points(), None);
    assert_eq!((today.waiting, today.longest_wait_ms), (0, None));
}

#[test]
fn the_mean_wait_counts_who_left_for_any_reason_and_nobody_who_waits() {
    let mut support = Support::new();
    support.stay(1, 0, 10_000, LeftReason::Abandoned);
    support.stay(2, 0, 20_000, LeftReason::Timeout);
    support.served(3, 0, 30_000, 60_000, 5_000);
    support.tell(40_000, queued(4, 40_000));
    let mean = support.0.mean_wait(at(200_000), None).mean;
    assert_eq!((mean.sum_ms, mean.count), (60_000, 3));
    let without = support.0.mean_wait(at(200_000), Some(contact(2))).mean;
    assert_eq!((without.sum_ms, without.count), (40_000, 2));
    assert!(!support.0.mean_wait(at(899_999), None).complete);
    assert!(support.0.mean_wait(at(900_000), None).complete);
}

#[test]
fn the_service_level_has_short_abandons_and_flow_outs_in_its_base_only_when_told_to() {
    let mut support = Support::new();
    support.served(1, 0, 20_000, 1_000, 1_000);
    support.served(2, 30_000, 50_001, 1_000, 1_000);
    support.stay(3, 0, 4_999, LeftReason::Abandoned);
    support.stay(4, 0, 5_000, LeftReason::Abandoned);
    support.stay(5, 0, 9_000, LeftReason::DtmfExit);
    let mut level = |flow_outs, short, abandons| {
        let mut rules = Rules::default();
        rules.service_level.include_flow_outs = flow_outs;
        rules.service_level.include_short_abandons = short;
        rules.service_level.include_abandons = abandons;
        support.0.configure(rules);
        let level = support.0.today(at(60_000)).service_level;
        (level.part, level.base)
    };
    assert_eq!(level(false, false, true), (1, 3));
    assert_eq!(level(false, true, true), (1, 4));
    assert_eq!(level(true, true, true), (1, 5));
    assert_eq!(level(false, false, false), (1, 2));
    assert_eq!(level(false, true, false), (1, 3));
}

#[test]
fn a_changed_target_counts_for_the_whole_day() {
    let mut support = Support::new();
    support.served(1, 0, 20_000, 1_000, 1_000);
    support.served(2, 30_000, 50_001, 1_000, 1_000);
    support.stay(3, 0, 7_000, LeftReason::Abandoned);
    let mut rules = Rules::default();
    rules.service_level.within_seconds = 21;
    rules.short_abandon_seconds = 8;
    support.0.configure(rules);
    let today = support.0.today(at(60_000));
    assert_eq!((today.service_level.part, today.service_level.base), (2, 2));
    assert_eq!((today.abandoned, today.short_abandons), (1, 1));
    assert_eq!((today.abandon_rate.part, today.abandon_rate.base), (0, 2));
}

#[test]
fn a_caller_who_hangs_up_while_it_rings_is_abandoned_and_nobody_missed_a_call() {
    let mut support = Support::new();
    let bruno = reservation(BRUNO, 1);
    support.tell(0, queued(1, 0));
    support.tell(9_000, offer_ended(1, bruno, OfferEnd::CallerGone, 3_000));
    support.tell(9_001, left(1, 0, 9_001, LeftReason::Abandoned));
    let today = support.0.today(at(10_000));
    assert_eq!((today.abandoned, today.missed, today.rejected), (1, 0, 0));
    assert_eq!((today.answer_rate.part, today.answer_rate.base), (0, 1));
}

#[test]
fn a_contact_that_nobody_answers_keeps_its_wait_and_counts_once() {
    let mut support = Support::new();
    support.tell(0, queued(1, 0));
    let missed = offer_ended(1, reservation(BRUNO, 1), OfferEnd::NoAnswer, 15_000);
    support.tell(16_000, missed);
    let today = support.0.today(at(20_000));
    assert_eq!((today.waiting, today.longest_wait_ms), (1, Some(20_000)));
    assert_eq!((today.offered, today.abandoned, today.missed), (1, 0, 1));
    support.served(1, 0, 30_000, 60_000, 5_000);
    let today = support.0.today(at(100_000));
    assert_eq!((today.offered, today.answered, today.waiting), (1, 1, 0));
    assert_eq!(today.speed_of_answer.millis(), Some(30_000));
    assert_eq!((today.answer_rate.part, today.answer_rate.base), (1, 2));
}

#[test]
fn who_is_turned_away_at_the_door_was_offered_and_flowed_out() {
    let mut support = Support::new();
    support.tell(5_000, left(1, 5_000, 5_000, LeftReason::QueueFull));
    let today = support.0.today(at(6_000));
    assert_eq!((today.offered, today.flow_out, today.waiting), (1, 1, 0));
    assert_eq!(today.reasons[&LeftReason::QueueFull], 1);
    assert_eq!(today.outcomes[&Outcome::EvictedSystem], 1);
}

#[test]
fn the_handle_time_counts_a_contact_when_its_agent_is_done() {
    let mut support = Support::new();
    support.served(1, 0, 10_000, 60_000, 5_000);
    let bruno = reservation(BRUNO, 9);
    support.tell(80_000, queued(2, 80_000));
    support.tell(90_000, connected(2, bruno));
    support.tell(90_000, left(2, 80_000, 90_000, LeftReason::Answered));
    let today = support.0.today(at(100_000));
    assert_eq!((today.answered, today.talk.count), (2, 1));
    assert_eq!(today.handle_time().millis(), Some(65_000));
    let ready = view(BRUNO, State::Ready, 100_000, None);
    support.tell(100_000, state_changed(ready, State::Connected));
    let today = support.0.today(at(100_000));
    assert_eq!((today.talk.sum_ms, today.wrap_up.sum_ms), (70_000, 5_000));
    assert_eq!(today.handle_time().count, 2);
}

#[test]
fn the_expected_wait_forgets_what_is_older_than_the_window() {
    let mut support = Support::new();
    for n in 0..10_i64 {
        support.served(n as u128, n * 70_000, n * 70_000 + 1_000, 50_000, 10_000);
    }
    let serving = Serving { agents: 2, free: 0 };
    let method = Method::HandleTime;
    let known = ExpectedWait::Yes {
        wait_ms: 90_000,
        method,
        sample: 10,
    };
    assert_eq!(support.0.expected_wait(at(700_000), 3, serving), known);
    let why = UnknownWait::SampleTooSmall;
    let unknown = ExpectedWait::No { why, sample: 9 };
    assert_eq!(support.0.expected_wait(at(961_000), 3, serving), unknown);
}

#[test]
fn midnight_keeps_who_waits_and_forgets_what_was_yesterday() {
    let mut support = Support::new();
    support.stay(1, 0, 10_000, LeftReason::Abandoned);
    support.tell(50_000, queued(2, 50_000));
    support.0.begin_day(at(86_400));
    let today = support.0.today(at(86_400));
    assert_eq!(
        (today.offered, today.carried_over, today.waiting),
        (0, 1, 1)
    );
    assert!(today.outcomes.is_empty());
    assert_eq!(
        today.mean_wait.mean.count, 1,
        "the window knows no midnight"
    );
    support.tell(90_000, left(2, 50_000, 90_000, LeftReason::Abandoned));
    let today = support.0.today(at(90_000));
    assert_eq!((today.abandoned, today.max_wait_ms), (1, 40_000));
    support.0.begin_day(at(0));
    assert_eq!(
        support.0.today(at(90_000)).abandoned,
        1,
        "a day does not come back"
    );
}

#[test]
fn what_the_queue_says_when_a_contact_leaves_counts_though_it_was_connected() {
    let mut support = Support::new();
    support.tell(0, queued(1, 0));
    support.tell(5_000, connected(1, reservation(BRUNO, 1)));
    assert_eq!(support.0.today(at(5_000)).answered, 1);
    support.tell(5_010, left(1, 0, 5_010, LeftReason::SystemFailure));
    let today = support.0.today(at(6_000));
    assert_eq!((today.answered, today.flow_out, today.waiting), (0, 1, 0));
    assert_eq!(today.speed_of_answer.count, 0);
    assert_eq!(today.mean_wait.mean.sum_ms, 5_010);
}

#[test]
fn an_edge_that_comes_back_after_it_was_given_up_waits_at_its_place_again() {
    let mut support = Support::new();
    support.tell(0, queued(1, 0));
    support.tell(7_000, connected(1, reservation(BRUNO, 1)));
    support.tell(8_000, left(1, 0, 8_000, LeftReason::SystemFailure));
    support.tell(9_000, queued(1, 0));
    support.tell(7_000, connected(1, reservation(BRUNO, 1)));
    let today = support.0.today(at(10_000));
    assert_eq!((today.offered, today.waiting, today.flow_out), (1, 1, 0));
    assert_eq!(today.longest_wait_ms, Some(10_000));
    support.tell(8_000, left(1, 0, 8_000, LeftReason::SystemFailure));
    assert_eq!(support.0.today(at(10_000)).waiting, 1, "a repeat");
    support.served(1, 0, 12_000, 1_000, 1_000);
    let today = support.0.today(at(20_000));
    assert_eq!((today.offered, today.answered, today.waiting), (1, 1, 0));
}

#[test]
fn what_is_remembered_of_stays_that_are_over_is_bounded() {
    let mut support = Support::new();
    for n in 0..5_000 {
        support.stay(n, n as i64, n as i64 + 1, LeftReason::Abandoned);
    }
    let today = support.0.today(at(6_000));
    assert_eq!((today.offered, today.abandoned), (5_000, 5_000));
    let written = format!("{:?}", support.0);
    assert_eq!(written.matches("entered_at").count(), 512);
}

#[test]
fn a_connection_that_is_told_after_the_leaving_counts_with_its_own_wait() {
    let mut support = Support::new();
    let bruno = reservation(BRUNO, 1);
    support.tell(0, queued(1, 0));
    support.tell(5_010, left(1, 0, 5_010, LeftReason::Answered));
    assert_eq!(support.0.today(at(5_010)).speed_of_answer.sum_ms, 5_010);
    support.tell(5_000, connected(1, bruno));
    let ready = view(BRUNO, State::Ready, 65_000, None);
    support.tell(65_000, state_changed(ready, State::Connected));
    let today = support.0.today(at(70_000));
    assert_eq!((today.offered, today.answered, today.waiting), (1, 1, 0));
    assert_eq!(today.speed_of_answer.sum_ms, 5_000);
    assert_eq!(today.mean_wait.mean.sum_ms, 5_000);
    assert_eq!((today.talk.sum_ms, today.talk.count), (60_000, 1));
}

#[test]
fn events_of_other_queues_and_agents_change_nothing() {
    let mut sales = QueueFigures::new(SALES, Rules::default(), at(0));
    sales.apply(at(0), &queued(1, 0));
    sales.apply(at(9), &left(1, 0, 9, LeftReason::Abandoned));
    assert_eq!(sales.today(at(10)).offered, 0);
    let mut anna = AgentFigures::new(UserId::from_u128(2), at(0));
    anna.apply(at(5), &connected(1, reservation(BRUNO, 1)));
    let ready = view(BRUNO, State::Ready, 5, None);
    anna.apply(at(5), &state_changed(ready, State::LoggedOut));
    let today = anna.today(at(10));
    assert_eq!((today.handled, today.login_ms), (0, 0));
}

#[test]
fn brunos_day_adds_up_to_his_login_time() {
    let mut bruno = AgentFigures::new(BRUNO, at(0));
    let mut before = State::LoggedOut;
    let mut go = |at_ms: i64, change: View| {
        let state = change.state;
        bruno.apply(at(at_ms), &state_changed(change, before));
        before = state;
    };
    let paused = |since, reason: &str| View {
        chosen: Chosen::Paused(reason.to_owned()),
        ..view(BRUNO, State::Paused, since, None)
    };
    go(1_000, paused(1_000, ""));
    go(3_000, view(BRUNO, State::Ready, 3_000, None));
    go(10_000, view(BRUNO, State::Reserved, 10_000, None));
    go(
        10_000,
        view(BRUNO, State::Alerting, 10_000, Some(contact(1))),
    );
    go(
        14_000,
        view(BRUNO, State::Connected, 14_000, Some(contact(1))),
    );
    go(74_000, view(BRUNO, State::WrapUp, 74_000, Some(contact(1))));
    go(84_000, paused(84_000, "Lunch"));
    go(90_000, paused(90_000, "Meeting"));
    let offline = View {
        device_online: false,
        ..view(BRUNO, State::Ready, 91_000, None)
    };
    go(91_000, offline);
    go(93_000, view(BRUNO, State::NotResponding, 93_000, None));
    go(99_000, view(BRUNO, State::LoggedOut, 99_000, None));
    let answered = offer_ended(1, reservation(BRUNO, 1), OfferEnd::Answered, 4_000);
    bruno.apply(at(14_000), &answered);
    bruno.apply(at(14_000), &connected(1, reservation(BRUNO, 1)));
    let today = bruno.today(at(120_000));
    assert_eq!(today.login_ms, 98_000);
    assert_eq!((today.ready_ms, today.unreachable_ms), (7_000, 2_000));
    assert_eq!((today.reserved_ms, today.alerting_ms), (0, 4_000));
    assert_eq!((today.connected_ms, today.wrap_up_ms), (60_000, 10_000));
    assert_eq!((today.paused_ms, today.not_responding_ms), (9_000, 6_000));
    let reasons: Vec<_> = today.paused_by_reason.into_iter().collect();
    let expected = [("", 2_000), ("Lunch", 6_000), ("Meeting", 1_000)];
    assert_eq!(reasons, expected.map(|(r, ms)| (r.to_owned(), ms)));
    assert_eq!((today.handled, today.ring_ms), (1, 4_000));
    assert_eq!(today.answer_rate.basis_points(), Some(10_000));
    assert_eq!(today.occupancy.basis_points(), Some(9_090));
}

#[test]
fn a_day_that_begins_while_an_agent_talks_counts_from_there() {
    let mut bruno = AgentFigures::new(BRUNO, at(0));
    let ready = view(BRUNO, State::Ready, 1_000, None);
    bruno.apply(at(1_000), &state_changed(ready, State::LoggedOut));
    let talks = view(BRUNO, State::Connected, 5_000, Some(contact(1)));
    bruno.apply(at(5_000), &state_changed(talks, State::Ready));
    bruno.begin_day(at(10_000));
    let today = bruno.today(at(12_000));
    assert_eq!(
        (today.login_ms, today.connected_ms, today.ready_ms),
        (2_000, 2_000, 0)
    );
}

#[test]
fn a_second_change_in_one_millisecond_counts_and_a_repeat_of_the_first_does_not() {
    let mut bruno = AgentFigures::new(BRUNO, at(0));
    let ready = state_changed(view(BRUNO, State::Ready, 1_000, None), State::LoggedOut);
    let reserved = state_changed(view(BRUNO, State::Reserved, 1_000, None), State::Ready);
    let released = state_changed(view(BRUNO, State::Ready, 1_000, None), State::Reserved);
    for event in [&ready, &reserved, &ready] {
        bruno.apply(at(1_000), event);
    }
    assert_eq!(bruno.today(at(3_000)).reserved_ms, 2_000);
    bruno.apply(at(1_000), &released);
    let today = bruno.today(at(3_000));
    assert_eq!((today.reserved_ms, today.ready_ms), (0, 2_000));
}

#[test]
fn any_number_of_pause_reasons_takes_bounded_memory_and_still_adds_up() {
    let mut bruno = AgentFigures::new(BRUNO, at(0));
    for n in 1..=200_i64 {
        let pause = View {
            chosen: Chosen::Paused(format!("reason {n}")),
            ..view(BRUNO, State::Paused, n * 10, None)
        };
        bruno.apply(at(n * 10), &state_changed(pause, State::Paused));
    }
    let today = bruno.today(at(2_010));
    assert_eq!(today.paused_by_reason.len(), 50);
    assert_eq!(today.paused_other_reasons_ms, 1_500);
    assert_eq!((today.paused_ms, today.login_ms), (2_000, 2_000));
}

#[test]
fn figures_survive_their_text_form() {
    let mut support = Support::new();
    support.served(1, 0, 10_000, 60_000, 5_000);
    support.stay(2, 0, 3_000, LeftReason::Abandoned);
    let today = support.0.today(at(80_000));
    let text = serde_json::to_string(&today).unwrap();
    assert_eq!(serde_json::from_str::<QueueToday>(&text).unwrap(), today);
    let wait = support.0.expected_wait(at(80_000), 1, Serving::default());
    let text = serde_json::to_string(&wait).unwrap();
    let expected = r#"{"known":"no","why":"nobody_serves","sample":1}"#;
    assert_eq!(text, expected);
    let bruno = AgentFigures::new(BRUNO, at(0)).today(at(5));
    let text = serde_json::to_string(&bruno).unwrap();
    assert_eq!(serde_json::from_str::<AgentToday>(&text).unwrap(), bruno);
}

/// The names of the first column of a table of the definitions.
fn defined(heading: &str) -> Vec<&'static str> {
    let text = include_str!("../../../../../docs/metrics-definitions.md");
    let after = text.split(heading).nth(1).expect("the heading");
    let table = after.split("\n## ").next().unwrap_or(after);
    let first = |row: &'static str| row.strip_prefix("| `")?.split('`').next();
    table.lines().filter_map(first).collect()
}

fn undefined(figures: &impl serde::Serialize, heading: &str) -> Vec<String> {
    let names = defined(heading);
    let fields = serde_json::to_value(figures).unwrap();
    let fields = fields.as_object().unwrap().keys();
    let plain = ["agent", "as_of", "day_start"];
    fields
        .map(|field| field.strip_suffix("_ms").unwrap_or(field).to_owned())
        .filter(|name| !plain.contains(&&**name) && !names.contains(&&**name))
        .collect()
}

#[test]
fn every_figure_has_a_definition() {
    let queue = Support::new().0.today(at(1));
    assert_eq!(undefined(&queue, "\n## Queues\n"), Vec::<String>::new());
    let agent = AgentFigures::new(BRUNO, at(0)).today(at(1));
    assert_eq!(undefined(&agent, "\n## Agents\n"), Vec::<String>::new());
    assert!(defined("\n## Queues\n").contains(&"expected_wait"));
}

/// Spec P5, G11: pending until it is returned, and then handled after the whole wait; nobody abandoned.
#[test]
fn a_promised_callback_is_pending_until_it_is_kept() {
    let mut support = Support::new();
    support.stay(1, 0, 40_000, LeftReason::CallbackRequested);
    // Many others leave meanwhile; it is not forgotten.
    for n in 10..700 {
        support.stay(n, 50_000, 50_000 + n as i64, LeftReason::Abandoned);
    }
    let today = support.0.today(at(60_000));
    assert_eq!(today.outcomes[&Outcome::Pending], 1);
    assert_eq!((today.waiting, today.answered, today.offered), (0, 0, 691));
    let agent = reservation(BRUNO, 1);
    support.tell(90_000, connected(1, agent));
    support.tell(90_000, left(1, 0, 90_000, LeftReason::Answered));
    let today = support.0.today(at(100_000));
    assert_eq!(today.outcomes.get(&Outcome::Pending), None);
    assert_eq!(
        (today.answered, today.abandoned, today.offered),
        (1, 690, 691)
    );
    assert_eq!(
        today.speed_of_answer,
        Mean {
            sum_ms: 90_000,
            count: 1
        }
    );
    let outcomes: u64 = today.outcomes.values().sum();
    assert_eq!(today.carried_over + today.offered, outcomes + today.waiting);
}

/// One promised yesterday and kept today is carried over.
#[test]
fn a_callback_that_is_kept_the_next_day_balances_too() {
    let mut support = Support::new();
    support.stay(1, 0, 40_000, LeftReason::CallbackRequested);
    support.0.begin_day(at(100_000));
    let today = support.0.today(at(100_000));
    assert!(today.outcomes.is_empty() && today.carried_over == 0);
    support.tell(190_000, connected(1, reservation(BRUNO, 1)));
    support.tell(190_000, left(1, 0, 190_000, LeftReason::Answered));
    let today = support.0.today(at(200_000));
    assert_eq!((today.carried_over, today.answered), (1, 1));
    let outcomes: u64 = today.outcomes.values().sum();
    assert_eq!(today.carried_over + today.offered, outcomes + today.waiting);
}
