//! Rounds of bids: who is asked, who wins, who hears of it.

use super::*;

#[test]
fn a_ready_agent_asks_every_queue_and_waits_for_all_answers() {
    let mut desk = Desk::ready(&[A, B]);
    let early = desk.say(desk.bid(A, 1, 0));
    assert_eq!(granted(&early), None, "B has not answered");
    assert_eq!(granted(&desk.say(desk.pass(B))), Some((A, 1)));
    assert_eq!(desk.state(), State::Reserved);
}

#[test]
fn the_heavier_queue_wins_and_the_longer_wait_breaks_the_tie() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 5, 0));
    assert_eq!(granted(&desk.say(desk.bid(B, 6, 50))), Some((B, 1)));
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 5, 40));
    assert_eq!(granted(&desk.say(desk.bid(B, 5, 39))), Some((B, 1)));
}

#[test]
fn an_exact_tie_is_drawn_fairly_and_reproducibly() {
    let mut wins = 0;
    for id in 0..400_u128 {
        let draw = || {
            let mut desk = Desk::ready(&[A, B]);
            desk.agent.record.id = UserId::from_u128(id * 7919);
            desk.say(desk.bid(A, 5, 0));
            granted(&desk.say(desk.bid(B, 5, 0))).map(|g| g.0)
        };
        assert_eq!(draw(), draw());
        wins += i32::from(draw() == Some(A));
    }
    assert!((150..=250).contains(&wins), "{wins} of 400");
}

/// Two queues with the same weight and the same wait: over many versions each wins half of the draws.
#[test]
fn a_tie_is_drawn_fairly() {
    let mut desk = Desk::ready(&[A, B]);
    let mut wins = [0_u32; 2];
    for _ in 0..10_000 {
        desk.say(desk.bid(A, 1, 0));
        let out = desk.say(desk.bid(B, 1, 0));
        let (queue, number) = granted(&out).unwrap();
        wins[usize::from(queue == B)] += 1;
        desk.say(AgentMessage::Release { number });
    }
    let square = |n: u32| (f64::from(n) - 5_000.0).powi(2) / 5_000.0;
    let chi = wins.map(square).iter().sum::<f64>();
    // One degree of freedom: beyond 10.83 once in a thousand times. The draw has a fixed seed, so this is no gamble.
    assert!(chi < 10.83, "{wins:?}, chi square {chi}");
    assert_ne!(wins[0], 5_000, "a draw, not turns");
}

#[test]
fn a_queue_that_is_away_delays_the_round_by_its_deadline_only() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 1, 0));
    assert!(desk.wait(99).is_empty());
    assert_eq!(desk.wait(1).iter().find_map(granted), Some((A, 1)));
}

#[test]
fn only_a_queue_that_did_not_answer_is_reminded() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.pass(A));
    let outs = desk.wait(4_100);
    let asked: Vec<_> = outs.iter().flat_map(presences).collect();
    assert_eq!(asked, [(B, true), (B, true)]);
    desk.say(desk.pass(B));
    assert_eq!(desk.agent.next_due(), None, "an idle agent has no deadline");
}

#[test]
fn an_idle_agent_heard_by_all_grants_at_once() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.pass(A));
    desk.say(desk.pass(B));
    let out = desk.say(desk.bid(B, 1, 0));
    assert_eq!(granted(&out), Some((B, 1)));
    assert_eq!(
        presences(&out),
        [(A, false)],
        "the winner learns it from the grant"
    );
}

#[test]
fn only_the_losers_of_the_round_hear_for_how_old_a_contact_they_lost() {
    const C: QueueId = QueueId::from_u128(4);
    let mut desk = Desk::ready(&[A, B, C]);
    desk.say(desk.bid(A, 5, 70));
    desk.say(desk.bid(B, 1, 10));
    let out = desk.say(desk.pass(C));
    assert_eq!(granted(&out), Some((A, 1)));
    let lost: Vec<_> = told(&out).iter().map(|(q, p)| (*q, p.lost_to)).collect();
    assert_eq!(lost, [(B, Some(at(70))), (C, None)], "C had nobody to lose");
    // The next round knows nothing of it.
    let out = desk.say(AgentMessage::Release { number: 1 });
    assert!(told(&out).iter().all(|(_, p)| p.lost_to.is_none()));
}

