//! Persons who take a waiting contact out of turn: supervisors, and agents of a queue without a strategy.

use super::*;

/// The phone of somebody who is not logged in.
const OTHER_PHONE: DeviceId = DeviceId::from_u128(8);

fn pick_up_under(desk: &Desk, device: Option<DeviceId>, terms: &Arc<Terms>) -> AgentMessage {
    let AgentMessage::Bid(bid) = desk.bid_under(A, 0, 0, terms) else {
        panic!("not a bid");
    };
    AgentMessage::Bid(Bid {
        pick_up: Some(PickUp {
            contact: ANNA,
            device,
        }),
        ..bid
    })
}

fn pick_up(desk: &Desk, device: Option<DeviceId>) -> AgentMessage {
    pick_up_under(desk, device, &Arc::default())
}

/// What the queue is told of the pick-up: the phone rings, or number and reason of the refusal.
type Told = Result<(), (Option<u64>, NoPickUp)>;

fn told_of(out: &AgentOut) -> Vec<Told> {
    let told = |e: &AgentEffect| match e {
        AgentEffect::Queue(A, QueueMessage::PickUpRings { contact: ANNA, .. }) => Some(Ok(())),
        AgentEffect::Queue(
            A,
            QueueMessage::PickUpRefused {
                contact: ANNA,
                number,
                why,
                ..
            },
        ) => Some(Err((*number, *why))),
        _ => None,
    };
    let told: Vec<_> = out.send.iter().filter_map(told).collect();
    assert!(told.is_empty() || out.fence, "an old owner must not say it");
    told
}

#[test]
fn a_person_takes_a_contact_paused_or_not_in_the_queue_or_not() {
    let mut in_pause = Desk::ready(&[A]);
    in_pause.say(paused("lunch"));
    let stranger = Desk::ready(&[B]);
    let mut in_one_paused = Desk::ready(&[A, B]);
    in_one_paused.say(pause_in(A, Some("training")));
    for mut desk in [in_pause, stranger, in_one_paused] {
        let out = desk.say(pick_up(&desk, None));
        assert_eq!(granted(&out), Some((A, 1)));
        assert_eq!(
            (desk.alert(1).answer, desk.state()),
            (RINGS, State::Alerting)
        );
    }
}

/// A break ends when the person says so: not by a contact taken in it, nor by one that came to nothing.
#[test]
fn break_survives_outbound() {
    let actions = [
        RonaAction::NotResponding,
        RonaAction::Pause("missed".into()),
        RonaAction::LogOut,
    ];
    for action in actions {
        let rules = terms(|t| t.rona.action = action.clone());
        for why in [
            OfferEnd::NoAnswer,
            OfferEnd::Rejected,
            OfferEnd::Busy,
            OfferEnd::DeviceFailed,
            OfferEnd::CallerGone,
        ] {
            let mut desk = Desk::ready(&[A]);
            desk.say(paused("lunch"));
            desk.say(pick_up_under(&desk, None, &rules));
            desk.alert(1);
            desk.end(1, why);
            let view = desk.agent.view();
            assert_eq!(view.chosen, Chosen::Paused("lunch".into()), "{why:?}");
            assert_eq!((view.state, view.rest), (State::Paused, None), "{why:?}");
            assert_eq!(desk.misses(), 0);
        }
        let mut desk = Desk::ready(&[A]);
        desk.say(paused("lunch"));
        desk.say(pick_up_under(&desk, None, &rules));
        desk.alert(1);
        desk.say(connect(1, ANNA));
        desk.end(1, OfferEnd::Answered);
        let outs = desk.wait(10_000);
        assert_eq!(desk.state(), State::Paused, "still");
        assert!(outs.iter().flat_map(presences).all(|(_, free)| !free));
    }
}

#[test]
fn somebody_who_is_logged_out_is_so_again_afterwards() {
    for why in [OfferEnd::NoAnswer, OfferEnd::Answered] {
        let mut desk = Desk::empty();
        let out = desk.say(pick_up(&desk, Some(OTHER_PHONE)));
        assert_eq!(granted(&out), Some((A, 1)));
        let device = Some(OTHER_PHONE);
        assert_eq!(desk.alert(1).answer, Some(Answer::AlertOk { device }));
        if why == OfferEnd::Answered {
            desk.say(connect(1, ANNA));
            assert_eq!(desk.state(), State::Connected);
        }
        desk.end(1, why);
        desk.wait(10_000);
        let view = desk.agent.view();
        assert_eq!(
            (view.state, &view.chosen),
            (State::LoggedOut, &Chosen::LoggedOut)
        );
        assert_eq!((view.memberships.len(), desk.agent.next_due()), (0, None));
    }
}

