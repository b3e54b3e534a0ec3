//! What people choose: status, queues, log-in and log-out. The last wish wins, and nothing chosen is lost by the way.

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

/// G18, G19: every queue has a status of its own.
#[test]
fn a_pause_in_one_queue_leaves_the_others_alone() {
    let mut desk = Desk::ready(&[A, B]);
    let out = desk.say(pause_in(A, Some("training")));
    assert_eq!(out.answer, Some(Answer::Done));
    assert_eq!(presences(&out), [(A, false), (B, true)]);
    assert_eq!(
        (desk.standing(A), desk.standing(B)),
        (Standing::Paused, Standing::Ready)
    );
    assert_eq!(desk.state(), State::Ready);
    let refused = desk.say(desk.bid(A, 900, 0));
    assert_eq!(
        (granted(&refused), presences(&refused)),
        (None, vec![(A, false)])
    );
    assert_eq!(granted(&desk.say(desk.bid(B, 1, 0))), Some((B, 1)));
    desk.say(AgentMessage::Release { number: 1 });
    let out = desk.say(pause_in(A, None));
    assert_eq!(presences(&out), [(A, true), (B, true)]);
    let stranger = desk.say(pause_in(CHAT, Some("training")));
    assert_eq!(
        (stranger.answer, stranger.fence),
        (Some(Answer::NotInQueue), true)
    );
    // Ready in general is ready in each; a pause in general forgets no pause in one.
    desk.say(pause_in(A, Some("training")));
    desk.say(paused("lunch"));
    assert_eq!(desk.part(A), Some(Part::Paused("training".into())));
    desk.say(READY);
    assert_eq!(desk.part(A), Some(Part::Taken));
}

#[test]
fn a_pause_in_one_queue_revokes_its_ring_only() {
    let mut desk = Desk::alerting(&[A, B]);
    let out = desk.say(pause_in(B, Some("training")));
    assert_eq!((cancels(&out), desk.state()), (0, State::Alerting));
    let out = desk.say(pause_in(A, Some("training")));
    assert_eq!((cancels(&out), desk.state()), (1, State::Ready));
    desk.end(1, OfferEnd::Revoked);
    assert_eq!(desk.misses(), 0);
    // What is talked already is talked to its end.
    let mut desk = Desk::connected(&[A, B]);
    assert_eq!(cancels(&desk.say(pause_in(A, Some("training")))), 0);
    assert_eq!(desk.state(), State::Connected);
}

#[test]
fn whoever_logged_in_to_all_queues_serves_a_new_one_at_once() {
    let mut desk = Desk::ready(&[A]);
    let assigned = |queues: &[QueueId]| {
        let queues = queues.iter().map(|q| Membership::new(*q));
        AgentMessage::JoinQueues(queues.collect())
    };
    assert!(changes_nothing(&desk.say(assigned(&[B]))), "A was chosen");
    desk.say(log_in_to(&[A], |log_in| log_in.all_queues = true));
    let out = desk.say(assigned(&[A, B]));
    assert_eq!(presences(&out), [(A, true), (B, true)]);
    assert!(changes_nothing(&desk.say(assigned(&[A, B]))));
    let out = desk.say(AgentMessage::Unassigned(vec![B]));
    assert_eq!(told(&out).iter().filter(|(_, p)| !p.member).count(), 1);
    assert_eq!(desk.queues(), [A]);
}

/// S47 to S49, P8, P9: a log-in that needed no assignment ends when the person logs out, or is logged out, and no sooner.
#[test]
fn a_temporary_log_in_ends_with_the_log_out_and_with_nothing_else() {
    let mut desk = Desk::ready(&[A]);
    let out = desk.say(AgentMessage::JoinQueues(vec![temporary(B)]));
    assert_eq!(
        presences(&out),
        [(A, true), (B, true)],
        "a supervisor's wish"
    );
    let marked = |desk: &Desk| desk.agent.record().membership(B).map(|m| m.temporary);
    // The permission is turned off, assignments change, another phone is taken, a process dies: it goes on.
    assert!(changes_nothing(
        &desk.say(AgentMessage::Unassigned(vec![B]))
    ));
    desk.say(AgentMessage::JoinQueues(vec![Membership::new(A)]));
    desk.say(log_in_to(&[A], |log_in| {
        log_in.device = DeviceId::from_u128(8)
    }));
    desk.say(paused("lunch"));
    desk.say(READY);
    desk.take_over();
    assert_eq!(marked(&desk), Some(true));
    assert_eq!(
        desk.grant(B, &Arc::default()),
        Some(1),
        "it still receives calls"
    );
    desk.say(AgentMessage::Release { number: 1 });
    // An assigned queue is not made temporary by a supervisor, and a temporary one becomes a proper one by assignment.
    desk.say(AgentMessage::JoinQueues(vec![
        temporary(A),
        Membership::new(B),
    ]));
    let kinds = desk.agent.view().memberships.iter().map(|m| m.temporary);
    assert_eq!(kinds.collect::<Vec<_>>(), [false, false]);
    // Logged out, it is gone: the next log-in has what it asks for and no more.
    let deleted = AgentMessage::QueuesDeleted(vec![B]);
    for leave in [LOG_OUT, AgentMessage::LeaveQueues(vec![B]), deleted] {
        let mut desk = Desk::ready(&[A]);
        desk.say(AgentMessage::JoinQueues(vec![temporary(B)]));
        desk.say(leave);
        desk.say(log_in(&[A]));
        assert_eq!(desk.queues(), [A]);
    }
    // So it is when the log-out had to wait for a contact.
    let mut desk = Desk::connected(&[A]);
    desk.say(AgentMessage::JoinQueues(vec![temporary(B)]));
    desk.say(LOG_OUT);
    desk.say(log_in(&[A]));
    assert_eq!(desk.queues(), [A]);
}

