//! What a step costs, counted in entries looked at: the same whatever the length of the line.

use super::*;

/// A thousand agents serve a line that stays as long as it is; says how many entries were looked at for it.
fn looked_at(settings: QueueSettings, waiting: u128, but: impl Fn(u128, &mut Attach)) -> u64 {
    let mut hall = Hall::with(settings);
    hall.checks = false;
    for n in 1..=1_000 {
        let skills = SkillId::from_u128(n % LANGUAGES);
        hall.ready_with(n, &[(skills, 5)]);
        hall.stands(n, Standing::WrapUp);
    }
    for n in 0..waiting {
        hall.arrive_with(100_000 + n, |a| but(n, a));
    }
    let before = hall.queue.line.looked.0.get();
    for n in 1..=1_000 {
        let out = hall.ready(n);
        assert_eq!(bids(&out), [n]);
        let (_, out) = hall.take(n);
        let served = offered(&out).unwrap();
        hall.left(served, LeftReason::Answered);
        hall.arrive_with(200_000 + n, |a| but(n, a));
    }
    hall.queue.check();
    hall.queue.line.looked.0.get() - before
}

const LANGUAGES: u128 = 10;

fn language(n: u128, attach: &mut Attach) {
    let skill = SkillId::from_u128(n % LANGUAGES);
    attach.needs = Arc::new(Needs::all_of(vec![speaks(skill, 5)]));
}

fn costs_the_same(settings: &QueueSettings, most_each: u64, but: impl Fn(u128, &mut Attach)) {
    let short = looked_at(settings.clone(), 100, &but);
    let long = looked_at(settings.clone(), 10_000, &but);
    assert!(short < 1_000 * most_each, "{short} entries for 1,000 calls");
    assert!(long <= short + short / 10, "{long} against {short}");
}

#[test]
fn a_long_line_costs_a_step_no_more_than_a_short_one() {
    costs_the_same(&settings(), 40, |_, _| {});
}

#[test]
fn a_long_line_of_different_needs_costs_no_more_either() {
    costs_the_same(&settings(), 60, language);
}

#[test]
fn a_long_line_costs_no_more_where_all_ring() {
    costs_the_same(&with(Strategy::RingAll), 40, |_, _| {});
    costs_the_same(&with(Strategy::RingAll), 60, language);
}

#[test]
fn ageing_costs_no_more_in_a_long_line() {
    let ageing = Ageing {
        points_per_minute: 1,
        max_overtakes: Some(1_000_000),
        max_wait: Some(secs(3_600)),
    };
    costs_the_same(
        &QueueSettings {
            ageing,
            ..settings()
        },
        80,
        language,
    );
}

/// Where all ring: agents who can serve nobody who waits are not asked about one by one at every step.
#[test]
fn idle_agents_without_the_skill_cost_nothing_where_all_ring() {
    let step = |idle: u128| {
        let mut hall = Hall::with(with(Strategy::RingAll));
        hall.checks = false;
        for n in 1..=idle {
            hall.ready_with(n, &[(ITALIAN, 5)]);
        }
        hall.ready_with(100_000, &[(FRENCH, 5)]);
        hall.stands(100_000, Standing::InContact);
        hall.arrive_with(10, |a| {
            a.needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]))
        });
        let before = hall.queue.line.looked.0.get();
        for _ in 0..100 {
            hall.tell(100_000, |_| {});
        }
        hall.queue.line.looked.0.get() - before
    };
    assert_eq!(step(5_000), step(5));
}

/// One agent that nobody needs stands by while contacts of a hundred different needs wait: each step passes over all of
/// them at once.
#[test]
fn many_needs_that_nobody_free_meets_are_passed_over_at_once() {
    let step = |needs: u128| {
        let mut hall = Hall::new();
        hall.checks = false;
        for n in 1..=needs {
            let skill = SkillId::from_u128(100 + n);
            hall.ready_with(n, &[(skill, 5)]);
            hall.stands(n, Standing::InContact);
            hall.arrive_with(1_000 + n, |a| {
                a.needs = Arc::new(Needs::all_of(vec![speaks(skill, 5)]))
            });
        }
        let before = hall.queue.line.looked.0.get();
        hall.ready(5_000);
        hall.queue.line.looked.0.get() - before
    };
    assert_eq!(step(200), step(2));
}

#[test]
fn a_place_in_the_middle_of_a_long_line_costs_no_more_than_at_its_end() {
    let arrival = |waiting: u128| {
        let mut hall = Hall::new();
        hall.checks = false;
        for n in 0..waiting {
            hall.arrive_with(100_000 + n, |a| a.priority = u32::from(n % 2 == 0));
        }
        hall.now = at(1);
        let before = hall.queue.line.looked.0.get();
        let out = hall.arrive_with(10, |a| a.priority = 1);
        let place = u32::try_from(waiting / 2 + 1).unwrap();
        let told = |e: &QueueEffect| matches!(e, QueueEffect::Edge(_, EdgeMessage::Attached { position, .. }) if *position == place);
        assert!(out.send.iter().any(told));
        hall.queue.line.looked.0.get() - before
    };
    assert_eq!(arrival(10_000), arrival(10));
}
