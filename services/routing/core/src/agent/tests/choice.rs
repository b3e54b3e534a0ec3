//! What people choose: status, log-in and log-out. The last wish wins, and nothing chosen is lost by the way.

use super::*;
use crate::skills::{Capacity, Skills};
use centro_kernel::SkillId;

#[test]
fn next_status_last_wins() {
    let mut desk = Desk::connected(&[A]);
    desk.say(LOG_OUT);
    assert_eq!(desk.state(), State::Connected);
    desk.say(log_in(&[A]));
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!(desk.state(), State::Ready);
    // And the other way round, with a pause in between.
    let mut desk = Desk::connected(&[A]);
    for wish in [paused("lunch"), READY, paused("meeting")] {
        let out = desk.say(wish);
        assert_eq!(
            (out.answer, desk.state()),
            (Some(Answer::Done), State::Connected)
        );
    }
    assert_eq!(desk.agent.view().chosen, Chosen::Paused("meeting".into()));
    desk.end(1, OfferEnd::Answered);
    let outs = desk.wait(10_000);
    assert_eq!(desk.state(), State::Paused);
    assert!(outs.iter().flat_map(presences).all(|(_, free)| !free));
}

#[test]
fn pause_during_offer() {
    let mut desk = Desk::alerting(&[A]);
    let out = desk.say(paused("lunch"));
    assert_eq!((cancels(&out), desk.state()), (1, State::Paused));
    assert_eq!(cancels(&desk.say(paused("lunch"))), 0);
    let answer = desk.answer(connect(1, ANNA));
    assert_eq!(answer, Some(Answer::Refused), "the pause came first");
    desk.end(1, OfferEnd::Revoked);
    assert_eq!((desk.state(), desk.misses()), (State::Paused, 0));
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), None);
}

#[test]
fn a_pause_before_anything_rings_lets_the_reservation_go() {
    let mut desk = Desk::ready(&[A]);
    desk.grant(A, &Arc::default());
    let out = desk.say(paused("lunch"));
    assert_eq!((cancels(&out), desk.state()), (0, State::Paused));
    assert_eq!(desk.alert(1).answer, Some(Answer::Refused));
    assert_eq!(desk.agent.next_due(), None);
}

#[test]
fn no_second_ring_while_a_revoked_one_is_not_confirmed() {
    let mut desk = Desk::alerting(&[A]);
    desk.say(paused(""));
    desk.say(READY);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), None);
    desk.wait(20_000);
    assert_eq!(granted(&desk.say(desk.bid(A, 1, 0))), Some((A, 2)));
}

/// The phone rang on until its time was up, because the word to stop came late. The pause, or the log-out, stays as it is.
#[test]
fn whoever_paused_during_a_ring_has_not_missed_it() {
    let actions = [
        RonaAction::NotResponding,
        RonaAction::Pause("missed".into()),
        RonaAction::LogOut,
    ];
    for action in actions {
        for (wish, state) in [
            (paused("lunch"), State::Paused),
            (LOG_OUT, State::LoggedOut),
        ] {
            let mut desk = Desk::ready(&[A]);
            let rules = terms(|t| t.rona.action = action.clone());
            let number = desk.ring(A, ANNA, &rules);
            desk.say(wish.clone());
            desk.end(number, OfferEnd::NoAnswer);
            assert_eq!((desk.state(), desk.misses()), (state, 0), "{action:?}");
            assert_eq!(
                AgentMessage::SetStatus(desk.agent.view().chosen.clone()),
                wish
            );
        }
    }
}

#[test]
fn a_log_out_during_a_contact_takes_effect_afterwards() {
    let mut desk = Desk::connected(&[A, B]);
    desk.say(LOG_OUT);
    assert_eq!(desk.queues().len(), 2);
    desk.end(1, OfferEnd::Answered);
    let outs = desk.wait(10_000);
    assert_eq!((desk.state(), desk.queues().len()), (State::LoggedOut, 0));
    let gone = outs.iter().flat_map(told);
    assert_eq!(gone.filter(|(_, p)| !p.member).count(), 2, "both are told");
    let out = desk.say(READY);
    assert_eq!((out.answer, out.fence), (Some(Answer::NotLoggedIn), true));
}

#[test]
fn whoever_logs_in_again_before_the_log_out_took_effect_was_never_away() {
    let mut desk = Desk::connected(&[A]);
    desk.say(LOG_OUT);
    desk.now = at(60_000);
    desk.say(log_in(&[A]));
    let news = desk.presence(A);
    assert_eq!((news.logged_in_at, news.contacts), (at(0), 1));
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!(desk.presence(A).talk, secs(60));
}

