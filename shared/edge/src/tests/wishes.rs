//! What people want with a contact that waits (spec V2): to move it, or to take it out. The queue repeats the wish until the
//! contact left.

use super::*;

/// All that a person can want.
fn wishes() -> [(Command, LeftReason); 2] {
    let reason = LeftReason::TransferredByUser;
    [(move_to(OTHER, 1), reason), (taken_out(1), reason)]
}

#[test]
fn a_contact_that_is_moved_keeps_its_enqueue_time() {
    let mut edge = waiting();
    let effects = edge.handle(at(9_000), move_to(OTHER, 1));
    assert_eq!(effects[0], left(1, LeftReason::TransferredByUser));
    assert!(
        matches!(effects[1], Effect::Attach { queue: OTHER, attach_no: 2, enqueued_at, .. } if enqueued_at == at(0))
    );
}

#[test]
fn a_contact_that_is_taken_out_has_left_by_a_persons_hand() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let reason = LeftReason::TransferredByUser;
    assert_eq!(
        edge.handle(at(0), taken_out(1)),
        [
            stop(r, OfferEnd::Cut),
            end(r, OfferEnd::Cut),
            left(1, reason),
            Effect::Out(reason)
        ]
    );
    assert_eq!(edge.phase(), Phase::Gone(reason));
    let again = edge.handle(at(0), Command::Arrive(OTHER));
    assert!(matches!(again[..], [Effect::Attach { queue: OTHER, .. }]));
}

#[test]
fn a_repeated_wish_changes_nothing_once_the_contact_has_gone() {
    for (wish, _) in wishes() {
        let mut edge = waiting();
        assert!(!edge.handle(at(0), wish).is_empty());
        let (phase, attach_no) = (edge.phase(), edge.attach_no());
        for _ in 0..3 {
            assert!(edge.handle(at(100), wish).is_empty());
            assert_eq!((edge.phase(), edge.attach_no()), (phase, attach_no));
        }
    }
    // It was moved on from there, or is back: the old wish is about another stay.
    let mut edge = waiting();
    edge.handle(at(0), move_to(OTHER, 1));
    let back = Command::MoveTo {
        queue: OTHER,
        attach_no: 2,
        to: QUEUE,
    };
    edge.handle(at(1), back);
    assert_eq!(edge.attach_no(), 3);
    assert!(edge.handle(at(2), move_to(OTHER, 1)).is_empty());
    assert!(edge.handle(at(2), taken_out(1)).is_empty());
    assert_eq!((edge.phase(), edge.attach_no()), (Phase::Waiting, 3));
}

#[test]
fn a_wish_for_the_queue_it_is_in_changes_nothing() {
    let mut edge = waiting();
    assert!(edge.handle(at(0), move_to(QUEUE, 1)).is_empty());
    assert_eq!(edge.attach_no(), 1);
}

#[test]
fn a_wish_does_not_pull_a_caller_out_of_a_conversation() {
    for (wish, _) in wishes() {
        let r = res(1, 1);
        let mut edge = connected(r);
        assert!(edge.handle(at(5_000), wish).is_empty());
        assert_eq!(edge.phase(), Phase::Connected(r));
    }
}

/// The agent answers in the moment in which somebody moves the caller, or takes the caller out: one of the two happens.
#[test]
fn of_an_answer_and_a_wish_at_the_same_instant_exactly_one_wins() {
    for (wish, reason) in wishes() {
        let r = res(1, 1);
        // The answer came first, and the agent's record agrees.
        let mut edge = with(r, Leg::Committing);
        assert!(edge.handle(at(0), wish).is_empty(), "decided by the commit");
        let effects = edge.handle(at(0), Command::ConnectOk(r));
        assert_eq!(effects, [Effect::Bridge(r), left_with(1, r)]);
        assert!(edge.handle(at(0), wish).is_empty());
        assert_eq!(edge.phase(), Phase::Connected(r));
        // The same, but the agent's record refuses.
        let mut edge = with(r, Leg::Committing);
        edge.handle(at(0), wish);
        let effects = edge.handle(at(0), Command::Refused(r));
        assert!(effects.contains(&left(1, reason)), "{effects:?}");
        assert!(!effects.contains(&Effect::Bridge(r)));
        // Nobody knows at first: the record's word decides.
        let mut edge = with(r, Leg::Committing);
        edge.handle(at(0), wish);
        edge.handle(at(5_000), Command::Tick);
        assert_eq!(edge.leg(r), Some(Leg::Settling));
        let effects = edge.handle(at(5_001), ended(r, true));
        assert!(effects.contains(&left(1, reason)), "{effects:?}");
        // The wish came first: nothing rings any more.
        let mut edge = with(r, Leg::Ringing);
        edge.handle(at(0), wish);
        assert!(edge.handle(at(0), Command::Answered(r)).is_empty());
        assert_ne!(edge.phase(), Phase::Connected(r));
    }
}

