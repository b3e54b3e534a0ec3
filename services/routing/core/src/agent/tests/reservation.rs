//! A granted slot until its talk is over: commit points, repeats, ends, edges that die.

use super::*;
use std::collections::BTreeSet;

#[test]
fn a_repeated_bid_gets_the_same_grant_and_an_old_one_the_news() {
    let mut desk = Desk::ready(&[A]);
    let bid = desk.bid(A, 1, 0);
    assert_eq!(granted(&desk.say(bid.clone())), Some((A, 1)));
    let again = desk.say(bid.clone());
    assert_eq!(
        (granted(&again), again.fence, again.changes.len()),
        (Some((A, 1)), true, 0)
    );
    desk.alert(1);
    let late = desk.say(bid);
    assert_eq!(
        (granted(&late), presences(&late), late.fence),
        (None, vec![(A, false)], false)
    );
}

/// P14: a thousand bids of fifty queues, old ones and new ones, are one reservation at a time.
#[test]
fn double_grants_are_impossible() {
    let queues: Vec<_> = (1..=50).map(QueueId::from_u128).collect();
    let mut desk = Desk::ready(&queues);
    let mut bids: Vec<_> = queues.iter().map(|queue| desk.bid(*queue, 5, 0)).collect();
    let mut grants = BTreeSet::new();
    for round in 0..20_u64 {
        for (n, queue) in queues.iter().enumerate() {
            let out = desk.say(bids[(n * 7) % bids.len()].clone());
            grants.extend(granted(&out));
            bids.push(desk.bid(*queue, 900, 0));
            grants.extend(granted(&desk.say(desk.bid(*queue, 5, 0))));
            assert!(desk.agent.record().slots.len() <= 1);
        }
        match round % 4 {
            0 => drop(desk.say(alert(desk.agent.record().next - 1, ANNA))),
            1 => drop(desk.say(connect(desk.agent.record().next - 1, ANNA))),
            2 => drop(desk.end(desk.agent.record().next - 1, OfferEnd::Answered)),
            _ => drop(desk.wait(10_000)),
        }
    }
    assert_eq!(grants.len(), 5, "one for each talk");
}

/// Nor while it rings, is talked, or is revoked.
#[test]
fn whoever_has_a_call_in_hand_gets_no_other() {
    let mut desk = Desk::alerting(&[A, B]);
    for step in [connect(1, ANNA), paused("lunch"), READY] {
        assert_eq!(granted(&desk.say(desk.bid(B, 900, 0))), None);
        desk.say(step);
    }
    let mut desk = Desk::alerting(&[A, B]);
    desk.say(paused("lunch"));
    desk.say(READY);
    assert_eq!(granted(&desk.say(desk.bid(B, 900, 0))), None);
}

#[test]
fn a_reservation_without_a_contact_ends_by_itself_without_penalty() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.bid(A, 1, 0));
    desk.wait(3_000);
    assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
    let answer = desk.alert(1).answer;
    assert_eq!(answer, Some(Answer::Refused), "a number never comes back");
}

#[test]
fn release_is_honoured_only_before_anything_rings() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.bid(A, 1, 0));
    desk.say(AgentMessage::Release { number: 1 });
    assert_eq!(desk.state(), State::Ready);
    let mut desk = Desk::alerting(&[A]);
    desk.say(AgentMessage::Release { number: 1 });
    assert_eq!(desk.state(), State::Alerting);
}

/// One of the agents whom a ring-all asked in vain: reserved or ringing, it is back at once.
#[test]
fn reserved_release() {
    let back = |desk: &Desk, out: &AgentOut| {
        assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
        assert_eq!(presences(out), [(A, true), (B, true)], "and asks for bids");
    };
    let mut desk = Desk::ready(&[A, B]);
    let number = desk.grant(A, &Arc::default()).unwrap();
    let out = desk.say(AgentMessage::Release { number });
    back(&desk, &out);
    assert!(changes_nothing(&desk.say(AgentMessage::Release { number })));
    let mut desk = Desk::alerting(&[A, B]);
    let out = desk.end(1, OfferEnd::Elsewhere);
    back(&desk, &out);
    assert_eq!(desk.presence(A).idle_since, at(0), "nor is its turn over");
}

