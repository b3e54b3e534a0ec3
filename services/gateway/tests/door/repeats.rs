use crate::bench::{ANNA, Bench, restart, start};
use centro_contract::{Principal, Role};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

async fn create(bench: &Bench, key: &str, login: &str) -> Response {
    let user = json!({"login": login, "displayName": "Anna Repeated", "roles": ["ROLE_AGENT"]});
    let request = bench.request("POST", "/v1/users").json(&user);
    request.header("idempotency-key", key).send().await.unwrap()
}

async fn code(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, answer.json::<Value>().await.unwrap()["code"].take())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_makes_nothing_more_and_gets_the_first_answer_after_a_restart_too() {
    let bench = start(|_| {}).await;
    let first = create(&bench, "first-request", "anna").await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let place = first.headers()["location"].clone();
    let made: Value = first.json().await.unwrap();
    let after = restart(&bench).await;
    for bench in [&bench, &after] {
        let again = create(bench, "first-request", "anna").await;
        assert_eq!(again.status(), StatusCode::CREATED);
        assert_eq!(again.headers()["location"], place);
        assert_eq!(again.json::<Value>().await.unwrap(), made);
    }
    let taken = create(&bench, "k-2", "anna").await;
    assert_eq!(code(taken).await, (409, json!("login_taken")));
    for file in std::fs::read_dir(bench.data.path()).unwrap() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        let has = |part: &[u8]| text.windows(part.len()).any(|here| here == part);
        assert!(
            !has(b"first-request") && !has(b"Anna Repeated"),
            "nobody can read it"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_of_one_request_and_one_caller() {
    let bench = start(|_| {}).await;
    assert_eq!(create(&bench, "k-1", "anna").await.status(), 201);
    let other = create(&bench, "k-1", "bruno").await;
    assert_eq!(code(other).await, (422, json!("idempotency_key_reused")));
    let somebody = Principal::User {
        tenant: crate::bench::TENANT,
        user: centro_kernel::UserId::from_u128(77),
        roles: vec![Role::Admin],
    };
    let (now, ttl) = (bench.node.clock().now(), Duration::from_secs(60));
    let token = bench.node.keys().mint(&somebody, now, ttl).unwrap();
    assert_ne!(somebody.user(), Some(ANNA));
    let user = json!({"login": "carla", "displayName": "Carla", "roles": ["ROLE_AGENT"]});
    let request = bench.web.post(bench.url("/v1/users")).bearer_auth(token);
    let request = request.header("idempotency-key", "k-1").json(&user);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let bad = create(&bench, "two words", "dora").await;
    assert_eq!(code(bad).await, (400, json!("validation_failed")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_may_be_tried_again_and_what_is_not_known_is_said_so() {
    let bench = start(|_| {}).await;
    assert_eq!(create(&bench, "k-1", "anna").await.status(), 201);
    let refused = create(&bench, "k-2", "anna").await;
    assert_eq!(refused.status(), 409);
    let place = "/v1/users";
    let list: Value = bench
        .request("GET", place)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = list["users"][0]["id"].as_str().unwrap().to_owned();
    let gone = bench
        .request("DELETE", &format!("{place}/{id}"))
        .send()
        .await;
    assert_eq!(gone.unwrap().status(), 204);
    assert_eq!(create(&bench, "k-2", "anna").await.status(), 201);

    for _ in 0..2 {
        let early = create(&bench, "k-3", "early").await;
        assert_eq!(code(early).await, (503, json!("configuration_loading")));
    }
    let broken = create(&bench, "k-4", "broken").await;
    assert_eq!(code(broken).await, (503, json!("unavailable")));
    let again = create(&bench, "k-4", "broken").await;
    assert_eq!(
        code(again).await,
        (409, json!("idempotency_outcome_unknown"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_under_way_is_not_begun_again_also_when_who_asked_has_gone() {
    let bench = start(|_| {}).await;
    let user = json!({"login": "slow", "displayName": "Slow", "roles": ["ROLE_AGENT"]});
    let slow = |timeout: &str| {
        let request = bench.request("POST", "/v1/users").json(&user);
        let request = request.header("idempotency-key", "k-1");
        request.header("request-timeout", timeout).send()
    };
    let first = tokio::spawn(slow("60"));
    bench.people.slow.notified().await;
    let second = code(slow("60").await.unwrap()).await;
    assert_eq!(second, (409, json!("idempotency_running")));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    bench.people.released.notify_one();
    let made = async {
        loop {
            let answer = slow("60").await.unwrap();
            if answer.status() != StatusCode::CONFLICT {
                return answer.status();
            }
        }
    };
    let made = tokio::time::timeout(Duration::from_secs(10), made).await;
    assert_eq!(made.unwrap(), StatusCode::CREATED, "the first answer");

    // Nobody lets this one go on.
    let late = || {
        let request = bench.request("POST", "/v1/users").json(&user);
        let request = request.header("idempotency-key", "k-2");
        request.header("request-timeout", "1").send()
    };
    assert_eq!(late().await.unwrap().status(), 504);
    let again = code(late().await.unwrap()).await;
    assert_eq!(again, (409, json!("idempotency_outcome_unknown")));
}
