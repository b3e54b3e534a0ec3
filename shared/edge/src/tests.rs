use crate::{Command, Edge, Effect, Leg, Phase, Timing};
use centro_kernel::{
    QueueId, Timestamp, UserId,
    contact::{LeftReason, OfferEnd, Reservation},
};
use std::time::Duration;

const QUEUE: QueueId = QueueId::from_u128(1);
const OTHER: QueueId = QueueId::from_u128(2);
const RING: Duration = Duration::from_secs(15);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn res(agent: u128, number: u64) -> Reservation {
    Reservation {
        agent: UserId::from_u128(agent),
        number,
    }
}

fn offer(reservation: Reservation, attach_no: u32) -> Command {
    Command::Offer {
        queue: QUEUE,
        attach_no,
        reservation,
        ring_for: RING,
    }
}

fn end(reservation: Reservation, why: OfferEnd) -> Effect {
    Effect::End { reservation, why }
}

fn stop(reservation: Reservation, why: OfferEnd) -> Effect {
    Effect::Stop { reservation, why }
}

fn left(attach_no: u32, reason: LeftReason) -> Effect {
    Effect::Left {
        queue: QUEUE,
        attach_no,
        reason,
    }
}

/// An edge that waits in `QUEUE`, attached.
fn waiting() -> Edge {
    let mut edge = Edge::new(Timing::default());
    edge.handle(at(0), Command::Arrive(QUEUE));
    edge.handle(
        at(0),
        Command::Attached {
            queue: QUEUE,
            attach_no: 1,
            epoch: 7,
        },
    );
    edge
}

/// An edge whose offer of `reservation` got as far as `leg`.
fn with(reservation: Reservation, leg: Leg) -> Edge {
    let mut edge = waiting();
    edge.handle(at(0), offer(reservation, 1));
    if leg != Leg::Asking {
        edge.handle(at(0), Command::AlertOk(reservation));
    }
    if matches!(leg, Leg::Committing | Leg::Settling) {
        edge.handle(at(0), Command::Answered(reservation));
    }
    if leg == Leg::Settling {
        edge.handle(at(0), Command::AgentHungUp(reservation));
    }
    assert_eq!(edge.leg(reservation), Some(leg));
    edge
}

