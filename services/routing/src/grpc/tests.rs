//! The doors and the actors behind them, in a real node: edges drive `Wait` streams, people call `Agents`.

mod deaths;
mod figures;
mod floor;
mod incidents;
mod pick_ups;
mod processes;
mod promise;
mod store;

use centro_bus::Event;
use centro_contract::status::reason;
use centro_proto::{
    events::{AgentStateChanged, ContactLeft},
    routing as pb, types,
};
use floor::{Floor, contact, queue, user};
use pb::{set_status_from_device_request::Action, wait_response::Message};
use types::{AgentState, LeftReason, OfferEnd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_from_the_line_to_an_agent_and_through_wrap_up() {
    let floor = Floor::new(1, 1).await;
    let mut events = floor.events().await;
    let agent = floor.log_in(0).await;
    assert_eq!(agent.state(), AgentState::Ready);

    let mut call = floor.call(contact(1), 1).await;
    let Message::Attached(attached) = call.next().await else {
        panic!("not attached")
    };
    assert_eq!(
        attached.position.map(|p| (p.position, p.waiting)),
        Some((1, 1))
    );
    let Message::Offer(offer) = call.next().await else {
        panic!("no offer")
    };
    assert_eq!((offer.attach_no, offer.epoch), (1, attached.epoch));
    let reservation = offer.reservation.unwrap();

    let alert = floor.alert(&reservation, contact(1)).await;
    assert_eq!(
        (alert.ok, alert.device_id),
        (true, floor.device(0).to_string())
    );
    assert_eq!(floor.status(0).await.state(), AgentState::Alerting);
    assert!(floor.connect(&reservation, contact(1)).await);
    call.left_with(1, &reservation.agent_id);
    assert!(matches!(
        call.next().await,
        Message::LeftOk(pb::LeftOk { attach_no: 1 })
    ));
    assert!(
        floor
            .end(&reservation, contact(1), OfferEnd::Answered)
            .await
    );
    assert_eq!(floor.status(0).await.state(), AgentState::WrapUp);

    let refused = floor.end_wrap_up(user(0), 0).await.unwrap_err();
    assert_eq!(reason(&refused), "wrap_up_not_endable");
    let ended = floor.end_wrap_up(floor.supervisor(), 0).await.unwrap();
    assert_eq!(ended.state(), AgentState::Ready);

    let expected = [
        "queued",
        "offered",
        "offer_ended",
        "connected",
        "left",
        "wrap_up_ended",
    ];
    let mut sequence = 0;
    for kind in expected {
        let event = events.next_of(contact(1)).await;
        assert_eq!(event.kind, format!("routing.contact.{kind}"));
        assert!(event.sequence > sequence);
        sequence = event.sequence;
    }
}

/// Of several whose phones rang, the event names who answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_that_rang_everywhere_leaves_with_who_answered() {
    let floor = Floor::new(1, 2).await;
    floor.ring_all(0).await;
    let mut events = floor.events().await;
    floor.log_in(0).await;
    floor.log_in(1).await;
    let mut call = floor.call(contact(1), 1).await;
    let offers = [call.offer().await, call.offer().await];
    let [first, second] = offers.map(|offer| offer.reservation.unwrap());
    for reservation in [&first, &second] {
        assert!(floor.alert(reservation, contact(1)).await.ok);
    }
    assert!(floor.connect(&second, contact(1)).await);
    call.left_with(1, &second.agent_id);
    let left = loop {
        let event = events.next_of(contact(1)).await;
        if let Some(left) = event.decode::<ContactLeft>() {
            break left;
        }
    };
    assert_eq!(left.agent_id, second.agent_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lists_show_who_waits_and_who_is_there() {
    let floor = Floor::new(1, 1).await;
    let mut first = floor.call(contact(1), 1).await;
    first.next().await;
    let mut second = floor.call(contact(2), 1).await;
    let Message::Attached(attached) = second.next().await else {
        panic!("not attached")
    };
    assert_eq!(attached.position.map(|p| p.position), Some(2));
    let queue = floor.queues().await.remove(0);
    assert_eq!((queue.waiting, queue.agents_logged_in), (2, 0));
    let order: Vec<_> = queue
        .contacts
        .iter()
        .map(|c| c.contact_id.clone())
        .collect();
    assert_eq!(order, [contact(1).to_string(), contact(2).to_string()]);
    assert_eq!(floor.agents().await[0].state(), AgentState::LoggedOut);

    floor.log_in(0).await;
    assert!(matches!(first.next().await, Message::Offer(_)));
    let queue = floor.queues().await.remove(0);
    assert_eq!(queue.contacts[0].offered_to, user(0).to_string());
    assert_eq!(floor.agents().await[0].state(), AgentState::Reserved);

    first.left(1, LeftReason::Abandoned);
    assert!(matches!(first.next().await, Message::LeftOk(_)));
    second.ask_position(1);
    let place = loop {
        match second.next().await {
            Message::Position(p) => break p,
            Message::Offer(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((place.position, place.waiting), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn burst_distinct_agents() {
    let floor = Floor::new(1, 20).await;
    for agent in 0..20 {
        floor.log_in(agent).await;
    }
    let mut calls = vec![];
    for n in 0..20 {
        calls.push(floor.call(contact(n), 1).await);
    }
    let mut agents = std::collections::BTreeSet::new();
    for call in &mut calls {
        let offer = call.offer().await;
        agents.insert(offer.reservation.unwrap().agent_id);
    }
    assert_eq!(agents.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_whose_stream_broke_comes_back_to_its_place() {
    let floor = Floor::new(1, 1).await;
    let mut first = floor.call(contact(1), 1).await;
    first.next().await;
    let mut second = floor.call(contact(2), 1).await;
    second.next().await;
    drop(first);
    let mut again = floor.call(contact(1), 2).await;
    let Message::Attached(attached) = again.next().await else {
        panic!("not attached")
    };
    assert_eq!(
        attached.position.map(|p| (p.position, p.waiting)),
        Some((1, 2))
    );
    floor.log_in(0).await;
    again.offer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_whose_actor_died_is_activated_again_with_its_line() {
    let floor = Floor::new(1, 1).await;
    let mut first = floor.call(contact(1), 1).await;
    first.next().await;
    let mut second = floor.call(contact(2), 1).await;
    second.next().await;
    floor.kill_queue(0);
    assert!(first.broken().await && second.broken().await);
    let (_second, attached) = floor.call_again(contact(2)).await;
    assert_eq!(
        attached.position.map(|p| (p.position, p.waiting)),
        Some((2, 2))
    );
    let (mut first, _) = floor.call_again(contact(1)).await;
    floor.log_in(0).await;
    first.offer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pause_during_offer() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    let mut call = floor.call(contact(1), 1).await;
    let reservation = call.offer().await.reservation.unwrap();
    floor.alert(&reservation, contact(1)).await;
    floor.pause(0, "lunch").await;
    let cancelled = floor.cancelled().await;
    assert_eq!(
        (cancelled.contact_id, cancelled.number),
        (contact(1).to_string(), reservation.number)
    );
    assert!(
        !floor.connect(&reservation, contact(1)).await,
        "the pause came first"
    );
    assert!(!floor.end(&reservation, contact(1), OfferEnd::Revoked).await);
    call.offer_ended(1, &reservation, OfferEnd::Revoked);
    let status = floor.status(0).await;
    assert_eq!(
        (status.state(), status.pause_reason.as_str()),
        (AgentState::Paused, "lunch")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_queue_sends_its_callers_away() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    floor.pause(0, "").await;
    let mut call = floor.call(contact(1), 1).await;
    call.next().await;
    floor.delete_queue(0).await;
    let Message::NotTaken(not) = call.next().await else {
        panic!("still waits")
    };
    assert_eq!(not.reason(), LeftReason::QueueClosed);
    assert!(call.ended().await);
    let mut late = floor.call(contact(2), 1).await;
    assert!(matches!(late.next().await, Message::NotTaken(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_queue_moves_nobody() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    floor.pause(0, "").await;
    let mut call = floor.call(contact(1), 1).await;
    call.next().await;
    floor.change_queue(0, 30).await;
    floor.ready(0).await;
    let offer = call.offer().await;
    assert_eq!(offer.ring_timeout.map(|d| d.seconds), Some(30));
    assert_eq!(floor.status(0).await.queue_ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_not_registered_gets_no_call_until_it_is() {
    let floor = Floor::new(1, 1).await;
    floor.register(0, false).await;
    floor.log_in(0).await;
    let mut call = floor.call(contact(1), 1).await;
    call.next().await;
    assert!(!floor.status(0).await.device_online);
    floor.register(0, true).await;
    call.offer().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_act_and_with_what_is_checked() {
    let floor = Floor::new(1, 2).await;
    let device = floor.device(0).to_string();
    let other = floor
        .log_in_as(user(1), user(0), &device, &[])
        .await
        .unwrap_err();
    assert_eq!(reason(&other), "forbidden");
    let foreign = floor
        .log_in_as(user(1), user(1), &device, &[])
        .await
        .unwrap_err();
    assert_eq!(reason(&foreign), "device_unknown");
    let queue = [centro_kernel::QueueId::from_u128(999).to_string()];
    let unknown = floor
        .log_in_as(user(0), user(0), "", &queue)
        .await
        .unwrap_err();
    assert_eq!(reason(&unknown), "queue_not_assigned");
    let nobody = floor
        .log_in_as(floor.supervisor(), user(77), "", &[])
        .await
        .unwrap_err();
    assert_eq!(reason(&nobody), "not_found");
    assert!(
        floor
            .log_in_as(floor.supervisor(), user(0), &device, &[])
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_reason_is_one_short_line_and_a_wrong_one_changes_nothing() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    for text in ["lunch\u{7}", "lunch\nmeeting"] {
        let refused = floor.try_pause(0, text).await.unwrap_err();
        assert_eq!(reason(&refused), "reason_bad_character", "{text:?}");
    }
    let long = floor.try_pause(0, &"é".repeat(256)).await.unwrap_err();
    assert_eq!(reason(&long), "validation_failed");
    assert_eq!(floor.status(0).await.state(), AgentState::Ready);
    let longest = "é".repeat(255);
    let paused = floor.try_pause(0, &longest).await.unwrap();
    assert_eq!(paused.pause_reason, longest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feature_codes_work_from_the_phone() {
    let floor = Floor::new(1, 1).await;
    let refused = floor.dial(0, Action::Ready).await.unwrap_err();
    assert_eq!(reason(&refused), "not_logged_in");
    let codes = [
        (Action::LogIn, AgentState::Ready),
        (Action::Pause, AgentState::Paused),
        (Action::Ready, AgentState::Ready),
        (Action::LogOut, AgentState::LoggedOut),
    ];
    for (code, state) in codes {
        assert_eq!(
            floor.dial(0, code).await.unwrap().state(),
            state,
            "{code:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_may_not_sign_in_any_more_is_logged_out_and_cannot_come_back() {
    let floor = Floor::new(1, 2).await;
    floor.log_in(0).await;
    floor.log_in(1).await;
    floor.suspend(0, true).await;
    floor.shows(0, AgentState::LoggedOut).await;
    let refused = floor.dial(0, Action::LogIn).await.unwrap_err();
    assert_eq!(reason(&refused), "device_unknown");
    let refused = floor
        .log_in_as(user(0), user(0), "", &[])
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "device_needed");
    assert_eq!(floor.status(1).await.state(), AgentState::Ready);
    floor.suspend(0, false).await;
    floor.log_in(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_token_of_another_list_or_nobodys_is_refused() {
    let floor = Floor::new(2, 2).await;
    let first = floor.page_of_queues(1, "").await.unwrap();
    let token = first.next_page_token;
    assert_eq!(
        floor.page_of_queues(1, &token).await.unwrap().queues.len(),
        1
    );
    for token in [token.as_str(), user(0).to_string().as_str()] {
        let refused = floor.page_of_agents(1, token).await.unwrap_err();
        assert_eq!(reason(&refused), "page_token_unknown");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_of_a_queue_that_is_not_there_are_no_empty_list() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    assert_eq!(floor.agents_of(queue(0)).await.unwrap().agents.len(), 1);
    let refused = floor.agents_of(queue(7)).await.unwrap_err();
    assert_eq!(reason(&refused), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_priority_that_is_not_said_is_not_zero() {
    let floor = Floor::new(1, 0).await;
    let mut call = floor.call(contact(1), 1).await;
    assert!(matches!(call.next().await, Message::Attached(_)));
    let refused = floor.set_priority(contact(1), None).await.unwrap_err();
    assert_eq!(reason(&refused), "validation_failed");
    floor.set_priority(contact(1), Some(0)).await.unwrap();
}

/// Places move with every call that is answered, in front of everybody: whoever wants to hear asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_ask_for_the_place_is_told_nothing_between_attachment_and_offer() {
    let floor = Floor::new(1, 1).await;
    let mut calls = vec![];
    for n in 0..20 {
        let mut call = floor.call(contact(n), 1).await;
        assert!(matches!(call.next().await, Message::Attached(_)));
        calls.push(call);
    }
    let mut last = calls.pop().unwrap();
    for call in &mut calls {
        call.left(1, LeftReason::Abandoned);
        assert!(matches!(call.next().await, Message::LeftOk(_)));
    }
    last.ask_position(1);
    let Message::Position(place) = last.next().await else {
        panic!("more than one message for nineteen moves")
    };
    assert_eq!((place.position, place.waiting), (1, 1));
    floor.log_in(0).await;
    assert!(matches!(last.next().await, Message::Offer(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_assignment_and_a_device_that_is_given_away_are_obeyed_at_once() {
    let floor = Floor::new(2, 1).await;
    floor.assign(1, 0, false);
    let mut events = floor.events().await;
    assert_eq!(floor.log_in(0).await.queue_ids.len(), 1);
    assert_eq!(events.until(0, AgentState::Ready).await.queue_ids.len(), 1);
    floor.assign(1, 0, true);
    assert_eq!(events.until(0, AgentState::Ready).await.queue_ids.len(), 2);
    floor.assign(0, 0, false);
    assert_eq!(events.until(0, AgentState::Ready).await.queue_ids.len(), 1);
    floor.give_device(0, user(9));
    assert!(!events.until(0, AgentState::Ready).await.device_online);
    floor.give_device(0, user(0));
    assert!(events.until(0, AgentState::Ready).await.device_online);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_calls_say_while_the_process_stops_is_published() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    let mut call = floor.call(contact(1), 1).await;
    let reservation = call.offer().await.reservation.unwrap();
    floor.alert(&reservation, contact(1)).await;
    assert!(floor.connect(&reservation, contact(1)).await);
    let mut waits = floor.call(contact(2), 1).await;
    waits.next().await;
    let events = floor.events().await;
    let last_words = async {
        call.left(1, LeftReason::Answered);
        assert!(matches!(call.next().await, Message::LeftOk(_)));
        waits.left(1, LeftReason::Abandoned);
        assert!(matches!(waits.next().await, Message::LeftOk(_)));
        floor
            .end(&reservation, contact(1), OfferEnd::Answered)
            .await;
    };
    let told = floor.stop_after(events, last_words).await;
    let left = told.iter().filter(|e| e.kind == "routing.contact.left");
    assert_eq!(left.count(), 2, "{told:?}");
    let states = told.iter().filter_map(Event::decode::<AgentStateChanged>);
    assert_eq!(
        states.last().map(|last| last.state()),
        Some(AgentState::WrapUp)
    );
}
