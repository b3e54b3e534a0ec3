//! Offers that come to nothing: what is missed, what it leads to (spec D11), and who is left alone for a while (D12).

use super::*;

fn rona(count: u32, action: RonaAction, this_queue_only: bool) -> Arc<Terms> {
    terms(|t| {
        t.rona = Rona {
            count,
            action,
            this_queue_only,
        };
    })
}

/// The queue's call rings, and nobody answers.
fn miss(desk: &mut Desk, queue: QueueId, rules: &Arc<Terms>) -> AgentOut {
    let number = desk.ring(queue, ANNA, rules);
    desk.end(number, OfferEnd::NoAnswer)
}

#[test]
fn no_answer_makes_not_responding_and_ready_brings_back() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.end(1, OfferEnd::NoAnswer);
    assert_eq!(out.answer, ended(false));
    assert_eq!(desk.state(), State::NotResponding);
    assert_eq!(presences(&out), [(A, false)]);
    assert_eq!(desk.standing(A), Standing::NotResponding);
    let out = desk.say(READY);
    assert_eq!(
        (desk.state(), presences(&out)),
        (State::Ready, vec![(A, true)])
    );
}

#[test]
fn each_action_takes_the_agent_out_of_all_queues_after_so_many_misses() {
    let pause = RonaAction::Pause("missed a call".into());
    let table = [
        (
            RonaAction::NotResponding,
            State::NotResponding,
            Chosen::Ready,
        ),
        (pause, State::Paused, Chosen::Paused("missed a call".into())),
        (RonaAction::LogOut, State::LoggedOut, Chosen::LoggedOut),
        (RonaAction::None, State::Ready, Chosen::Ready),
    ];
    for (action, state, chosen) in table {
        for count in [1, 2, 10] {
            let mut desk = Desk::ready(&[A, B]);
            let rules = rona(count, action.clone(), false);
            for n in 1..count {
                miss(&mut desk, if n % 2 == 0 { A } else { B }, &rules);
                assert_eq!(desk.state(), State::Ready, "{action:?}, {n} of {count}");
            }
            let out = miss(&mut desk, A, &rules);
            assert_eq!((desk.state(), &desk.agent.view().chosen), (state, &chosen));
            let free = desk.state() == State::Ready;
            assert_eq!(presences(&out), [(A, free), (B, free)], "{action:?}");
            if state == State::LoggedOut {
                assert!(told(&out).iter().all(|(_, p)| !p.member));
                assert_eq!(desk.agent.view().memberships.len(), 0);
            }
        }
    }
}

#[test]
fn each_action_takes_the_agent_out_of_this_queue_and_the_others_go_on() {
    let pause = RonaAction::Pause("missed a call".into());
    let table = [
        (RonaAction::NotResponding, Some(Part::NotResponding)),
        (pause, Some(Part::Paused("missed a call".into()))),
        (RonaAction::LogOut, None),
        (RonaAction::None, Some(Part::Taken)),
    ];
    for (action, part) in table {
        for count in [1, 3] {
            let mut desk = Desk::ready(&[A, B]);
            let rules = rona(count, action.clone(), true);
            for _ in 1..count {
                // What is missed elsewhere does not count here.
                miss(&mut desk, A, &rules);
                miss(&mut desk, B, &rona(9, RonaAction::NotResponding, true));
                assert_eq!(desk.part(A), Some(Part::Taken), "{action:?}");
            }
            let out = miss(&mut desk, A, &rules);
            assert_eq!((desk.part(A), desk.state()), (part.clone(), State::Ready));
            let goes_on = presences(&out).contains(&(B, true));
            assert!(goes_on, "{action:?}: {:?}", presences(&out));
            let here = told(&out).into_iter().filter(|(q, _)| *q == A);
            let here: Vec<_> = here.map(|(_, p)| (p.member, p.free, p.standing)).collect();
            let expected = match &part {
                None => (false, false, Standing::Ready),
                Some(Part::Taken) => (true, true, Standing::Ready),
                Some(Part::Paused(_)) => (true, false, Standing::Paused),
                Some(Part::NotResponding) => (true, false, Standing::NotResponding),
            };
            assert_eq!(here, [expected], "{action:?}: told once, and truly");
            desk.say(READY);
            let back = part.as_ref().map(|_| Part::Taken);
            assert_eq!(desk.part(A), back, "ready brings back who is still in");
        }
    }
}

#[test]
fn an_answer_forgets_what_was_missed_before() {
    let all = rona(2, RonaAction::NotResponding, false);
    let mut desk = Desk::ready(&[A, B]);
    for _ in 0..3 {
        miss(&mut desk, A, &all);
        let number = desk.talk(B, ANNA, &terms(|t| t.wrap_up.mode = WrapUpMode::None));
        desk.end(number, OfferEnd::Answered);
        assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
    }
    // Where only this queue counts, only its own answer does.
    let here = rona(2, RonaAction::NotResponding, true);
    let mut desk = Desk::ready(&[A, B]);
    miss(&mut desk, A, &here);
    for queue in [B, A] {
        let number = desk.talk(queue, ANNA, &terms(|t| t.wrap_up.mode = WrapUpMode::None));
        desk.end(number, OfferEnd::Answered);
        let missed = desk.agent.record().membership(A).map(|m| m.misses);
        assert_eq!(missed, Some(u32::from(queue == B)));
    }
}

