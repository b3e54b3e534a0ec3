//! Random days, told with repeats and a little out of order, against a recount from the plan of the day.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const WINDOW: i64 = 900_000;

/// What one caller does.
#[derive(Clone, Debug)]
struct Plan {
    enters: i64,
    wait: i64,
    reason: LeftReason,
    /// How long after an answer the queue hears of it.
    late: i64,
    talk: i64,
    wrap_up: i64,
    /// Offers that came to nothing before.
    failed: Vec<OfferEnd>,
    agent: u128,
}

impl Plan {
    fn settles(&self) -> i64 {
        self.enters + self.wait
    }

    fn is_answered(&self) -> bool {
        self.reason == LeftReason::Answered
    }

    fn done(&self) -> i64 {
        self.settles() + self.talk + self.wrap_up
    }
}

fn reason() -> impl Strategy<Value = LeftReason> {
    prop_oneof![
        6 => Just(LeftReason::Answered),
        3 => Just(LeftReason::Abandoned),
        1 => Just(LeftReason::DtmfExit),
        1 => Just(LeftReason::Timeout),
        1 => Just(LeftReason::QueueFull),
        1 => Just(LeftReason::TransferredByUser),
        1 => Just(LeftReason::SystemFailure),
    ]
}

fn failed_offer() -> impl Strategy<Value = OfferEnd> {
    prop::sample::select(vec![
        OfferEnd::NoAnswer,
        OfferEnd::Rejected,
        OfferEnd::CallerGone,
        OfferEnd::NeverRang,
        OfferEnd::DeviceFailed,
        OfferEnd::Revoked,
    ])
}

prop_compose! {
    fn plan()(
        enters in 0_i64..3_000_000,
        wait in prop_oneof![0_i64..30_000, Just(0), Just(5_000), Just(20_000), 0_i64..2_000_000],
        reason in reason(),
        late in 0_i64..40,
        talk in 0_i64..600_000,
        wrap_up in prop_oneof![Just(0_i64), 1_i64..60_000],
        failed in prop::collection::vec(failed_offer(), 0..3),
    ) -> Plan {
        // Whoever is turned away never waits.
        let wait = if reason == LeftReason::QueueFull { 0 } else { wait };
        Plan { enters, wait, reason, late, talk, wrap_up, failed, agent: 0 }
    }
}

/// Gives each answered caller an agent who is free then.
fn with_agents(mut plans: Vec<Plan>) -> Vec<Plan> {
    plans.sort_by_key(Plan::settles);
    let mut busy_until: Vec<i64> = Vec::new();
    for plan in plans.iter_mut().filter(|plan| plan.is_answered()) {
        let free = busy_until.iter().position(|until| *until < plan.settles());
        let agent = free.unwrap_or_else(|| {
            busy_until.push(0);
            busy_until.len() - 1
        });
        busy_until[agent] = plan.done();
        plan.agent = agent as u128 + 1;
    }
    plans
}

/// The events of the day with their time, in order.
fn events(plans: &[Plan]) -> Vec<(i64, Event)> {
    let mut told = Vec::new();
    let mut number = 0;
    for (n, plan) in plans.iter().enumerate() {
        let n = n as u128 + 1;
        let mut reserve = |agent: u128| {
            number += 1;
            reservation(UserId::from_u128(agent), number)
        };
        if plan.reason == LeftReason::QueueFull {
            told.push((plan.enters, left(n, plan.enters, plan.enters, plan.reason)));
            continue;
        }
        told.push((plan.enters, queued(n, plan.enters)));
        for why in &plan.failed {
            told.push((plan.settles(), offer_ended(n, reserve(99), *why, 7)));
        }
        if !plan.is_answered() {
            let at = plan.settles();
            told.push((at, left(n, plan.enters, at, plan.reason)));
            continue;
        }
        let agent = UserId::from_u128(plan.agent);
        let held = reserve(plan.agent);
        let (answered, over, done) = (plan.settles(), plan.settles() + plan.talk, plan.done());
        told.push((answered, offer_ended(n, held, OfferEnd::Answered, 9)));
        told.push((answered, connected(n, held)));
        let talks = view(agent, State::Connected, answered, Some(contact(n)));
        told.push((answered, state_changed(talks, State::Alerting)));
        let heard = answered + plan.late;
        told.push((heard, left(n, plan.enters, heard, plan.reason)));
        if plan.wrap_up > 0 {
            let wraps_up = view(agent, State::WrapUp, over, Some(contact(n)));
            told.push((over, state_changed(wraps_up, State::Connected)));
            told.push((done, wrap_up_ended(n, agent, plan.wrap_up as u64)));
            let ready = view(agent, State::Ready, done, None);
            told.push((done, state_changed(ready, State::WrapUp)));
        } else {
            let ready = view(agent, State::Ready, over, None);
            told.push((over, state_changed(ready, State::Connected)));
        }
    }
    told.sort_by_key(|(at, _)| *at);
    told
}

