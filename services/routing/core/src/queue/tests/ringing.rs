//! Offers, and what becomes of a contact when one comes to nothing (spec D2, D3, D12, P15).

use super::*;

/// Agent 1 is asked for contact 10.
fn rings(settings: QueueSettings) -> (Hall, Reservation) {
    let mut hall = Hall::with(settings);
    hall.ready(1);
    hall.arrive(10);
    let (reservation, _) = hall.take(1);
    (hall, reservation)
}

/// Agent 1 declined contact 10, and is free again.
fn declined() -> Hall {
    let (mut hall, reservation) = rings(settings());
    hall.offer_ended(10, reservation, OfferEnd::Rejected);
    hall.ready(1);
    hall
}

/// After an offer that nobody answered, nobody is asked for so many seconds.
fn retrying_after(seconds: u64) -> QueueSettings {
    QueueSettings {
        retry_delay: secs(seconds),
        ..settings()
    }
}

#[test]
fn an_offer_that_came_to_nothing_leaves_place_and_wait_as_they_were() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    hall.presence(1, 1, true);
    let (reservation, out) = hall.grant(1, 1);
    assert_eq!(offered(&out), Some(10));
    hall.now = at(15_000);
    hall.offer_ended(10, reservation, OfferEnd::NoAnswer);
    assert_eq!(hall.order(), [10, 11]);
    assert_eq!(
        hall.queue.entry(contact(10)).map(|e| e.enqueued_at),
        Some(at(0))
    );
    hall.presence(2, 1, true);
    assert_eq!(offered(&hall.grant(2, 1).1), Some(10));
}

#[test]
fn reject_memory() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    hall.offer_ended(10, reservation, OfferEnd::Rejected);
    assert!(
        passed(&hall.presence(1, 3, true)),
        "not the same agent again"
    );
    assert_eq!(
        bids(&hall.arrive(11)),
        [1],
        "but another contact may have the agent"
    );
    assert_eq!(bids(&hall.presence(2, 1, true)), [2]);
    assert_eq!(offered(&hall.grant(2, 1).1), Some(10));
    hall.wait(10_000);
    assert!(
        hall.queue
            .entry(contact(10))
            .is_some_and(|e| e.excluded.is_empty())
    );
}

#[test]
fn an_offer_whose_end_was_lost_is_repeated() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let outs = hall.wait(20_000);
    assert_eq!(outs.iter().find_map(offered), Some(10));
}

/// D3: after an offer that nobody answered nobody is asked for the contact for a while; it keeps its place.
#[test]
fn after_no_answer_the_contact_waits_for_the_retry_delay() {
    let (mut hall, rang) = rings(retrying_after(5));
    hall.ready(2);
    hall.now = at(15_000);
    assert!(bids(&hall.offer_ended(10, rang, OfferEnd::NoAnswer)).is_empty());
    hall.ready(3);
    assert!(hall.queue.bids().next().is_none());
    let outs = hall.wait(5_000);
    assert_eq!(outs.iter().flat_map(bids).collect::<Vec<_>>(), [2]);
    assert_eq!(offered(&hall.take(2).1), Some(10));
    assert_eq!(hall.entry(10).enqueued_at, at(0));
}

/// P15: the agent who was asked for the next caller serves the first one, delay or not; nobody is overtaken by it.
#[test]
fn the_retry_delay_lets_nobody_overtake() {
    let (mut hall, rang) = rings(retrying_after(5));
    hall.now = at(15_000);
    hall.offer_ended(10, rang, OfferEnd::NoAnswer);
    hall.arrive(11);
    hall.ready(2);
    assert_eq!(hall.order(), [10, 11]);
    assert_eq!(offered(&hall.take(2).1), Some(10));
    hall.ready(3);
    assert_eq!(offered(&hall.take(3).1), Some(11));
}

#[test]
fn other_ends_of_an_offer_are_followed_by_the_next_at_once() {
    for why in [
        OfferEnd::Rejected,
        OfferEnd::Busy,
        OfferEnd::DeviceFailed,
        OfferEnd::Revoked,
        OfferEnd::CommitFailed,
        OfferEnd::NeverRang,
    ] {
        let (mut hall, reservation) = rings(retrying_after(300));
        hall.ready(2);
        assert_eq!(
            bids(&hall.offer_ended(10, reservation, why)),
            [2],
            "{why:?}"
        );
    }
}

/// P15 and the rule of repeats: the second telling of an end, however late, changes nothing.
#[test]
fn an_end_that_is_told_twice_counts_once() {
    let (mut hall, first) = rings(retrying_after(5));
    hall.offer_ended(10, first, OfferEnd::NoAnswer);
    hall.ready(2);
    hall.wait(5_000);
    let (second, out) = hall.take(2);
    assert_eq!(offered(&out), Some(10));
    let before = hall.entry(10).clone();
    let again = hall.offer_ended(10, first, OfferEnd::Rejected);
    assert_eq!(again, QueueOut::default());
    assert_eq!(*hall.entry(10), before);
    assert_eq!(before.offers, [second]);
}

#[test]
fn a_decline_is_remembered_beyond_its_delay_while_others_are_free() {
    let mut hall = declined();
    hall.detach(10);
    hall.wait(9_000);
    hall.return_(10);
    assert!(
        hall.queue.bids().next().is_none(),
        "coming back does not end the delay"
    );
    hall.detach(10);
    hall.wait(2_000);
    hall.ready(2); // idle for a shorter time than 1
    assert_eq!(
        bids(&hall.return_(10)),
        [2],
        "the delay is over, the memory is not"
    );
}

