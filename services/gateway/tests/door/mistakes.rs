use crate::bench::start;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_named_at_once_with_its_place() {
    let bench = start(|_| {}).await;
    let body =
        r#"{"loginn": "x", "roles": ["NOPE", 3], "disabled": "yes", "login": "a", "login": "b"}"#;
    let post = |body: &str| {
        let request = bench
            .request("POST", "/v1/users")
            .header("content-type", "application/json; charset=utf-8");
        request.body(body.to_owned()).send()
    };
    let twice = post(body).await.unwrap();
    assert_eq!(twice.headers()["content-type"], "application/problem+json");
    let id = twice.headers()["x-request-id"].to_str().unwrap().to_owned();
    let twice: Value = twice.json().await.unwrap();
    assert_eq!(
        (&twice["errors"][0]["pointer"], &twice["errors"][0]["code"]),
        (&json!("/login"), &json!("field_repeated"))
    );
    assert_eq!(twice["instance"], format!("urn:centro:request:{id}"));

    let all: Value = post(&body.replace(r#", "login": "b""#, ""))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let found: Vec<_> = all["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    for want in [
        ("/loginn", "field_unknown"),
        ("/roles/0", "enum_unknown"),
        ("/roles/1", "field_type"),
        ("/disabled", "field_type"),
    ] {
        assert!(found.contains(&want), "{want:?} in {found:?}");
    }
    // Rules of the fields, from the guard of the service.
    let rules: Value =
        post(r#"{"login": "", "displayName": "", "roles": ["ROLE_AGENT", "ROLE_AGENT"]}"#)
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
    let found: Vec<_> = rules["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    for want in [
        ("/login", "text_too_short"),
        ("/displayName", "name_empty"),
        ("/roles/1", "items_repeated"),
    ] {
        assert!(found.contains(&want), "{want:?} in {found:?}");
    }
    let code =
        async |body: &str| post(body).await.unwrap().json::<Value>().await.unwrap()["code"].clone();
    assert_eq!(code("{").await, "json_malformed");
    assert_eq!(code("").await, "body_missing");

    let query: Value = bench
        .request(
            "GET",
            "/v1/users?bogus=1&pageSize=x&role=NOPE&pageToken=a&pageToken=b",
        )
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let found: Vec<_> = query["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["parameter"].as_str().unwrap(),
                e["code"].as_str().unwrap(),
            )
        })
        .collect();
    for want in [
        ("bogus", "parameter_unknown"),
        ("pageSize", "parameter_type"),
        ("role", "enum_unknown"),
        ("pageToken", "parameter_repeated"),
    ] {
        assert!(found.contains(&want), "{want:?} in {found:?}");
    }
    let path: Value = bench
        .request("GET", "/v1/users/nonsense")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&path["errors"][0]["parameter"], &path["errors"][0]["code"]),
        (&json!("id"), &json!("pattern_mismatch"))
    );
    let stale: Value = bench
        .request("GET", "/v1/users?pageToken=stale")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&stale["code"], &stale["errors"][0]["parameter"]),
        (&json!("page_token_unknown"), &json!("pageToken"))
    );
}