#[test]
fn a_caller_who_hangs_up_is_gone_whatever_anybody_wants() {
    for (wish, _) in wishes() {
        let r = res(1, 1);
        // Before the wish could be done.
        let mut edge = with(r, Leg::Committing);
        edge.handle(at(0), wish);
        edge.handle(at(0), Command::HungUp);
        assert!(edge.handle(at(0), wish).is_empty());
        let effects = edge.handle(at(1), ended(r, false));
        assert!(effects.contains(&left(1, LeftReason::Abandoned)));
        assert_eq!(edge.phase(), Phase::Gone(LeftReason::Abandoned));
        // Before the wish.
        let mut edge = waiting();
        edge.handle(at(0), Command::HungUp);
        assert!(edge.handle(at(0), wish).is_empty());
        assert_eq!(edge.phase(), Phase::Gone(LeftReason::Abandoned));
    }
    // After it: the caller gives up in the other queue.
    let mut edge = waiting();
    edge.handle(at(0), move_to(OTHER, 1));
    let effects = edge.handle(at(1), Command::HungUp);
    let abandoned = Effect::Left {
        queue: OTHER,
        attach_no: 2,
        reason: LeftReason::Abandoned,
        agent: None,
    };
    assert!(effects.contains(&abandoned), "{effects:?}");
}

#[test]
fn the_last_wish_of_a_person_counts_and_the_customers_own_before_it() {
    const THIRD: QueueId = QueueId::from_u128(3);
    let r = res(1, 1);
    let mut edge = with(r, Leg::Committing);
    for wish in [taken_out(1), move_to(OTHER, 1), move_to(THIRD, 1)] {
        assert!(edge.handle(at(0), wish).is_empty());
    }
    let effects = edge.handle(at(0), Command::Refused(r));
    let attaches = effects.iter().filter_map(|effect| match effect {
        Effect::Attach { queue, .. } => Some(*queue),
        _ => None,
    });
    assert_eq!(attaches.collect::<Vec<_>>(), [THIRD]);
    let mut edge = with(r, Leg::Committing);
    edge.handle(at(0), Command::Star);
    edge.handle(at(0), move_to(OTHER, 1));
    edge.handle(at(0), Command::Refused(r));
    assert_eq!(edge.phase(), Phase::Gone(LeftReason::DtmfExit));
}

#[test]
fn a_wish_holds_for_the_new_attachment_when_the_queue_moved_meanwhile() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Committing);
    edge.handle(at(0), move_to(OTHER, 1));
    let lost = Command::QueueLost {
        queue: QUEUE,
        attach_no: 1,
    };
    edge.handle(at(1), lost);
    let effects = edge.handle(at(2), Command::Refused(r));
    assert!(effects.contains(&left(2, LeftReason::TransferredByUser)));
}

#[test]
fn a_transfer_needs_a_conversation() {
    for mut edge in [waiting(), with(res(1, 1), Leg::Ringing)] {
        assert!(edge.handle(at(0), Command::Transfer(OTHER)).is_empty());
    }
    // A caller who hangs up while the agent's record ends it was answered.
    let r = res(1, 1);
    let mut edge = connected(r);
    edge.handle(at(0), Command::Transfer(OTHER));
    edge.handle(at(1), Command::HungUp);
    let effects = edge.handle(at(2), ended(r, true));
    assert_eq!(effects, [Effect::Out(LeftReason::Answered)]);
    assert!(edge.done());
}