#[test]
fn place_and_medium_of_a_queue_follow_its_configuration() {
    let mut desk = Desk::blended(|_| {});
    desk.say(pause_in(A, Some("training")));
    let mut moved = Membership::new(A);
    (moved.order, moved.medium) = (7, Medium::Chat);
    let out = desk.say(AgentMessage::JoinQueues(vec![moved]));
    let orders: Vec<_> = told(&out).iter().map(|(q, p)| (*q, p.order)).collect();
    assert_eq!(orders, [(A, 7), (CHAT, 0)]);
    let known = desk.agent.record().membership(A).unwrap();
    assert_eq!((known.medium, known.order), (Medium::Chat, 7));
    assert_eq!(
        known.part,
        Part::Paused("training".into()),
        "nothing else does"
    );
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

#[test]
fn a_log_out_from_one_queue_revokes_its_ring_and_lets_its_talk_go_on() {
    let leave = || AgentMessage::LeaveQueues(vec![A]);
    let mut desk = Desk::alerting(&[A, B]);
    let out = desk.say(leave());
    assert_eq!((cancels(&out), desk.state()), (1, State::Ready));
    desk.end(1, OfferEnd::Revoked);
    assert_eq!((desk.misses(), desk.queues()), (0, vec![B]));
    let mut desk = Desk::connected(&[A, B]);
    let out = desk.say(leave());
    assert_eq!((cancels(&out), desk.state()), (0, State::Connected));
    assert!(changes_nothing(&desk.say(leave())));
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!((desk.state(), desk.queues()), (State::Ready, vec![B]));
}

#[test]
fn an_assignment_that_ends_lets_even_its_ring_go_on() {
    for end in [
        AgentMessage::Unassigned(vec![A]),
        AgentMessage::QueuesDeleted(vec![A]),
    ] {
        let mut desk = Desk::alerting(&[A, B]);
        let out = desk.say(end);
        assert_eq!((cancels(&out), desk.state()), (0, State::Alerting));
        assert_eq!(desk.answer(connect(1, ANNA)), Some(Answer::ConnectOk));
        desk.end(1, OfferEnd::Answered);
        desk.wait(10_000);
        assert_eq!((desk.state(), desk.queues()), (State::Ready, vec![B]));
    }
}

/// Else the next change of any assignment would log the agent in again.
#[test]
fn whoever_left_one_of_all_queues_has_chosen() {
    let missed = terms(|t| {
        t.rona.action = RonaAction::LogOut;
        t.rona.this_queue_only = true;
    });
    let by_wish = |desk: &mut Desk| drop(desk.say(AgentMessage::LeaveQueues(vec![A])));
    let by_misses = |desk: &mut Desk| {
        let number = desk.ring(A, ANNA, &missed);
        desk.end(number, OfferEnd::NoAnswer);
    };
    let leaves: [&dyn Fn(&mut Desk); 2] = [&by_wish, &by_misses];
    for leave in leaves {
        let mut desk = Desk::logged_in(log_in_to(&[A, B], |log_in| log_in.all_queues = true));
        leave(&mut desk);
        let assigned = [A, B].map(Membership::new).into();
        assert!(changes_nothing(
            &desk.say(AgentMessage::JoinQueues(assigned))
        ));
        assert_eq!(desk.queues(), [B]);
    }
    let mut desk = Desk::logged_in(log_in_to(&[A, B], |log_in| log_in.all_queues = true));
    desk.say(AgentMessage::QueuesDeleted(vec![A]));
    let assigned = [B, CHAT].map(Membership::new).into();
    desk.say(AgentMessage::JoinQueues(assigned));
    assert_eq!(
        desk.queues(),
        [B, CHAT],
        "who left none follows the assignments"
    );
}