fn connected(reservation: Reservation) -> Edge {
    let mut edge = with(reservation, Leg::Committing);
    edge.handle(at(0), Command::ConnectOk(reservation));
    edge.handle(
        at(0),
        Command::LeftOk {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    edge
}

#[test]
fn an_arriving_contact_asks_for_its_place_until_the_queue_answers() {
    let mut edge = Edge::new(Timing::default());
    let first = edge.handle(at(1_000), Command::Arrive(QUEUE));
    assert!(matches!(first[..], [Effect::Attach { attach_no: 1, .. }]));
    assert_eq!(edge.next_due(), Some(at(1_500)));
    assert_eq!(edge.handle(at(1_500), Command::Tick), first);
    edge.handle(
        at(1_600),
        Command::Attached {
            queue: QUEUE,
            attach_no: 1,
            epoch: 1,
        },
    );
    assert_eq!(edge.next_due(), None);
}

#[test]
fn a_queue_that_moved_is_asked_again_with_the_same_enqueue_time_and_the_legs_go_on() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let effects = edge.handle(
        at(500),
        Command::QueueLost {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    assert_eq!(
        effects,
        [Effect::Attach {
            queue: QUEUE,
            attach_no: 2,
            enqueued_at: at(0),
            excluded: vec![],
            holding: vec![r]
        }]
    );
    assert_eq!(edge.leg(r), Some(Leg::Ringing));
    assert!(
        edge.handle(
            at(501),
            Command::QueueLost {
                queue: QUEUE,
                attach_no: 1
            }
        )
        .is_empty()
    );
}

#[test]
fn an_offer_rings_nothing_before_the_agents_record_agrees() {
    let r = res(1, 1);
    let mut edge = waiting();
    assert_eq!(edge.handle(at(0), offer(r, 1)), [Effect::Alert(r)]);
    assert_eq!(edge.handle(at(0), Command::AlertOk(r)), [Effect::Ring(r)]);
    assert!(edge.handle(at(0), Command::AlertOk(r)).is_empty());
    assert!(edge.handle(at(0), offer(r, 1)).is_empty());
}

#[test]
fn an_offer_of_an_old_attachment_is_refused_and_rings_nothing() {
    let mut edge = waiting();
    edge.handle(
        at(0),
        Command::QueueLost {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    assert_eq!(
        edge.handle(at(0), offer(res(1, 1), 1)),
        [end(res(1, 1), OfferEnd::NeverRang)]
    );
}

#[test]
fn a_repeated_offer_does_not_reopen_a_leg_that_ended() {
    let r = res(1, 3);
    let mut edge = with(r, Leg::Ringing);
    edge.handle(at(0), Command::DeviceFailed(r));
    let effects = edge.handle(at(0), offer(r, 1));
    assert_eq!(edge.leg(r), None);
    assert!(!effects.contains(&Effect::Alert(r)));
}

#[test]
fn an_offer_during_a_commit_is_refused_at_once_and_the_queue_hears_when_it_is_decided() {
    let (r, second) = (res(1, 1), res(2, 1));
    let mut edge = with(r, Leg::Committing);
    assert_eq!(
        edge.handle(at(0), offer(second, 1)),
        [end(second, OfferEnd::NeverRang)]
    );
    let effects = edge.handle(at(0), Command::Refused(r));
    let told: Vec<_> = effects
        .iter()
        .filter_map(|e| match e {
            Effect::OfferEnded { reservation, .. } => Some(*reservation),
            _ => None,
        })
        .collect();
    assert_eq!(told, [r, second]);
}

#[test]
fn an_answer_is_bridged_only_after_the_agents_record_says_connected() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    assert_eq!(
        edge.handle(at(0), Command::Answered(r)),
        [Effect::Connect(r)]
    );
    assert_eq!(
        edge.handle(at(0), Command::ConnectOk(r)),
        [Effect::Bridge(r), left(1, LeftReason::Answered)]
    );
    assert_eq!(edge.phase(), Phase::Connected(r));
}

#[test]
fn of_two_devices_that_answer_at_once_one_is_told_elsewhere() {
    let (first, second) = (res(1, 1), res(2, 1));
    let mut edge = with(first, Leg::Ringing);
    edge.handle(at(0), offer(second, 1));
    edge.handle(at(0), Command::AlertOk(second));
    edge.handle(at(1), Command::Answered(first));
    let effects = edge.handle(at(1), Command::Answered(second));
    assert!(effects.contains(&end(second, OfferEnd::Elsewhere)));
    assert!(
        edge.handle(at(2), Command::ConnectOk(first))
            .contains(&Effect::Bridge(first))
    );
}

#[test]
fn when_one_is_connected_the_others_stop_with_elsewhere() {
    let (first, second) = (res(1, 1), res(2, 1));
    let mut edge = with(first, Leg::Ringing);
    edge.handle(at(0), offer(second, 1));
    edge.handle(at(0), Command::AlertOk(second));
    edge.handle(at(1), Command::Answered(first));
    let effects = edge.handle(at(2), Command::ConnectOk(first));
    assert!(effects.contains(&stop(second, OfferEnd::Elsewhere)));
    assert!(effects.contains(&end(second, OfferEnd::Elsewhere)));
}

#[test]
fn a_refused_leg_stops_and_the_contact_waits_at_its_place() {
    for leg in [Leg::Asking, Leg::Ringing, Leg::Committing] {
        let r = res(1, 1);
        let mut edge = with(r, leg);
        let effects = edge.handle(at(0), Command::Refused(r));
        assert_eq!(effects[0], stop(r, OfferEnd::Revoked));
        assert!(matches!(
            effects[1],
            Effect::OfferEnded { attach_no: 1, .. }
        ));
        assert_eq!(edge.phase(), Phase::Waiting);
    }
}

#[test]
fn a_ring_that_nobody_answers_ends_at_its_deadline_as_missed() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    assert_eq!(edge.next_due(), Some(at(15_000)));
    assert!(edge.handle(at(14_999), Command::Tick).is_empty());
    let effects = edge.handle(at(15_000), Command::Tick);
    assert!(effects.contains(&end(r, OfferEnd::NoAnswer)));
    assert!(edge.handle(at(15_001), Command::AlertOk(r)).is_empty());
}

#[test]
fn an_agent_who_rejects_is_excluded_for_a_while_even_with_a_new_owner() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let effects = edge.handle(at(1_000), Command::Rejected(r));
    let delay = Some(Duration::from_secs(10));
    assert!(effects.contains(&Effect::OfferEnded {
        queue: QUEUE,
        attach_no: 1,
        reservation: r,
        exclude_for: delay,
        why: OfferEnd::Rejected
    }));
    let again = edge.handle(
        at(4_000),
        Command::QueueLost {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    let [Effect::Attach { excluded, .. }] = &again[..] else {
        panic!("{again:?}")
    };
    assert_eq!(excluded[..], [(r.agent, Duration::from_secs(7))]);
}

#[test]
fn an_agent_who_pauses_while_it_rings_stops_the_ring() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let effects = edge.handle(at(0), Command::Cancel(r));
    assert!(effects.contains(&stop(r, OfferEnd::Revoked)));
    assert!(effects.contains(&end(r, OfferEnd::Revoked)));
    assert!(edge.handle(at(0), Command::Cancel(r)).is_empty());
}

#[test]
fn a_commit_without_answer_settles_and_no_offer_is_taken_meanwhile() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Committing);
    let effects = edge.handle(at(5_000), Command::Tick);
    assert!(effects.contains(&end(r, OfferEnd::CommitFailed)));
    assert_eq!(edge.leg(r), Some(Leg::Settling));
    assert!(
        !edge
            .handle(at(5_100), offer(res(2, 1), 1))
            .contains(&Effect::Alert(res(2, 1)))
    );
    edge.handle(
        at(5_200),
        Command::Ended {
            reservation: r,
            was_connected: false,
        },
    );
    assert_eq!(
        edge.handle(at(5_300), offer(res(3, 1), 1)),
        [Effect::Alert(res(3, 1))]
    );
}

#[test]
fn a_caller_who_leaves_while_it_rings_is_abandoned() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let effects = edge.handle(at(0), Command::HungUp);
    assert_eq!(
        effects,
        [
            stop(r, OfferEnd::CallerGone),
            end(r, OfferEnd::CallerGone),
            left(1, LeftReason::Abandoned),
            Effect::Out(LeftReason::Abandoned)
        ]
    );
}

