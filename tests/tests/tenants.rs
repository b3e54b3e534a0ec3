//! Two real tenants in one centre. Whatever the first asks for by an id of the second is not there, and nothing changes.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Agent, Api, Centre, Login, eventually};
use centro_tests::{CALLER_HZ, SOON, floor, phones, stage};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PASSWORD: &str = "a long enough password";
const NUMBER: &str = "+12025550199";

/// A second tenant with one thing of every kind, found by the first segment of its path.
struct Stranger {
    api: Api,
    ids: BTreeMap<&'static str, String>,
}

fn id(made: &Value) -> Result<String> {
    text(made, "id")
}

fn text(made: &Value, key: &str) -> Result<String> {
    let value = made[key].as_str();
    Ok(value
        .with_context(|| format!("no {key} in {made}"))?
        .to_owned())
}

/// What `centro tenant create` printed after a word.
fn printed(said: &str, word: &str) -> Result<String> {
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix(word))
        .with_context(|| format!("no {word} in {said}"))?;
    Ok(line.trim().to_owned())
}

/// Makes the tenant with the command of the binary, and its things by REST.
async fn stranger(centre: &mut Centre) -> Result<Stranger> {
    centre.stop().await?;
    let said = centre.command(&[
        "tenant",
        "create",
        "--name",
        "Other Ltd",
        "--owner-login",
        "owner@other.test",
    ])?;
    let login = Login {
        login: printed(&said, "login")?,
        password: printed(&said, "password")?,
    };
    let slug = printed(&said, "short name")?;
    ensure!(slug == "other-ltd", "{said}");
    centre.restart().await?;
    let api = centre.api_of(&slug, &login).await?;

    let user = api.create_user("Olga", "ROLE_AGENT", PASSWORD).await?;
    let queue = api
        .create_call_queue(json!({"displayName": "Others", "record": true, "wrapUp": "0s"}))
        .await?;
    let plan = json!({
        "displayName": "Others",
        "entry": "queue",
        "nodes": [{"id": "queue", "queue": {"queueId": id(&queue)?}}],
    });
    let plan = api.create_dial_plan(plan).await?;
    let number = api.create_number(NUMBER, &id(&plan)?).await?;
    let device = api.create_device("Olga's phone", &id(&user)?).await?;
    let skill = json!({"displayName": "French"});
    let skill = api.post("/v1/skills", skill).await?;
    let path = format!("/v1/skills/{}/users/{}", id(&skill)?, id(&user)?);
    api.put(&path, json!({})).await?;
    let path = format!("/v1/routing-profiles/{}", id(&user)?);
    api.patch(&path, json!({"chatCapacity": 4})).await?;
    // The first tenant has a trunk at this address, too: the number decides whose call it is.
    let trunk = json!({"displayName": "Shared", "addresses": ["127.0.0.1"]});
    let trunk = api.post("/v1/trunks", trunk).await?;
    let key = json!({"displayName": "Key", "role": "ROLE_SUPERVISOR"});
    let key = api.post("/v1/api-keys", key).await?;
    api.assign(&id(&queue)?, &id(&user)?).await?;
    let agent = Agent {
        display_name: "Olga".into(),
        login: String::new(),
        password: PASSWORD.into(),
        user_id: id(&user)?,
        device_id: id(&device)?,
        extension: text(&device, "extension")?,
        username: text(&device, "username")?,
        secret: text(&device, "secret")?,
    };
    let (contact, recording) = recorded_call(centre, &api, &agent).await?;
    let ids = BTreeMap::from([
        ("users", id(&user)?),
        ("agents", id(&user)?),
        ("call-queues", id(&queue)?),
        ("queues", id(&queue)?),
        ("contacts", contact),
        ("skills", id(&skill)?),
        ("routing-profiles", id(&user)?),
        ("dial-plans", id(&plan)?),
        ("numbers", id(&number)?),
        ("devices", id(&device)?),
        ("trunks", id(&trunk)?),
        ("api-keys", id(&key)?),
        ("recordings", recording),
    ]);
    Ok(Stranger { api, ids })
}

