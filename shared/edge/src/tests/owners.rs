//! A contact that outlives its process goes on under a new owner.

use super::*;

fn attach_again(holding: &[Reservation]) -> Effect {
    Effect::Attach {
        queue: QUEUE,
        attach_no: 2,
        enqueued_at: at(0),
        excluded: Vec::new(),
        holding: holding.to_vec(),
    }
}

#[test]
fn a_new_owner_attaches_anew_and_lets_what_rang_ring_again_once_it_was_confirmed() {
    let r = res(1, 1);
    let (mut edge, effects) = with(r, Leg::Ringing).take_over(2, at(9_000));
    assert_eq!(effects, [Effect::Alert(r), attach_again(&[r])]);
    assert_eq!((edge.owner_epoch(), edge.attach_no()), (2, 2));
    // What the last owner's device heard is not known here: nothing is bridged that this owner did not let ring.
    assert!(edge.handle(at(9_000), Command::Answered(r)).is_empty());
    assert_eq!(
        edge.handle(at(9_000), Command::AlertOk(r)),
        [Effect::Ring(r)]
    );
    assert_eq!(edge.alert_until(r), Some(at(9_000) + RING));
}

#[test]
fn a_commit_is_asked_again_for_only_the_agents_record_knows_its_outcome() {
    let r = res(1, 1);
    let (mut edge, effects) = with(r, Leg::Committing).take_over(2, at(9_000));
    assert_eq!(effects, [Effect::Connect(r), attach_again(&[r])]);
    let effects = edge.handle(at(9_000), Command::ConnectOk(r));
    assert_eq!(effects[0], Effect::Bridge(r));
}

#[test]
fn what_settles_goes_on_settling() {
    let r = res(1, 1);
    let (mut edge, effects) = with(r, Leg::Settling).take_over(2, at(0));
    assert_eq!(effects, [attach_again(&[r])]);
    let due = edge.next_due().expect("a repeat");
    let repeated = edge.handle(due, Command::Tick);
    assert!(repeated.contains(&end(r, OfferEnd::CommitFailed)));
}

#[test]
fn a_talk_goes_on_once_the_agents_record_has_said_so_and_is_asked_until_then() {
    let r = res(1, 1);
    let (mut edge, effects) = connected(r).take_over(2, at(0));
    assert_eq!(effects, [Effect::Connect(r)], "it is in no queue");
    let due = edge.next_due().expect("a repeat");
    assert_eq!(edge.handle(due, Command::Tick), [Effect::Connect(r)]);
    assert_eq!(edge.handle(due, Command::ConnectOk(r)), [Effect::Bridge(r)]);
    assert_eq!(edge.next_due(), None);
    assert!(edge.handle(due, Command::ConnectOk(r)).is_empty());

    let (mut lost, _) = connected(r).take_over(2, at(0));
    lost.handle(at(0), Command::Refused(r));
    assert_eq!(lost.phase(), Phase::Gone(LeftReason::Answered));
    assert!(lost.done() && lost.next_due().is_none());
}