/// Counts a day from its plan, without a window, a bucket or a running sum.
struct Recount<'a> {
    plans: &'a [Plan],
    now: i64,
    day: i64,
}

impl Recount<'_> {
    fn entered(&self) -> impl Iterator<Item = (u128, &Plan)> {
        let numbered = (1..).zip(self.plans);
        numbered.filter(|(_, plan)| plan.enters <= self.now)
    }

    fn settled(&self) -> impl Iterator<Item = (u128, &Plan)> {
        self.entered()
            .filter(|(_, plan)| plan.settles() <= self.now)
    }

    fn today(&self) -> impl Iterator<Item = &Plan> {
        let settled = self.settled().map(|(_, plan)| plan);
        settled.filter(|plan| plan.settles() >= self.day)
    }

    fn count(&self, which: impl Fn(&Plan) -> bool) -> u64 {
        self.today().filter(|plan| which(plan)).count() as u64
    }

    fn sum(&self, which: impl Fn(&Plan) -> bool, what: impl Fn(&Plan) -> i64) -> Mean {
        let chosen: Vec<_> = self.today().filter(|plan| which(plan)).collect();
        Mean {
            sum_ms: chosen.iter().map(|plan| what(plan) as u64).sum(),
            count: chosen.len() as u64,
        }
    }

    fn window(&self, judged: u128) -> Mean {
        let inside = |at: i64| at > self.now - WINDOW && at <= self.now;
        let chosen: Vec<_> = self
            .settled()
            .filter(|(n, plan)| *n != judged && inside(plan.settles()))
            .map(|(_, plan)| plan.wait as u64)
            .collect();
        Mean {
            sum_ms: chosen.iter().sum(),
            count: chosen.len() as u64,
        }
    }

    fn finished(&self) -> Mean {
        let inside = |at: i64| at > self.now - WINDOW && at <= self.now;
        let chosen: Vec<_> = self
            .settled()
            .filter(|(_, plan)| plan.is_answered() && inside(plan.done()))
            .map(|(_, plan)| (plan.talk + plan.wrap_up) as u64)
            .collect();
        Mean {
            sum_ms: chosen.iter().sum(),
            count: chosen.len() as u64,
        }
    }

    fn offers(&self) -> BTreeMap<OfferEnd, u64> {
        let mut offers = BTreeMap::new();
        for plan in self.today().filter(|p| p.reason != LeftReason::QueueFull) {
            let answered = plan.is_answered().then_some(OfferEnd::Answered);
            for why in plan.failed.iter().copied().chain(answered) {
                *offers.entry(why).or_default() += 1;
            }
        }
        offers
    }
}