/// A call of the tenant's own number to the tenant's own agent: the ids of the contact and of its recording.
async fn recorded_call(centre: &Centre, api: &Api, agent: &Agent) -> Result<(String, String)> {
    let mut phone = phones::agent(centre, agent, "agent_answer").await?;
    floor::ready(api, &agent.user_id).await?;
    let mut caller = phones::caller(centre, NUMBER).await?;
    caller.answered().await?;
    phone.ear.hears(CALLER_HZ, SOON).await?;
    caller.hang_up().await?;
    phone.is_over(SOON).await?;
    let contact = floor::ended(api, "HANDLED").await?;
    let contact = id(&contact)?;
    let recording = eventually("the recording is finished", SOON, async || {
        let all = api.recordings(&contact).await?;
        ensure!(all.len() == 1 && all[0]["finished"] == true, "{all:#?}");
        id(&all[0])
    })
    .await?;
    Ok((contact, recording))
}

/// The path with the stranger's ids in place of its parameters.
fn foreign(path: &str, ids: &BTreeMap<&str, String>) -> Result<String> {
    let mut collection = "";
    let mut parts = Vec::new();
    for part in path.split('/') {
        let Some((_, action)) = part.strip_prefix('{').and_then(|part| part.split_once('}')) else {
            collection = part;
            parts.push(part.to_owned());
            continue;
        };
        let id = ids.get(collection).with_context(|| {
            format!("{path}: this test makes nothing for {collection}; let it make one")
        })?;
        parts.push(format!("{id}{action}"));
    }
    Ok(parts.join("/"))
}

/// Everything a tenant can read of itself.
async fn all_of(api: &Api, document: &Value) -> Result<BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    for path in lists(document) {
        let mut answer = api.get(path).await?;
        forget_time(&mut answer);
        all.insert(path.to_owned(), answer);
    }
    Ok(all)
}

/// Without what goes on by itself: when it was asked, how long a state has lasted, what a caller may expect now.
fn forget_time(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for passing in ["asOf", "today", "meanWait", "expectedWait"] {
                fields.remove(passing);
            }
            fields.values_mut().for_each(forget_time);
        }
        Value::Array(all) => all.iter_mut().for_each(forget_time),
        _ => {}
    }
}

/// Paths of lists that need no parameter, and tell no time of day.
fn lists(document: &Value) -> impl Iterator<Item = &str> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .filter(|(path, operations)| {
            let needs = operations["get"]["parameters"].as_array();
            let needs = needs.is_some_and(|all| all.iter().any(|p| p["required"] == true));
            operations["get"].is_object() && !path.contains('{') && !needs
        })
        .map(|(path, _)| path.as_str())
        .filter(|path| *path != "/v1/reports/queue-callers" && *path != "/v1/agent-intervals")
        .filter(|path| !is_operators(path))
}

