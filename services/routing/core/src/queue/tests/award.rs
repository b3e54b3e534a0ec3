//! From a waiting contact to a reserved agent: bids out, grants in.

use super::*;

#[test]
fn a_contact_gets_its_place_and_a_bid_goes_to_the_agent_idle_longest() {
    let mut hall = Hall::new();
    hall.presence(3, 1, true);
    assert!(passed(&hall.presence(2, 1, true)));
    let out = hall.arrive(10);
    assert_eq!(bids(&out), [2]);
    assert!(matches!(
        out.send[0],
        QueueEffect::Edge(
            _,
            EdgeMessage::Attached {
                position: 1,
                waiting: 1,
                ..
            }
        )
    ));
    assert!(matches!(
        out.events[0],
        Event::ContactQueued { position: 1, .. }
    ));
}

/// An agent with room for several conversations: one of them ends while the grant for another is on its way.
#[test]
fn a_grant_that_the_agents_next_word_overtook_is_taken() {
    let mut hall = Hall::with(QueueSettings {
        terms: Arc::new(Terms {
            medium: crate::Medium::Chat,
            ..Terms::default()
        }),
        ..settings()
    });
    let reserved = |p: &mut Presence| (p.free, p.standing) = (true, Standing::InContact);
    hall.tell(1, reserved);
    assert_eq!(bids(&hall.arrive(10)), [1]);
    // The record granted that bid at version 1; then something else ended, and the word of it comes first.
    hall.presence(1, 3, true);
    let (overtaken, out) = hall.grant(1, 1);
    assert_eq!(offered(&out), Some(10));
    assert_eq!(hall.entry(10).offers, [overtaken]);
    // The same grant once more, when the offer is over, is no other reservation.
    hall.offer_ended(10, overtaken, OfferEnd::NeverRang);
    let grant = Grant {
        reservation: overtaken,
        ver: 1,
        epoch: 1,
        free: false,
        pick_up: None,
    };
    let out = hall.say(QueueMessage::Grant(grant));
    assert_eq!((offered(&out), released(&out)), (None, true));
}

/// An agent who has gone away since holds nothing, and neither does one in a queue of calls who is free again.
#[test]
fn a_grant_whose_reservation_must_be_gone_is_released() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.presence(1, 3, true);
    let (_, out) = hall.grant(1, 1);
    assert_eq!((offered(&out), released(&out)), (None, true));
}

#[test]
fn burst_distinct_agents() {
    let mut hall = Hall::new();
    for n in 1..=20 {
        hall.presence(n, 1, true);
    }
    let mut asked: Vec<u128> = (101..=120).flat_map(|n| bids(&hall.arrive(n))).collect();
    asked.sort_unstable();
    assert_eq!(asked, (1..=20).collect::<Vec<_>>());
    // Grants in any order: every contact is offered once, the longest-waiting first.
    let served: Vec<_> = (1..=20)
        .rev()
        .filter_map(|n| offered(&hall.grant(n, 1).1))
        .collect();
    assert_eq!(served, (101..=120).collect::<Vec<_>>());
}

#[test]
fn the_grant_serves_the_first_in_order_whoever_the_bid_was_made_for() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.presence(2, 1, true);
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    let (_, out) = hall.grant(2, 1);
    assert_eq!(offered(&out), Some(10), "agent 2 was asked for contact 11");
    let (_, out) = hall.grant(1, 1);
    assert_eq!(offered(&out), Some(11));
}

#[test]
fn a_free_agent_always_gets_a_bid_or_a_pass() {
    let mut hall = Hall::new();
    assert!(passed(&hall.presence(1, 1, true)));
    hall.arrive(10);
    assert_eq!(
        bids(&hall.presence(1, 1, true)),
        [1],
        "asked again: the bid was lost"
    );
    assert!(hall.presence(2, 1, false).send.is_empty());
}

#[test]
fn an_older_presence_is_ignored_and_a_newer_one_voids_the_bid() {
    let mut hall = Hall::new();
    hall.presence(1, 5, true);
    hall.arrive(10);
    assert!(hall.presence(1, 4, false).send.is_empty());
    hall.presence(1, 6, false);
    assert!(released(&hall.grant(1, 5).1));
    assert_eq!(
        bids(&hall.presence(2, 1, true)),
        [2],
        "the contact asks elsewhere"
    );
}

#[test]
fn a_bid_that_is_not_answered_is_repeated_and_its_contact_asks_elsewhere() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.presence(2, 1, true);
    assert_eq!(bids(&hall.arrive(10)), [1]);
    let outs = hall.wait(1_000);
    assert_eq!(bids(&outs[0]), [1, 2]);
    hall.grant(2, 1);
    assert!(
        released(&hall.grant(1, 1).1),
        "nobody is left for the slow one"
    );
}

