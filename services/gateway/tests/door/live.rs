use crate::bench::{ANNA, Bench, TENANT, start, start_with};
use centro_bus::{BusError, Event, EventBus, LocalBus, Seen, Subscription, Watch};
use centro_contract::Role;
use centro_kernel::{TenantId, UserId};
use centro_proto::events::{ContactOffered, UserChanged};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::CloseFrame},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(bench: &Bench, first: Value) -> Socket {
    let (mut socket, _) = connect_async(format!("ws://{}/v1/live", bench.address))
        .await
        .unwrap();
    socket.send(Message::text(first.to_string())).await.unwrap();
    socket
}

/// The next message, or how the stream ended.
async fn next(socket: &mut Socket) -> Result<Value, CloseFrame> {
    let wait = Duration::from_secs(10);
    loop {
        match tokio::time::timeout(wait, socket.next())
            .await
            .expect("in time")
            .expect("not torn")
            .unwrap()
        {
            Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => return Err(frame.unwrap()),
            _ => {}
        }
    }
}

async fn offered(bench: &Bench, tenant: TenantId, agent: UserId) {
    let data = ContactOffered {
        agent_id: agent.to_string(),
        reservation: 5,
        ..Default::default()
    };
    let event = Event::new(
        Some(tenant),
        "routing.contact.offered",
        "con_1",
        bench.node.clock().now(),
        &data,
    );
    bench.bus().publish(event).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_what_is_about_the_agent_and_a_supervisor_the_tenant() {
    let bench = start(|_| {}).await;
    let token = |role| json!({"token": bench.token(role, Duration::from_secs(60))});
    let mut agent = connect(&bench, token(Role::Agent)).await;
    let mut supervisor = connect(&bench, token(Role::Supervisor)).await;
    let mut key = connect(&bench, json!({"token": "cc_live_good"})).await;
    for socket in [&mut agent, &mut supervisor, &mut key] {
        assert_eq!(next(socket).await.unwrap()["type"], "heartbeat", "accepted");
    }
    offered(&bench, TenantId::from_u128(9), ANNA).await;
    offered(&bench, TENANT, UserId::from_u128(8)).await;
    let user = UserChanged {
        user_id: "usr_x".into(),
        ..Default::default()
    };
    let user = Event::new(
        Some(TENANT),
        "identity.user.changed",
        "usr_x",
        bench.node.clock().now(),
        &user,
    );
    bench.bus().publish(user).await.unwrap();
    offered(&bench, TENANT, ANNA).await;

    let event = next(&mut agent).await.unwrap();
    assert_eq!(
        (&event["specversion"], &event["type"]),
        (&json!("1.0"), &json!("routing.contact.offered"))
    );
    assert_eq!(
        event["data"]["agentId"],
        ANNA.to_string(),
        "another agent's offer is not shown"
    );
    assert_eq!(event["data"]["reservation"], "5");
    assert_eq!(event["tenantid"], TENANT.to_string());
    for socket in [&mut supervisor, &mut key] {
        assert_eq!(
            next(socket).await.unwrap()["data"]["agentId"],
            UserId::from_u128(8).to_string()
        );
        assert_eq!(next(socket).await.unwrap()["type"], "identity.user.changed");
        assert_eq!(
            next(socket).await.unwrap()["data"]["agentId"],
            ANNA.to_string()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_nothing_and_an_old_token_ends_the_stream() {
    let bench = start(|settings| settings.live_heartbeat = Duration::from_millis(50)).await;
    for first in [json!({"token": "forged"}), json!("hello")] {
        let mut socket = connect(&bench, first).await;
        assert_eq!(u16::from(next(&mut socket).await.unwrap_err().code), 4003);
    }
    let token = bench.token(Role::Agent, Duration::from_secs(2));
    let mut socket = connect(&bench, json!({"token": token})).await;
    let mut beats = 0;
    let end = loop {
        match next(&mut socket).await {
            Ok(message) => {
                assert_eq!(message["type"], "heartbeat");
                beats += 1;
            }
            Err(frame) => break frame,
        }
    };
    assert_eq!(u16::from(end.code), 4001);
    assert!(beats > 3, "{beats} heartbeats");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_tells_the_streams_and_a_plain_request_is_told_what_to_do() {
    let bench = start(|settings| settings.live_connections = 1).await;
    let plain = bench.request("GET", "/v1/live").send().await.unwrap();
    assert_eq!(plain.status(), 426);
    let mut socket = connect(&bench, json!({"token": bench.admin()})).await;
    next(&mut socket).await.unwrap();
    let full = bench.request("GET", "/v1/live").send().await.unwrap();
    assert_eq!(full.status(), 503);
    bench.node.lifecycle().stop();
    assert_eq!(u16::from(next(&mut socket).await.unwrap_err().code), 1012);
}

/// A bus whose watchers miss three events before the first.
struct Lossy(LocalBus);

struct Missed(Option<Seen>, Box<dyn Watch>);

#[tonic::async_trait]
impl EventBus for Lossy {
    async fn publish(&self, event: Event) -> Result<(), BusError> {
        self.0.publish(event).await
    }
    async fn subscribe(
        &self,
        group: &str,
        patterns: &[&str],
    ) -> Result<Box<dyn Subscription>, BusError> {
        self.0.subscribe(group, patterns).await
    }
    async fn watch(&self, patterns: &[&str]) -> Result<Box<dyn Watch>, BusError> {
        Ok(Box::new(Missed(
            Some(Seen::Lagged(3)),
            self.0.watch(patterns).await?,
        )))
    }
}

#[tonic::async_trait]
impl Watch for Missed {
    async fn next(&mut self) -> Option<Seen> {
        match self.0.take() {
            Some(seen) => Some(seen),
            None => self.1.next().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_missed_events_is_told_how_many() {
    let bench = start_with(Arc::new(Lossy(LocalBus::default())), |_| {}).await;
    let mut socket = connect(&bench, json!({"token": bench.admin()})).await;
    let both = [
        next(&mut socket).await.unwrap(),
        next(&mut socket).await.unwrap(),
    ];
    assert!(
        both.contains(&json!({"type": "lagged", "missed": 3})),
        "{both:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_session_does() {
    let bench = start(|_| {}).await;
    let mut ended = connect(&bench, json!({"token": bench.session()})).await;
    let mut key = connect(&bench, json!({"token": "cc_live_good"})).await;
    let mut other = connect(&bench, json!({"token": bench.admin()})).await;
    for socket in [&mut ended, &mut key, &mut other] {
        next(socket).await.unwrap();
    }
    bench.revoke(crate::bench::SESSION).await;
    let frame = async {
        loop {
            if let Err(frame) = next(&mut ended).await {
                return frame;
            }
        }
    };
    let frame = tokio::time::timeout(Duration::from_secs(5), frame).await;
    assert_eq!(u16::from(frame.unwrap().code), 4001);
    offered(&bench, TENANT, ANNA).await;
    for socket in [&mut key, &mut other] {
        let mut event = next(socket).await.unwrap();
        while event["type"] == "heartbeat" {
            event = next(socket).await.unwrap();
        }
        assert_eq!(event["type"], "routing.contact.offered", "goes on");
    }
}

/// A stream of which a trusted proxy says where it comes from.
async fn stranger(bench: &Bench, source: &str) -> Socket {
    let url = format!("ws://{}/v1/live", bench.address);
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("x-forwarded-for", source.parse().unwrap());
    connect_async(request).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_no_places_of_people() {
    let bench = start(|settings| {
        settings.live_connections = 2;
        settings.live_introduction = Duration::from_secs(600);
        settings.trusted_proxies = vec!["127.0.0.1".into()];
    })
    .await;
    let mut strangers = Vec::new();
    for n in 1..=9 {
        strangers.push(stranger(&bench, &format!("2001:db8::{n}")).await);
    }
    let mut oldest = strangers.remove(0);
    assert_eq!(u16::from(next(&mut oldest).await.unwrap_err().code), 4013);
    // The others still wait: who says who it is is let in.
    let mut first = strangers.pop().unwrap();
    let token = json!({"token": bench.admin()}).to_string();
    first.send(Message::text(token)).await.unwrap();
    next(&mut first).await.unwrap();
    let mut second = connect(&bench, json!({"token": bench.admin()})).await;
    next(&mut second).await.unwrap();
    // Now the places of people are taken: a stranger that comes is told at once, one that waited when it is known.
    let full = connect_async(format!("ws://{}/v1/live", bench.address));
    let full = full.await.unwrap_err();
    assert!(full.to_string().contains("503"), "{full}");
    let mut waited = strangers.pop().unwrap();
    let token = json!({"token": bench.admin()}).to_string();
    waited.send(Message::text(token)).await.unwrap();
    assert_eq!(u16::from(next(&mut waited).await.unwrap_err().code), 4013);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_sent_away_and_why_nobody_is_let_in_is_told() {
    let bench = start(|settings| settings.live_introduction = Duration::from_millis(1)).await;
    let url = format!("ws://{}/v1/live", bench.address);
    let mut silent = connect_async(url).await.unwrap().0;
    assert_eq!(u16::from(next(&mut silent).await.unwrap_err().code), 4003);

    let bench = start(|_| {}).await;
    let close = async |token: &str| {
        let mut socket = connect(&bench, json!({"token": token})).await;
        u16::from(next(&mut socket).await.unwrap_err().code)
    };
    let old = bench.token(Role::Agent, Duration::ZERO);
    assert_eq!(close(&old).await, 4001, "expired");
    assert_eq!(close("cc_live_unknown").await, 4003);
    assert_eq!(close("cc_live_away").await, 4013, "identity is away");
    assert_eq!(close("cc_live_busy").await, 4013, "identity is busy");
}
