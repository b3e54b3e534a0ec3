//! The work after a contact (spec D5, D6, S36, S37, P10, P11).

use super::*;

/// Ends the wrap-up, whichever there is.
const fn end_wrap_up(supervisor: bool) -> AgentMessage {
    AgentMessage::EndWrapUp {
        contact: None,
        supervisor,
    }
}

const fn extend(by: Duration, supervisor: bool) -> AgentMessage {
    AgentMessage::ExtendWrapUp {
        contact: None,
        by,
        supervisor,
    }
}

fn mode(mode: WrapUpMode) -> Arc<Terms> {
    terms(|t| t.wrap_up.mode = mode)
}

fn six_queues() -> Vec<QueueId> {
    (1..=6).map(QueueId::from_u128).collect()
}

/// No queue gets the agent until so much has passed, and then all are asked.
fn holds_for(desk: &mut Desk, ms: u64) {
    let queues = desk.queues();
    let refuses = |desk: &mut Desk| {
        assert_eq!(desk.state(), State::WrapUp);
        for queue in &queues {
            let out = desk.say(desk.bid(*queue, 900, 0));
            assert_eq!(granted(&out), None, "{queue}");
            assert_eq!(presences(&out), [(*queue, false)]);
            assert_eq!(desk.standing(*queue), Standing::WrapUp);
        }
    };
    refuses(desk);
    desk.wait(ms - 1);
    refuses(desk);
    let outs = desk.wait(1);
    let asked: Vec<_> = outs.iter().flat_map(presences).collect();
    assert_eq!(asked, queues.iter().map(|q| (*q, true)).collect::<Vec<_>>());
    assert_eq!(desk.state(), State::Ready);
}

#[test]
fn wrapup_multi_queue() {
    let rules = terms(|t| t.wrap_up.time = secs(30));
    let talked = || {
        let mut desk = Desk::ready(&six_queues());
        let number = desk.talk(A, ANNA, &rules);
        desk.wait(60_000);
        desk.end(number, OfferEnd::Answered);
        desk
    };
    holds_for(&mut talked(), 30_000);
    // After a transfer: the edge ends this agent's part, and the contact goes on with somebody else.
    let mut desk = Desk::ready(&six_queues());
    desk.talk(A, ANNA, &rules);
    desk.end(1, OfferEnd::Answered);
    desk.say(AgentMessage::EdgeDead { contact: ANNA });
    holds_for(&mut desk, 30_000);
    // After a reload with other settings: the queues' places change, and A now has a wrap-up of a second.
    let mut desk = talked();
    desk.wait(10_000);
    let mut reloaded = desk.agent.view().memberships.to_vec();
    reloaded.iter_mut().for_each(|m| m.order += 1);
    desk.say(AgentMessage::JoinQueues(reloaded));
    let shorter = desk.bid_under(A, 900, 0, &terms(|t| t.wrap_up.time = secs(1)));
    assert_eq!(granted(&desk.say(shorter)), None);
    let until = desk.agent.view().wrap_up_until;
    assert_eq!(
        until,
        Some(at(90_000)),
        "as it was when the call was offered"
    );
    // After a takeover: its end is stored.
    let mut desk = talked();
    desk.wait(10_000);
    let told = desk.take_over();
    assert!(presences(&told).iter().all(|(_, free)| !free));
    holds_for(&mut desk, 20_000);
    // The owner was away for longer than the wrap-up had to go: it ends at once, and once.
    let mut desk = talked();
    desk.now = desk.now + secs(3_600);
    desk.take_over();
    let outs = desk.wait(0);
    assert_eq!((outs.len(), desk.state()), (1, State::Ready));
}

#[test]
fn wrapup_first_free() {
    let mut desks: Vec<_> = (0..10)
        .map(|n| {
            let mut desk = Desk::connected(&[A]);
            desk.wait(60_000 + n * 1_000);
            desk.end(1, OfferEnd::Answered);
            (desk, 70_000 + i64::try_from(n).unwrap() * 1_000)
        })
        .collect();
    for (desk, own_end) in &mut desks {
        let due = desk.agent.next_due();
        assert_eq!(due, Some((at(*own_end), AgentTimer::Slot(1))));
        let outs = desk.wait(10_000);
        assert_eq!(presences(&outs[0]), [(A, true)]);
        assert_eq!(desk.now, at(*own_end));
    }
}

