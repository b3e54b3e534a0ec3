//! The events that live figures are made of: kept once, in order, for a day and a little, also over a process's death.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod centre;

use centre::*;
use centro_bus::Event;
use centro_kernel::ContactId;
use centro_node::Role;
use centro_proto::{
    analytics::{JournalEvent, ReplayRequest, journal_client::JournalClient},
    events as pb,
    types::{AgentState, LeftReason},
};
use centro_testkit::engines::on_both_engines;
use prost::Message;
use std::time::Duration;

/// What is kept of the span, and since when nothing is missing.
async fn replay(centre: &Centre, span: (i64, i64)) -> (prost_types::Timestamp, Vec<JournalEvent>) {
    let request = ReplayRequest {
        from: Some(time(span.0)),
        to: Some(time(span.1)),
    };
    let mut client = JournalClient::new(centre.node.conn(Role::Analytics));
    let mut answers = client.replay(request).await.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap();
    let (since, mut all) = (first.complete_since.unwrap(), first.events);
    while let Some(page) = answers.message().await.unwrap() {
        assert!(page.events.len() <= 500 && page.complete_since.is_none());
        all.extend(page.events);
    }
    (since, all)
}

fn kinds(events: &[JournalEvent]) -> Vec<&str> {
    events
        .iter()
        .map(|e| e.kind.trim_start_matches("routing."))
        .collect()
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn what_figures_are_made_of_is_kept_once_and_in_order() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let events = answered_call(ContactId::generate(), 0);
    centre.publish(&[state(0, AgentState::Ready)]).await;
    centre.publish(&events).await;
    centre.publish(&events).await;
    let last = ContactId::generate();
    centre.publish(&[queued(last, 100)]).await;
    centre.contacts_when(|seen| seen.len() == 2).await;
    let (since, kept) = replay(&centre, (-100, 1_000)).await;
    assert_eq!(since, time(0), "it began with this process");
    let expected = [
        "agent.state_changed",
        "contact.queued",
        "contact.connected",
        "contact.left",
        "contact.offer_ended",
        "contact.wrap_up_ended",
        "contact.queued",
    ];
    assert_eq!(kinds(&kept), expected);
    assert_eq!(
        (kept[3].time, &kept[3].tenant_id),
        (Some(time(8)), &TENANT.to_string())
    );
    let left = pb::ContactLeft::decode(kept[3].data.as_slice()).unwrap();
    assert_eq!(
        (left.reason(), left.agent_id),
        (LeftReason::Answered, AGENT.to_string())
    );
    // The end of a span is not in it.
    let (_, kept) = replay(&centre, (8, 100)).await;
    assert_eq!(kinds(&kept)[0], "contact.connected");
    assert_eq!(kinds(&kept).last(), Some(&"contact.wrap_up_ended"));
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_page_comes_whole() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let contact = ContactId::generate();
    let many: Vec<Event> = (0..1_201).map(|n| queued(contact, n)).collect();
    centre.publish(&many).await;
    let mut kept = Vec::new();
    for _ in 0..2_000 {
        kept = replay(&centre, (0, 10_000)).await.1;
        if kept.len() >= many.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let times: Vec<_> = kept.iter().map(|e| e.time.unwrap().seconds).collect();
    let sent: Vec<_> = (0..1_201).map(|n| time(n).seconds).collect();
    assert_eq!(times, sent);
    centre.stop().await;
}

/// Whoever waited or was logged in when the process died does so no more, and the figures must hear of it.
#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_death_ended_is_kept_as_ended() {
    let data = tempfile::tempdir().unwrap();
    let clock = clock();
    let centre = Centre::start(data.path(), &clock).await;
    let waits = ContactId::generate();
    let answered = ContactId::generate();
    centre.publish(&[state(0, AgentState::Ready)]).await;
    centre.publish(&answered_call(answered, 0)).await;
    centre.publish(&[queued(waits, 5)]).await;
    let all = |seen: &[centro_proto::analytics::Contact]| seen.len() == 2 && seen[1].wrap_up_ms > 0;
    centre.contacts_when(all).await;
    let (_, before) = replay(&centre, (-100, 1_000)).await;
    centre.stop().await;

    let clock = centro_kernel::TestClock::at(at(1_000));
    let centre = Centre::start(data.path(), &clock).await;
    let (since, after) = replay(&centre, (-100, 1_000)).await;
    assert_eq!(since, time(0), "nothing is missing because of the restart");
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(
        kinds(&after[before.len()..]),
        ["contact.left", "agent.state_changed"]
    );
    let left = pb::ContactLeft::decode(after[before.len()].data.as_slice()).unwrap();
    assert_eq!(left.contact_id, waits.to_string());
    assert_eq!(left.reason(), LeftReason::SystemFailure);
    assert_eq!(left.enqueue_time, Some(time(5)));
    let out = pb::AgentStateChanged::decode(after[before.len() + 1].data.as_slice()).unwrap();
    assert_eq!(
        (out.state(), out.previous_state()),
        (AgentState::LoggedOut, AgentState::Ready)
    );
    centre.stop().await;

    // Once is enough, and what is older than 26 hours is not promised any more.
    let clock = centro_kernel::TestClock::at(at(27 * 3_600));
    let centre = Centre::start(data.path(), &clock).await;
    let (since, kept) = replay(&centre, (-100, 2_000)).await;
    assert_eq!(since, time(3_600));
    assert!(kept.len() <= after.len());
    centre.stop().await;
}

/// A process marks its life every 10 s. Figures take a departure that was before the arrival for an old story, so whoever
/// came after the last mark would wait in them for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_after_the_last_sign_of_life_leaves_no_sooner_than_the_arrival_was_told() {
    let data = tempfile::tempdir().unwrap();
    let clock = clock();
    let centre = Centre::start(data.path(), &clock).await;
    let mut told = queued(ContactId::generate(), 5);
    told.time = at(5) + Duration::from_millis(3);
    centre.publish(&[told.clone()]).await;
    centre.contacts_when(|seen| seen.len() == 1).await;
    centre.stop().await;

    let clock = centro_kernel::TestClock::at(at(1_000));
    let centre = Centre::start(data.path(), &clock).await;
    let (_, kept) = replay(&centre, (-100, 1_000)).await;
    assert_eq!(kinds(&kept), ["contact.queued", "contact.left"]);
    assert_eq!(kept[1].time, kept[0].time);
    let left = pb::ContactLeft::decode(kept[1].data.as_slice()).unwrap();
    assert_eq!((left.enqueue_time, left.wait_ms), (Some(time(5)), 3));
    centre.stop().await;
}