#[test]
fn repeats_of_alert_and_connect_get_the_same_fenced_answer() {
    let mut desk = Desk::alerting(&[A]);
    let again = desk.alert(1);
    assert_eq!((again.answer, again.fence), (RINGS, true));
    for _ in 0..2 {
        let out = desk.say(connect(1, ANNA));
        assert_eq!((out.answer, out.fence), (Some(Answer::ConnectOk), true));
    }
    assert_eq!(desk.alert(1).answer, Some(Answer::Late));
    let out = desk.say(connect(1, contact(101)));
    assert_eq!((out.answer, out.fence), (Some(Answer::Refused), true));
}

/// The record that said it rings is lost, as a store may lose its last writes: whoever is refused is so for good.
#[test]
fn a_connect_that_the_record_knows_no_ring_of_ends_the_reservation() {
    let mut desk = Desk::ready(&[A]);
    let number = desk.grant(A, &Arc::default()).unwrap();
    for message in [connect(number, ANNA), alert(number, ANNA)] {
        let out = desk.say(message);
        assert_eq!((out.answer, out.fence), (Some(Answer::Refused), true));
        assert_eq!(desk.state(), State::Ready);
    }
}

/// From the offer to the end of the talk no queue hears anything new, so a ring costs no round of messages.
#[test]
fn a_ring_and_an_answer_are_no_news_to_the_queues() {
    let mut desk = Desk::ready(&[A, B]);
    let number = desk.grant(A, &Arc::default()).unwrap();
    let (ver, standing) = (desk.agent.record().ver, desk.standing(B));
    for step in [alert(number, ANNA), connect(number, ANNA)] {
        let out = desk.say(step);
        assert!(out.fence && out.send.is_empty() && !out.changes.is_empty());
        assert_eq!((desk.agent.record().ver, desk.standing(B)), (ver, standing));
    }
    assert_eq!(standing, Standing::InContact);
}

#[test]
fn connected_tells_who_answered_and_how_long_it_rang() {
    let mut desk = Desk::alerting(&[A]);
    desk.wait(2_500);
    let out = desk.say(connect(1, ANNA));
    let ring = out.events.iter().find_map(|e| match e {
        Event::OfferEnded {
            why: OfferEnd::Answered,
            ring,
            ..
        } => Some(*ring),
        _ => None,
    });
    assert_eq!(ring, Some(Duration::from_millis(2_500)));
    let connected = |e: &Event| matches!(e, Event::ContactConnected { .. });
    assert!(out.events.iter().any(connected));
}

#[test]
fn caller_gone_while_dialing() {
    use OfferEnd::{CallerGone, Cut, Elsewhere};
    for why in [CallerGone, Cut, Elsewhere] {
        let mut desk = Desk::alerting(&[A]);
        let out = desk.end(1, why);
        assert_eq!((desk.state(), desk.misses()), (State::Ready, 0), "{why:?}");
        assert_eq!(presences(&out), [(A, true)], "{why:?}");
    }
}

#[test]
fn a_repeated_end_tells_the_truth_and_changes_nothing() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::Answered);
    for _ in 0..2 {
        let out = desk.end(1, OfferEnd::CallerGone);
        assert_eq!((out.answer, out.fence), (ended(true), true));
        assert!(changes_nothing(&out));
        desk.wait(10_000);
    }
}

#[test]
fn only_the_contact_that_holds_a_reservation_can_end_it() {
    for mut desk in [Desk::alerting(&[A]), Desk::connected(&[A])] {
        let before = desk.state();
        let out = desk.say(end(1, contact(101), OfferEnd::NeverRang));
        assert_eq!((out.answer, out.fence), (ended(false), true));
        assert!(changes_nothing(&out));
        assert_eq!(desk.state(), before);
    }
}

