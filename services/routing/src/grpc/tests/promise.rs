//! A caller who accepts a callback, by way of the doors: the call's stream ends, and another one goes on at its place.

use super::floor::{Floor, contact};
use centro_proto::{
    events::ContactLeft,
    routing::wait_response::Message,
    types::{ContactKind, LeftReason, OfferEnd, Outcome},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_accepts_a_callback_stays_in_the_table_and_is_served_in_turn() {
    let floor = Floor::new(1, 1).await;
    let mut events = floor.events().await;
    let mut calls = vec![];
    for n in 1..=3 {
        let mut call = floor.call_now(contact(n)).await;
        assert!(matches!(call.next().await, Message::Attached(_)));
        calls.push(call);
    }
    let order = async || {
        let queue = floor.queues().await.remove(0);
        let shown = queue.contacts.iter();
        let shown: Vec<_> = shown.map(|c| (c.contact_id.clone(), c.kind())).collect();
        let today = queue.today.unwrap();
        (shown, today.outcomes.unwrap(), today.offered)
    };
    let call = |n| (contact(n).to_string(), ContactKind::Call);
    let promised = (contact(2).to_string(), ContactKind::Callback);

    calls[1].left(1, LeftReason::CallbackRequested);
    assert!(matches!(calls[1].next().await, Message::LeftOk(_)));
    let (shown, outcomes, offered) = order().await;
    assert_eq!(shown, [call(1), promised.clone(), call(3)]);
    assert_eq!((outcomes.pending, outcomes.abandoned, offered), (1, 0, 3));
    let left = loop {
        if let Some(left) = events.next_of(contact(2)).await.decode::<ContactLeft>() {
            break left;
        }
    };
    assert_eq!(left.outcome(), Outcome::Pending);

    // Whoever held it comes and goes; the place stays.
    let mut callback = floor.call_now_again(contact(2), 2).await;
    let Message::Attached(attached) = callback.next().await else {
        panic!("not attached")
    };
    assert_eq!(attached.position.map(|p| p.position), Some(2));
    drop(callback);
    let mut callback = floor.call_now_again(contact(2), 3).await;
    assert!(matches!(callback.next().await, Message::Attached(_)));
    calls[0].left(1, LeftReason::Abandoned);
    assert!(matches!(calls[0].next().await, Message::LeftOk(_)));
    floor.log_in(0).await;
    let held = callback.offer().await.reservation.unwrap();
    assert!(floor.alert(&held, contact(2)).await.ok);
    assert!(floor.connect(&held, contact(2)).await);
    callback.left_with(3, &held.agent_id);
    assert!(matches!(callback.next().await, Message::LeftOk(_)));
    assert!(floor.end(&held, contact(2), OfferEnd::Answered).await);
    let (shown, outcomes, offered) = order().await;
    assert_eq!(shown, [call(3)]);
    assert_eq!((outcomes.pending, outcomes.handled, offered), (0, 1, 3));
}
