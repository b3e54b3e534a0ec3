//! A service in a process, reached through the generated client: identity, deadline, start, trace, health.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::Keys;
use centro_kernel::SystemClock;
use centro_node::{Lifecycle, Mount, Node, NodeBuilder, Role, health::Kind};
use centro_proto::chat::{
    PingRequest, PingResponse,
    chat_health_client::ChatHealthClient,
    chat_health_server::{ChatHealth, ChatHealthServer},
};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{InMemorySpanExporter, SdkTracerProvider},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

fn node() -> Node {
    NodeBuilder {
        name: "test".into(),
        bus: Arc::new(LocalBus::default()),
        clock: Arc::new(SystemClock),
        ownership: Arc::new(LocalOwnership::new(Epoch(1))),
        keys: Keys::new(&[7; 32]),
        data: std::env::temp_dir(),
        records: centro_node::Records::folder(std::env::temp_dir()),
        arbiters: vec![],
        lifecycle: Lifecycle::default(),
    }
    .build()
}

/// Answers at once, or never; keeps what the last request carried.
#[derive(Clone, Default)]
struct Door {
    never: bool,
    seen: Arc<Mutex<MetadataMap>>,
}

#[tonic::async_trait]
impl ChatHealth for Door {
    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        *self.seen.lock().unwrap() = request.metadata().clone();
        if self.never {
            std::future::pending::<()>().await;
        }
        tracing::info_span!("work").in_scope(|| ());
        Ok(Response::new(PingResponse {}))
    }
}

fn open(node: &Node, door: Door) -> ChatHealthClient<centro_node::Conn> {
    let mut mount = Mount::default();
    mount.grpc(ChatHealthServer::new(door));
    node.open(mount);
    ChatHealthClient::new(node.conn(Role::Chat))
}

#[tokio::test]
async fn a_call_before_the_doors_open_is_unavailable_and_after_it_is_answered() {
    let node = node();
    let mut client = ChatHealthClient::new(node.conn(Role::Chat));
    let status = client.ping(PingRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    open(&node, Door::default());
    client.ping(PingRequest {}).await.unwrap();
}

#[tokio::test]
async fn a_call_says_which_service_makes_it() {
    let node = node();
    let door = Door::default();
    open(&node, door.clone())
        .ping(PingRequest {})
        .await
        .unwrap();
    let metadata = door.seen.lock().unwrap().clone();
    let token = metadata.get("authorization").unwrap().to_str().unwrap();
    assert!(token.starts_with("Bearer "));
}

#[tokio::test]
async fn a_call_that_is_not_answered_ends_at_its_deadline() {
    let node = node();
    let mut client = open(
        &node,
        Door {
            never: true,
            ..Door::default()
        },
    );
    let mut request = Request::new(PingRequest {});
    request.set_timeout(Duration::from_millis(20));
    assert_eq!(
        client.ping(request).await.unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn an_unknown_rpc_is_unimplemented() {
    let node = node();
    node.open(Mount::default());
    let status = ChatHealthClient::new(node.conn(Role::Chat))
        .ping(PingRequest {})
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn one_trace_goes_through_the_call() {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let node = node();
    let door = Door::default();
    let mut client = open(&node, door.clone());
    let caller = tracing::info_span!("caller");
    client
        .ping(PingRequest {})
        .instrument(caller)
        .await
        .unwrap();

    let spans = exporter.get_finished_spans().unwrap();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (caller, server, work) = (
        named("caller"),
        named("centro.chat.v1.ChatHealth/Ping"),
        named("work"),
    );
    assert_eq!(server.parent_span_id, caller.span_context.span_id());
    assert_eq!(work.parent_span_id, server.span_context.span_id());
    assert_eq!(
        server.span_context.trace_id(),
        caller.span_context.trace_id()
    );
    let metadata = door.seen.lock().unwrap().clone();
    let traceparent = metadata.get("traceparent").unwrap().to_str().unwrap();
    assert!(traceparent.contains(&caller.span_context.trace_id().to_string()));
}

#[tokio::test]
async fn a_process_is_ready_when_it_has_started_and_until_it_drains() {
    let node = node();
    let facts = node
        .health()
        .flag(Kind::Startup, "analytics.facts", "facts are loading");
    let bus = node.health().flag(Kind::Ready, "bus", "the broker is away");
    assert!(node.live().ok);
    assert!(!node.startup().ok);
    node.open(Mount::default());
    facts.raise();
    assert!(node.startup().ok);
    assert!(!node.ready().ok);
    bus.raise();
    assert!(node.ready().ok);
    node.lifecycle().drain();
    let report = node.ready();
    assert!(!report.ok && node.live().ok && node.startup().ok);
    let failing: Vec<_> = report
        .checks
        .into_iter()
        .filter(|check| !check.ok)
        .collect();
    assert_eq!(failing[0].reason, "the process is draining");
}

#[tokio::test]
async fn what_waits_for_all_services_runs_when_the_doors_open_and_not_for_a_task() {
    let node = node();
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    node.spawn_when_open(async move {
        let _ = told.send(()).await;
    });
    node.open_alone(Mount::default());
    let mut client = ChatHealthClient::new(node.conn(Role::Chat));
    let status = client.ping(PingRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "the doors are open");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(
        heard.try_recv().is_err(),
        "it ran although others are not there"
    );
    node.open(Mount::default());
    assert_eq!(heard.recv().await, Some(()));
}
