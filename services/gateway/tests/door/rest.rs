use crate::bench::{nobody, start};
use centro_contract::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

fn anna() -> Value {
    json!({"login": "anna", "displayName": "Anna", "roles": ["ROLE_AGENT"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_lives_through_rest() {
    let bench = start(|_| {}).await;
    let created = bench
        .request("POST", "/v1/users")
        .json(&anna())
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), StatusCode::CREATED);
    let place = created.headers()["location"].to_str().unwrap().to_owned();
    let etag = created.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(etag, "\"1\"");
    let user: Value = created.json().await.unwrap();
    assert_eq!(place, format!("/v1/users/{}", user["id"].as_str().unwrap()));
    assert_eq!(user["disabled"], false, "scalars are always there");

    let same = bench
        .request("GET", &place)
        .header("if-none-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);

    let patch = json!({"displayName": "Anna B", "id": "ignored"});
    let patched = bench
        .request("PATCH", &place)
        .header("if-match", &etag)
        .json(&patch)
        .send()
        .await
        .unwrap();
    assert_eq!(patched.status(), StatusCode::OK);
    let user: Value = patched.json().await.unwrap();
    assert_eq!(
        (&user["displayName"], &user["login"]),
        (&json!("Anna B"), &json!("anna"))
    );
    let patched = bench
        .request("PATCH", &place)
        .header("if-match", &etag)
        .json(&patch)
        .send()
        .await
        .unwrap();
    assert_eq!(patched.status(), StatusCode::PRECONDITION_FAILED);
    let problem: Value = patched.json().await.unwrap();
    assert_eq!(problem["code"], "etag_mismatch");

    // A merge patch: null clears, and what is cleared is checked.
    let merge = |body: &str| {
        let request = bench
            .request("PATCH", &place)
            .header("content-type", "application/merge-patch+json");
        request.body(body.to_owned()).send()
    };
    let problem: Value = merge(r#"{"displayName": null}"#)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&problem["code"], &problem["errors"][0]["code"]),
        (&json!("validation_failed"), &json!("name_empty"))
    );
    assert_eq!(problem["errors"][0]["pointer"], "/displayName");
    assert_eq!(merge("{}").await.unwrap().status(), StatusCode::OK);

    let list: Value = bench
        .request("GET", "/v1/users?role=ROLE_AGENT&pageSize=5")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["users"].as_array().unwrap().len(), 1);
    let list: Value = bench
        .request("GET", "/v1/users?role=ROLE_OWNER&page_size=5")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["users"], json!([]));

    let conditional = bench
        .request("DELETE", &place)
        .header("if-match", &etag)
        .send()
        .await
        .unwrap();
    assert_eq!(
        conditional.status(),
        StatusCode::BAD_REQUEST,
        "a condition that cannot be honoured is refused"
    );
    let gone = bench.request("DELETE", &place).send().await.unwrap();
    assert_eq!(
        (gone.status(), gone.text().await.unwrap().len()),
        (StatusCode::NO_CONTENT, 0)
    );
    assert_eq!(
        bench.request("GET", &place).send().await.unwrap().status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_decided_before_the_body_is_read() {
    let bench = start(|settings| settings.max_body = 1024).await;
    let (url, big) = (bench.url("/v1/users"), json!({"login": "x".repeat(4096)}));
    let nobody = bench.web.post(&url).json(&big).send().await.unwrap();
    assert_eq!(
        (nobody.status(), &nobody.headers()["www-authenticate"]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
    assert_eq!(
        nobody.json::<Value>().await.unwrap()["code"],
        "token_missing"
    );
    let agent = bench.token(Role::Agent, Duration::from_secs(60));
    let agent = bench
        .web
        .post(&url)
        .bearer_auth(agent)
        .json(&big)
        .send()
        .await
        .unwrap();
    assert_eq!(agent.status(), StatusCode::FORBIDDEN);
    let agent: Value = agent.json().await.unwrap();
    assert_eq!(
        (&agent["code"], &agent["meta"]["permission"]),
        (&json!("forbidden"), &json!("users.edit"))
    );
    let admin = bench
        .request("POST", "/v1/users")
        .json(&big)
        .send()
        .await
        .unwrap();
    assert_eq!(admin.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let service = centro_contract::Principal::Service { name: "x".into() };
    let service = bench
        .node
        .keys()
        .mint(&service, bench.node.clock().now(), Duration::from_secs(60))
        .unwrap();
    let service = bench
        .web
        .get(bench.url("/v1/me"))
        .bearer_auth(service)
        .send()
        .await
        .unwrap();
    assert_eq!(
        service.status(),
        StatusCode::UNAUTHORIZED,
        "services do not come through the public door"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_has_its_status() {
    let bench = start(|_| {}).await;
    let send = async |verb: &str, path: &str| bench.request(verb, path).send().await.unwrap();
    let wrong = send("PUT", "/v1/users").await;
    assert_eq!(
        (wrong.status(), &wrong.headers()["allow"]),
        (
            StatusCode::METHOD_NOT_ALLOWED,
            &"GET, POST".parse().unwrap()
        )
    );
    assert_eq!(
        send("GET", "/v1/nothing")
            .await
            .json::<Value>()
            .await
            .unwrap()["code"],
        "route_unknown"
    );
    assert_eq!(
        send("GET", "/v1/users/%ff").await.status(),
        StatusCode::BAD_REQUEST
    );
    let media = bench
        .request("POST", "/v1/users")
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(media.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let none = bench
        .request("GET", &format!("/v1/users/{}", nobody()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            none.status(),
            none.json::<Value>().await.unwrap()["code"].clone()
        ),
        (StatusCode::NOT_FOUND, json!("not_found"))
    );

    let passwords = json!({"currentPassword": "a", "newPassword": "a much longer one"});
    let slow = bench
        .request("POST", "/v1/me:changePassword")
        .header("request-timeout", "0.05")
        .json(&passwords)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            slow.status(),
            slow.json::<Value>().await.unwrap()["code"].clone()
        ),
        (StatusCode::GATEWAY_TIMEOUT, json!("deadline_exceeded"))
    );
    let slow = bench
        .request("POST", "/v1/me:changePassword")
        .header("request-timeout", "soon")
        .json(&passwords)
        .send()
        .await
        .unwrap();
    assert_eq!(
        slow.json::<Value>().await.unwrap()["errors"][0]["header"],
        "Request-Timeout"
    );

    let sign_in = async |password: &str| {
        let body = json!({"login": "anna", "password": password});
        bench
            .web
            .post(bench.url("/v1/sessions:signIn"))
            .json(&body)
            .send()
            .await
            .unwrap()
    };
    assert_eq!(sign_in("right").await.status(), StatusCode::OK);
    assert_eq!(
        sign_in("wrong").await.json::<Value>().await.unwrap()["code"],
        "credentials_wrong"
    );
    let again = sign_in("again").await;
    assert_eq!(
        (again.status(), &again.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"7".parse().unwrap())
    );
    let broken = sign_in("panic").await;
    assert_eq!(
        (
            broken.status(),
            broken.json::<Value>().await.unwrap()["code"].clone()
        ),
        (StatusCode::INTERNAL_SERVER_ERROR, json!("internal"))
    );
    let secret = json!({"refreshToken": "x"});
    let secret = bench
        .web
        .post(bench.url("/v1/sessions:refresh"))
        .json(&secret)
        .send()
        .await
        .unwrap();
    assert!(
        !secret.text().await.unwrap().contains("secret detail"),
        "what is for the log stays there"
    );

    bench
        .request("POST", "/v1/users")
        .json(&anna())
        .send()
        .await
        .unwrap();
    let taken = bench
        .request("POST", "/v1/users")
        .json(&anna())
        .send()
        .await
        .unwrap();
    assert_eq!(taken.status(), StatusCode::CONFLICT);
    let taken: Value = taken.json().await.unwrap();
    assert_eq!(
        (
            &taken["code"],
            &taken["errors"][0]["pointer"],
            &taken["errors"][0]["code"]
        ),
        (
            &json!("login_taken"),
            &json!("/login"),
            &json!("login_taken")
        )
    );
    assert!(
        taken["meta"]["existing_id"]
            .as_str()
            .unwrap()
            .starts_with("usr_")
    );
    assert_eq!(
        send("GET", "/v1/recordings").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    // Configuration is not part of this process.
    assert_eq!(
        send("GET", "/v1/call-queues").await.status(),
        StatusCode::NOT_IMPLEMENTED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_exchanged_once_and_acts_as_its_role() {
    let bench = start(|_| {}).await;
    for _ in 0..3 {
        let list = bench
            .web
            .get(bench.url("/v1/users"))
            .bearer_auth("cc_live_good")
            .send()
            .await
            .unwrap();
        assert_eq!(list.status(), StatusCode::OK);
    }
    assert_eq!(*bench.people.exchanges.lock().unwrap(), 1);
    let bad = bench
        .web
        .get(bench.url("/v1/users"))
        .bearer_auth("cc_live_bad")
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(bad.json::<Value>().await.unwrap()["code"], "api_key_wrong");
    // Identity was asked once more, and is not asked for the same unknown key again.
    for _ in 0..3 {
        list_as(&bench, "cc_live_bad").await;
    }
    assert_eq!(*bench.people.exchanges.lock().unwrap(), 2);
}

async fn list_as(bench: &crate::bench::Bench, token: &str) -> (StatusCode, Value) {
    let request = bench.web.get(bench.url("/v1/users")).bearer_auth(token);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_called_back_is_refused_and_a_key_is_asked_for_again() {
    let bench = start(|_| {}).await;
    let (session, other) = (bench.session(), bench.admin());
    assert_eq!(list_as(&bench, &session).await.0, StatusCode::OK);
    assert_eq!(list_as(&bench, "cc_live_good").await.0, StatusCode::OK);
    bench.revoke(crate::bench::SESSION).await;
    let refused = async {
        loop {
            let (status, problem) = list_as(&bench, &session).await;
            if status != StatusCode::OK {
                return (status, problem);
            }
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), refused).await;
    let (status, problem) = within.unwrap();
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNAUTHORIZED, &json!("token_revoked"))
    );
    assert_eq!(list_as(&bench, &other).await.0, StatusCode::OK);

    bench.revoke(crate::bench::KEY).await;
    let asked_again = async {
        while *bench.people.exchanges.lock().unwrap() < 2 {
            list_as(&bench, "cc_live_good").await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), asked_again).await;
    within.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_learns_the_callers_address_from_trusted_proxies_only() {
    let source = async |trusted: &[&str]| {
        let trusted = trusted.iter().map(|text| (*text).to_owned()).collect();
        let bench = start(|settings| settings.trusted_proxies = trusted).await;
        let request = bench.request("GET", "/v1/users");
        let request = request
            .header("x-forwarded-for", "203.0.113.9")
            .header("x-centro-source", "198.51.100.1");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        let seen = bench.people.asked_with.lock().unwrap().clone();
        seen.get("x-centro-source")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(source(&[]).await, "127.0.0.1");
    assert_eq!(source(&["127.0.0.0/8"]).await, "203.0.113.9");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_goes_through_to_the_service() {
    use opentelemetry::trace::TracerProvider;
    use tracing_subscriber::layer::SubscriberExt;
    opentelemetry::global::set_text_map_propagator(
        opentelemetry_sdk::propagation::TraceContextPropagator::new(),
    );
    let spans = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_simple_exporter(spans.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // For every thread of the door; the only test here that wants a subscriber.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();

    let bench = start(|_| {}).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = bench.request("GET", "/v1/users");
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let seen = bench.people.asked_with.lock().unwrap().clone();
    let seen = seen.get("traceparent").unwrap().to_str().unwrap();
    assert!(
        seen.contains(trace) && !seen.contains("b7ad6b7169203331"),
        "a child of our own span: {seen}"
    );
    // It ends a moment after the answer is out.
    let own = async {
        loop {
            let ended = spans.get_finished_spans().unwrap();
            let own = ended.into_iter().find(|span| {
                span.name == "http" && span.span_context.trace_id().to_string() == trace
            });
            if let Some(own) = own {
                return own;
            }
            tokio::task::yield_now().await;
        }
    };
    let own = tokio::time::timeout(Duration::from_secs(5), own).await;
    assert_eq!(
        own.unwrap().parent_span_id.to_string(),
        "b7ad6b7169203331",
        "our span continues the caller's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_given_up() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let bench = start(|settings| settings.body_timeout = Duration::from_millis(50)).await;
    let mut socket = tokio::net::TcpStream::connect(bench.address).await.unwrap();
    let head = format!(
        "POST /v1/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{",
        bench.admin()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), socket.read(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_comes_as_it_is() {
    let bench = start(|_| {}).await;
    let path = |last: u8| format!("/v1/recordings/rec_0000000000000000000000000000000{last}");
    let audio = bench
        .request("GET", &format!("{}/audio", path(1)))
        .send()
        .await
        .unwrap();
    assert_eq!(audio.headers()["content-type"], "audio/wav");
    assert_eq!(audio.headers()["content-disposition"], "inline");
    assert_eq!(audio.bytes().await.unwrap(), "RIFFmore");
    let none = bench
        .request("GET", &format!("{}/audio", path(0)))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (none.status(), &none.headers()["content-type"]),
        (
            StatusCode::NOT_FOUND,
            &"application/problem+json".parse().unwrap()
        )
    );
    // A break right at the start may come before the headers have left.
    let part = async {
        let part = bench
            .request("GET", &format!("{}/audio", path(2)))
            .send()
            .await?;
        part.bytes().await
    };
    part.await.expect_err("a part must not look like the whole");
    let recording: Value = bench
        .request("GET", &path(1))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        recording["sizeBytes"], "1152921504606846976",
        "64-bit numbers are strings"
    );
}