fn check(figures: &mut QueueFigures, recount: &Recount<'_>) -> Result<(), TestCaseError> {
    let now = at(recount.now);
    let today = figures.today(now);
    let sum: u64 = today.outcomes.values().sum();
    prop_assert_eq!(today.carried_over + today.offered, sum + today.waiting);
    prop_assert_eq!(sum, today.reasons.values().sum::<u64>());
    prop_assert_eq!(sum, today.answered + today.abandoned + today.flow_out);

    let waiting: Vec<_> = recount
        .entered()
        .filter(|(_, plan)| plan.settles() > recount.now)
        .map(|(_, plan)| plan.enters)
        .collect();
    let longest = waiting
        .iter()
        .min()
        .map(|since| (recount.now - since) as u64);
    prop_assert_eq!(
        (today.waiting, today.longest_wait_ms),
        (waiting.len() as u64, longest)
    );
    let offered = recount
        .entered()
        .filter(|(_, plan)| plan.enters >= recount.day);
    prop_assert_eq!(today.offered, offered.count() as u64);

    let (answered, abandoned) = (Plan::is_answered, |p: &Plan| {
        p.reason == LeftReason::Abandoned
    });
    prop_assert_eq!(today.answered, recount.count(answered));
    prop_assert_eq!(today.abandoned, recount.count(abandoned));
    let short = recount.count(|p| abandoned(p) && p.wait < 5_000);
    prop_assert_eq!(today.short_abandons, short);
    let in_time = recount.count(|p| p.is_answered() && p.wait <= 20_000);
    prop_assert_eq!(today.service_level.part, in_time);
    let base = today.answered + today.abandoned - short;
    prop_assert_eq!(today.service_level.base, base);
    prop_assert_eq!(today.speed_of_answer, recount.sum(answered, |p| p.wait));
    prop_assert_eq!(today.time_to_abandon, recount.sum(abandoned, |p| p.wait));
    let longest = recount.today().map(|plan| plan.wait).max().unwrap_or(0);
    prop_assert_eq!(today.max_wait_ms, longest as u64);
    let finished = |p: &Plan| p.is_answered() && p.done() <= recount.now;
    prop_assert_eq!(today.talk, recount.sum(finished, |p| p.talk));
    prop_assert_eq!(today.wrap_up, recount.sum(finished, |p| p.wrap_up));
    prop_assert_eq!(&today.offers, &recount.offers());

    for judged in [0, 1, 7] {
        let mean = figures.mean_wait(now, Some(contact(judged))).mean;
        prop_assert_eq!(mean, recount.window(judged));
    }
    let wait = figures.expected_wait(now, 3, Serving { agents: 2, free: 0 });
    let finished = recount.finished();
    match wait {
        ExpectedWait::Yes {
            wait_ms, sample, ..
        } => {
            prop_assert_eq!(sample, finished.count);
            prop_assert_eq!(wait_ms, 3 * finished.sum_ms / (2 * sample));
        }
        ExpectedWait::No { sample, .. } => {
            prop_assert_eq!(sample, finished.count);
            prop_assert!(sample < 10);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Each event is told once or twice, the second time at any later moment.
    #[test]
    fn figures_are_those_of_a_recount_at_any_moment(
        plans in prop::collection::vec(plan(), 1..80).prop_map(with_agents),
        repeats in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..60),
        looks in prop::collection::btree_set(0_i64..4_000_000, 1..8),
        day in 0_i64..3_000_000,
    ) {
        let once = events(&plans);
        let mut told: Vec<_> = once.iter().map(|told| (told.0, told.clone())).collect();
        for (which, when) in repeats {
            let event = which.get(&once).clone();
            let later = once[when.index(once.len())].0.max(event.0);
            told.push((later, event));
        }
        told.sort_by_key(|(heard, _)| *heard);

        let mut figures = QueueFigures::new(SUPPORT, Rules::default(), at(-1));
        let mut day_start = -1;
        let mut told = told.into_iter().peekable();
        for now in looks.into_iter().chain([10_000_000]) {
            while let Some((heard, (at_ms, event))) = told.next_if(|(heard, _)| *heard <= now) {
                if heard >= day && day_start < day {
                    day_start = day;
                    figures.begin_day(at(day));
                }
                figures.apply(at(at_ms), &event);
            }
            if now >= day && day_start < day {
                day_start = day;
                figures.begin_day(at(day));
            }
            check(&mut figures, &Recount { plans: &plans, now, day: day_start })?;
        }
    }

    /// Each millisecond of an agent's day is counted by looking what the agent does in it.
    #[test]
    fn an_agents_time_is_that_of_a_recount_and_adds_up(
        changes in prop::collection::btree_map(1_i64..2_000, 0_usize..9, 1..40),
        repeats in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
        day in 0_i64..2_000,
        look in 2_000_i64..2_500,
    ) {
        const STATES: [State; 9] = [
            State::LoggedOut, State::Ready, State::Reserved, State::Alerting, State::Connected,
            State::WrapUp, State::Paused, State::NotResponding, State::Paused,
        ];
        let seen = |kind: usize, since| View {
            chosen: Chosen::Paused(if kind == 8 { "Lunch".into() } else { String::new() }),
            ..view(BRUNO, STATES[kind], since, None)
        };
        let changes: Vec<_> = changes.into_iter().collect();
        let mut before = State::LoggedOut;
        let mut told = Vec::new();
        for (since, kind) in &changes {
            told.push((*since, *since, state_changed(seen(*kind, *since), before)));
            before = STATES[*kind];
        }
        for (which, when) in repeats {
            let (_, since, event) = which.get(&told[..changes.len()]).clone();
            told.push((changes[when.index(changes.len())].0.max(since), since, event));
        }
        told.sort_by_key(|(heard, ..)| *heard);
        let mut bruno = AgentFigures::new(BRUNO, at(0));
        for (heard, since, event) in told {
            if heard >= day {
                bruno.begin_day(at(day));
            }
            bruno.apply(at(since), &event);
        }
        bruno.begin_day(at(day));
        let today = bruno.today(at(look));

        let mut spent = [0_u64; 9];
        for ms in day..look {
            let doing = changes.iter().rev().find(|(since, _)| *since <= ms);
            spent[doing.map_or(0, |(_, kind)| *kind)] += 1;
        }
        prop_assert_eq!(today.login_ms, spent[1..].iter().sum::<u64>());
        prop_assert_eq!(
            [
                today.ready_ms, today.reserved_ms, today.alerting_ms, today.connected_ms,
                today.wrap_up_ms, today.paused_ms, today.not_responding_ms,
            ],
            [spent[1], spent[2], spent[3], spent[4], spent[5], spent[6] + spent[8], spent[7]]
        );
        let reasons = today.paused_by_reason.get("Lunch").copied().unwrap_or(0);
        prop_assert_eq!(reasons, spent[8]);
        let all = today.ready_ms + today.unreachable_ms + today.reserved_ms + today.alerting_ms
            + today.connected_ms + today.wrap_up_ms + today.paused_ms + today.not_responding_ms;
        prop_assert_eq!(all, today.login_ms);
    }
}
