//! A process with analytics in it, and the events of a call.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)] // tests; each program uses its part

use centro_analytics::{Analytics, Settings};
use centro_bus::{Event, EventBus, LocalBus};
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::{Keys, Principal, Role as Person};
use centro_kernel::{ContactId, QueueId, RecordingId, TenantId, TestClock, Timestamp, UserId};
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Role, Service};
use centro_proto::{
    analytics::{
        Contact, ListContactsRequest, QueueCallerFigures, QueueCallerSummaryRequest,
        reports_client::ReportsClient,
    },
    configuration::{self as cfg, change::Object},
    events as pb,
    types::{AgentState, EndedBy, LeftReason, OfferEnd, Outcome, Party},
};
use centro_store::{Limits, Records};
use centro_testkit::engines;
use std::{path::Path, sync::Arc, time::Duration};
use tonic::{Request, Response, Status};

pub const TENANT: TenantId = TenantId::from_u128(1);
pub const QUEUE: QueueId = QueueId::from_u128(2);
pub const AGENT: UserId = UserId::from_u128(3);

/// Stands for the configuration service: one queue that promises 10 s.
pub struct Configuration;

#[tonic::async_trait]
impl cfg::configuration_feed_server::ConfigurationFeed for Configuration {
    async fn snapshot(
        &self,
        _: Request<cfg::SnapshotRequest>,
    ) -> Result<Response<cfg::SnapshotResponse>, Status> {
        let changes = vec![queue(1, 10)];
        Ok(Response::new(cfg::SnapshotResponse {
            changes,
            next_page_token: String::new(),
        }))
    }
    async fn get_credentials(
        &self,
        _: Request<cfg::GetCredentialsRequest>,
    ) -> Result<Response<cfg::Credentials>, Status> {
        Err(Status::unimplemented(""))
    }
}

pub fn queue(version: u64, within: i64) -> cfg::Change {
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let queue = cfg::CallQueue {
        id: QUEUE.to_string(),
        service_level: Some(cfg::ServiceLevel {
            target_percent: 80,
            within: seconds(within),
        }),
        short_abandon: seconds(5),
        ..Default::default()
    };
    let object = Some(Object::CallQueue(queue));
    cfg::Change {
        tenant_id: TENANT.to_string(),
        version,
        object,
        deleted: false,
    }
}

/// A process with analytics in it.
pub struct Centre {
    pub node: Node,
    pub bus: LocalBus,
}

impl Centre {
    pub async fn start(data: &Path, clock: &TestClock) -> Self {
        let settings = Settings {
            gather: Duration::from_millis(5),
            ..Settings::default()
        };
        Self::with(data, clock, settings).await
    }