#[test]
fn without_hands_or_a_phone_the_queue_is_told_no() {
    let mut talking = Desk::connected(&[A]);
    let out = talking.say(pick_up_under(&talking, None, &Arc::default()));
    assert_eq!(told_of(&out), [Ok(())], "it is this very contact");
    assert_eq!((out.send.len(), out.changes.len()), (1, 0));
    let other = |desk: &Desk| match pick_up(desk, None) {
        AgentMessage::Bid(mut bid) => {
            if let Some(p) = &mut bid.pick_up {
                p.contact = contact(5);
            }
            AgentMessage::Bid(bid)
        }
        other => other,
    };
    let out = talking.say(other(&talking));
    assert!(out.fence, "it is believed, so an old owner must not say it");
    assert_eq!((granted(&out), out.send.len()), (None, 1));
    let mut nowhere = Desk::empty();
    let out = nowhere.say(pick_up(&nowhere, None));
    assert_eq!(told_of(&out), [Err((None, NoPickUp::NoPhone))]);
    assert_eq!(granted(&out), None);
    let mut wrapping_up = Desk::connected(&[A]);
    wrapping_up.end(1, OfferEnd::Answered);
    let out = wrapping_up.say(pick_up(&wrapping_up, None));
    assert_eq!(told_of(&out), [Err((None, NoPickUp::Busy))]);
}

/// The queue asks again until it hears an answer; however often that is, it is one reservation.
#[test]
fn a_repeated_wish_is_one_reservation() {
    for rules in [Arc::default(), chat_terms(|_| {})] {
        let mut desk = Desk::blended(|_| {});
        let wish = pick_up_under(&desk, None, &rules);
        assert_eq!(granted(&desk.say(wish.clone())), Some((A, 1)));
        let again = desk.say(wish.clone());
        assert_eq!((granted(&again), again.fence), (Some((A, 1)), true));
        assert!(again.changes.is_empty());
        for step in [alert(1, ANNA), connect(1, ANNA)] {
            desk.say(step);
            let again = desk.say(wish.clone());
            assert_eq!(told_of(&again), [Ok(())], "as before");
            assert_eq!((again.send.len(), again.changes.len()), (1, 0));
        }
        assert_eq!(desk.agent.record().slots.len(), 1);
    }
}

/// The grant answers no bid on a version, so every queue hears the news by itself, the one of the contact too.
#[test]
fn all_queues_hear_that_the_person_is_busy() {
    let mut desk = Desk::ready(&[A, B]);
    desk.say(desk.bid(B, 1, 0));
    let out = desk.say(pick_up(&desk, None));
    assert_eq!(presences(&out), [(A, false), (B, false)]);
    for (_, news) in told(&out) {
        assert_eq!(news.standing, Standing::InContact);
        assert_eq!(news.lost_to, None, "it was not a round that B lost");
    }
}

/// Whoever picked up hears that the phone rings, or that it will not, from the record that knows.
#[test]
fn the_queue_hears_whether_it_rings() {
    let mut desk = Desk::ready(&[A]);
    desk.say(pick_up(&desk, None));
    assert_eq!(told_of(&desk.alert(1)), [Ok(())]);
    assert_eq!(told_of(&desk.alert(1)), [], "a repeat is no news");
    assert_eq!(told_of(&desk.end(1, OfferEnd::NoAnswer)), [], "it rang");

    let mut lost = Desk::ready(&[A]);
    lost.say(pick_up(&lost, None));
    let out = lost.end(1, OfferEnd::NeverRang);
    assert_eq!(told_of(&out), [Err((Some(1), NoPickUp::Taken))]);

    let mut forgotten = Desk::ready(&[A]);
    forgotten.say(pick_up(&forgotten, None));
    let outs = forgotten.wait(10_000);
    let told: Vec<_> = outs.iter().flat_map(told_of).collect();
    assert_eq!(told, [Err((Some(1), NoPickUp::Unanswered))]);

    let mut leaves = Desk::ready(&[A]);
    leaves.say(pick_up(&leaves, None));
    let out = leaves.say(paused("lunch"));
    assert_eq!(told_of(&out), [Err((Some(1), NoPickUp::Unanswered))]);
}

/// Of what the queue itself offers nobody waits to hear.
#[test]
fn an_offer_that_nobody_picked_up_is_told_to_nobody() {
    let mut desk = Desk::ready(&[A]);
    desk.say(desk.bid(A, 1, 0));
    assert_eq!(told_of(&desk.alert(1)), []);
    assert_eq!(told_of(&desk.end(1, OfferEnd::NeverRang)), []);
}