#[test]
fn its_event_tells_how_long_it_took() {
    let took = |out: &AgentOut| match out.events.first() {
        Some(Event::WrapUpEnded { wrap_up, .. }) => Some(*wrap_up),
        _ => None,
    };
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::Timed));
    let outs = desk.wait(10_000);
    assert_eq!(outs.iter().filter_map(took).collect::<Vec<_>>(), [secs(10)]);
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::Timed));
    desk.wait(4_000);
    assert_eq!(took(&desk.say(end_wrap_up(true))), Some(secs(4)));
}

#[test]
fn timer_and_end_of_wrap_up_at_one_instant_make_one_transition() {
    let ends = |out: &AgentOut| {
        let end = |e: &&Event| matches!(e, Event::WrapUpEnded { .. });
        out.events.iter().filter(end).count()
    };
    let timer = AgentMessage::Timer(AgentTimer::Slot(1));
    for order in [
        [end_wrap_up(true), timer.clone()],
        [timer, end_wrap_up(true)],
    ] {
        let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::Timed));
        desk.now = at(10_000);
        let outs = order.map(|message| desk.say(message));
        assert_eq!(outs.iter().map(ends).sum::<usize>(), 1);
        assert!(changes_nothing(&outs[1]));
        assert_eq!(desk.state(), State::Ready);
        let late = desk.say(end_wrap_up(true));
        assert_eq!((late.answer, late.fence), (Some(Answer::NotInWrapUp), true));
    }
}

/// P10: the toggle takes the agent's action away and never the supervisor's (S37).
#[test]
fn the_supervisor_always_may_end_it_and_the_agent_by_the_rules() {
    use WrapUpMode::{FixedNoEarlyExit, Timed, TimedExtendable, UntilDone};
    let table = [
        (Timed, false, false),
        (Timed, true, true),
        (TimedExtendable, false, false),
        (TimedExtendable, true, true),
        (UntilDone, false, true),
        (FixedNoEarlyExit, true, false),
    ];
    for (mode, toggle, agent_may) in table {
        let rules = terms(|t| (t.wrap_up.mode, t.wrap_up.agent_may_end) = (mode, toggle));
        let mut desk = Desk::wrapping_up(&[A], &rules);
        let out = desk.say(end_wrap_up(false));
        let (answer, state) = if agent_may {
            (Answer::Done, State::Ready)
        } else {
            (Answer::WrapUpFixed, State::WrapUp)
        };
        assert_eq!(
            (out.answer, desk.state()),
            (Some(answer), state),
            "{mode:?}"
        );
        assert!(out.fence);
        let mut desk = Desk::wrapping_up(&[A], &rules);
        assert_eq!(desk.answer(end_wrap_up(true)), Some(Answer::Done));
        assert_eq!(desk.state(), State::Ready, "{mode:?}");
    }
}

#[test]
fn without_wrap_up_the_agent_is_free_when_the_talk_is_over() {
    for rules in [mode(WrapUpMode::None), terms(|t| t.wrap_up.time = secs(0))] {
        let mut desk = Desk::ready(&[A]);
        let number = desk.talk(A, ANNA, &rules);
        let out = desk.end(number, OfferEnd::Answered);
        assert_eq!(
            (desk.state(), presences(&out)),
            (State::Ready, vec![(A, true)])
        );
        assert_eq!(views(&out).len(), 1, "no wrap-up flashes up");
        assert_eq!(desk.end(number, OfferEnd::Answered).answer, ended(true));
    }
}