#[test]
fn another_phone_is_another_phone_and_nothing_else() {
    let other = DeviceId::from_u128(8);
    let mut desk = Desk::ready(&[A, B]);
    desk.say(pause_in(B, Some("training")));
    desk.say(paused("lunch"));
    desk.now = at(9_000);
    let out = desk.say(log_in_to(&[A, B], |log_in| {
        (log_in.device, log_in.ready) = (other, false);
    }));
    let view = views(&out)[0];
    assert_eq!(view.device, Some(other));
    assert_eq!(
        view.chosen,
        Chosen::Paused("lunch".into()),
        "its reason stays"
    );
    assert_eq!(view.since, at(0), "so does its time");
    assert_eq!(desk.part(B), Some(Part::Paused("training".into())));
    // Whoever becomes ready by it is ready everywhere.
    desk.say(log_in(&[A, B]));
    assert_eq!(
        (desk.state(), desk.part(B)),
        (State::Ready, Some(Part::Taken))
    );
}

#[test]
fn a_device_that_goes_away_takes_the_agent_out_of_the_queues() {
    let device = |device, online| AgentMessage::Device { device, online };
    let mut desk = Desk::ready(&[A]);
    let out = desk.say(device(DEVICE, false));
    assert_eq!(presences(&out), [(A, false)]);
    assert_eq!(desk.standing(A), Standing::Unreachable);
    let out = desk.say(device(DEVICE, true));
    assert_eq!(presences(&out), [(A, true)]);
    let other = desk.say(device(DeviceId::from_u128(8), false));
    assert!(other.send.is_empty());
}

#[test]
fn no_flapping() {
    let mut desk = Desk::blended(|_| {});
    desk.say(desk.pass(A));
    desk.say(desk.pass(CHAT));
    for _ in 0..480 {
        for out in desk.wait(15_000) {
            assert!(changes_nothing(&out), "{out:?}");
        }
        assert!(changes_nothing(&desk.say(AgentMessage::DesktopSeen)));
    }
    assert_eq!((desk.now, desk.state()), (at(7_200_000), State::Ready));
    for again in [READY, pause_in(A, None)] {
        let out = desk.say(again);
        assert!(changes_nothing(&out) && out.answer == Some(Answer::Done));
    }
    // Nor in a break, nor in a talk of two hours, of which only the edge is asked.
    let mut desk = Desk::ready(&[A]);
    desk.say(paused("lunch"));
    assert!(desk.wait(7_200_000).is_empty());
    let mut desk = Desk::connected(&[A]);
    for out in desk.wait(7_200_000) {
        assert!(out.events.is_empty() && out.changes.is_empty());
    }
    assert_eq!(desk.state(), State::Connected);
}

#[test]
fn another_reason_for_a_pause_is_another_stretch_of_time() {
    let mut desk = Desk::ready(&[A]);
    let since = |out: &AgentOut| views(out)[0].since;
    desk.now = at(1_000);
    assert_eq!(since(&desk.say(paused("lunch"))), at(1_000));
    desk.now = at(5_000);
    assert_eq!(since(&desk.say(paused("meeting"))), at(5_000));
    // What is chosen during a talk does not cut the talk in two.
    let mut desk = Desk::connected(&[A]);
    desk.now = at(7_000);
    assert_eq!(since(&desk.say(paused("lunch"))), at(0));
}

#[test]
fn ready_without_a_phone_is_another_stretch_of_time() {
    let mut desk = Desk::ready(&[A]);
    desk.now = at(3_000);
    desk.say(AgentMessage::Device {
        device: DEVICE,
        online: false,
    });
    let view = desk.agent.view();
    assert_eq!((view.state, view.since), (State::Ready, at(3_000)));
}

#[test]
fn what_an_agent_can_do_may_change_while_logged_in() {
    const FRENCH: SkillId = SkillId::from_u128(5);
    let mut desk = Desk::connected(&[A]);
    let profile = Profile {
        skills: Skills::from_iter([(FRENCH, 3)]),
        capacity: Capacity::default(),
    };
    let out = desk.say(AgentMessage::SetProfile(profile.clone()));
    assert_eq!(told(&out)[0].1.skills.level(FRENCH), Some(3));
    assert!(out.events.is_empty(), "nobody sees a difference");
    assert!(changes_nothing(
        &desk.say(AgentMessage::SetProfile(profile))
    ));
    assert_eq!(desk.state(), State::Connected, "the contact goes on");
}
