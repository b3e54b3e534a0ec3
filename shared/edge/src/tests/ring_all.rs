//! Several devices ring for one caller. The names are those of the peers' bugs.

use super::*;

/// So many devices ring, one agent each.
fn ringing(agents: u128) -> (Edge, Vec<Reservation>) {
    let mut edge = waiting();
    let all: Vec<_> = (1..=agents).map(|agent| res(agent, 1)).collect();
    for r in &all {
        edge.handle(at(0), offer(*r, 1));
        assert_eq!(edge.handle(at(0), Command::AlertOk(*r)), [Effect::Ring(*r)]);
    }
    (edge, all)
}

fn bridges(effects: &[Effect]) -> usize {
    let bridge = |effect: &&Effect| matches!(effect, Effect::Bridge(_));
    effects.iter().filter(bridge).count()
}

#[test]
fn double_answer() {
    let (mut edge, all) = ringing(2);
    let mut effects = vec![];
    for r in &all {
        effects.extend(edge.handle(at(1), Command::Answered(*r)));
    }
    // Whatever the two records say, and in whatever order: the second was told that it is too late.
    for r in all.iter().rev() {
        effects.extend(edge.handle(at(2), Command::ConnectOk(*r)));
        effects.extend(edge.handle(at(2), Command::ConnectOk(*r)));
    }
    assert_eq!(bridges(&effects), 1);
    assert!(effects.contains(&Effect::Bridge(all[0])));
    assert!(effects.contains(&stop(all[1], OfferEnd::Elsewhere)));
    assert!(effects.contains(&end(all[1], OfferEnd::Elsewhere)));
    assert!(!effects.contains(&Effect::Connect(all[1])));
}

#[test]
fn answer_then_hangup() {
    let (mut edge, all) = ringing(3);
    edge.handle(at(1_000), Command::Answered(all[0]));
    let effects = edge.handle(at(1_100), Command::AgentHungUp(all[0]));
    let failed = OfferEnd::CommitFailed;
    assert_eq!(effects, [stop(all[0], failed), end(all[0], failed)]);
    // The others ring on, and the caller keeps the place.
    for r in &all[1..] {
        assert_eq!(edge.leg(*r), Some(Leg::Ringing));
    }
    let effects = edge.handle(at(1_200), ended(all[0], true));
    assert!(matches!(
        effects[..],
        [Effect::OfferEnded {
            attach_no: 1,
            exclude_for: None,
            why: OfferEnd::CommitFailed,
            ..
        }]
    ));
    assert_eq!((edge.phase(), edge.attach_no()), (Phase::Waiting, 1));
    // Now another one gets the caller.
    let effects = edge.handle(at(1_300), Command::Answered(all[1]));
    assert_eq!(effects, [Effect::Connect(all[1])]);
    let effects = edge.handle(at(1_400), Command::ConnectOk(all[1]));
    assert_eq!(bridges(&effects), 1);
}

#[test]
fn caller_gone_while_dialing() {
    // One device was asked, one rings, one has just answered.
    let (mut edge, all) = ringing(2);
    let asked = res(3, 1);
    edge.handle(at(0), offer(asked, 1));
    edge.handle(at(1), Command::Answered(all[0]));
    let gone = OfferEnd::CallerGone;
    let effects = edge.handle(at(2), Command::HungUp);
    assert_eq!(effects, [stop(all[0], gone), end(all[0], gone)]);
    let effects = edge.handle(at(3), ended(all[0], false));
    for r in [all[1], asked] {
        assert!(effects.contains(&stop(r, gone)) && effects.contains(&end(r, gone)));
    }
    assert!(effects.contains(&left(1, LeftReason::Abandoned)));
    // An answer of the same instant rings nowhere and bridges nobody.
    for late in [
        Command::AlertOk(asked),
        Command::Answered(all[1]),
        Command::ConnectOk(all[0]),
    ] {
        assert!(edge.handle(at(4), late).is_empty(), "{late:?}");
    }
}

#[test]
fn reserved_release() {
    let (mut edge, all) = ringing(30);
    edge.handle(at(1), Command::Answered(all[7]));
    let effects = edge.handle(at(2), Command::ConnectOk(all[7]));
    let elsewhere = OfferEnd::Elsewhere;
    let freed = all
        .iter()
        .filter(|r| effects.contains(&end(**r, elsewhere)));
    assert_eq!(freed.count(), 29, "all at once");
    assert_eq!(bridges(&effects), 1);
}

#[test]
fn one_who_declines_does_not_stop_the_others() {
    let (mut edge, all) = ringing(3);
    edge.handle(at(1), Command::Rejected(all[0]));
    edge.handle(at(1), Command::Busy(all[1]));
    assert_eq!(edge.leg(all[2]), Some(Leg::Ringing));
    assert_eq!((edge.leg(all[0]), edge.leg(all[1])), (None, None));
}