#[test]
fn an_agent_may_ask_for_more_where_the_queue_allows_and_a_supervisor_anywhere() {
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::Timed));
    assert_eq!(
        desk.answer(extend(secs(30), false)),
        Some(Answer::WrapUpFixed)
    );
    assert_eq!(desk.answer(extend(secs(30), true)), Some(Answer::Done));
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::TimedExtendable));
    desk.wait(4_000);
    let ver = desk.agent.record().ver;
    let out = desk.say(extend(secs(30), false));
    assert_eq!(out.answer, Some(Answer::Done));
    assert_eq!(views(&out)[0].wrap_up_until, Some(at(40_000)));
    assert_eq!(views(&out)[0].since, at(0), "it is still the same wrap-up");
    assert!(
        out.send.is_empty() && desk.agent.record().ver == ver,
        "no queue minds"
    );
    holds_for(&mut desk, 36_000);
    assert_eq!(
        desk.answer(extend(secs(30), true)),
        Some(Answer::NotInWrapUp)
    );
    // However much is asked for, it ends.
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::TimedExtendable));
    for by in [Duration::MAX, secs(30)] {
        desk.say(extend(by, false));
        assert_eq!(desk.agent.view().wrap_up_until, Some(at(14_400_000)));
    }
}

#[test]
fn until_done_lasts_until_it_is_done_but_nobody_is_forgotten_in_it() {
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::UntilDone));
    desk.wait(3_600_000);
    assert_eq!(desk.answer(end_wrap_up(false)), Some(Answer::Done));
    let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::UntilDone));
    holds_for(&mut desk, 14_400_000);
}

#[test]
fn end_without_a_contact_ends_all_that_the_asker_may_end() {
    let may = chat_terms(|t| {
        t.wrap_up.mode = WrapUpMode::Timed;
        t.wrap_up.agent_may_end = true;
    });
    let fixed = chat_terms(|t| t.wrap_up.mode = WrapUpMode::FixedNoEarlyExit);
    let mut desk = Desk::blended(|_| {});
    let kinds = [&fixed, &may, &may];
    for (n, rules) in (1..).zip(kinds) {
        let number = desk.talk(CHAT, contact(n), rules);
        desk.say(end(number, contact(n), OfferEnd::Answered));
    }
    assert_eq!(desk.agent.view().in_hand.len(), 3);
    let of = |n, supervisor| AgentMessage::EndWrapUp {
        contact: Some(contact(n)),
        supervisor,
    };
    assert_eq!(desk.answer(of(1, false)), Some(Answer::WrapUpFixed));
    assert_eq!(desk.answer(of(9, true)), Some(Answer::NotInWrapUp));
    let out = desk.say(end_wrap_up(false));
    assert_eq!(out.answer, Some(Answer::Done));
    assert_eq!(
        presences(&out),
        [(A, false), (CHAT, true)],
        "one step, one news for each queue"
    );
    let left = desk.agent.view().in_hand.clone();
    assert_eq!(*left, [(contact(1), SlotPhase::WrapUp)]);
    assert_eq!(desk.answer(end_wrap_up(true)), Some(Answer::Done));
    assert_eq!(desk.state(), State::Ready);
}

/// P11: the longest applicable wins.
#[test]
fn of_several_wrap_ups_the_longest_is_shown_and_holds() {
    let rules =
        |time| chat_terms(|t| (t.wrap_up.mode, t.wrap_up.time) = (WrapUpMode::Timed, secs(time)));
    let mut desk = Desk::blended(|_| {});
    for (n, time) in [(1, 10), (2, 30), (3, 20)] {
        let number = desk.talk(CHAT, contact(n), &rules(time));
        desk.say(end(number, contact(n), OfferEnd::Answered));
    }
    for (passed, state) in [
        (0, State::WrapUp),
        (29_999, State::WrapUp),
        (1, State::Ready),
    ] {
        desk.wait(passed);
        assert_eq!(desk.state(), state);
        let until = (state == State::WrapUp).then_some(at(30_000));
        assert_eq!(desk.agent.view().wrap_up_until, until);
        assert_eq!(desk.presence(A).free, until.is_none());
    }
}

#[test]
fn a_status_chosen_meanwhile_takes_effect_afterwards() {
    for (wish, state) in [
        (paused("lunch"), State::Paused),
        (LOG_OUT, State::LoggedOut),
    ] {
        let mut desk = Desk::wrapping_up(&[A], &mode(WrapUpMode::Timed));
        desk.say(wish);
        assert_eq!(desk.state(), State::WrapUp);
        desk.wait(10_000);
        assert_eq!(desk.state(), state);
    }
}
