//! Actors, edges, nodes and stores that go wrong, and what is left of it.

use super::{
    floor::{Floor, contact, user},
    store::Mood,
};
use crate::{Settings, store::contract::waiting};
use centro_contract::status::reason;
use centro_proto::{
    routing::{Reservation, wait_response::Message},
    types::{AgentState, OfferEnd},
};
use centro_routing_core::Deadlines;
use std::{sync::atomic::Ordering, time::Duration};

async fn talk(floor: &Floor) -> Reservation {
    floor.log_in(0).await;
    let mut call = floor.call(contact(1), 1).await;
    let reservation = call.offer().await.reservation.unwrap();
    floor.alert(&reservation, contact(1)).await;
    assert!(floor.connect(&reservation, contact(1)).await);
    reservation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_talk_that_its_edge_does_not_have_ends() {
    let deadlines = Deadlines {
        recheck: Duration::from_millis(50),
        ..Deadlines::default()
    };
    let floor = Floor::with(1, 1, Settings::default(), deadlines).await;
    let mut events = floor.events().await;
    talk(&floor).await;
    events.until(0, AgentState::Connected).await;
    floor.has_talks.store(false, Ordering::SeqCst);
    events.until(0, AgentState::WrapUp).await;
    events.until(0, AgentState::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reported_death_of_the_edge_frees_the_agent_and_the_place() {
    let floor = Floor::new(1, 1).await;
    let reservation = talk(&floor).await;
    floor.report_edge_dead(Some(&reservation), contact(1)).await;
    assert_eq!(floor.status(0).await.state(), AgentState::WrapUp);
    // The truth for an end that was on its way.
    assert!(
        floor
            .end(&reservation, contact(1), OfferEnd::Answered)
            .await
    );
    let mut waits = floor.call(contact(2), 1).await;
    waits.next().await;
    floor.report_edge_dead(None, contact(2)).await;
    let mut late = floor.call(contact(2), 7).await;
    assert!(matches!(late.next().await, Message::LeftOk(_)), "for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_was_activated_again_knows_who_is_free() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    let mut call = floor.call(contact(1), 1).await;
    let first = call.offer().await;
    floor
        .alert(first.reservation.as_ref().unwrap(), contact(1))
        .await;
    floor
        .end(
            first.reservation.as_ref().unwrap(),
            contact(1),
            OfferEnd::CallerGone,
        )
        .await;
    floor.pause(0, "").await;
    floor.ready(0).await;
    floor.kill_queue(0);
    assert!(call.broken().await);
    let (mut call, _) = floor.call_again(contact(1)).await;
    let again = call.offer().await;
    assert!(
        again.epoch > first.epoch,
        "each activation has its own epoch"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_actor_died_in_wrap_up_is_ready_in_time_though_nobody_speaks_to_it() {
    let floor = Floor::new(1, 1).await;
    let mut events = floor.events().await;
    let reservation = talk(&floor).await;
    floor
        .end(&reservation, contact(1), OfferEnd::Answered)
        .await;
    events.until(0, AgentState::WrapUp).await;
    floor.kill_agent(0);
    events.until(0, AgentState::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contacts_and_talks_of_a_dead_node_are_over() {
    let floor = Floor::new(1, 1).await;
    let _other = floor.cluster.join("other");
    let (mut events, waiting_events) = (floor.events().await, floor.events().await);
    floor.log_in(0).await;
    let mut talks = floor.call_at("other", contact(1), 1).await;
    let reservation = talks.offer().await.reservation.unwrap();
    let alert = floor.try_alert("other", &reservation, contact(1)).await;
    assert!(alert.unwrap().ok);
    assert!(floor.connect(&reservation, contact(1)).await);
    let mut waits = floor.call_at("other", contact(2), 1).await;
    waits.next().await;
    events.until(0, AgentState::Connected).await;
    floor.cluster.kill("other");
    events.until(0, AgentState::WrapUp).await;
    let mut lost = waiting_events;
    for kind in ["queued", "left"] {
        let event = lost.next_of(contact(2)).await;
        assert_eq!(event.kind, format!("routing.contact.{kind}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_whose_shard_goes_and_comes_back_serves_on() {
    let floor = Floor::new(1, 1).await;
    let _other = floor.cluster.join("other");
    floor.log_in(0).await;
    floor.pause(0, "").await;
    let mut call = floor.call(contact(1), 1).await;
    let Message::Attached(first) = call.next().await else {
        panic!("not attached")
    };
    floor.hand_over(0, "other");
    assert!(call.broken().await, "the edge must ask the new owner");
    floor.hand_over(0, "floor");
    let (mut call, again) = floor.call_again(contact(1)).await;
    assert!(again.epoch > first.epoch);
    floor.ready(0).await;
    call.offer().await;
}

/// Their edge died while nobody owned the queue, so nobody will ask for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_in_which_somebody_waits_wakes_when_its_shard_comes() {
    let floor = Floor::new(1, 1).await;
    let _other = floor.cluster.join("other");
    let mut events = floor.events().await;
    floor.stored(0, waiting(1_001)).await;
    floor.hand_over(0, "other");
    floor.hand_over(0, "floor");
    let event = events.next_of(contact(1)).await;
    assert_eq!(event.kind, "routing.contact.left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_store_only_takes_time() {
    let floor = Floor::new(1, 1).await;
    floor.store.set(Mood::Slow(Duration::from_millis(20)));
    let reservation = talk(&floor).await;
    floor
        .end(&reservation, contact(1), OfferEnd::Answered)
        .await;
    assert_eq!(floor.status(0).await.state(), AgentState::WrapUp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposed_actor_answers_nothing_and_what_is_stored_stays_true() {
    for mood in [Mood::Fenced, Mood::Away] {
        let floor = Floor::new(1, 1).await;
        floor.log_in(0).await;
        let mut call = floor.call(contact(1), 1).await;
        let reservation = call.offer().await.reservation.unwrap();
        floor.store.set(mood);
        // Neither yes nor no: a refusal would be believed.
        let refused = floor
            .try_alert("floor", &reservation, contact(1))
            .await
            .unwrap_err();
        assert_eq!(reason(&refused), "owner_moving", "{mood:?}");
        call.left(1, centro_proto::types::LeftReason::Abandoned);
        assert!(call.broken().await, "no word, and the stream ends");
        floor.store.set(Mood::Good);
        let alert = floor.alert(&reservation, contact(1)).await;
        assert!(alert.ok, "the reservation was as it had been stored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_mailbox_is_said_and_a_change_of_the_directory_is_not_lost() {
    let settings = Settings {
        mailbox: 16,
        ..Settings::default()
    };
    let floor = Floor::with(2, 1, settings, Deadlines::default()).await;
    let mut events = floor.events().await;
    floor.log_in(0).await;
    events.until(0, AgentState::Ready).await;
    let stalled = floor.stall_agent(0);
    let refused = loop {
        if let Some(status) = floor.set_ready_briefly(0).await {
            break status;
        }
    };
    assert_eq!(reason(&refused), "mailbox_full");
    floor.assign(1, 0, false);
    drop(stalled);
    let change = events.until(0, AgentState::Ready).await;
    assert_eq!(change.queue_ids.len(), 1, "{}", user(0));
}
