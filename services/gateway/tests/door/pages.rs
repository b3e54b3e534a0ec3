use crate::bench::start;
use reqwest::StatusCode;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_answers_carry_their_security_headers() {
    let bench =
        start(|settings| settings.allowed_origins = vec!["https://desk.example.com".into()]).await;
    let page = bench.web.get(bench.url("/")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe-eval"),
        "{policy}"
    );
    assert_eq!(
        (
            &page.headers()["x-content-type-options"],
            &page.headers()["x-frame-options"]
        ),
        (&"nosniff".parse().unwrap(), &"DENY".parse().unwrap())
    );
    let text = page.text().await.unwrap();
    assert!(
        text.contains("cargo xtask web") || text.contains("<script"),
        "either the pages or how to build them"
    );
    if let Some((_, rest)) = text.split_once("src=\"/assets/") {
        let script = format!("/assets/{}", rest.split('"').next().unwrap());
        let script = bench.web.get(bench.url(&script)).send().await.unwrap();
        let cache = script.headers()["cache-control"].to_str().unwrap();
        assert!(cache.contains("immutable"), "{cache}");
        let deep = bench
            .web
            .get(bench.url("/live/queues"))
            .send()
            .await
            .unwrap();
        assert_eq!(
            deep.text().await.unwrap(),
            text,
            "paths of the application are its index"
        );
    }
    let script = bench
        .web
        .get(bench.url("/assets/none.js"))
        .send()
        .await
        .unwrap();
    assert_eq!(script.status(), StatusCode::NOT_FOUND);

    let from = |origin: &'static str| {
        bench
            .web
            .get(bench.url("/openapi.json"))
            .header("origin", origin)
            .send()
    };
    let desk = from("https://desk.example.com").await.unwrap();
    assert_eq!(
        desk.headers()["access-control-allow-origin"],
        "https://desk.example.com"
    );
    assert!(
        !from("https://evil.example.com")
            .await
            .unwrap()
            .headers()
            .contains_key("access-control-allow-origin")
    );
    let asks = |origin: &'static str| {
        let request = bench
            .web
            .request("OPTIONS".parse().unwrap(), bench.url("/v1/users"))
            .header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .send()
    };
    assert_eq!(
        asks("https://desk.example.com").await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        asks("https://evil.example.com").await.unwrap().status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_how_the_process_is() {
    let bench =
        start(|settings| settings.metrics = Some(centro_node::telemetry::Metrics::default())).await;
    let get = async |path: &str| {
        bench
            .web
            .get(bench.url(path))
            .send()
            .await
            .unwrap()
            .status()
    };
    for path in [
        "/health/live",
        "/health/ready",
        "/health/startup",
        "/metrics",
    ] {
        assert_eq!(get(path).await, StatusCode::OK, "{path}");
    }
    bench.node.lifecycle().drain();
    assert_eq!(get("/health/live").await, StatusCode::OK);
    assert_eq!(get("/health/ready").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_covers_every_route() {
    let bench = start(|_| {}).await;
    let document: Value = bench
        .web
        .get(bench.url("/openapi.json"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let operations: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(
        operations,
        centro_contract::Api::installed().unwrap().routes.len()
    );
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(
        schemas["configuration.CallQueueInput"]["properties"]["weight"]["maximum"],
        1000
    );
    assert!(
        schemas["configuration.CallQueuePatch"]["properties"]["weight"]["anyOf"][1]["type"]
            == "null"
    );
    assert!(
        !schemas["identity.UserInput"]["properties"]
            .as_object()
            .unwrap()
            .contains_key("id")
    );
    assert!(
        schemas["types.RingStrategy"]["description"]
            .as_str()
            .unwrap()
            .contains("longest ago")
    );
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_json_come_compressed_and_sound_as_it_is() {
    let bench = start(|_| {}).await;
    let get = |path: &str| {
        let request = bench.request("GET", path);
        request.header("accept-encoding", "gzip").send()
    };
    for path in ["/", "/openapi.json", "/v1/users"] {
        let answer = get(path).await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        let vary = answer.headers().get_all("vary").iter();
        let vary: Vec<_> = vary
            .map(|value| value.to_str().unwrap().to_lowercase())
            .collect();
        assert!(
            vary.iter().any(|name| name == "accept-encoding"),
            "{vary:?}"
        );
        let body = answer.bytes().await.unwrap();
        assert_eq!(body[..2], [0x1f, 0x8b], "{path}");
    }
    let audio = get("/v1/recordings/rec_00000000000000000000000000000001/audio");
    let audio = audio.await.unwrap();
    assert_eq!(audio.status(), StatusCode::OK);
    assert!(!audio.headers().contains_key("content-encoding"));
    let plain = bench.web.get(bench.url("/openapi.json")).send().await;
    assert!(!plain.unwrap().headers().contains_key("content-encoding"));
}
