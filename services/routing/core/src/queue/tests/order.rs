//! Who is first (spec D16, G10, P12, P13).

use super::*;

#[test]
fn a_higher_priority_is_served_first_and_positions_follow() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let out = hall.say(QueueMessage::Attach(Attach {
        priority: 9,
        ..attach(11, 1, 50)
    }));
    assert!(matches!(
        out.send[0],
        QueueEffect::Edge(_, EdgeMessage::Attached { position: 1, .. })
    ));
    assert_eq!(hall.order(), [11, 10]);
}
#[test]
fn of_equal_priority_the_longer_wait_comes_first_and_of_equal_waits_the_order_is_fixed() {
    let mut hall = Hall::new();
    hall.now = at(100);
    hall.attach(attach(12, 1, 50));
    hall.attach(attach(11, 1, 50));
    hall.attach(attach(13, 1, 20));
    assert_eq!(hall.order(), [13, 11, 12]);
}

#[test]
fn the_place_is_said_when_it_is_asked_for() {
    let mut hall = Hall::new();
    for n in 10..15 {
        hall.arrive(n);
    }
    for (n, position) in [(10, 1), (11, 2), (12, 3), (13, 4), (14, 5)] {
        let out = hall.say(QueueMessage::AskPosition {
            contact: contact(n),
        });
        let place = EdgeMessage::Position {
            position,
            waiting: 5,
        };
        assert_eq!(out.send[..], [QueueEffect::Edge(contact(n), place)]);
    }
    let nobody = QueueMessage::AskPosition {
        contact: contact(99),
    };
    assert_eq!(hall.say(nobody), QueueOut::default());
}

/// P13: two callers, two agents: both ring at once. And whoever is skilled out at the head blocks nobody.
#[test]
fn head_never_blocks() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.arrive(11);
    hall.ready(1);
    hall.ready(2);
    assert_eq!(offered(&hall.take(1).1), Some(10));
    assert_eq!(
        offered(&hall.take(2).1),
        Some(11),
        "while the first one rings"
    );

    let mut hall = Hall::new();
    hall.ready_with(3, &[(FRENCH, 9)]);
    hall.stands(3, Standing::InContact);
    hall.arrive_with(20, |a| {
        a.needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]))
    });
    hall.arrive_with(21, |a| {
        a.needs = Arc::new(Needs::all_of(vec![speaks(ITALIAN, 5)]))
    });
    assert_eq!(hall.order(), [20, 21]);
    assert_eq!(bids(&hall.ready_with(4, &[(ITALIAN, 5)])), [4]);
    assert_eq!(offered(&hall.take(4).1), Some(21));
    hall.ready(3);
    assert_eq!(
        offered(&hall.take(3).1),
        Some(20),
        "and the head is still first for its own"
    );
}

/// A heavy queue that has nobody for an agent passes at once, so a lighter one gets the agent.
#[test]
fn weight_no_starvation() {
    let mut hall = Hall::with(QueueSettings {
        weight: Some(1_000),
        ..settings()
    });
    hall.ready_with(9, &[(FRENCH, 5)]);
    hall.stands(9, Standing::Paused);
    hall.arrive_with(10, |a| {
        a.needs = Arc::new(Needs::all_of(vec![speaks(FRENCH, 5)]))
    });
    let out = hall.ready(1);
    assert!(passed(&out) && bids(&out).is_empty());
    // Nor does a contact that the agent may not have, or whose stream is broken.
    hall.arrive_with(11, |a| a.excluded = vec![(agent(1), secs(60))]);
    hall.arrive(12);
    hall.detach(12);
    hall.tell(1, |_| {});
    let out = hall.tell(1, |_| {});
    assert!(passed(&out) && bids(&out).is_empty());
}

/// Somebody who has waited longest comes from another queue: the head of the line, and the others go on.
#[test]
fn longest_wait_insert() {
    let mut hall = Hall::new();
    hall.now = at(60_000);
    for n in 1..=3 {
        hall.ready(n);
    }
    hall.arrive(10);
    hall.arrive(11);
    let out = hall.attach(attach(12, 1, 1_000));
    assert_eq!(hall.order(), [12, 10, 11]);
    assert_eq!(bids(&out), [3], "the other two are asked already");
    assert_eq!(rank(&out).map(|r| r.enqueued_at), Some(at(1_000)));
    let served: Vec<_> = (1..=3).map(|n| offered(&hall.take(n).1)).collect();
    assert_eq!(served, [Some(12), Some(10), Some(11)]);
}

/// P12: what a queue bids with. The tie and the draw are the agent's.
#[test]
fn a_queue_without_a_score_bids_the_lowest_weight() {
    for (weight, bid) in [(None, 0), (Some(1), 1), (Some(1_000), 1_000)] {
        let mut hall = Hall::with(QueueSettings {
            weight,
            ..settings()
        });
        hall.ready(1);
        hall.now = at(7);
        let out = hall.arrive(10);
        let enqueued_at = at(7);
        assert_eq!(
            rank(&out),
            Some(Rank {
                weight: bid,
                enqueued_at
            })
        );
    }
}

/// A bid that is repeated is worth what its grant would be spent on by now.
#[test]
fn a_repeated_bid_carries_the_rank_of_whoever_is_first_by_then() {
    let mut hall = Hall::new();
    hall.now = at(50_000);
    hall.ready(1);
    hall.arrive(10);
    hall.attach(attach(11, 1, 1_000));
    let again = hall.wait(1_000);
    assert_eq!(rank(&again[0]).map(|r| r.enqueued_at), Some(at(1_000)));
    hall.left(11, LeftReason::Abandoned);
    let again = hall.wait(1_000);
    assert_eq!(rank(&again[0]).map(|r| r.enqueued_at), Some(at(50_000)));
}