#[test]
fn a_caller_who_leaves_during_the_commit_counts_as_the_agents_record_says() {
    for (was_connected, reason) in [(true, LeftReason::Answered), (false, LeftReason::Abandoned)] {
        let r = res(1, 1);
        let mut edge = with(r, Leg::Committing);
        assert!(
            !edge
                .handle(at(0), Command::HungUp)
                .contains(&left(1, LeftReason::Abandoned))
        );
        let effects = edge.handle(
            at(9),
            Command::Ended {
                reservation: r,
                was_connected,
            },
        );
        assert!(effects.contains(&left(1, reason)), "{effects:?}");
        assert_eq!(edge.phase(), Phase::Gone(reason));
    }
}

#[test]
fn star_or_a_time_out_cuts_the_ring_without_penalty() {
    for (command, reason) in [
        (Command::Star, LeftReason::DtmfExit),
        (Command::TimedOut, LeftReason::Timeout),
    ] {
        let r = res(1, 1);
        let mut edge = with(r, Leg::Ringing);
        let effects = edge.handle(at(0), command);
        assert!(effects.contains(&end(r, OfferEnd::Cut)));
        assert!(effects.contains(&left(1, reason)));
        assert_eq!(effects.last(), Some(&Effect::Out(reason)));
    }
}

