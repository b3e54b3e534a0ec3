//! REST under bad input: problem+json with a stable code, and nothing changed.

use anyhow::{Result, ensure};
use centro_testkit::{Api, Centre, Login};
use centro_tests::stage;
use reqwest::Method;
use serde_json::{Value, json};

async fn queues(owner: &Api) -> Result<Value> {
    owner.get("/v1/call-queues").await
}

/// Sends the request and checks the refusal, and that the queues are as before.
async fn refused(
    owner: &Api,
    who: &Api,
    request: (Method, &str, Option<Value>),
    status: u16,
) -> Result<String> {
    let before = queues(owner).await?;
    let (method, path, body) = request;
    let answer = who.call(method.clone(), path, body.as_ref()).await?;
    let code = answer
        .problem(status)
        .map_err(|error| error.context(format!("{method} {path} {body:?}")))?;
    ensure!(
        queues(owner).await? == before,
        "{method} {path} was refused and changed something"
    );
    Ok(code)
}

fn agent(centre: &Centre) -> Login {
    let anna = &centre.credentials().agents[0];
    Login {
        login: anna.login.clone(),
        password: anna.password.clone(),
    }
}

#[tokio::test]
async fn bad_bodies_change_nothing() -> Result<()> {
    stage::with_centre(async |centre| {
        let (owner, sales) = (
            centre.owner().await?,
            centre.credentials().queues[0].id.clone(),
        );
        let one = format!("/v1/call-queues/{sales}");
        let bad = [
            (
                Method::POST,
                "/v1/call-queues",
                json!({"displayName": "New", "wrapUpp": "3s"}),
            ),
            (Method::POST, "/v1/call-queues", json!({"displayName": 7})),
            (Method::POST, "/v1/call-queues", json!({"displayName": ""})),
            (
                Method::POST,
                "/v1/call-queues",
                json!({"displayName": "New", "wrapUp": "3 minutes"}),
            ),
            (
                Method::POST,
                "/v1/call-queues",
                json!({"displayName": "New", "wrapUp": "9000s"}),
            ),
            (
                Method::POST,
                "/v1/call-queues",
                json!({"displayName": "New", "ringStrategy": "RING_STRATEGY_LOUDEST"}),
            ),
            (
                Method::POST,
                "/v1/call-queues",
                json!({"displayName": "New", "extension": "12a"}),
            ),
            (Method::POST, "/v1/call-queues", json!([])),
            (
                Method::PATCH,
                &one,
                json!({"displayName": null, "nothing": 1}),
            ),
            (Method::PATCH, &one, json!({"maxCallers": -1})),
            (Method::PATCH, &one, json!({"maxCallers": "many"})),
        ];
        for (method, path, body) in bad {
            refused(&owner, &owner, (method, path, Some(body)), 400).await?;
        }
        let broken = owner
            .raw(
                Method::POST,
                "/v1/call-queues",
                Some(b"{\"displayName\": \"New\"".to_vec()),
            )
            .await?;
        broken.problem(400)?;
        let huge = format!("{{\"displayName\": \"{}\"}}", "x".repeat(8 << 20));
        let answer = owner
            .raw(Method::POST, "/v1/call-queues", Some(huge.into_bytes()))
            .await?;
        answer.problem(413)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn duplicates_and_strangers_ids_change_nothing() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        let taken = json!({"displayName": "sales"});
        let answer = owner
            .call(Method::POST, "/v1/call-queues", Some(&taken))
            .await?;
        ensure!(
            (400..500).contains(&answer.status),
            "a name taken twice: {answer:?}"
        );
        answer.problem(answer.status)?;
        let foreign = "/v1/call-queues/que_0123456789abcdef0123456789abcdef";
        for request in [
            (Method::GET, foreign, None),
            (Method::PATCH, foreign, Some(json!({"displayName": "Mine"}))),
            (Method::DELETE, foreign, None),
            (
                Method::GET,
                "/v1/recordings/rec_0123456789abcdef0123456789abcdef/audio",
                None,
            ),
            (Method::GET, "/v1/nothing", None),
        ] {
            refused(&owner, &owner, request, 404).await?;
        }
        refused(
            &owner,
            &owner,
            (Method::GET, "/v1/call-queues/sales", None),
            400,
        )
        .await?;
        for path in [
            "/v1/call-queues",
            "/v1/users",
            "/v1/contacts",
            "/v1/queue-statuses",
            "/v1/recordings",
        ] {
            refused(
                &owner,
                &owner,
                (Method::GET, &format!("{path}?pageToken=made-up"), None),
                400,
            )
            .await?;
            refused(
                &owner,
                &owner,
                (Method::GET, &format!("{path}?pageSize=100000"), None),
                400,
            )
            .await?;
            refused(
                &owner,
                &owner,
                (Method::GET, &format!("{path}?unknown=1"), None),
                400,
            )
            .await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_who_may_does() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        let anna = centre.api(&agent(centre)).await?;
        let new = || Some(json!({"displayName": "New"}));
        for token in [
            "",
            "nonsense",
            "a.b.c",
            &format!("{}x", owner.token()),
            &forged(owner.token()),
        ] {
            let nobody = Api::with_token(&centre.http(), token)?;
            refused(
                &owner,
                &nobody,
                (Method::POST, "/v1/call-queues", new()),
                401,
            )
            .await?;
            refused(&owner, &nobody, (Method::GET, "/v1/me", None), 401).await?;
        }
        for request in [
            (Method::POST, "/v1/call-queues", new()),
            (Method::GET, "/v1/users", None),
            (Method::GET, "/v1/contacts", None),
            (Method::GET, "/v1/recordings", None),
        ] {
            refused(&owner, &anna, request, 403).await?;
        }
        let supervisor = centre.supervisor().await?;
        refused(
            &owner,
            &supervisor,
            (Method::POST, "/v1/call-queues", new()),
            403,
        )
        .await?;
        // An agent may not act for a colleague.
        let bruno = &centre.credentials().agents[1].user_id;
        refused(
            &owner,
            &anna,
            (
                Method::POST,
                &format!("/v1/agents/{bruno}:setReady"),
                Some(json!({})),
            ),
            403,
        )
        .await?;

        let wrong = json!({"login": centre.credentials().owner.login, "password": "not it"});
        let unknown = json!({"login": "nobody@demo.test", "password": "not it"});
        let nobody = Api::with_token(&centre.http(), "")?;
        let wrong = nobody
            .call(Method::POST, "/v1/sessions:signIn", Some(&wrong))
            .await?;
        let unknown = nobody
            .call(Method::POST, "/v1/sessions:signIn", Some(&unknown))
            .await?;
        ensure!(
            wrong.problem(401)? == unknown.problem(401)?,
            "{wrong:?} tells from {unknown:?}"
        );
        Ok(())
    })
    .await
}

/// The same token with another payload and the old signature.
fn forged(token: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    if let Some(payload) = parts.get_mut(1) {
        let flipped = if payload.ends_with('A') { 'B' } else { 'A' };
        payload.pop();
        payload.push(flipped);
    }
    parts.join(".")
}

#[tokio::test]
async fn a_token_expires() -> Result<()> {
    stage::with(
        Centre::builder().set("identity.access_token_ttl=2s"),
        async |centre| {
            let owner = centre.owner().await?;
            owner.get("/v1/me").await?;
            centro_testkit::eventually("the token is refused", centro_tests::SOON, async || {
                owner.call(Method::GET, "/v1/me", None).await?.problem(401)
            })
            .await?;
            Ok(())
        },
    )
    .await
}

#[tokio::test]
async fn the_doors_that_need_no_key() -> Result<()> {
    stage::with_centre(async |centre| {
        for path in [
            "/health/live",
            "/health/ready",
            "/health/startup",
            "/metrics",
            "/openapi.json",
            "/",
        ] {
            let answer = reqwest::get(format!("{}{path}", centre.http())).await?;
            ensure!(
                answer.status().is_success(),
                "{path} says {}",
                answer.status()
            );
        }
        let api: Value = reqwest::get(format!("{}/openapi.json", centre.http()))
            .await?
            .json()
            .await?;
        ensure!(
            api["openapi"]
                .as_str()
                .unwrap_or_default()
                .starts_with("3.1"),
            "{}",
            api["openapi"]
        );
        ensure!(api["paths"]["/v1/call-queues"].is_object());
        Ok(())
    })
    .await
}