#[test]
fn a_repeated_grant_changes_nothing_and_a_newer_epoch_deposes() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    let grant = Grant {
        reservation,
        ver: 1,
        epoch: 1,
        free: false,
        pick_up: None,
    };
    assert_eq!(hall.say(QueueMessage::Grant(grant)), QueueOut::default());
    let newer = hall.say(QueueMessage::Grant(Grant { epoch: 2, ..grant }));
    assert!(newer.deposed && newer.send.is_empty());
}

#[test]
fn bids_carry_weight_wait_and_terms() {
    let mut hall = Hall::new();
    hall.presence(1, 7, true);
    hall.now = at(3);
    let out = hall.arrive(10);
    let bid = out.send.iter().find_map(|e| match e {
        QueueEffect::Agent(_, AgentMessage::Bid(bid)) => Some(bid.clone()),
        _ => None,
    });
    let Some(Bid {
        ver: 7,
        rank,
        terms,
        ..
    }) = bid
    else {
        panic!("{bid:?}")
    };
    assert_eq!(
        (rank.weight, rank.enqueued_at, terms.wrap_up.time.as_secs()),
        (5, at(3), 10)
    );
}
#[test]
fn a_late_word_does_not_bring_back_who_logged_out() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.stands(1, Standing::Paused);
    let late = hall.people[&1].clone();
    hall.logs_out(1);
    assert_eq!(hall.say(QueueMessage::Presence(late)), QueueOut::default());
    assert_eq!(hall.queue.agents().count(), 0);
    assert_eq!(hall.ready(1).send.len(), 1, "a new log-in is heard");
    hall.logs_out(1);
    hall.wait(60_000);
    hall.ready(2);
    hall.ready(2);
    assert!(
        hall.queue.roster.known_ver(agent(1)).is_none(),
        "and forgotten in time"
    );
}

#[test]
fn an_agent_with_room_for_more_is_asked_again_at_once() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10);
    hall.arrive(11);
    let ver = hall.people[&1].ver;
    let (_, out) = hall.grant_with(1, ver, |grant| grant.free = true);
    assert_eq!((offered(&out), bids(&out)), (Some(10), vec![1]));
    assert_eq!(the_bid(&out).map(|bid| bid.ver), Some(ver + 1));
    let (_, out) = hall.grant_with(1, ver + 1, |grant| grant.free = true);
    assert_eq!(offered(&out), Some(11));
    assert!(passed(&out), "nobody is left, and the agent hears of it");
}

#[test]
fn a_bid_whose_contact_went_to_another_stands_for_the_contact_whose_bid_that_one_used() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.ready(2);
    hall.arrive(10); // for whom 1 is asked
    hall.arrive(11); // for whom 2 is asked
    assert_eq!(offered(&hall.take(2).1), Some(10));
    let stands: Vec<_> = hall.queue.bids().collect();
    assert_eq!(stands, [(agent(1), contact(11), true)]);
}

#[test]
fn a_bid_is_not_handed_over_to_a_contact_that_its_agent_declined() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(11);
    let (declined, _) = hall.take(1);
    hall.say(QueueMessage::OfferEnded {
        contact: contact(11),
        reservation: declined,
        exclude_for: Some(Duration::ZERO),
        why: OfferEnd::Rejected,
    });
    hall.arrive_with(10, |a| a.priority = 1);
    hall.ready(1); // asked for 10
    hall.ready(2); // asked for 11
    assert_eq!(offered(&hall.take(2).1), Some(10));
    let bid = hall.queue.bids().next();
    assert_eq!(
        bid,
        Some((agent(1), contact(10), false)),
        "it stands for nobody"
    );
    assert_eq!(bids(&hall.ready(3)), [3], "another is asked for 11");
}

#[test]
fn a_grant_that_finds_nobody_is_released_and_the_agent_is_not_asked_for_it_again() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10);
    hall.left(10, LeftReason::Abandoned);
    let (_, out) = hall.take(1);
    assert!(released(&out) && offered(&out).is_none());
    assert!(passed(&hall.ready(1)));
    assert_eq!(hall.queue.next_due(), None);
}

#[test]
fn the_same_commands_have_the_same_results() {
    let story = || {
        let mut hall = Hall::with(with(Strategy::Random));
        let mut outs = vec![];
        for n in 1..=9 {
            outs.push(hall.ready(n));
        }
        for n in 100..109 {
            outs.push(hall.arrive(n));
        }
        outs.extend((1..=9).map(|n| hall.take(n).1));
        outs
    };
    assert_eq!(story(), story());
}