/// What is of all tenants, and of none: nobody of a tenant is let in.
fn is_operators(path: &str) -> bool {
    path.starts_with("/v1/cluster")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_of_another_tenant_can_be_read_or_changed() -> Result<()> {
    stage::with_centre(async |centre| {
        let stranger = stranger(centre).await?;
        let owner = centre.owner().await?;
        let document = owner.get("/openapi.json").await?;
        let before = all_of(&stranger.api, &document).await?;

        let mut asked = 0;
        let paths = document["paths"].as_object().context("no paths")?;
        let named = paths.iter().filter(|(path, _)| path.contains('{'));
        for (path, operations) in named.filter(|(path, _)| !is_operators(path)) {
            let here = foreign(path, &stranger.ids)?;
            let mine = if path.starts_with("/v1/routing-profiles/") {
                json!({"chatCapacity": 1})
            } else {
                json!({"displayName": "Mine"})
            };
            for (method, body) in [
                (Method::GET, None),
                (Method::PATCH, Some(mine)),
                (Method::PUT, Some(json!({}))),
                (Method::DELETE, None),
            ] {
                if !operations[method.as_str().to_lowercase()].is_object() {
                    continue;
                }
                let answer = owner.call(method.clone(), &here, body.as_ref()).await?;
                ensure!(
                    matches!(answer.status, 403 | 404),
                    "{method} {path}: {} {}",
                    answer.status,
                    answer.body
                );
                answer.problem(answer.status)?;
                asked += 1;
            }
        }
        ensure!(asked >= 15, "only {asked} requests were tried");
        let answer = owner.call(Method::GET, "/v1/cluster", None).await?;
        answer.problem(403)?;
        let answer = owner
            .call(
                Method::POST,
                "/v1/cluster/nodes/office:drain",
                Some(&json!({})),
            )
            .await?;
        answer.problem(403)?;

        let own = &centre.credentials().queues[0].id;
        let guest = &stranger.ids["users"];
        let path = format!("/v1/call-queues/{own}/agents/{guest}");
        let answer = owner.call(Method::PUT, &path, Some(&json!({}))).await?;
        answer.problem(404)?;
        let french = owner.post("/v1/skills", json!({"displayName": "French"}));
        let path = format!("/v1/skills/{}/users/{guest}", id(&french.await?)?);
        let answer = owner.call(Method::PUT, &path, Some(&json!({}))).await?;
        answer.problem(404)?;

        for (path, seen) in all_of(&owner, &document).await? {
            let seen = seen.to_string();
            for (kind, id) in &stranger.ids {
                ensure!(!seen.contains(id.as_str()), "{path} shows {kind} {id}");
            }
        }
        let after = all_of(&stranger.api, &document).await?;
        ensure!(before == after, "before {before:#?}\nafter {after:#?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_forgotten_password_is_replaced_on_the_stopped_centre_only() -> Result<()> {
    stage::with_centre(async |centre| {
        let known = centre.credentials().owner.clone();
        let refused = centre.command(&["user", "reset-password", &known.login]);
        let refused = format!(
            "{:#}",
            refused.err().context("it worked on a running centre")?
        );
        ensure!(
            refused.contains("another Centro runs") && refused.contains("stop it"),
            "{refused}"
        );
        centre.stop().await?;
        let said = centre.command(&["user", "reset-password", &known.login.to_uppercase()])?;
        let fresh = Login {
            login: printed(&said, "login")?,
            password: printed(&said, "password")?,
        };
        let nobody = centre.command(&["user", "reset-password", "nobody@demo.test"]);
        ensure!(format!("{:#}", nobody.err().context("nobody has a password")?).contains("nobody"));
        centre.restart().await?;
        ensure!(
            centre.api(&known).await.is_err(),
            "the old password is good"
        );
        ensure!(centre.api(&fresh).await?.get("/v1/me").await?["user"]["login"] == *fresh.login);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_broken_first_start_is_finished_by_the_next() -> Result<()> {
    stage::with_centre(async |centre| {
        let known = centre.credentials().clone();
        let owner = centre.owner().await?;
        let queues = owner.get("/v1/call-queues").await?;
        let last = &known.agents[3];
        for path in [
            format!("/v1/devices/{}", last.device_id),
            format!("/v1/users/{}", last.user_id),
        ] {
            owner.delete(&path).await?;
        }
        let begun = id(&owner.get("/v1/me").await?["tenant"])?;
        centre.stop().await?;
        // As if the first start had died before anybody saw the passwords.
        centre.leave("demo-unfinished", &begun)?;
        centre.restart().await?;
        let fresh = eventually("new passwords are written", SOON, async || {
            let fresh = centre.written_credentials()?;
            ensure!(fresh.owner.password != known.owner.password);
            Ok(fresh)
        })
        .await?;
        let owner = centre.api(&fresh.owner).await?;
        ensure!(
            owner.get("/v1/call-queues").await? == queues,
            "the queues changed"
        );
        ensure!(fresh.agents.len() == known.agents.len());
        ensure!(fresh.agents[0].user_id == known.agents[0].user_id);
        phones::register(
            centre,
            &[(&fresh.agents[0].username, &fresh.agents[0].secret)],
            centro_testkit::free_sip_port()?,
        )
        .await?;
        centre.stop().await?;
        let marked = centre.leave("demo-unfinished", &begun)?;
        ensure!(!marked, "the mark is still there");
        // Whoever makes a tenant wants no more of the demo.
        centre.command(&[
            "tenant",
            "create",
            "--name",
            "Other",
            "--owner-login",
            "o@other.test",
        ])?;
        let marked = centre.leave("demo-unfinished", "")?;
        ensure!(!marked, "a new tenant leaves the mark");
        // A mark that names nobody changes nobody's password.
        centre.restart().await?;
        ensure!(
            centre.api(&fresh.owner).await.is_ok(),
            "the owner's password changed"
        );
        Ok(())
    })
    .await
}