    pub async fn with(data: &Path, clock: &TestClock, settings: Settings) -> Self {
        let bus = LocalBus::default();
        let node = NodeBuilder {
            name: "test".into(),
            bus: Arc::new(bus.clone()),
            clock: Arc::new(clock.clone()),
            ownership: Arc::new(LocalOwnership::new(Epoch(1))),
            keys: Keys::new(&[7; 32]),
            data: data.to_owned(),
            records: Records::at(&engines::records().await, data, Limits::default()).unwrap(),
            arbiters: vec![],
            lifecycle: Lifecycle::default(),
        }
        .build();
        let mut mount = Mount::default();
        Analytics::start(settings, node.clone(), &mut mount)
            .await
            .unwrap();
        mount.grpc(cfg::configuration_feed_server::ConfigurationFeedServer::new(Configuration));
        node.open(mount);
        let centre = Self { node, bus };
        while !centre.node.startup().ok {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        centre
    }

    pub async fn publish(&self, events: &[Event]) {
        for event in events {
            self.bus.publish(event.clone()).await.unwrap();
        }
    }

    /// A request as the guard lets it through for a supervisor of the tenant.
    pub fn request<T>(&self, tenant: TenantId, message: T) -> Request<T> {
        let user = UserId::from_u128(9);
        let principal = Principal::User {
            tenant,
            user,
            roles: vec![Person::Supervisor],
        };
        let token = self.node.keys().mint(
            &principal,
            self.node.clock().now(),
            Duration::from_secs(600),
        );
        let mut request = Request::new(message);
        let header = format!("Bearer {}", token.unwrap()).parse().unwrap();
        request.metadata_mut().insert("authorization", header);
        request.extensions_mut().insert(principal);
        request
    }

    pub fn reports(&self) -> ReportsClient<centro_node::Conn> {
        ReportsClient::new(self.node.conn(Role::Analytics))
    }

    pub async fn contacts(&self, tenant: TenantId) -> Vec<Contact> {
        let request = self.request(tenant, ListContactsRequest::default());
        self.reports()
            .list_contacts(request)
            .await
            .unwrap()
            .into_inner()
            .contacts
    }

    /// The contacts, once they look as expected.
    pub async fn contacts_when(&self, done: impl Fn(&[Contact]) -> bool) -> Vec<Contact> {
        let mut seen = Vec::new();
        for _ in 0..2_000 {
            seen = self.contacts(TENANT).await;
            if done(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("still {seen:#?}");
    }

    pub async fn total(&self, from: i64, to: i64) -> QueueCallerFigures {
        let message = QueueCallerSummaryRequest {
            from: Some(time(from)),
            to: Some(time(to)),
            queue_ids: vec![],
        };
        let request = self.request(TENANT, message);
        let summary = self
            .reports()
            .queue_caller_summary(request)
            .await
            .unwrap()
            .into_inner();
        summary.total.unwrap()
    }

    /// As the process does at its end.
    pub async fn stop(self) {
        self.node.lifecycle().stop();
        self.bus.close();
        self.node.lifecycle().closing().wait().await;
    }
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
}

pub fn time(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: 1_700_000_000 + seconds,
        nanos: 0,
    }
}

pub fn clock() -> TestClock {
    TestClock::at(at(0))
}

pub fn queued(contact: ContactId, seconds: i64) -> Event {
    let data = pb::ContactQueued {
        contact_id: contact.to_string(),
        queue_id: QUEUE.to_string(),
        caller: Some(Party {
            number: "+390612345".into(),
            display_name: "Ada".into(),
        }),
        dialled: "+39800".into(),
        enqueue_time: Some(time(seconds)),
        position: 1,
        ..Default::default()
    };
    Event::new(
        Some(TENANT),
        "routing.contact.queued",
        contact,
        at(seconds),
        &data,
    )
}

pub fn left(contact: ContactId, seconds: i64, reason: LeftReason, wait: i64) -> Event {
    let outcome = match reason {
        LeftReason::Answered => Outcome::Handled,
        LeftReason::Abandoned => Outcome::Abandoned,
        _ => Outcome::EvictedSystem,
    };
    let data = pb::ContactLeft {
        contact_id: contact.to_string(),
        queue_id: QUEUE.to_string(),
        agent_id: if reason == LeftReason::Answered {
            AGENT.to_string()
        } else {
            String::new()
        },
        outcome: outcome.into(),
        reason: reason.into(),
        enqueue_time: Some(time(seconds - wait)),
        wait_ms: wait as u64 * 1000,
    };
    Event::new(
        Some(TENANT),
        "routing.contact.left",
        contact,
        at(seconds),
        &data,
    )
}

/// Waits 8 s, is offered once, talks 60 s, is wrapped up in 10 s.
pub fn answered_call(contact: ContactId, start: i64) -> Vec<Event> {
    let (contact_id, queue_id, agent_id) =
        (contact.to_string(), QUEUE.to_string(), AGENT.to_string());
    let event = |kind: &str, seconds: i64, data: &dyn Fn(&str, Timestamp) -> Event| {
        data(kind, at(start + seconds))
    };
    vec![
        queued(contact, start),
        event("routing.contact.offered", 1, &|kind, at| {
            let (contact_id, queue_id) = (contact_id.clone(), queue_id.clone());
            let agent_id = agent_id.clone();
            let data = pb::ContactOffered {
                contact_id,
                queue_id,
                agent_id,
                reservation: 1,
                decision: None,
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
        event("routing.contact.connected", 8, &|kind, at| {
            let (contact_id, queue_id) = (contact_id.clone(), queue_id.clone());
            let agent_id = agent_id.clone();
            let data = pb::ContactConnected {
                contact_id,
                queue_id,
                agent_id,
                reservation: 1,
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
        left(contact, start + 8, LeftReason::Answered, 8),
        event("telephony.recording.finished", 68, &|kind, at| {
            let data = pb::RecordingChanged {
                recording_id: RecordingId::from_u128(5).to_string(),
                contact_id: contact_id.clone(),
                queue_id: queue_id.clone(),
                agent_id: agent_id.clone(),
                duration_ms: 60_000,
                failed: false,
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
        event("telephony.call.ended", 68, &|kind, at| {
            let data = pb::CallEnded {
                contact_id: contact_id.clone(),
                queue_id: queue_id.clone(),
                agent_id: agent_id.clone(),
                ended_by: EndedBy::Caller.into(),
                talk_ms: 60_000,
                duration_ms: 70_000,
                ..Default::default()
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
        event("routing.contact.offer_ended", 68, &|kind, at| {
            let data = pb::OfferEnded {
                contact_id: contact_id.clone(),
                queue_id: queue_id.clone(),
                agent_id: agent_id.clone(),
                reservation: 1,
                why: OfferEnd::Answered.into(),
                ring_ms: 6_000,
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
        event("routing.contact.wrap_up_ended", 78, &|kind, at| {
            let (contact_id, queue_id) = (contact_id.clone(), queue_id.clone());
            let agent_id = agent_id.clone();
            let data = pb::WrapUpEnded {
                contact_id,
                queue_id,
                agent_id,
                wrap_up_ms: 10_000,
            };
            Event::new(Some(TENANT), kind, contact, at, &data)
        }),
    ]
}

pub fn state(seconds: i64, state: AgentState) -> Event {
    let data = pb::AgentStateChanged {
        agent_id: AGENT.to_string(),
        state: state.into(),
        since: Some(time(seconds)),
        pause_reason: "lunch".into(),
        device_online: true,
        ..Default::default()
    };
    agent_event(seconds, &data)
}

/// Ready, with a phone that is away.
pub fn unreachable(seconds: i64) -> Event {
    let data = pb::AgentStateChanged {
        agent_id: AGENT.to_string(),
        state: AgentState::Ready.into(),
        since: Some(time(seconds)),
        ..Default::default()
    };
    agent_event(seconds, &data)
}

fn agent_event(seconds: i64, data: &pb::AgentStateChanged) -> Event {
    Event::new(
        Some(TENANT),
        "routing.agent.state_changed",
        AGENT,
        at(seconds),
        data,
    )
}
