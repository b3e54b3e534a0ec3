//! Figures as the doors show them, of calls that really went through the actors.

use super::floor::{Floor, contact};
use centro_proto::{
    routing::{expected_wait::Method, wait_response::Message},
    types::{LeftReason, OfferEnd},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_served_call_is_in_the_day_of_its_queue_and_of_its_agent() {
    let floor = Floor::new(1, 1).await;
    let queue = floor.queues().await.remove(0);
    assert_eq!(queue.mean_wait, None);
    assert_eq!(queue.expected_wait, None, "nobody serves it");
    assert_eq!(floor.agents().await[0].today, None);

    floor.log_in(0).await;
    let expected = floor.queues().await.remove(0).expected_wait.unwrap();
    assert_eq!(
        (expected.method(), expected.wait_ms),
        (Method::AgentFree, 0)
    );

    let mut call = floor.call_now(contact(1)).await;
    let offer = call.offer().await;
    let held = offer.reservation.unwrap();
    floor.alert(&held, contact(1)).await;
    assert!(floor.connect(&held, contact(1)).await);
    call.left(1, LeftReason::Answered);
    assert!(matches!(call.next().await, Message::LeftOk(_)));
    assert!(floor.end(&held, contact(1), OfferEnd::Answered).await);
    floor.end_wrap_up(floor.supervisor(), 0).await.unwrap();

    let queue = floor.queues().await.remove(0);
    let today = queue.today.unwrap();
    let outcomes = today.outcomes.unwrap();
    assert_eq!(
        (today.offered, outcomes.handled, outcomes.abandoned),
        (1, 1, 0)
    );
    assert_eq!(today.by_reason["LEFT_REASON_ANSWERED"], 1);
    let level = today.service_level.unwrap();
    assert_eq!((level.answered_within, level.base), (1, 1));
    assert_eq!(level.basis_points, Some(10_000));
    assert_eq!((level.target_percent, level.within_seconds), (80, 20));
    assert_eq!(today.handle_time_sample, 1);
    assert!(today.average_handle_time_ms.is_some());
    let mean = queue.mean_wait.unwrap();
    assert_eq!(
        (mean.sample, mean.window_ms, mean.complete),
        (1, 900_000, false)
    );
    assert_eq!(Some(mean.mean_ms), today.average_speed_of_answer_ms);

    let day = floor.status(0).await.today.unwrap();
    assert_eq!((day.handled, day.missed, day.rejected), (1, 0, 0));
    assert_eq!(day.answer_rate_basis_points, Some(10_000));
    let states = [
        day.ready_ms,
        day.unreachable_ms,
        day.reserved_ms,
        day.alerting_ms,
        day.connected_ms,
        day.wrap_up_ms,
        day.paused_ms,
        day.not_responding_ms,
    ];
    assert_eq!(states.iter().sum::<u64>(), day.login_ms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_gives_up_and_an_offer_that_was_declined_count_as_such() {
    let floor = Floor::new(1, 1).await;
    floor.log_in(0).await;
    let mut call = floor.call_now(contact(1)).await;
    let held = call.offer().await.reservation.unwrap();
    floor.alert(&held, contact(1)).await;
    assert!(!floor.end(&held, contact(1), OfferEnd::Rejected).await);
    call.offer_ended(1, &held, OfferEnd::Rejected);
    call.left(1, LeftReason::Abandoned);
    while !matches!(call.next().await, Message::LeftOk(_)) {}

    let today = floor.queues().await.remove(0).today.unwrap();
    let outcomes = today.outcomes.unwrap();
    assert_eq!((today.offered, outcomes.abandoned), (1, 1));
    assert_eq!((today.short_abandons, today.rejected_offers), (1, 1));
    assert_eq!(today.service_level.unwrap().basis_points, None);
    assert_eq!(today.abandon_rate_basis_points, None, "it was a short one");
    let day = floor.status(0).await.today.unwrap();
    assert_eq!((day.handled, day.rejected), (0, 1));
    assert_eq!(day.answer_rate_basis_points, Some(0));
}