#[test]
fn exactly_one_of_answer_and_exit_wins() {
    let r = res(1, 1);
    let mut won = with(r, Leg::Committing);
    assert!(won.handle(at(0), Command::Star).is_empty());
    won.handle(at(0), Command::ConnectOk(r));
    assert_eq!(won.phase(), Phase::Connected(r));
    let mut lost = with(r, Leg::Committing);
    lost.handle(at(0), Command::Star);
    lost.handle(at(0), Command::Refused(r));
    assert_eq!(lost.phase(), Phase::Gone(LeftReason::DtmfExit));
}

#[test]
fn a_contact_that_is_moved_keeps_its_enqueue_time() {
    let mut edge = waiting();
    let effects = edge.handle(at(9_000), Command::MoveTo(OTHER));
    assert_eq!(effects[0], left(1, LeftReason::TransferredByUser));
    assert!(
        matches!(effects[1], Effect::Attach { queue: OTHER, attach_no: 2, enqueued_at, .. } if enqueued_at == at(0))
    );
}

#[test]
fn a_conversation_that_is_moved_waits_until_the_agents_record_ended_it() {
    let r = res(1, 1);
    let mut edge = connected(r);
    assert_eq!(
        edge.handle(at(10), Command::MoveTo(OTHER)),
        [stop(r, OfferEnd::Answered), end(r, OfferEnd::Answered)]
    );
    let effects = edge.handle(
        at(20),
        Command::Ended {
            reservation: r,
            was_connected: true,
        },
    );
    assert!(
        matches!(effects[..], [Effect::Attach { queue: OTHER, .. }]),
        "{effects:?}"
    );
}

#[test]
fn a_hang_up_of_either_side_ends_the_reservation_until_it_is_acknowledged() {
    for command in [Command::HungUp, Command::AgentHungUp(res(1, 1))] {
        let r = res(1, 1);
        let mut edge = connected(r);
        assert!(
            edge.handle(at(1_000), command)
                .contains(&end(r, OfferEnd::Answered))
        );
        assert!(!edge.done());
        assert_eq!(
            edge.handle(at(1_500), Command::Tick),
            [end(r, OfferEnd::Answered)]
        );
        edge.handle(
            at(1_600),
            Command::Ended {
                reservation: r,
                was_connected: true,
            },
        );
        assert!(edge.done());
        assert_eq!(edge.next_due(), None);
    }
}

#[test]
fn a_process_that_slept_asks_whether_the_agent_is_still_its_own() {
    let r = res(1, 1);
    let mut edge = connected(r);
    assert_eq!(
        edge.handle(at(0), Command::Revalidate),
        [Effect::Connect(r)]
    );
    assert_eq!(
        edge.handle(at(0), Command::Refused(r)),
        [stop(r, OfferEnd::Answered)]
    );
}

#[test]
fn a_contact_that_is_gone_repeats_what_was_not_acknowledged() {
    let mut edge = waiting();
    edge.handle(at(0), Command::HungUp);
    assert!(!edge.done());
    assert_eq!(
        edge.handle(at(500), Command::Tick),
        [left(1, LeftReason::Abandoned)]
    );
    edge.handle(
        at(600),
        Command::LeftOk {
            queue: QUEUE,
            attach_no: 1,
        },
    );
    assert!(edge.done());
}

#[test]
fn a_full_queue_lets_the_contact_go_on_to_the_next_one() {
    let mut edge = Edge::new(Timing::default());
    edge.handle(at(0), Command::Arrive(QUEUE));
    let full = Command::NotTaken {
        queue: QUEUE,
        attach_no: 1,
        reason: LeftReason::QueueFull,
    };
    assert_eq!(
        edge.handle(at(1), full),
        [Effect::Out(LeftReason::QueueFull)]
    );
    assert!(edge.done());
    let effects = edge.handle(at(2), Command::Arrive(OTHER));
    assert!(matches!(
        effects[..],
        [Effect::Attach {
            queue: OTHER,
            attach_no: 2,
            ..
        }]
    ));
}
