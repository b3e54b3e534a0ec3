//! What people do to those who wait (spec V2, C23, G11).

use super::*;

const ELSEWHERE: QueueId = QueueId::from_u128(2);

impl Hall {
    fn set_priority(&mut self, n: u128, priority: u32) -> QueueOut {
        self.say(QueueMessage::SetPriority {
            contact: contact(n),
            priority,
        })
    }

    fn wish(&mut self, n: u128, wish: Wish) -> QueueOut {
        self.say(QueueMessage::Wish {
            contact: contact(n),
            wish,
        })
    }

    fn pick_up(&mut self, person: u128, n: u128) -> QueueOut {
        let (agent, contact, device) = (agent(person), contact(n), None);
        self.say(QueueMessage::PickUp {
            agent,
            pick_up: PickUp { contact, device },
        })
    }

    fn grant_pick_up(&mut self, person: u128, n: u128) -> (Reservation, QueueOut) {
        let ver = self.people.get(&person).map_or(7, |p| p.ver);
        self.grant_with(person, ver, |grant| grant.pick_up = Some(contact(n)))
    }
}

/// What edges are told of people's wishes.
fn wished(outs: &[QueueOut]) -> Vec<(u128, Option<QueueId>)> {
    let told = |e: &QueueEffect| match e {
        QueueEffect::Edge(c, EdgeMessage::MoveTo { queue, .. }) => {
            Some((c.as_u128(), Some(*queue)))
        }
        QueueEffect::Edge(c, EdgeMessage::TakenOut { .. }) => Some((c.as_u128(), None)),
        _ => None,
    };
    outs.iter()
        .flat_map(|o| o.send.iter().filter_map(told))
        .collect()
}

/// Asks for contacts to be picked up.
fn asked_to_pick_up(outs: &[QueueOut]) -> usize {
    let asks = |e: &&QueueEffect| matches!(e, QueueEffect::Agent(_, AgentMessage::Bid(bid)) if bid.pick_up.is_some());
    outs.iter().flat_map(|o| o.send.iter().filter(asks)).count()
}

/// What people are told of their pick-ups.
fn picked_up(out: &QueueOut) -> Vec<(u128, u128, Result<(), NoPickUp>)> {
    let told = |e: &QueueEffect| match e {
        QueueEffect::PickedUp {
            agent,
            contact,
            outcome,
        } => Some((agent.as_u128(), contact.as_u128(), *outcome)),
        _ => None,
    };
    let told: Vec<_> = out.send.iter().filter_map(told).collect();
    assert!(told.is_empty() || out.fence, "an old owner must not say it");
    told
}

fn rings(person: u128, n: u128) -> QueueMessage {
    let (agent, contact) = (agent(person), contact(n));
    QueueMessage::PickUpRings { agent, contact }
}

fn refused(person: u128, n: u128, number: Option<u64>, why: NoPickUp) -> QueueMessage {
    QueueMessage::PickUpRefused {
        agent: agent(person),
        contact: contact(n),
        number,
        why,
    }
}

#[test]
fn a_new_priority_moves_the_contact_and_is_told_once() {
    let mut hall = Hall::new();
    for n in 10..13 {
        hall.arrive(n);
        hall.wait(1);
    }
    let out = hall.set_priority(12, 5);
    assert_eq!(out.answer, Some(Answer::Done));
    let told = Event::ContactReprioritised {
        contact: contact(12),
        queue: QUEUE,
        priority: 5,
        position: 1,
    };
    assert_eq!(out.events[..], [told]);
    assert!(out.fence && out.changes.len() == 1);
    assert_eq!(hall.order(), [12, 10, 11]);
    let again = hall.set_priority(12, 5);
    assert_eq!(
        (again.answer, again.events.len(), again.changes.len()),
        (Some(Answer::Done), 0, 0)
    );
    hall.set_priority(12, 0);
    assert_eq!(hall.order(), [10, 11, 12], "and back to its old place");
}

