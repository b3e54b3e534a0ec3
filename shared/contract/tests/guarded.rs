//! The guard in front of a server, as a caller sees it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use bytes::{BufMut, Bytes, BytesMut};
use centro_contract::{
    Api, Basis, Guard, Keys, Principal, Revocations, Role,
    audit::{Audit, AuditRecord},
    revocation::Revocation,
    status,
};
use centro_kernel::{Clock, TenantId, TestClock, Timestamp, UserId};
use centro_proto::{configuration::*, identity::SignInRequest};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use prost::Message;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tonic::{Code, Status, body::Body};
use tower::{Layer, ServiceExt, service_fn};

const QUEUES: &str = "/centro.configuration.v1.CallQueues/";

/// What was called, and why it was refused.
type Entry = (String, Option<String>);

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<Entry>>>);

impl Audit for Records {
    fn record(&self, record: AuditRecord<'_>) {
        let entry = (
            record.method.descriptor.name().to_owned(),
            record.refused.map(str::to_owned),
        );
        self.0.lock().unwrap().push(entry);
    }
}

struct Bench {
    guard: Guard,
    revocations: Revocations,
    keys: Keys,
    clock: TestClock,
    records: Records,
}

fn bench() -> Bench {
    let (keys, clock, records) = (
        Keys::new(&[7; 32]),
        TestClock::at(Timestamp::from_millis(1_000_000)),
        Records::default(),
    );
    let revocations = Revocations::default();
    revocations.set_loaded();
    let guard = Guard::auditing(
        Api::installed().unwrap(),
        keys.clone(),
        revocations.clone(),
        Arc::new(clock.clone()),
        records.clone(),
    );
    Bench {
        guard,
        revocations,
        keys,
        clock,
        records,
    }
}

impl Bench {
    fn token(&self, principal: &Principal) -> String {
        self.keys
            .mint(principal, self.clock.now(), Duration::from_secs(60))
            .unwrap()
    }

    /// Calls through the guard; the server behind it gives back the request's message and who it was told calls.
    async fn call(
        &self,
        path: &str,
        message: &impl Message,
        token: Option<&str>,
    ) -> Result<(Bytes, Option<Principal>), Status> {
        let seen = Arc::new(Mutex::new(None));
        let inner = {
            let seen = seen.clone();
            service_fn(move |request: Request<Body>| {
                let seen = seen.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let frame = body.collect().await.unwrap().to_bytes();
                    *seen.lock().unwrap() = Some((
                        frame.slice(5..),
                        parts.extensions.get::<Principal>().cloned(),
                    ));
                    Ok::<_, Infallible>(Response::new(Body::default()))
                }
            })
        };
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(message.encoded_len() as u32);
        message.encode(&mut frame).unwrap();
        let mut request = Request::post(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(frame.freeze())).unwrap();
        let response = self.guard.layer(inner).oneshot(request).await.unwrap();
        match seen.lock().unwrap().take() {
            Some(seen) => Ok(seen),
            None => Err(response.extensions().get::<Status>().unwrap().clone()),
        }
    }
}

fn person(role: Role) -> Principal {
    Principal::User {
        tenant: TenantId::from_u128(1),
        user: UserId::from_u128(2),
        roles: vec![role],
    }
}

fn create(name: &str) -> CreateCallQueueRequest {
    CreateCallQueueRequest {
        call_queue: Some(CallQueue {
            display_name: name.into(),
            ..Default::default()
        }),
    }
}

#[tokio::test]
async fn a_good_request_reaches_the_server_with_its_caller_and_its_defaults() {
    let bench = bench();
    let admin = person(Role::Admin);
    let token = bench.token(&admin);
    let (message, who) = bench
        .call(
            &format!("{QUEUES}CreateCallQueue"),
            &create("Sales"),
            Some(&token),
        )
        .await
        .unwrap();
    assert_eq!(who, Some(admin));
    let queue = CreateCallQueueRequest::decode(message)
        .unwrap()
        .call_queue
        .unwrap();
    assert_eq!(queue.record, Some(true));
    assert_eq!(
        bench.records.0.lock().unwrap()[..],
        [("CreateCallQueue".to_owned(), None)]
    );
}

