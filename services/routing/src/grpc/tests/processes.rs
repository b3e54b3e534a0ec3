//! Several processes that share a store: each has some of the actors, and nobody outside can tell.

use super::floor::{Floor, contact};
use centro_proto::{
    routing::wait_response::Message,
    types::{AgentState, OfferEnd},
};
use std::time::Duration;

/// Waits until it is so.
async fn becomes(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, looking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// Two processes: the queue at the first, the agent at the second.
async fn apart() -> (Floor, Floor) {
    let one = Floor::new(1, 1).await;
    let two = one.beside("two", 1, 1).await;
    one.hand_over_agent(0, "two");
    (one, two)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_one_process_is_served_by_an_agent_of_another() {
    let (one, two) = apart().await;
    // Whatever door a person takes.
    assert_eq!(one.log_in(0).await.state(), AgentState::Ready);
    two.pause(0, "Lunch").await;
    one.ready(0).await;
    let mut call = one.call(contact(0), 1).await;
    let offer = call.offer().await;
    let r = offer.reservation.unwrap();
    assert!(one.alert(&r, contact(0)).await.ok);
    assert!(one.connect(&r, contact(0)).await);
    call.left_with(1, &r.agent_id);
    assert!(matches!(call.next().await, Message::LeftOk(_)));
    for floor in [&one, &two] {
        floor.shows(0, AgentState::Connected).await;
    }
    assert!(two.end(&r, contact(0), OfferEnd::Answered).await);
    for state in [AgentState::WrapUp, AgentState::Ready] {
        for floor in [&two, &one] {
            floor.shows(0, state).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_shows_all_of_the_floor() {
    let (one, two) = apart().await;
    let mut call = one.call(contact(0), 1).await;
    assert!(matches!(call.next().await, Message::Attached(_)));
    for floor in [&one, &two] {
        becomes("the caller waits in both lists", async || {
            let queue = &floor.queues().await[0];
            queue.waiting == 1 && queue.contacts[0].contact_id == contact(0).to_string()
        })
        .await;
    }
    one.log_in(0).await;
    let reservation = call.offer().await.reservation.unwrap();
    assert!(one.alert(&reservation, contact(0)).await.ok);
    for floor in [&one, &two] {
        becomes("the agent's phone rings in both lists", async || {
            let queue = &floor.queues().await[0];
            (queue.agents_logged_in, queue.agents_alerting) == (1, 1)
        })
        .await;
        becomes("so it does among the agents", async || {
            floor.agents().await[0].state() == AgentState::Alerting
        })
        .await;
    }
    assert!(one.connect(&reservation, contact(0)).await);
    call.left_with(1, &reservation.agent_id);
    for floor in [&one, &two] {
        becomes("nobody waits, and one was answered today", async || {
            let queue = &floor.queues().await[0];
            let answered = queue
                .today
                .as_ref()
                .map(|today| today.outcomes.map(|o| o.handled));
            queue.waiting == 0 && answered == Some(Some(1))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_moves_and_its_callers_keep_their_places() {
    let (one, two) = apart().await;
    let mut calls = Vec::new();
    for n in 0..5 {
        let mut call = one.call(contact(n), 1).await;
        assert!(matches!(call.next().await, Message::Attached(_)));
        calls.push(call);
    }
    one.hand_over(0, "two");
    for call in &mut calls {
        assert!(call.broken().await, "the edge hears of it at once");
    }
    // They come back in any order.
    let mut again = Vec::new();
    for n in (0..5).rev() {
        again.push(one.call_again(contact(n)).await.0);
    }
    for floor in [&one, &two] {
        becomes("the same line in both lists", async || {
            let contacts = &floor.queues().await[0].contacts;
            let line: Vec<_> = contacts.iter().map(|c| c.contact_id.clone()).collect();
            line == (0..5).map(|n| contact(n).to_string()).collect::<Vec<_>>()
        })
        .await;
    }
    one.log_in(0).await;
    let offer = again[4].offer().await;
    assert!(two.alert(&offer.reservation.unwrap(), contact(0)).await.ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_moves_in_the_middle_of_a_talk_and_keeps_it() {
    let (one, two) = apart().await;
    one.log_in(0).await;
    let mut call = one.call(contact(0), 1).await;
    let r = call.offer().await.reservation.unwrap();
    assert!(one.alert(&r, contact(0)).await.ok);
    one.hand_over_agent(0, "floor");
    assert!(one.connect(&r, contact(0)).await);
    call.left_with(1, &r.agent_id);
    assert!(matches!(call.next().await, Message::LeftOk(_)));
    for floor in [&one, &two] {
        floor.shows(0, AgentState::Connected).await;
    }
    assert!(two.end(&r, contact(0), OfferEnd::Answered).await);
    two.shows(0, AgentState::WrapUp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_an_agent_is_idle_is_asked_of_queues_elsewhere_too() {
    let (one, two) = apart().await;
    one.log_in(0).await;
    for floor in [&one, &two] {
        becomes("the queue knows the agent", async || {
            let why = floor.why_idle(0).await;
            why.is_ok_and(|why| why.queues.len() == 1 && why.queues[0].waiting == 0)
        })
        .await;
    }
}
