//! Offers and bids on the bus → why a contact was offered to whom.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

mod centre;

use centre::*;
use centro_bus::Event;
use centro_contract::status;
use centro_kernel::{ContactId, QueueId, TenantId, UserId};
use centro_proto::{
    analytics::{ContactDecision, ListDecisionsRequest},
    events as pb,
    types::{BidCompared, Candidate, Decision, Verdict},
};
use centro_testkit::engines::on_both_engines;
use std::time::Duration;

const BRUNO: UserId = UserId::from_u128(4);

fn offered(contact: ContactId, agent: UserId, reservation: u64, seconds: i64) -> Event {
    let chosen = Candidate {
        agent_id: agent.to_string(),
        verdict: Verdict::Chosen.into(),
        ..Default::default()
    };
    let data = pb::ContactOffered {
        contact_id: contact.to_string(),
        queue_id: QUEUE.to_string(),
        agent_id: agent.to_string(),
        reservation,
        decision: Some(Decision {
            queue_version: 7,
            candidates: vec![chosen],
            sentence_en: "The only free agent who fits.".into(),
            sentence_it: "L’unico agente disponibile e adatto.".into(),
            ..Default::default()
        }),
    };
    let kind = "routing.contact.offered";
    Event::new(Some(TENANT), kind, contact, at(seconds), &data)
}

fn compared(agent: UserId, reservation: u64, seconds: i64, weight: u32) -> Event {
    let bid = |queue: QueueId, weight| BidCompared {
        queue_id: queue.to_string(),
        weight,
        ..Default::default()
    };
    let data = pb::BidsCompared {
        agent_id: agent.to_string(),
        reservation,
        queue_id: QUEUE.to_string(),
        bids: vec![bid(QUEUE, weight), bid(QueueId::from_u128(77), 1)],
    };
    let kind = "routing.agent.bids_compared";
    Event::new(Some(TENANT), kind, agent, at(seconds), &data)
}

async fn decisions(
    centre: &Centre,
    tenant: TenantId,
    contact: ContactId,
) -> Result<Vec<ContactDecision>, String> {
    let message = ListDecisionsRequest {
        contact_id: contact.to_string(),
    };
    let request = centre.request(tenant, message);
    let answer = centre.reports().list_decisions(request).await;
    let answer = answer.map_err(|refused| status::reason(&refused))?;
    Ok(answer.into_inner().decisions)
}

/// The decisions, once they look as expected.
async fn when(
    centre: &Centre,
    contact: ContactId,
    done: impl Fn(&[ContactDecision]) -> bool,
) -> Vec<ContactDecision> {
    let mut seen = Ok(Vec::new());
    for _ in 0..4_000 {
        seen = decisions(centre, TENANT, contact).await;
        if let Ok(seen) = &seen
            && done(seen)
        {
            return seen.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still {seen:#?}");
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn each_offer_keeps_its_reasons_whichever_of_its_two_events_comes_first() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let contact = ContactId::generate();
    let first = [
        queued(contact, 0),
        offered(contact, AGENT, 1, 1),
        compared(AGENT, 1, 1, 9),
    ];
    centre.publish(&first).await;
    when(&centre, contact, |seen| {
        seen.len() == 1 && !seen[0].bids.is_empty()
    })
    .await;
    // The agent's event comes a batch before the queue's, and everything again.
    centre.publish(&[compared(BRUNO, 1, 20, 5)]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    centre.publish(&[offered(contact, BRUNO, 1, 20)]).await;
    centre.publish(&first).await;
    let seen = when(&centre, contact, |seen| seen.len() == 2).await;
    let told: Vec<_> = seen
        .iter()
        .map(|d| {
            (
                d.agent_id.as_str(),
                d.reservation,
                d.offer_time,
                d.bids[0].weight,
            )
        })
        .collect();
    let (anna, bruno) = (AGENT.to_string(), BRUNO.to_string());
    assert_eq!(
        told,
        [
            (anna.as_str(), 1, Some(time(1)), 9),
            (bruno.as_str(), 1, Some(time(20)), 5)
        ]
    );
    let why = seen[0].decision.as_ref().unwrap();
    assert_eq!(why.queue_version, 7);
    assert_eq!(why.candidates[0].verdict(), Verdict::Chosen);
    assert_eq!(why.sentence_en, "The only free agent who fits.");
    assert_eq!(seen[0].queue_id, QUEUE.to_string());
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_contact_that_was_offered_very_often_the_latest_fifty_are_kept() {
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let (often, once) = (ContactId::generate(), ContactId::generate());
    let offers: Vec<_> = (1..=70)
        .map(|n| offered(often, AGENT, n, i64::try_from(n).unwrap()))
        .collect();
    centre
        .publish(&[
            queued(often, 0),
            queued(once, 0),
            offered(once, BRUNO, 1, 1),
        ])
        .await;
    centre.publish(&offers).await;
    let seen = when(&centre, often, |seen| {
        seen.last().is_some_and(|last| last.reservation == 70)
    })
    .await;
    let kept: Vec<_> = seen.iter().map(|d| d.reservation).collect();
    assert_eq!(kept, (21..=70).collect::<Vec<_>>());
    assert_eq!(when(&centre, once, |seen| seen.len() == 1).await.len(), 1);
    centre.stop().await;
}

#[on_both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_of_another_tenant_is_not_found_and_one_that_was_never_offered_has_no_decisions()
{
    let data = tempfile::tempdir().unwrap();
    let centre = Centre::start(data.path(), &clock()).await;
    let contact = ContactId::generate();
    centre.publish(&[queued(contact, 0)]).await;
    centre.contacts_when(|seen| seen.len() == 1).await;
    assert_eq!(decisions(&centre, TENANT, contact).await, Ok(Vec::new()));
    let stranger = TenantId::from_u128(99);
    let not_found = Err("not_found".to_owned());
    assert_eq!(decisions(&centre, stranger, contact).await, not_found);
    let nobody = ContactId::generate();
    assert_eq!(decisions(&centre, TENANT, nobody).await, not_found);
    centre.stop().await;
}
