//! The queues an agent serves: a status in each, assignments that change, log-ins for the time being.

use super::*;

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
    desk.say(AgentMessage::JoinQueues(vec![temporary(
        QueueId::from_u128(4),
    )]));
    desk.say(AgentMessage::LeaveQueues(vec![QueueId::from_u128(4)]));
    desk.say(AgentMessage::QueuesDeleted(vec![A]));
    let assigned = [B, CHAT].map(Membership::new).into();
    desk.say(AgentMessage::JoinQueues(assigned));
    assert_eq!(
        desk.queues(),
        [B, CHAT],
        "who left no assigned one follows the assignments"
    );
}
