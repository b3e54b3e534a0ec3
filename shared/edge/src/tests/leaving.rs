use super::*;

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
    let r = res(1, 1);
    for (was_connected, left_as, reason) in [
        (true, left_with(1, r), LeftReason::Answered),
        (false, left(1, LeftReason::Abandoned), LeftReason::Abandoned),
    ] {
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
        assert!(effects.contains(&left_as), "{effects:?}");
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
fn a_conversation_that_is_transferred_waits_until_the_agents_record_ended_it() {
    let r = res(1, 1);
    let mut edge = connected(r);
    assert_eq!(
        edge.handle(at(10), Command::Transfer(OTHER)),
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

#[test]
fn a_queue_that_gave_a_waiting_contact_up_is_asked_again_with_the_next_number() {
    let mut edge = waiting();
    let gave_up = Command::LeftOk {
        queue: QUEUE,
        attach_no: 1,
    };
    assert!(
        edge.handle(at(100), gave_up).is_empty(),
        "not at once, lest the two talk without end"
    );
    assert_eq!((edge.phase(), edge.attach_no()), (Phase::Waiting, 2));
    let due = edge.next_due().unwrap();
    let effects = edge.handle(due, Command::Tick);
    assert!(
        matches!(effects[..], [Effect::Attach { attach_no: 2, .. }]),
        "{effects:?}"
    );
    // A late word about the attachment before changes nothing.
    edge.handle(due, gave_up);
    assert_eq!(edge.attach_no(), 2);
}

#[test]
fn its_bonds_are_everybody_who_must_hear_when_it_dies() {
    let r = res(1, 1);
    let edge = with(r, Leg::Committing);
    assert_eq!(edge.bonds().reservations, [r].into());
    assert_eq!(edge.bonds().queues, [QUEUE].into());
    let mut edge = connected(r);
    assert_eq!(edge.bonds().reservations, [r].into());
    assert!(edge.bonds().queues.is_empty());
    edge.handle(at(0), Command::HungUp);
    assert!(!edge.bonds().is_empty(), "the end is not acknowledged yet");
    edge.handle(
        at(0),
        Command::Ended {
            reservation: r,
            was_connected: true,
        },
    );
    assert!(edge.bonds().is_empty() && edge.done());
}

#[test]
fn the_ring_of_an_offer_has_its_own_end() {
    let (first, second) = (res(1, 1), res(2, 1));
    let mut edge = with(first, Leg::Ringing);
    edge.handle(at(4_000), offer(second, 1));
    assert_eq!(edge.alert_until(first), Some(at(0) + RING));
    assert_eq!(edge.alert_until(second), Some(at(4_000) + RING));
}