#[test]
fn a_commit_that_failed_needs_no_wrap_up() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::CommitFailed);
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn the_death_of_the_edge_frees_a_ring_and_ends_a_talk_in_wrap_up() {
    let dead = AgentMessage::EdgeDead { contact: ANNA };
    let mut desk = Desk::alerting(&[A]);
    desk.say(dead.clone());
    assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
    let mut desk = Desk::connected(&[A]);
    desk.say(dead.clone());
    assert_eq!(desk.state(), State::WrapUp);
    let again = desk.say(dead);
    assert!(changes_nothing(&again), "told once more");
}

#[test]
fn a_lost_edge_frees_the_agent_after_ring_and_margin() {
    let mut desk = Desk::alerting(&[A]);
    assert!(desk.wait(19_999).is_empty());
    desk.wait(1);
    assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
}

#[test]
fn a_takeover_gives_unfinished_phases_their_full_time_again() {
    let mut desk = Desk::alerting(&[A]);
    desk.wait(14_000);
    assert_eq!(presences(&desk.take_over()), [(A, false)]);
    let slot = AgentTimer::Slot(1);
    assert_eq!(desk.agent.next_due(), Some((at(34_000), slot)));
}

#[test]
fn a_takeover_is_never_early_for_the_ring_that_the_edge_was_told() {
    let mut desk = Desk::ready(&[A]);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 1)));
    desk.say(AgentMessage::Alert {
        number: 1,
        contact: ANNA,
        edge: Arc::from("edge"),
        edge_epoch: 0,
        caller: Arc::default(),
        ring: secs(60),
    });
    desk.now = at(1_000);
    desk.take_over();
    let slot = AgentTimer::Slot(1);
    assert_eq!(desk.agent.next_due(), Some((at(66_000), slot)));
}

#[test]
fn a_talk_whose_edge_does_not_have_it_ends_in_wrap_up() {
    let mut desk = Desk::connected(&[A]);
    let ask = AgentEffect::AskEdge {
        reservation: desk.agent.record().reservation(1),
        contact: ANNA,
        edge: Arc::from("edge"),
    };
    let outs = desk.wait(65_000);
    assert_eq!(outs.len(), 2, "asked every 30 s");
    assert!(outs.iter().all(|out| out.send[..] == [ask.clone()]));
    assert!(outs.iter().all(|out| !out.fence && out.changes.is_empty()));
    // The answer about an earlier talk with the same contact says nothing of this one.
    let not_held = |number| AgentMessage::NotHeld {
        number,
        contact: ANNA,
        edge_epoch: 0,
    };
    desk.say(not_held(7));
    assert_eq!(desk.state(), State::Connected);
    desk.say(not_held(1));
    assert_eq!(desk.state(), State::WrapUp);
    desk.wait(10_000);
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn a_taken_over_talk_is_asked_about_too() {
    let mut desk = Desk::connected(&[A]);
    let slot = &desk.agent.record().slots[0];
    assert!(slot.due.is_some(), "the deadline is stored");
    desk.now = at(5_000);
    desk.take_over();
    let slot = AgentTimer::Slot(1);
    assert_eq!(desk.agent.next_due(), Some((at(35_000), slot)));
}

#[test]
fn an_end_is_answered_with_the_truth_as_long_as_it_may_be_repeated() {
    let mut desk = Desk::connected(&[A]);
    desk.end(1, OfferEnd::CommitFailed);
    for number in 2..=200 {
        desk.now = desk.now + Duration::from_millis(290);
        assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, number)));
        desk.say(AgentMessage::Release { number });
    }
    assert_eq!(desk.end(1, OfferEnd::CommitFailed).answer, ended(true));
    desk.now = desk.now + secs(10);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 201)));
    desk.say(AgentMessage::Release { number: 201 });
    assert!(desk.agent.record().done.len() < 200, "but not for ever");
}