#[tokio::test]
async fn who_may_not_is_refused_before_the_request_is_read_and_leaves_a_trace() {
    let bench = bench();
    let path = format!("{QUEUES}CreateCallQueue");
    let agent = bench.token(&person(Role::Agent));
    let refused = bench
        .call(&path, &create(""), Some(&agent))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::PermissionDenied, "forbidden")
    );
    let refused = bench.call(&path, &create("Sales"), None).await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::Unauthenticated, "token_missing")
    );
    let admin = bench.token(&person(Role::Admin));
    bench
        .call(&path, &create("Sales"), Some(&admin))
        .await
        .unwrap();
    bench.clock.advance(Duration::from_secs(60));
    let refused = bench
        .call(&path, &create("Sales"), Some(&admin))
        .await
        .unwrap_err();
    assert_eq!(
        status::reason(&refused),
        "token_expired",
        "a remembered token expires too"
    );
    let reasons: Vec<_> = bench
        .records
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|(_, reason)| reason.clone())
        .collect();
    assert_eq!(
        reasons,
        [
            Some("forbidden".into()),
            Some("token_missing".into()),
            None,
            Some("token_expired".into())
        ]
    );
}

#[tokio::test]
async fn internal_rpcs_are_for_services_only_and_services_act_as_nobody() {
    let bench = bench();
    let service = bench.token(&Principal::Service {
        name: "routing".into(),
    });
    let admin = bench.token(&person(Role::Owner));
    let snapshot = "/centro.configuration.v1.ConfigurationFeed/Snapshot";
    bench
        .call(snapshot, &SnapshotRequest::default(), Some(&service))
        .await
        .unwrap();
    let refused = bench
        .call(snapshot, &SnapshotRequest::default(), Some(&admin))
        .await
        .unwrap_err();
    assert_eq!(status::reason(&refused), "internal_only");
    let refused = bench
        .call(
            &format!("{QUEUES}CreateCallQueue"),
            &create("Sales"),
            Some(&service),
        )
        .await
        .unwrap_err();
    assert_eq!(status::reason(&refused), "forbidden");
    let unknown = bench
        .call(
            "/centro.configuration.v1.Nothing/Here",
            &create("x"),
            Some(&service),
        )
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_masked_update_is_checked_where_the_mask_points() {
    let bench = bench();
    let token = bench.token(&person(Role::Admin));
    let update = |paths: &[&str], queue: CallQueue| UpdateCallQueueRequest {
        call_queue: Some(queue),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|p| (*p).to_owned()).collect(),
        }),
    };
    let path = format!("{QUEUES}UpdateCallQueue");
    let weight = CallQueue {
        weight: Some(3),
        ..Default::default()
    };
    bench
        .call(&path, &update(&["weight"], weight.clone()), Some(&token))
        .await
        .unwrap();
    bench
        .call(&path, &update(&[], weight.clone()), Some(&token))
        .await
        .unwrap();
    let refused = bench
        .call(&path, &update(&["display_name"], weight), Some(&token))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::InvalidArgument, "validation_failed")
    );
}

#[tokio::test]
async fn a_token_that_was_called_back_is_refused_from_the_next_call_on() {
    let bench = bench();
    let basis = Basis {
        source: "session".into(),
        version: 3,
    };
    let now = bench.clock.now();
    let ttl = Duration::from_secs(60);
    let token = bench
        .keys
        .mint_on(&basis, &person(Role::Admin), now, ttl)
        .unwrap();
    let path = format!("{QUEUES}CreateCallQueue");
    bench
        .call(&path, &create("Sales"), Some(&token))
        .await
        .unwrap();
    let revocation = Revocation {
        subject: "session".into(),
        before_version: 0,
        until: now + ttl,
    };
    bench.revocations.add([revocation], now);
    let refused = bench
        .call(&path, &create("Sales"), Some(&token))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (Code::Unauthenticated, "token_revoked")
    );
    let other = bench.token(&person(Role::Admin));
    bench
        .call(&path, &create("Sales"), Some(&other))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_public_rpc_knows_a_service_by_its_token_and_takes_nobody_elses_word() {
    let bench = bench();
    let sign_in = SignInRequest {
        login: "anna".into(),
        password: "secret".into(),
        ..Default::default()
    };
    let path = "/centro.identity.v1.Sessions/SignIn";
    let service = Principal::Service {
        name: "gateway".into(),
    };
    let token = bench.token(&service);
    let (_, who) = bench.call(path, &sign_in, Some(&token)).await.unwrap();
    assert_eq!(who, Some(service));
    for token in [
        None,
        Some("forged".to_owned()),
        Some(bench.token(&person(Role::Owner))),
    ] {
        let (_, who) = bench.call(path, &sign_in, token.as_deref()).await.unwrap();
        assert_eq!(who, None);
    }
}
