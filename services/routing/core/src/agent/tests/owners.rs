//! A contact that outlives its process: its owners come and go, and only the latest is believed.

use super::*;

/// The edge that holds the contact under this epoch asks whether it may ring.
fn alert_by(edge_epoch: u64) -> AgentMessage {
    AgentMessage::Alert {
        number: 1,
        contact: ANNA,
        edge: Arc::from(format!("edge {edge_epoch}")),
        edge_epoch,
        caller: Arc::default(),
        ring: secs(15),
    }
}

fn connect_by(edge_epoch: u64) -> AgentMessage {
    AgentMessage::Connect {
        number: 1,
        contact: ANNA,
        edge_epoch,
    }
}

fn end_by(edge_epoch: u64) -> AgentMessage {
    AgentMessage::End {
        number: 1,
        contact: ANNA,
        why: OfferEnd::CallerGone,
        edge_epoch,
    }
}

fn not_held_by(edge_epoch: u64) -> AgentMessage {
    AgentMessage::NotHeld {
        number: 1,
        contact: ANNA,
        edge_epoch,
    }
}

/// Rings for the owner with this epoch.
fn ringing_for(edge_epoch: u64) -> Desk {
    let mut desk = Desk::ready(&[A]);
    assert_eq!(desk.grant(A, &Arc::default()), Some(1));
    assert_eq!(desk.say(alert_by(edge_epoch)).answer, RINGS);
    desk
}

#[test]
fn a_new_owner_lets_it_ring_for_its_full_time_again() {
    let mut desk = ringing_for(1);
    desk.now = at(14_000);
    let again = desk.say(alert_by(2));
    assert_eq!(again.answer, RINGS);
    assert!(again.fence && !again.changes.is_empty());
    let slot = desk.agent.record().slot(1).expect("a reservation");
    assert_eq!((&*slot.edge, slot.edge_epoch), ("edge 2", 2));
    assert_eq!(slot.due, Some(at(14_000 + 20_000)));
}

#[test]
fn what_an_old_owner_asks_is_refused_and_changes_nothing() {
    let mut desk = ringing_for(2);
    for word in [alert_by(1), connect_by(1), end_by(1)] {
        let before = desk.agent.clone();
        let out = desk.say(word);
        assert_eq!(out.answer, Some(Answer::Refused));
        assert!(
            out.fence,
            "the old owner of the agent may not say so either"
        );
        assert_eq!(desk.agent, before);
    }
    assert_eq!(desk.say(connect_by(2)).answer, Some(Answer::ConnectOk));
    let before = desk.agent.clone();
    desk.say(not_held_by(1));
    assert_eq!(desk.agent, before, "its no is about another time");
    desk.say(not_held_by(2));
    assert_eq!(desk.state(), State::WrapUp);
}

#[test]
fn asking_whether_the_talk_goes_on_makes_the_new_owner_known() {
    let mut desk = ringing_for(1);
    desk.say(connect_by(1));
    assert_eq!(desk.say(connect_by(2)).answer, Some(Answer::ConnectOk));
    assert_eq!(desk.say(end_by(1)).answer, Some(Answer::Refused));
    assert_eq!(desk.state(), State::Connected);
    assert_eq!(desk.say(end_by(2)).answer, ended(true));
}