#[test]
fn a_bid_that_was_withdrawn_by_a_pass_or_a_newer_owner_does_not_win() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 9, 0));
    desk.say(desk.pass(A));
    assert_eq!(granted(&desk.say(desk.bid(B, 1, 0))), Some((B, 1)));
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(A, 9, 0));
    desk.say(AgentMessage::QueueMoved { queue: A, epoch: 2 });
    assert_eq!(granted(&desk.say(desk.bid(B, 1, 0))), None, "A is awaited");
    assert_eq!(desk.wait(100).iter().find_map(granted), Some((B, 1)));
}

#[test]
fn an_old_owner_of_a_queue_is_ignored_and_a_newer_one_voids_its_word() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.pass(A));
    let ver = desk.agent.record().ver;
    let out = desk.say(AgentMessage::QueueMoved { queue: A, epoch: 2 });
    assert_eq!(presences(&out), [(A, true)]);
    let old = desk.say(desk.bid(A, 1, 0));
    assert!(old.send.is_empty(), "epoch 1 is over");
    desk.say(AgentMessage::Pass {
        queue: A,
        epoch: 2,
        ver,
    });
    assert_eq!(desk.agent.next_due(), None);
}

#[test]
fn a_new_owner_of_the_queue_is_told_that_the_agent_is_free() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.pass(A));
    assert_eq!(desk.agent.next_due(), None);
    let moved = |queue| AgentMessage::QueueMoved { queue, epoch: 2 };
    assert_eq!(presences(&desk.say(moved(A))), [(A, true)]);
    assert!(desk.say(moved(A)).send.is_empty(), "told once");
    let other = desk.say(moved(B));
    assert!(other.send.is_empty(), "not a queue of this agent");
}

#[test]
fn a_stranger_queue_learns_that_the_agent_is_no_member() {
    let mut desk = Desk::ready(&[A]);
    let out = desk.say(desk.bid(B, 1, 0));
    assert_eq!(presences(&out), [(B, false)]);
    assert!(!told(&out)[0].1.member);
}

#[test]
fn a_new_owner_of_the_record_asks_all_queues_again_and_stores_nothing() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.pass(A));
    desk.say(desk.pass(B));
    let ver = desk.agent.record().ver;
    let out = desk.take_over();
    assert_eq!(presences(&out), [(A, true), (B, true)]);
    assert!(!out.fence && out.changes.is_empty());
    assert_eq!(desk.agent.record().ver, ver);
}

/// What the strategies of the queues go by.
#[test]
fn a_queue_is_told_what_its_strategy_goes_by() {
    let rules = terms(|t| t.wrap_up.mode = WrapUpMode::None);
    let mut desk = Desk::empty();
    desk.now = at(1_000);
    desk.say(log_in_to(&[A, B], |log_in| log_in.queues[1].order = 4));
    let fresh = desk.presence(B);
    assert_eq!(
        (fresh.logged_in_at, fresh.idle_since),
        (at(1_000), at(1_000))
    );
    assert_eq!((fresh.received_at, fresh.contacts), (at(1_000), 0));
    assert_eq!((fresh.talk, fresh.load, fresh.order), (secs(0), 0, 4));
    desk.now = at(5_000);
    let number = desk.ring(A, ANNA, &rules);
    desk.now = at(9_000);
    desk.say(connect(number, ANNA));
    desk.now = at(69_000);
    let out = desk.end(number, OfferEnd::Answered);
    for (queue, news) in told(&out) {
        assert_eq!(news.received_at, at(9_000), "{queue}: when it was answered");
        assert_eq!(news.idle_since, at(69_000), "{queue}: when it ended");
        assert_eq!((news.contacts, news.talk), (1, secs(60)));
        assert_eq!(news.logged_in_at, at(1_000));
    }
    // A ring that came to nothing is no contact, but the turn of whoever missed it is over.
    let number = desk.ring(A, ANNA, &terms(|t| t.rona.action = RonaAction::None));
    desk.now = at(84_000);
    desk.end(number, OfferEnd::NoAnswer);
    let news = desk.presence(A);
    assert_eq!((news.contacts, news.received_at), (1, at(9_000)));
    assert_eq!(news.idle_since, at(84_000));
    // The next log-in begins anew.
    desk.say(LOG_OUT);
    desk.now = at(100_000);
    desk.say(log_in(&[A]));
    let news = desk.presence(A);
    assert_eq!((news.contacts, news.talk), (0, secs(0)));
    assert_eq!(
        (news.received_at, news.logged_in_at),
        (at(100_000), at(100_000))
    );
}
