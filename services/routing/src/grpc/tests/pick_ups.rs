//! Pick-ups through the real actors: whoever asks hears that the phone rings, or why it will not.

use super::floor::{Call, Floor, contact};
use centro_contract::status::reason;
use centro_kernel::QueueId;
use centro_proto::{
    routing as pb,
    types::{AgentState, OfferEnd},
};
use centro_routing_core::Deadlines;
use pb::wait_response::Message;
use std::time::Duration;
use tonic::Code;

/// A floor where contact 1 waits and the two agents have a break.
async fn break_time() -> (Floor, Call) {
    let floor = Floor::new(1, 2).await;
    for agent in 0..2 {
        floor.log_in(agent).await;
        floor.pause(agent, "lunch").await;
    }
    let mut call = floor.call(contact(1), 1).await;
    assert!(matches!(call.next().await, Message::Attached(_)));
    (floor, call)
}

/// The contact's edge takes the next offer and lets it ring.
async fn rings(floor: &Floor, call: &mut Call) -> pb::Reservation {
    let reservation = call.offer().await.reservation.unwrap();
    assert!(floor.alert(&reservation, contact(1)).await.ok);
    reservation
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_picks_up_hears_when_the_phone_rings_and_asking_again_rings_nothing_more() {
    let (floor, mut call) = break_time().await;
    let (first, same, reservation) = tokio::join!(
        floor.pick_up(0, contact(1)),
        floor.pick_up(0, contact(1)),
        rings(&floor, &mut call),
    );
    first.unwrap();
    same.unwrap();
    floor.pick_up(0, contact(1)).await.unwrap();
    assert_eq!(floor.status(0).await.state(), AgentState::Alerting);
    call.ask_position(1);
    let next = call.next().await;
    assert!(
        matches!(next, Message::Position(_)),
        "one offer, not {next:?}"
    );
    assert!(floor.connect(&reservation, contact(1)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_pick_the_same_contact_up_the_later_hears_that_it_is_too_late() {
    let (floor, mut call) = break_time().await;
    let (won, reservation) = tokio::join!(floor.pick_up(0, contact(1)), rings(&floor, &mut call));
    won.unwrap();
    // The first is being connected: the edge refuses the second, as edges do.
    assert!(floor.connect(&reservation, contact(1)).await);
    let refuses = async {
        let late = call.offer().await.reservation.unwrap();
        assert!(!floor.end(&late, contact(1), OfferEnd::NeverRang).await);
    };
    let (lost, ()) = tokio::join!(floor.pick_up(1, contact(1)), refuses);
    let lost = lost.unwrap_err();
    assert_eq!(
        (lost.code(), reason(&lost)),
        (Code::FailedPrecondition, "contact_taken".to_owned())
    );
    assert_eq!(
        floor.status(1).await.state(),
        AgentState::Paused,
        "as before"
    );
    call.left_with(1, &reservation.agent_id);
    assert!(matches!(call.next().await, Message::LeftOk(_)));
    let gone = floor.pick_up(1, contact(1)).await.unwrap_err();
    assert_eq!(reason(&gone), "contact_not_waiting");
    // Whoever talks has no hands for another.
    let mut other = floor.call(contact(2), 1).await;
    assert!(matches!(other.next().await, Message::Attached(_)));
    let busy = floor.pick_up(0, contact(2)).await.unwrap_err();
    assert_eq!(reason(&busy), "agent_busy");
    assert_eq!(
        floor.status(0).await.state(),
        AgentState::Connected,
        "as before"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_that_leaves_while_it_is_picked_up_is_told_at_once() {
    let (floor, mut call) = break_time().await;
    let leaves = async {
        call.offer().await;
        call.left(1, centro_proto::types::LeftReason::Abandoned);
    };
    let (gone, ()) = tokio::join!(floor.pick_up(0, contact(1)), leaves);
    assert_eq!(reason(&gone.unwrap_err()), "contact_not_waiting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_went_away_is_said_to_be_away() {
    let (floor, _call) = break_time().await;
    let mut events = floor.events().await;
    floor.register(0, false).await;
    assert!(!events.until(0, AgentState::Paused).await.device_online);
    let away = floor.pick_up(0, contact(1)).await.unwrap_err();
    assert_eq!(reason(&away), "device_offline");
    // What is asked for comes before who asks.
    let unknown = QueueId::from_u128(999);
    let nowhere = floor
        .pick_up_from(unknown, 0, contact(1))
        .await
        .unwrap_err();
    assert_eq!(reason(&nowhere), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pick_up_that_nobody_answers_is_given_up_in_time() {
    let deadlines = Deadlines {
        bid: Duration::from_millis(20),
        ..Deadlines::default()
    };
    let floor = Floor::with(1, 1, crate::Settings::default(), deadlines).await;
    floor.log_in(0).await;
    floor.pause(0, "lunch").await;
    let mut call = floor.call(contact(1), 1).await;
    assert!(matches!(call.next().await, Message::Attached(_)));
    // The edge takes the offer and says no more.
    let late = floor.pick_up(0, contact(1)).await.unwrap_err();
    assert_eq!(
        (late.code(), reason(&late)),
        (Code::Unavailable, "pick_up_unanswered".to_owned())
    );
}