#[test]
fn a_persons_priority_survives_coming_back_and_a_takeover() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.arrive(11);
    hall.set_priority(11, 5);
    hall.detach(11);
    hall.attach(attach(11, 2, 0)); // its edge still says 0
    assert_eq!(hall.order(), [11, 10]);
    hall.take_over();
    assert_eq!(hall.order(), [11, 10]);
    hall.attach(attach(11, 3, 0));
    assert_eq!(hall.order(), [11, 10]);
    // A contact that nobody touched follows its edge.
    hall.attach(Attach {
        priority: 9,
        ..attach(10, 2, 0)
    });
    assert_eq!(hall.order(), [10, 11]);
}

#[test]
fn what_does_not_wait_here_cannot_be_changed() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.left(10, LeftReason::Abandoned);
    for n in [10, 99] {
        let before = hall.queue.clone();
        let outs = [
            hall.set_priority(n, 5),
            hall.wish(n, Wish::TakeOut),
            hall.wish(n, Wish::MoveTo(ELSEWHERE)),
        ];
        for out in outs {
            let nothing = QueueOut {
                fence: true,
                answer: Some(Answer::NotWaiting),
                ..QueueOut::default()
            };
            assert_eq!(out, nothing);
        }
        let out = hall.pick_up(1, n);
        assert_eq!(picked_up(&out), [(1, n, Err(NoPickUp::NotWaiting))]);
        assert!(out.changes.is_empty() && out.events.is_empty());
        assert_eq!(hall.queue, before);
    }
}

#[test]
fn a_wish_is_repeated_until_the_contact_left() {
    for (wish, told, reason) in [
        (
            Wish::MoveTo(ELSEWHERE),
            Some(ELSEWHERE),
            LeftReason::TransferredByUser,
        ),
        (Wish::TakeOut, None, LeftReason::TransferredByUser),
    ] {
        let mut hall = Hall::new();
        hall.arrive(10);
        let out = hall.wish(10, wish);
        assert_eq!(out.answer, Some(Answer::Done));
        assert_eq!(wished(&[out]), [(10, told)]);
        assert_eq!(wished(&hall.wait(3_000)), [(10, told); 3]);
        assert!(passed(&hall.ready(1)), "nobody is asked for it any more");
        assert_eq!(gone(&hall.left(10, reason)), [(10, reason)]);
        assert!(hall.wait(60_000).is_empty());
    }
}

#[test]
fn a_wish_goes_on_under_the_next_owner_and_on_the_next_stream() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wish(10, Wish::MoveTo(ELSEWHERE));
    hall.take_over();
    let out = hall.return_(10);
    assert_eq!(wished(&[out]), [(10, Some(ELSEWHERE))]);
    assert_eq!(wished(&hall.wait(1_000)).len(), 1);
}

#[test]
fn the_same_wish_twice_is_one_and_the_last_wish_counts() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.wish(10, Wish::MoveTo(ELSEWHERE));
    hall.wait(500);
    hall.wish(10, Wish::MoveTo(ELSEWHERE));
    assert_eq!(wished(&hall.wait(999)), [], "it was said just now");
    hall.wish(10, Wish::TakeOut);
    assert_eq!(wished(&hall.wait(2_000)), [(10, None); 2]);
    // The wish that it be here is the wish that it stay.
    let out = hall.wish(10, Wish::MoveTo(QUEUE));
    assert_eq!((out.answer, wished(&[out])), (Some(Answer::Done), vec![]));
    assert_eq!(wished(&hall.wait(60_000)), []);
    assert_eq!(bids(&hall.ready(1)), [1]);
}

/// Exactly one of answer and wish wins, and the edge says which.
#[test]
fn a_wish_wins_or_loses_against_an_answer() {
    for reason in [LeftReason::Answered, LeftReason::TransferredByUser] {
        let mut hall = Hall::new();
        hall.ready(1);
        hall.arrive(10);
        hall.take(1);
        hall.wish(10, Wish::MoveTo(ELSEWHERE));
        assert!(passed(&hall.ready(2)), "no second agent is asked");
        assert_eq!(gone(&hall.left(10, reason)), [(10, reason)]);
        assert_eq!(wished(&hall.wait(60_000)), []);
    }
}

