use super::*;

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
fn a_phone_we_could_not_ring_never_rang_and_is_left_alone_for_a_moment() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    let effects = edge.handle(at(0), Command::CouldNotRing(r));
    assert!(effects.contains(&end(r, OfferEnd::NeverRang)));
    let left_alone = effects.iter().any(|effect| {
        matches!(effect, Effect::OfferEnded { why: OfferEnd::NeverRang, exclude_for: Some(time), .. }
            if !time.is_zero())
    });
    assert!(left_alone, "{effects:?}");
}

#[test]
fn a_busy_device_is_no_missed_offer_and_is_not_called_again_at_once() {
    let r = res(1, 1);
    for leg in [Leg::Asking, Leg::Ringing] {
        let mut edge = with(r, leg);
        let effects = edge.handle(at(0), Command::Busy(r));
        assert_eq!(
            effects[..2],
            [stop(r, OfferEnd::Busy), end(r, OfferEnd::Busy)]
        );
        let left_alone = matches!(effects[2], Effect::OfferEnded { why: OfferEnd::Busy, exclude_for: Some(time), .. }
            if !time.is_zero());
        assert!(left_alone, "{effects:?}");
        assert!(edge.handle(at(0), Command::Busy(r)).is_empty());
        assert_eq!(edge.phase(), Phase::Waiting);
    }
    // Whoever answered already is not busy with another call but with this one.
    let mut edge = with(r, Leg::Committing);
    assert!(edge.handle(at(0), Command::Busy(r)).is_empty());
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
        [Effect::Bridge(r), left_with(1, r)]
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
