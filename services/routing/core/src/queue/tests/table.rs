//! The table behind an offer (spec U1): who is listed, in which order, and with which rule.

use super::*;
use crate::reason::{Decision, MOST_CANDIDATES, VerdictKind};

/// Agents log in one after the other, so that the first is idle longest; every fourth speaks no French, and the others
/// speak it at different levels.
fn logs_in(hall: &mut Hall, agents: u128) {
    for n in 1..=agents {
        match n % 4 {
            0 => hall.ready_with(n, &[(ITALIAN, 5)]),
            level => hall.ready_with(n, &[(FRENCH, u8::try_from(10 - level).unwrap())]),
        };
        hall.wait(10);
    }
}

fn decision(out: &QueueOut) -> &Decision {
    let mut events = out.events.iter();
    let decision = events.find_map(|event| match event {
        Event::ContactOffered { decision, .. } => Some(decision),
        _ => None,
    });
    decision.expect("an offer")
}

fn listed(decision: &Decision) -> Vec<(u128, VerdictKind)> {
    let candidates = decision.candidates.iter();
    candidates
        .map(|c| (c.agent.as_u128(), c.verdict.kind()))
        .collect()
}

fn in_french(hall: &mut Hall) -> QueueOut {
    let needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 1)]));
    hall.arrive_with(100, |a| a.needs = needs)
}

#[test]
fn the_next_in_turn_are_listed_whatever_their_skills() {
    let mut hall = Hall::new();
    logs_in(&mut hall, 40);
    assert_eq!(bids(&in_french(&mut hall)), [1]);
    let (_, out) = hall.take(1);
    let table = decision(&out);
    let able = (1..=40).filter(|n| n % 4 != 0).take(MOST_CANDIDATES);
    let agents: Vec<_> = listed(table).into_iter().map(|(n, _)| n).collect();
    assert_eq!(agents, able.collect::<Vec<_>>());
    assert_eq!(table.others, 40 - 16);
}

#[test]
fn who_could_not_be_chosen_comes_last_with_the_rule() {
    let mut hall = Hall::new();
    logs_in(&mut hall, 6);
    hall.stands(5, Standing::Paused);
    in_french(&mut hall);
    let (_, out) = hall.take(1);
    let table = decision(&out);
    let expected = [
        (1, VerdictKind::Chosen),
        (2, VerdictKind::LaterInTurn),
        (3, VerdictKind::LaterInTurn),
        (6, VerdictKind::LaterInTurn),
        (4, VerdictKind::Unskilled),
        (5, VerdictKind::Paused),
    ];
    assert_eq!(listed(table), expected);
    assert_eq!(table.others, 0);
}