#[test]
fn a_grant_that_comes_after_the_wish_serves_the_next() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10);
    hall.arrive(11);
    hall.wish(10, Wish::TakeOut);
    assert_eq!(offered(&hall.take(1).1), Some(11));
}

#[test]
fn who_picks_up_gets_this_very_contact() {
    let mut hall = Hall::new();
    hall.stands(5, Standing::Paused);
    for n in 10..13 {
        hall.arrive(n);
    }
    let out = hall.pick_up(5, 12);
    assert_eq!(picked_up(&out), [], "nothing rings yet");
    let bid = the_bid(&out).unwrap();
    assert_eq!(bid.pick_up.map(|p| p.contact), Some(contact(12)));
    assert_eq!(bid.ver, hall.people[&5].ver);
    let (reservation, out) = hall.grant_pick_up(5, 12);
    assert_eq!(offered(&out), Some(12));
    assert_eq!(hall.entry(12).offers, [reservation]);
    assert_eq!(picked_up(&out), [], "nothing rings yet");
    assert_eq!(picked_up(&hall.say(rings(5, 12))), [(5, 12, Ok(()))]);
    assert_eq!(hall.say(rings(5, 12)), QueueOut::default(), "told once");
    assert_eq!(asked_to_pick_up(&hall.wait(10_000)), 0);
    let out = hall.left_with(12, LeftReason::Answered, Some(5));
    assert!(matches!(out.events[0], Event::ContactLeft { agent: Some(a), .. } if a == agent(5)));
}

#[test]
fn somebody_who_serves_no_queue_can_pick_up_too() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let out = hall.pick_up(77, 10);
    assert_eq!(the_bid(&out).map(|bid| bid.ver), Some(0));
    assert_eq!(offered(&hall.grant_pick_up(77, 10).1), Some(10));
    assert_eq!(hall.queue.agents().count(), 0);
}

/// A grant is the news of its agent: who picked up is not asked for the next contact.
#[test]
fn who_picks_up_is_no_longer_free() {
    let mut hall = Hall::new();
    hall.ready(5);
    hall.arrive(10);
    hall.arrive(11);
    hall.pick_up(5, 11); // and asked for 10 already
    let (_, out) = hall.grant_pick_up(5, 11);
    assert_eq!(offered(&out), Some(11));
    assert_eq!(hall.queue.bids().count(), 0, "that bid is void");
    assert!(bids(&hall.arrive(12)).is_empty());
    assert_eq!(bids(&hall.ready(6)), [6], "10 may ask elsewhere");
    // Whoever still has room is answered.
    let mut hall = Hall::new();
    hall.ready(5);
    hall.arrive(10);
    hall.wait(1);
    hall.arrive(11);
    hall.pick_up(5, 11);
    let ver = hall.people[&5].ver;
    let (_, out) = hall.grant_with(5, ver, |g| (g.pick_up, g.free) = (Some(contact(11)), true));
    assert_eq!((offered(&out), bids(&out)), (Some(11), vec![5]));
}

#[test]
fn a_pick_up_that_is_refused_changes_nothing() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.pick_up(5, 10);
    let no = refused(5, 10, None, NoPickUp::Busy);
    let out = hall.say(no.clone());
    assert_eq!(picked_up(&out), [(5, 10, Err(NoPickUp::Busy))]);
    assert_eq!((out.send.len(), out.changes.len()), (1, 0));
    assert_eq!(hall.say(no), QueueOut::default());
    assert!(hall.wait(60_000).is_empty());
    assert_eq!(bids(&hall.ready(1)), [1]);
}