#[test]
fn who_declined_is_asked_again_when_nobody_else_is_there() {
    let mut hall = declined();
    let outs = hall.wait(10_000);
    assert_eq!(outs.iter().flat_map(bids).collect::<Vec<_>>(), [1]);
    assert_eq!(offered(&hall.take(1).1), Some(10));
}

/// The bid to whoever declined was not answered, and somebody else was asked meanwhile: theirs it is.
#[test]
fn a_late_grant_does_not_give_a_contact_back_to_who_declined_it() {
    let mut hall = declined();
    hall.wait(10_500); // 1 was asked again at 10 s
    hall.ready(2); // has nobody to be asked for: 10 is covered
    hall.wait(500); // 1 did not answer in time, so 2 is asked
    assert!(
        hall.queue
            .bids()
            .any(|bid| bid == (agent(2), contact(10), true))
    );
    assert!(released(&hall.take(1).1));
    assert_eq!(offered(&hall.take(2).1), Some(10));
}

#[test]
fn the_memory_of_declines_is_bounded() {
    let mut hall = Hall::new();
    hall.checks = false;
    hall.arrive(10);
    for n in 1..=300 {
        hall.ready(n);
        let (declined, out) = hall.take(n);
        assert_eq!(offered(&out), Some(10));
        hall.offer_ended(10, declined, OfferEnd::Rejected);
    }
    assert_eq!(hall.entry(10).declined.len(), 256);
    hall.queue.check();
}

/// The winner of a ring-all leaves before the bridge: the caller keeps the place, and the others ring again, once.
#[test]
fn answer_then_hangup() {
    let mut hall = Hall::with(with(Strategy::RingAll));
    for n in 1..=3 {
        hall.ready(n);
    }
    hall.arrive(10);
    hall.now = at(1_000);
    hall.arrive(11);
    let rings: Vec<_> = (1..=3).map(|n| hall.take(n).0).collect();
    assert_eq!(hall.entry(10).offers, rings);
    // The second answers and is gone before the bridge.
    let out = hall.offer_ended(10, rings[1], OfferEnd::CommitFailed);
    assert!(bids(&out).is_empty());
    assert_eq!(hall.order(), [10, 11]);
    assert_eq!(hall.entry(10).enqueued_at, at(0));
    assert_eq!(
        hall.entry(10).offers,
        [rings[0], rings[2]],
        "the others ring on"
    );
    // Those two give up as well; each who is free again rings once more, for the same caller.
    hall.offer_ended(10, rings[0], OfferEnd::Revoked);
    hall.offer_ended(10, rings[2], OfferEnd::Revoked);
    for n in [1, 3] {
        assert_eq!(bids(&hall.ready(n)), [n]);
        assert_eq!(offered(&hall.take(n).1), Some(10));
    }
    assert_eq!(hall.entry(10).offers.len(), 2);
}

#[test]
fn offers_carry_the_ring_time_and_the_briefing_of_the_queue() {
    let briefing = Arc::new(crate::settings::Briefing {
        connect_delay: secs(2),
        announcement: Arc::from("sales"),
        tell_wait: true,
    });
    let terms = Arc::new(Terms {
        ring: secs(40),
        ..Terms::default()
    });
    let mut hall = Hall::with(QueueSettings {
        briefing: briefing.clone(),
        terms,
        ..settings()
    });
    hall.ready(1);
    hall.arrive(10);
    let (reservation, out) = hall.take(1);
    let offer = EdgeMessage::Offer {
        attach_no: 1,
        epoch: 1,
        reservation,
        ring: secs(40),
        briefing,
    };
    assert_eq!(
        out.send.last(),
        Some(&QueueEffect::Edge(contact(10), offer))
    );
    // 40 s of ringing, 2 s of delay, 30 s of announcement, 10 s to say the wait, and the margin.
    assert_eq!(hall.entry(10).offered_due, Some(at(87_000)));
}

#[test]
fn an_agent_who_pauses_before_the_grant_is_not_waited_for() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.ready(2);
    hall.arrive(10);
    assert_eq!(bids(&hall.stands(1, Standing::Paused)), [2]);
}

/// G15: after the ring time another agent is tried, whatever the strategy would say of the two.
#[test]
fn who_let_it_ring_is_not_tried_again_before_another() {
    for strategy in [
        Strategy::Linear,
        Strategy::FewestCalls,
        Strategy::LeastTalkTime,
        Strategy::LeastRecent,
        Strategy::SkillsBest,
    ] {
        let mut hall = Hall::with(with(strategy));
        hall.ready(2); // logged in first, and received longest ago
        hall.arrive(10);
        let (rang, _) = hall.take(2);
        hall.offer_ended(10, rang, OfferEnd::NoAnswer);
        hall.detach(10);
        hall.ready(2);
        hall.ready(1);
        assert_eq!(bids(&hall.return_(10)), [1], "{strategy:?}");
        let (rang, _) = hall.take(1);
        hall.offer_ended(10, rang, OfferEnd::NoAnswer);
        assert_eq!(
            hall.queue.bids().next().map(|bid| bid.0),
            Some(agent(2)),
            "and then again"
        );
    }
}

#[test]
fn of_two_words_about_an_exclusion_the_longer_one_holds() {
    let mut hall = Hall::new();
    let both = |first, second| vec![(agent(1), secs(first)), (agent(2), secs(second))];
    hall.arrive_with(10, |a| a.excluded = both(10, 20));
    hall.detach(10);
    hall.attach(Attach {
        excluded: both(15, 5),
        ..attach(10, 2, 0)
    });
    let ends = hall.entry(10).excluded.values().copied();
    assert_eq!(ends.collect::<Vec<_>>(), [at(15_000), at(20_000)]);
}