#[test]
fn part_in_one_queue_comes_back_by_its_own_switch_too() {
    let mut desk = Desk::ready(&[A, B]);
    miss(&mut desk, A, &rona(1, RonaAction::NotResponding, true));
    let out = desk.say(pause_in(A, None));
    assert_eq!(presences(&out), [(A, true), (B, true)]);
    // And the count begins anew.
    miss(&mut desk, A, &rona(2, RonaAction::NotResponding, true));
    assert_eq!(desk.part(A), Some(Part::Taken));
}

/// P15: nobody is blamed for what others did.
#[test]
fn only_a_device_that_rang_in_vain_is_a_miss() {
    use OfferEnd::{
        Busy, CallerGone, CommitFailed, Cut, DeviceFailed, Elsewhere, NeverRang, Rejected, Revoked,
    };
    let others = [
        Busy,
        CallerGone,
        CommitFailed,
        Cut,
        DeviceFailed,
        Elsewhere,
        NeverRang,
        Rejected,
        Revoked,
    ];
    for why in others {
        let mut desk = Desk::alerting(&[A]);
        desk.end(1, why);
        assert_eq!((desk.state(), desk.misses()), (State::Ready, 0), "{why:?}");
    }
}

#[test]
fn an_offer_that_came_to_nothing_leaves_the_agent_alone_for_a_while() {
    let rules = terms(|t| {
        t.no_answer_delay = secs(7);
        t.rona.action = RonaAction::None;
    });
    let table = [
        (OfferEnd::Rejected, 10_000, Rest::Rejected),
        (OfferEnd::Busy, 60_000, Rest::Busy),
        (OfferEnd::NoAnswer, 7_000, Rest::NoAnswer),
        (OfferEnd::DeviceFailed, 10_000, Rest::Unreachable),
    ];
    for (why, ms, rest) in table {
        let mut desk = Desk::ready(&[A, B]);
        let number = desk.ring(A, ANNA, &rules);
        let out = desk.end(number, why);
        let until = at(0) + Duration::from_millis(ms);
        assert_eq!(views(&out)[0].rest, Some((until, rest)));
        assert_eq!(presences(&out), [(A, false), (B, false)], "{why:?}");
        assert_eq!(granted(&desk.say(desk.bid(B, 9, 0))), None);
        desk.wait(ms / 2);
        desk.take_over();
        assert!(
            desk.wait(ms / 2 - 1).is_empty(),
            "{why:?}: a takeover keeps it"
        );
        let outs = desk.wait(1);
        assert_eq!(presences(&outs[0]), [(A, true), (B, true)], "{why:?}");
        assert_eq!(desk.agent.view().rest, None);
        // Whoever says "ready" is back at once.
        let number = desk.ring(A, ANNA, &rules);
        desk.end(number, why);
        assert_eq!(presences(&desk.say(READY)), [(A, true), (B, true)]);
    }
    let at_once = terms(|t| t.reject_delay = secs(0));
    let mut desk = Desk::ready(&[A]);
    let number = desk.ring(A, ANNA, &at_once);
    let out = desk.end(number, OfferEnd::Rejected);
    assert_eq!(presences(&out), [(A, true)], "no delay is no delay");
}

#[test]
fn a_rest_still_counts_as_ready_but_for_a_phone_that_cannot_be_reached() {
    for (why, standing) in [
        (OfferEnd::Rejected, Standing::Ready),
        (OfferEnd::Busy, Standing::Ready),
        (OfferEnd::DeviceFailed, Standing::Unreachable),
    ] {
        let mut desk = Desk::alerting(&[A]);
        desk.end(1, why);
        assert_eq!(desk.standing(A), standing, "{why:?}");
    }
}

#[test]
fn of_two_rests_the_longer_holds() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|_| {});
    let first = desk.ring(CHAT, contact(1), &rules);
    let second = desk.ring(CHAT, contact(2), &rules);
    desk.say(end(first, contact(1), OfferEnd::Busy));
    desk.say(end(second, contact(2), OfferEnd::Rejected));
    let rest = desk.agent.view().rest;
    assert_eq!(rest, Some((at(60_000), Rest::Busy)));
}

#[test]
fn a_device_that_cannot_be_reached_is_no_miss_and_is_left_alone_for_a_while() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.end(1, OfferEnd::DeviceFailed);
    assert_eq!((desk.state(), desk.misses()), (State::Ready, 0));
    assert_eq!(
        presences(&out),
        [(A, false)],
        "the queue cannot ask again at once"
    );
    assert!(!desk.agent.view().device_online);
    // A phone that went away and registers anew need not wait.
    for online in [false, true] {
        let device = DEVICE;
        desk.say(AgentMessage::Device { device, online });
    }
    assert!(desk.presence(A).free);
    // Nor does it shorten what the agent brought about.
    let mut desk = Desk::alerting(&[A]);
    desk.end(1, OfferEnd::Rejected);
    for online in [false, true] {
        let device = DEVICE;
        desk.say(AgentMessage::Device { device, online });
    }
    assert!(!desk.presence(A).free);
}