#[test]
fn a_pick_up_that_is_not_answered_is_repeated_and_given_up_in_the_end() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.pick_up(5, 10);
    let outs = hall.wait(4_000);
    assert_eq!(asked_to_pick_up(&outs), 3);
    let told: Vec<_> = outs.iter().flat_map(picked_up).collect();
    assert_eq!(told, [(5, 10, Err(NoPickUp::Unanswered))]);
    assert_eq!(asked_to_pick_up(&hall.wait(60_000)), 0);
    assert_eq!(hall.queue.next_due(), None);
    let (_, out) = hall.grant_pick_up(5, 10);
    assert!(released(&out), "nobody waits for it any more");
}

#[test]
fn a_pick_up_asked_twice_is_one_and_a_repeated_grant_changes_nothing() {
    let mut hall = Hall::new();
    hall.stands(5, Standing::Paused);
    hall.arrive(10);
    hall.pick_up(5, 10);
    hall.pick_up(5, 10);
    assert_eq!(asked_to_pick_up(&hall.wait(1_000)), 1);
    let (reservation, _) = hall.grant_pick_up(5, 10);
    let again = |hall: &mut Hall| {
        hall.say(QueueMessage::Grant(Grant {
            reservation,
            ver: 1,
            epoch: 1,
            free: false,
            pick_up: Some(contact(10)),
        }))
    };
    assert_eq!(again(&mut hall), QueueOut::default());
    // Nor when its offer is over by then.
    let out = hall.offer_ended(10, reservation, OfferEnd::NeverRang);
    assert_eq!(
        picked_up(&out),
        [(5, 10, Err(NoPickUp::Taken))],
        "one answer"
    );
    let out = again(&mut hall);
    assert!(offered(&out).is_none() && out.events.is_empty());
    assert!(hall.entry(10).offers.is_empty());
}

#[test]
fn a_pick_up_of_a_contact_that_is_gone_is_released() {
    for how in 0..4 {
        let mut hall = Hall::new();
        hall.arrive(10);
        hall.pick_up(5, 10);
        let at_once = match how {
            0 => hall.left(10, LeftReason::Abandoned),
            1 => hall.wish(10, Wish::TakeOut),
            2 => hall.detach(10),
            _ => hall.say(QueueMessage::Close),
        };
        let (_, out) = hall.grant_pick_up(5, 10);
        assert!(released(&out) && offered(&out).is_none(), "{how}");
        let (left, why) = match how {
            0 | 3 => (true, NoPickUp::NotWaiting),
            _ => (false, NoPickUp::Taken),
        };
        let (told, other) = if left { (at_once, out) } else { (out, at_once) };
        assert_eq!(picked_up(&told), [(5, 10, Err(why))], "{how}");
        assert_eq!(picked_up(&other), [], "{how}");
        assert_eq!(asked_to_pick_up(&hall.wait(5_000)), 0);
    }
}

#[test]
fn a_contact_that_rings_elsewhere_can_be_picked_up_and_whoever_answers_first_has_it() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10);
    let (rings, _) = hall.take(1);
    hall.pick_up(5, 10);
    let (picked, out) = hall.grant_pick_up(5, 10);
    assert_eq!(offered(&out), Some(10));
    assert_eq!(hall.entry(10).offers, [rings, picked]);
    hall.offer_ended(10, rings, OfferEnd::Rejected);
    assert!(
        passed(&hall.ready(2)),
        "it still rings for whoever picked it up"
    );
    hall.offer_ended(10, picked, OfferEnd::NoAnswer);
    assert_eq!(
        hall.queue.bids().next(),
        Some((agent(2), contact(10), true))
    );
}

#[test]
fn two_pick_ups_of_one_person_are_two() {
    let mut hall = Hall::new();
    hall.stands(5, Standing::Paused);
    hall.arrive(10);
    hall.arrive(11);
    hall.pick_up(5, 10);
    hall.pick_up(5, 11);
    assert_eq!(offered(&hall.grant_pick_up(5, 10).1), Some(10));
    hall.say(rings(5, 10));
    hall.say(refused(5, 11, None, NoPickUp::Busy));
    assert!(hall.entry(11).offers.is_empty());
    assert_eq!(asked_to_pick_up(&hall.wait(10_000)), 0);
}

