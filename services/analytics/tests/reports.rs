//! Events on the bus → reports, through the service's own doors.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod centre;

use centre::*;
use centro_bus::Event;
use centro_kernel::{ContactId, QueueId, RecordingId, TenantId};
use centro_proto::{
    analytics::{Contact, ListAgentIntervalsRequest, ListContactsRequest, ListContactsResponse},
    events as pb,
    types::{AgentState, EndedBy, LeftReason, Outcome},
};
use centro_testkit::engines::{self, Kind, on_both_engines};
use std::time::Duration;

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_one_row_with_its_times_however_often_its_events_come() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let contact = ContactId::generate();
    let mut events = answered_call(contact, 0);
    centre.publish(&events).await;
    centre
        .contacts_when(|seen| seen.first().is_some_and(|c| c.wrap_up_ms > 0))
        .await;
    // Again, in another order, and a contact that comes after it.
    events.reverse();
    centre.publish(&events).await;
    centre.publish(&[queued(ContactId::generate(), 100)]).await;
    let seen = centre.contacts_when(|seen| seen.len() == 2).await;
    let call = &seen[1];
    assert_eq!(
        (call.id.as_str(), call.offers),
        (contact.to_string().as_str(), 1)
    );
    assert_eq!(
        (call.wait_ms, call.talk_ms, call.wrap_up_ms),
        (8_000, 60_000, 10_000)
    );
    assert_eq!(
        (call.outcome(), call.left_reason()),
        (Outcome::Handled, LeftReason::Answered)
    );
    assert_eq!(
        (call.enqueue_time, call.connect_time),
        (Some(time(0)), Some(time(8)))
    );
    assert_eq!(
        (call.leave_time, call.end_time),
        (Some(time(8)), Some(time(68)))
    );
    assert!(call.meets_sla);
    assert_eq!(call.caller.as_ref().unwrap().display_name, "Ada");
    assert_eq!(call.recording_id, RecordingId::from_u128(5).to_string());
    assert_eq!(
        (seen[0].outcome(), seen[0].leave_time),
        (Outcome::Unspecified, None)
    );
    assert!(centre.contacts(TenantId::from_u128(99)).await.is_empty());
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn the_summary_follows_the_promise_of_the_queue() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let ids = [(); 3].map(|()| ContactId::generate());
    centre.publish(&answered_call(ids[0], 0)).await;
    centre
        .publish(&[
            queued(ids[1], 10),
            left(ids[1], 40, LeftReason::Abandoned, 30),
        ])
        .await;
    centre.publish(&[queued(ids[2], 20)]).await;
    let done = |seen: &[Contact]| seen.len() == 3 && seen[1].wait_ms > 0 && seen[2].wrap_up_ms > 0;
    centre.contacts_when(done).await;

    let total = centre.total(0, 3600).await;
    assert_eq!(
        (
            total.offered,
            total.answered,
            total.abandoned,
            total.still_waiting
        ),
        (3, 1, 1, 1)
    );
    assert_eq!(total.service_level_percent, Some(50.0));
    assert_eq!(total.average_speed_of_answer_ms, Some(8_000.0));
    assert_eq!(total.average_handle_time_ms, Some(70_000.0));
    assert_eq!(total.by_reason["LEFT_REASON_ABANDONED"], 1);
    // Booked when it happened: who entered before 15 and left at 40 is in both spans, once offered, once abandoned.
    let (before, after) = (centre.total(0, 15).await, centre.total(15, 60).await);
    assert_eq!((before.offered, before.abandoned), (2, 0));
    assert_eq!(
        (after.offered, after.abandoned, after.still_waiting),
        (1, 1, 1)
    );

    // A stricter promise counts for what has happened, too.
    let change = pb::ConfigurationChanged {
        change: Some(queue(2, 5)),
    };
    let event = Event::new(
        Some(TENANT),
        "configuration.object.changed",
        QUEUE,
        at(200),
        &change,
    );
    centre.publish(&[event]).await;
    centre.contacts_when(|seen| !seen[2].meets_sla).await;
    assert_eq!(centre.total(0, 3600).await.service_level_percent, Some(0.0));
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn pages_cover_the_list_once_and_the_list_can_be_narrowed() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    // Two at each moment: the page may end between them.
    for n in 0..10 {
        centre
            .publish(&[queued(ContactId::generate(), n / 2)])
            .await;
    }
    let all = centre.contacts_when(|seen| seen.len() == 10).await;
    let mut paged = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = ListContactsRequest {
            page_size: 3,
            page_token,
            ..Default::default()
        };
        let request = centre.request(TENANT, message);
        let page: ListContactsResponse = centre
            .reports()
            .list_contacts(request)
            .await
            .unwrap()
            .into_inner();
        paged.extend(page.contacts);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);

    let narrow = |from, to, queue: QueueId| ListContactsRequest {
        from: Some(time(from)),
        to: Some(time(to)),
        queue_ids: vec![queue.to_string()],
        ..Default::default()
    };
    for (message, count) in [
        (narrow(1, 3, QUEUE), 4),
        (narrow(1, 3, QueueId::from_u128(8)), 0),
        (narrow(9, 10, QUEUE), 0),
    ] {
        let request = centre.request(TENANT, message);
        let page = centre
            .reports()
            .list_contacts(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.contacts.len(), count);
    }
    for (message, reason) in [
        (narrow(3, 3, QUEUE), "span_empty"),
        (
            ListContactsRequest {
                page_token: "x".into(),
                ..Default::default()
            },
            "page_token_unknown",
        ),
        (
            ListContactsRequest {
                queue_ids: vec!["q".into()],
                ..Default::default()
            },
            "id_malformed",
        ),
    ] {
        let request = centre.request(TENANT, message);
        let status = centre.reports().list_contacts(request).await.unwrap_err();
        assert_eq!(centro_contract::status::reason(&status), reason);
    }
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_time_is_told_without_gaps() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let states = [
        state(0, AgentState::Ready),
        unreachable(10),
        state(30, AgentState::Paused),
        state(20, AgentState::Connected),
        state(50, AgentState::LoggedOut),
    ];
    centre.publish(&states).await;
    let list = |from: i64| {
        let message = ListAgentIntervalsRequest {
            agent_id: AGENT.to_string(),
            from: Some(time(from)),
            ..Default::default()
        };
        let request = centre.request(TENANT, message);
        let mut reports = centre.reports();
        async move {
            reports
                .list_agent_intervals(request)
                .await
                .unwrap()
                .into_inner()
                .intervals
        }
    };
    let mut intervals = Vec::new();
    while intervals.len() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        intervals = list(0).await;
    }
    let told: Vec<_> = intervals
        .iter()
        .map(|i| (i.state(), i.start_time, i.end_time))
        .collect();
    let away: Vec<_> = intervals.iter().map(|i| i.unreachable).collect();
    assert_eq!(away, [false, true, false, false, false]);
    assert_eq!(
        told,
        [
            (AgentState::Ready, Some(time(0)), Some(time(10))),
            (AgentState::Ready, Some(time(10)), Some(time(20))),
            (AgentState::Connected, Some(time(20)), Some(time(30))),
            (AgentState::Paused, Some(time(30)), Some(time(50))),
            (AgentState::LoggedOut, Some(time(50)), None),
        ]
    );
    assert_eq!(
        (
            intervals[3].pause_reason.as_str(),
            intervals[2].pause_reason.as_str()
        ),
        ("lunch", "")
    );
    assert_eq!(list(40).await.len(), 2);
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_open_when_the_process_died_is_closed_at_the_next_start() {
    let data = tempfile::tempdir().unwrap();
    let clock = clock();
    clock.advance(Duration::from_secs(100));
    let centre = Centre::start(data.path(), &clock).await;
    let (waiting, talking) = (ContactId::generate(), ContactId::generate());
    centre.publish(&[queued(waiting, 70)]).await;
    centre.publish(&answered_call(talking, 80)[..4]).await;
    centre.publish(&[state(80, AgentState::Connected)]).await;
    // What was published last is written before the process ends.
    centre.stop().await;

    clock.advance(Duration::from_secs(500));
    let centre = Centre::start(data.path(), &clock).await;
    let seen = centre.contacts(TENANT).await;
    assert_eq!(seen[1].id, waiting.to_string());
    assert_eq!(
        (seen[1].left_reason(), seen[1].wait_ms),
        (LeftReason::SystemFailure, 30_000)
    );
    assert_eq!(
        (seen[0].outcome(), seen[0].end_time),
        (Outcome::Handled, Some(time(100)))
    );
    assert_eq!(
        (seen[0].talk_ms, seen[0].ended_by()),
        (12_000, EndedBy::System)
    );
    let total = centre.total(0, 3600).await;
    assert_eq!((total.offered, total.answered, total.flow_out), (2, 1, 1));
    let request = centre.request(TENANT, ListAgentIntervalsRequest::default());
    let intervals = centre
        .reports()
        .list_agent_intervals(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(intervals.intervals[0].end_time, Some(time(100)));
    centre.stop().await;
}

/// The writer keeps each agent's latest interval at hand; another process may have written a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_count_by_turns_make_one_timeline() {
    engines::on(Kind::Postgres, async {
        let data = tempfile::tempdir().unwrap();
        let one = Centre::start(data.path(), &clock()).await;
        let two = Centre::start(data.path(), &clock()).await;
        let list = || async {
            let request = one.request(TENANT, ListAgentIntervalsRequest::default());
            let answer = one.reports().list_agent_intervals(request).await;
            answer.unwrap().into_inner().intervals
        };
        for n in 0..6 {
            let (centre, doing) = match n % 2 {
                0 => (&one, AgentState::Ready),
                _ => (&two, AgentState::Paused),
            };
            centre.publish(&[state(i64::from(n) * 10, doing)]).await;
            let wanted = usize::try_from(n).unwrap() + 1;
            while list().await.len() < wanted {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
        let intervals = list().await;
        let told: Vec<_> = intervals
            .iter()
            .map(|i| (i.state(), i.start_time, i.end_time))
            .collect();
        let expected = (0..6_i64).map(|n| {
            let doing = match n % 2 {
                0 => AgentState::Ready,
                _ => AgentState::Paused,
            };
            let end = (n < 5).then(|| time(n * 10 + 10));
            (doing, Some(time(n * 10)), end)
        });
        assert_eq!(told, expected.collect::<Vec<_>>());
    })
    .await;
}
