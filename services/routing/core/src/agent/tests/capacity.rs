//! Several conversations at a time, and calls beside them (spec D25).

use super::*;
use crate::skills::Capacity;

const MAIL: QueueId = QueueId::from_u128(4);

fn capacity(chats: u8, voice_interrupts_chat: bool) -> Profile {
    Profile {
        capacity: Capacity {
            chats,
            voice_interrupts_chat,
        },
        ..Profile::default()
    }
}

#[test]
fn conversations_go_up_to_the_capacity_and_calls_up_to_one() {
    let rules = chat_terms(|_| {});
    for most in [1, 3, 30] {
        let mut desk = Desk::blended(|log_in| log_in.profile = capacity(most, false));
        for n in 1..=u128::from(most) {
            assert!(desk.presence(CHAT).free, "{n} of {most}");
            assert_eq!(u128::from(desk.presence(CHAT).load), n - 1);
            desk.talk(CHAT, contact(n), &rules);
        }
        assert!(!desk.presence(CHAT).free);
        assert_eq!(desk.presence(CHAT).load, most);
        assert_eq!(desk.grant(CHAT, &rules), None);
        assert_eq!(
            desk.grant(A, &Arc::default()),
            None,
            "a call does not interrupt"
        );
    }
    let mut desk = Desk::blended(|_| {});
    desk.talk(A, ANNA, &Arc::default());
    assert_eq!(desk.grant(A, &Arc::default()), None);
    assert_eq!(
        desk.grant(CHAT, &rules),
        None,
        "nobody writes while talking"
    );
}

#[test]
fn the_capacity_of_a_medium_counts_over_all_its_queues() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|log_in| {
        log_in.queues.push(chat_queue(MAIL));
        log_in.profile = capacity(2, false);
    });
    desk.talk(CHAT, contact(1), &rules);
    desk.talk(MAIL, contact(2), &rules);
    for queue in [CHAT, MAIL] {
        assert_eq!(
            (desk.presence(queue).load, desk.presence(queue).free),
            (2, false)
        );
        assert_eq!(desk.grant(queue, &rules), None);
    }
    assert_eq!(desk.presence(A).load, 0, "calls are counted apart");
}

/// A freed agent does not wait for the next arrival: whoever waits is asked for at once.
#[test]
fn freed_capacity_pulls() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|_| {});
    let numbers = [1, 2, 3].map(|n| desk.talk(CHAT, contact(n), &rules));
    assert_eq!(desk.grant(CHAT, &rules), None, "the fourth waits");
    let out = desk.say(end(numbers[1], contact(2), OfferEnd::Answered));
    assert_eq!(presences(&out), [(A, false), (CHAT, true)]);
    assert_eq!(desk.state(), State::Connected, "with the other two");
    let bid = desk.bid_under(CHAT, 1, 0, &rules);
    assert_eq!(granted(&desk.say(bid)), Some((CHAT, 4)));
    // With a wrap-up the place is free when that is over, and no sooner.
    let rules = chat_terms(|t| t.wrap_up.mode = WrapUpMode::Timed);
    let mut desk = Desk::blended(|_| {});
    let numbers = [1, 2, 3].map(|n| desk.talk(CHAT, contact(n), &rules));
    let out = desk.say(end(numbers[0], contact(1), OfferEnd::Answered));
    assert_eq!(presences(&out), [(A, false), (CHAT, false)]);
    let outs = desk.wait(10_000);
    let asked = outs.iter().flat_map(presences).find(|(_, free)| *free);
    assert_eq!(asked, Some((CHAT, true)));
}

#[test]
fn one_round_gives_one_conversation_and_the_next_round_follows_at_once() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|log_in| log_in.queues.push(chat_queue(MAIL)));
    desk.say(desk.pass(A));
    desk.say(desk.bid_under(CHAT, 5, 0, &rules));
    let out = desk.say(desk.bid_under(MAIL, 4, 0, &rules));
    assert_eq!(granted(&out), Some((CHAT, 1)));
    let grant = out.send.iter().find_map(|e| match e {
        AgentEffect::Queue(_, QueueMessage::Grant(grant)) => Some(*grant),
        _ => None,
    });
    assert!(
        grant.is_some_and(|g| g.free),
        "the winner is asked by its grant"
    );
    let lost: Vec<_> = told(&out)
        .iter()
        .map(|(q, p)| (*q, p.free, p.lost_to))
        .collect();
    assert_eq!(lost, [(A, false, None), (MAIL, true, Some(at(0)))]);
    desk.say(desk.pass(CHAT));
    let again = desk.bid_under(MAIL, 4, 0, &rules);
    assert_eq!(granted(&desk.say(again)), Some((MAIL, 2)));
}

#[test]
fn voice_interrupts_chat() {
    let chats = chat_terms(|_| {});
    let mut desk = Desk::blended(|log_in| log_in.profile = capacity(3, true));
    desk.talk(CHAT, contact(1), &chats);
    assert!(desk.presence(A).free);
    let call = desk.talk(A, ANNA, &Arc::default());
    assert_eq!(desk.agent.view().in_hand.len(), 2);
    assert_eq!(desk.grant(CHAT, &chats), None, "never the other way round");
    desk.end(call, OfferEnd::Answered);
    assert_eq!(desk.grant(CHAT, &chats), None, "nor in the call's wrap-up");
    desk.wait(10_000);
    assert!(desk.grant(CHAT, &chats).is_some());
}

#[test]
fn less_capacity_takes_no_conversation_away_and_more_asks_for_bids_at_once() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|_| {});
    let numbers = [1, 2, 3].map(|n| desk.talk(CHAT, contact(n), &rules));
    desk.say(AgentMessage::SetProfile(capacity(1, false)));
    assert_eq!(desk.agent.view().in_hand.len(), 3);
    for (n, number) in (1..).zip(numbers).take(2) {
        desk.say(end(number, contact(n), OfferEnd::Answered));
        assert!(!desk.presence(CHAT).free);
    }
    let out = desk.say(AgentMessage::SetProfile(capacity(2, false)));
    assert_eq!(presences(&out), [(A, false), (CHAT, true)]);
}

#[test]
fn a_pause_revokes_each_ring_and_no_conversation() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|_| {});
    desk.talk(CHAT, contact(1), &rules);
    desk.ring(CHAT, contact(2), &rules);
    desk.grant(CHAT, &rules);
    let out = desk.say(paused("lunch"));
    assert_eq!(cancels(&out), 1);
    let in_hand = desk.agent.view().in_hand.clone();
    assert_eq!(*in_hand, [(contact(1), SlotPhase::Connected)]);
    assert_eq!(desk.state(), State::Connected);
}