#[test]
fn who_is_picked_up_is_asked_for_by_nobody_else_meanwhile() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10); // for whom 1 is asked
    hall.pick_up(5, 10);
    hall.grant_pick_up(5, 10);
    assert!(released(&hall.take(1).1));
}

#[test]
fn a_pick_up_whose_offer_came_to_nothing_is_told_why() {
    for (end, why) in [
        (OfferEnd::NeverRang, NoPickUp::Taken),
        (OfferEnd::Cut, NoPickUp::Taken),
        (OfferEnd::DeviceFailed, NoPickUp::NoPhone),
        (OfferEnd::Revoked, NoPickUp::Busy),
    ] {
        let mut hall = Hall::new();
        hall.arrive(10);
        hall.pick_up(5, 10);
        let (reservation, _) = hall.grant_pick_up(5, 10);
        // An earlier wish's refusal comes late, and is none of this one.
        let old = Some(reservation.number - 1);
        for number in [None, old] {
            let out = hall.say(refused(5, 10, number, NoPickUp::Busy));
            assert_eq!(picked_up(&out), []);
        }
        let out = hall.offer_ended(10, reservation, end);
        assert_eq!(picked_up(&out), [(5, 10, Err(why))], "{end:?}");
        let out = hall.say(refused(5, 10, Some(reservation.number), NoPickUp::Taken));
        assert_eq!(picked_up(&out), [], "told once");
    }
}

/// The agent's own word may come first: the reservation ended before anything rang.
#[test]
fn a_reservation_that_ends_before_it_rings_ends_the_pick_up() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.pick_up(5, 10);
    let (reservation, _) = hall.grant_pick_up(5, 10);
    let out = hall.say(refused(5, 10, Some(reservation.number), NoPickUp::Taken));
    assert_eq!(picked_up(&out), [(5, 10, Err(NoPickUp::Taken))]);
    let out = hall.offer_ended(10, reservation, OfferEnd::NeverRang);
    assert_eq!(picked_up(&out), []);
    assert_eq!(bids(&hall.ready(1)), [1], "it waits on at its place");
}

#[test]
fn who_loses_the_race_is_told_and_who_wins_it_too() {
    for (by, outcome) in [(5, Ok(())), (1, Err(NoPickUp::NotWaiting))] {
        let mut hall = Hall::new();
        hall.ready(1);
        hall.arrive(10);
        hall.take(1);
        hall.pick_up(5, 10);
        hall.grant_pick_up(5, 10);
        let out = hall.left_with(10, LeftReason::Answered, Some(by));
        assert_eq!(picked_up(&out), [(5, 10, outcome)]);
    }
}

/// However often it is asked for, one phone rings once, and every asking is answered.
#[test]
fn a_pick_up_that_rings_already_is_answered_by_the_agent_again() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.pick_up(5, 10);
    let (reservation, _) = hall.grant_pick_up(5, 10);
    hall.say(rings(5, 10));
    let out = hall.pick_up(5, 10);
    assert_eq!(asked_to_pick_up(&[out]), 1, "the agent knows");
    assert_eq!(picked_up(&hall.say(rings(5, 10))), [(5, 10, Ok(()))]);
    assert_eq!(hall.entry(10).offers, [reservation]);
}

#[test]
fn a_contact_on_its_way_elsewhere_is_not_picked_up() {
    for how in 0..2 {
        let mut hall = Hall::new();
        hall.arrive(10);
        match how {
            0 => hall.wish(10, Wish::MoveTo(ELSEWHERE)),
            _ => hall.detach(10),
        };
        let before = hall.queue.clone();
        let out = hall.pick_up(5, 10);
        assert_eq!(picked_up(&out), [(5, 10, Err(NoPickUp::Taken))]);
        assert_eq!(asked_to_pick_up(&[out]), 0);
        assert_eq!(hall.queue, before);
    }
}
