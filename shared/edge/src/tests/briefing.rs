//! What happens between the agent's answer and the customer (spec G15, D4).

use super::*;

fn ended_with(reservation: Reservation, why: OfferEnd, exclude_for: Option<Duration>) -> Effect {
    Effect::OfferEnded {
        queue: QUEUE,
        attach_no: 1,
        reservation,
        exclude_for,
        why,
    }
}

#[test]
fn the_agent_is_briefed_first_and_only_then_may_the_two_be_joined() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Ringing);
    assert_eq!(
        edge.handle(at(100), Command::Answered(r)),
        [Effect::Connect(r)]
    );
    let mut edge = waiting();
    edge.handle(at(0), briefed_offer(r, 1));
    edge.handle(at(0), Command::AlertOk(r));
    assert_eq!(
        edge.handle(at(100), Command::Answered(r)),
        [Effect::Brief(r)]
    );
    assert!(edge.handle(at(200), Command::ConnectOk(r)).is_empty());
    assert_eq!(edge.phase(), Phase::Waiting);
    let effects = edge.handle(at(5_000), Command::Briefed(r));
    assert_eq!(effects, [Effect::Connect(r)]);
    assert!(edge.handle(at(5_000), Command::Briefed(r)).is_empty());
    let effects = edge.handle(at(5_001), Command::ConnectOk(r));
    assert_eq!(effects, [Effect::Bridge(r), left_with(1, r)]);
}

#[test]
fn the_agents_record_waits_for_the_ring_and_the_briefing() {
    let r = res(1, 1);
    let mut edge = waiting();
    edge.handle(at(0), briefed_offer(r, 1));
    assert_eq!(edge.alert_until(r), Some(at(0) + RING + BRIEF));
}

#[test]
fn a_briefing_whose_end_is_not_told_is_over_when_its_time_is() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Briefing);
    assert_eq!(edge.next_due(), Some(at(0) + BRIEF));
    let effects = edge.handle(at(0) + BRIEF, Command::Tick);
    assert_eq!(effects, [Effect::Connect(r)]);
    assert_eq!(edge.leg(r), Some(Leg::Committing));
}

#[test]
fn who_hangs_up_while_the_agent_is_briefed_was_not_answered() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Briefing);
    let effects = edge.handle(at(1_000), Command::HungUp);
    let gone = OfferEnd::CallerGone;
    let abandoned = LeftReason::Abandoned;
    let all = [
        stop(r, gone),
        end(r, gone),
        left(1, abandoned),
        Effect::Out(abandoned),
    ];
    assert_eq!(effects, all);
}

#[test]
fn an_agent_who_hangs_up_while_being_briefed_has_rejected() {
    let r = res(1, 1);
    let mut edge = with(r, Leg::Briefing);
    let effects = edge.handle(at(1_000), Command::AgentHungUp(r));
    let why = OfferEnd::Rejected;
    let delay = Timing::default().reject_delay;
    let all = [stop(r, why), end(r, why), ended_with(r, why, Some(delay))];
    assert_eq!(effects, all);
    assert_eq!(edge.phase(), Phase::Waiting);
}

#[test]
fn the_other_devices_stop_when_one_agent_is_briefed_and_their_queue_hears_of_it_if_that_fails() {
    let [winner, other, late] = [res(1, 1), res(2, 1), res(3, 1)];
    let mut edge = waiting();
    for r in [winner, other] {
        edge.handle(at(0), briefed_offer(r, 1));
        edge.handle(at(0), Command::AlertOk(r));
    }
    let elsewhere = OfferEnd::Elsewhere;
    let effects = edge.handle(at(100), Command::Answered(winner));
    let all = [
        stop(other, elsewhere),
        end(other, elsewhere),
        Effect::Brief(winner),
    ];
    assert_eq!(effects, all);
    assert!(edge.handle(at(110), Command::Answered(other)).is_empty());
    // Nobody else is rung meanwhile, and the queue keeps those offers as open: it would make new ones.
    let never = OfferEnd::NeverRang;
    let effects = edge.handle(at(200), briefed_offer(late, 1));
    assert_eq!(effects, [end(late, never)]);
    let effects = edge.handle(at(900), Command::DeviceFailed(winner));
    for told in [
        ended_with(winner, OfferEnd::DeviceFailed, None),
        ended_with(other, elsewhere, None),
        ended_with(late, never, None),
    ] {
        assert!(effects.contains(&told), "{told:?} of {effects:?}");
    }
}

#[test]
fn a_time_out_that_finds_an_agent_on_the_line_waits_for_what_becomes_of_it() {
    let r = res(1, 1);
    let timeout = LeftReason::Timeout;
    let mut edge = with(r, Leg::Briefing);
    assert!(edge.handle(at(1_000), Command::TimedOut).is_empty());
    let mut fails = edge.clone();
    edge.handle(at(2_000), Command::Briefed(r));
    let effects = edge.handle(at(2_010), Command::ConnectOk(r));
    assert_eq!(effects, [Effect::Bridge(r), left_with(1, r)]);
    let effects = fails.handle(at(2_000), Command::AgentHungUp(r));
    assert!(effects.ends_with(&[left(1, timeout), Effect::Out(timeout)]));
}

#[test]
fn what_the_customer_or_a_person_wants_does_not_wait_for_a_briefing() {
    let r = res(1, 1);
    for (wish, stays) in [
        (Command::Star, false),
        (taken_out(1), false),
        (move_to(OTHER, 1), true),
    ] {
        let mut edge = with(r, Leg::Briefing);
        let effects = edge.handle(at(1_000), wish);
        assert_eq!(
            effects[..2],
            [stop(r, OfferEnd::Cut), end(r, OfferEnd::Cut)]
        );
        assert_eq!(edge.phase() == Phase::Waiting, stays, "{wish:?}");
    }
}

#[test]
fn a_pause_or_a_record_that_knows_better_ends_a_briefing() {
    let r = res(1, 1);
    for command in [Command::Cancel(r), Command::Refused(r)] {
        let mut edge = with(r, Leg::Briefing);
        let effects = edge.handle(at(1_000), command);
        assert_eq!(effects[0], stop(r, OfferEnd::Revoked));
        let told = ended_with(r, OfferEnd::Revoked, None);
        assert!(effects.contains(&told), "{effects:?}");
        assert_eq!((edge.phase(), edge.leg(r)), (Phase::Waiting, None));
    }
}
