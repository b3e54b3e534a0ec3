//! What an administrator sets by REST: a queue's rules, skills and how much a person serves at once.

use anyhow::{Result, ensure};
use centro_testkit::{Answer, Api};
use centro_tests::stage;
use reqwest::Method;
use serde_json::{Value, json};

/// The codes of a refusal, the one of its first mistake first.
fn codes(answer: &Answer) -> Vec<&str> {
    let mistakes = answer.body["errors"].as_array().into_iter().flatten();
    let mut codes: Vec<_> = mistakes.filter_map(|m| m["code"].as_str()).collect();
    codes.extend(answer.body["code"].as_str());
    codes
}

async fn refused(api: &Api, path: &str, body: Value, code: &str) -> Result<()> {
    let answer = api.call(Method::PATCH, path, Some(&body)).await?;
    ensure!(answer.status == 400, "{body}: {answer:?}");
    ensure!(codes(&answer).contains(&code), "{body}: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_queue_is_set_up_as_the_guide_says_and_odd_settings_are_explained() -> Result<()> {
    stage::with_centre(async |centre| {
        let owner = centre.owner().await?;
        let made = owner
            .create_call_queue(json!({"displayName": "Billing"}))
            .await?;
        for (field, default) in [
            ("ringStrategy", json!("RING_STRATEGY_LONGEST_IDLE")),
            ("retryDelay", json!("5s")),
            ("busyDelay", json!("60s")),
            ("wrapUpMode", json!("WRAP_UP_MODE_TIMED")),
            ("joinEmpty", json!("EMPTY_RULE_ALLOW")),
            ("leaveEmpty", json!("EMPTY_RULE_ALLOW")),
            ("leaveEmptyGrace", json!("5s")),
            ("ronaAction", json!("RONA_ACTION_NOT_RESPONDING")),
            ("ronaScope", json!("RONA_SCOPE_ALL_QUEUES")),
            ("skillMatch", json!("SKILL_MATCH_ALL_REQUIRED")),
            ("version", json!("1")),
        ] {
            ensure!(made[field] == default, "{field}: {made:#}");
        }
        ensure!(made["callback"]["window"] == "900s", "{made:#}");
        ensure!(made["aging"].is_null(), "{made:#}");

        let path = format!(
            "/v1/call-queues/{}",
            made["id"].as_str().unwrap_or_default()
        );
        let threshold = |value: &str| json!({"callback": {"threshold": value}});
        for (body, code) in [
            (json!({"callback": {"enabled": true}}), "threshold_missing"),
            (threshold("0s"), "threshold_not_positive"),
            (threshold("-5s"), "threshold_not_positive"),
            (threshold("1h"), "threshold_not_numeric"),
            (threshold("86401s"), "duration_out_of_range"),
            (
                json!({"ronaAction": "RONA_ACTION_PAUSE"}),
                "rona_reason_missing",
            ),
            (json!({"agentAnnouncement": "tada"}), "clip_unknown"),
            (
                json!({"availableStates": ["AGENT_STATE_LOGGED_OUT"]}),
                "value_unknown",
            ),
            (
                json!({"aging": {"pointsPerMinute": 1001}}),
                "value_too_large",
            ),
            (json!({"skillMatch": "SKILL_MATCH_SOME"}), "enum_unknown"),
            (json!({"connectDelay": "31s"}), "duration_out_of_range"),
        ] {
            refused(&owner, &path, body, code).await?;
        }
        let after = owner
            .patch(
                &path,
                json!({
                    "ringStrategy": "RING_STRATEGY_LINEAR",
                    "ronaAction": "RONA_ACTION_PAUSE",
                    "ronaPauseReason": "Missed calls",
                    "availableStates": ["AGENT_STATE_READY", "AGENT_STATE_PAUSED"],
                    "aging": {"maxWaitGuarantee": "600s"},
                    "callback": {"enabled": true, "threshold": "90s"},
                }),
            )
            .await?;
        ensure!(after["version"] == "2", "{after:#}");
        let callback = &after["callback"];
        ensure!(
            callback["threshold"] == "90s" && callback["window"] == "900s",
            "{after:#}"
        );
        ensure!(owner.get(&path).await? == after, "{after:#}");

        let anna = &centre.credentials().agents[0].user_id;
        let place = format!("{path}/agents/{anna}");
        let placed = owner.put(&place, json!({"order": 2})).await?;
        ensure!(placed["order"] == 2, "{placed}");
        ensure!(
            owner.put(&place, json!({})).await? == placed,
            "the place was lost"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn skills_are_given_by_administrators_and_seen_by_supervisors() -> Result<()> {
    stage::with_centre(async |centre| {
        let (owner, supervisor) = (centre.owner().await?, centre.supervisor().await?);
        let french = owner
            .post("/v1/skills", json!({"displayName": "French"}))
            .await?;
        let skill = format!("/v1/skills/{}", french["id"].as_str().unwrap_or_default());
        let anna = &centre.credentials().agents[0].user_id;
        let given = format!("{skill}/users/{anna}");
        ensure!(owner.put(&given, json!({})).await?["level"] == 5);
        ensure!(owner.put(&given, json!({"level": 8})).await?["level"] == 8);
        let out = owner
            .call(Method::PUT, &given, Some(&json!({"level": 11})))
            .await?;
        ensure!(
            out.status == 400 && codes(&out).contains(&"value_too_large"),
            "{out:?}"
        );

        let of_anna = supervisor.get(&format!("/v1/users/{anna}/skills")).await?;
        ensure!(of_anna["skills"][0]["level"] == 8, "{of_anna}");
        let who = supervisor.get(&format!("{skill}/users")).await?;
        ensure!(who["users"][0]["userId"] == anna.as_str(), "{who}");
        let new = json!({"displayName": "German"});
        let answer = supervisor
            .call(Method::POST, "/v1/skills", Some(&new))
            .await?;
        answer.problem(403)?;

        let kept = owner.call(Method::DELETE, &skill, None).await?;
        ensure!(kept.problem(409)? == "in_use", "{kept:?}");
        owner.delete(&given).await?;
        owner.delete(&skill).await?;

        let profile = format!("/v1/routing-profiles/{anna}");
        ensure!(supervisor.get(&profile).await?["chatCapacity"] == 3);
        let changed = owner.patch(&profile, json!({"chatCapacity": 5})).await?;
        ensure!(changed["chatCapacity"] == 5, "{changed}");
        refused(
            &owner,
            &profile,
            json!({"chatCapacity": 31}),
            "value_too_large",
        )
        .await?;
        Ok(())
    })
    .await
}
