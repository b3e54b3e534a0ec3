//! The queue-caller figures say what happened.

use anyhow::{Result, ensure};
use centro_testkit::{eventually, number};
use centro_tests::{AGENT_HZ, SOON, floor, phones, stage};
use serde_json::Value;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn report_matches() -> Result<()> {
    stage::with_centre(async |centre| {
        let (anna, supervisor) = (
            centre.credentials().agents[0].clone(),
            centre.supervisor().await?,
        );
        let sales = centre.credentials().queues[0].id.clone();
        // One caller gives up at once, one after more than 5 s, one is served.
        let mut hasty = phones::caller(centre, "+12025550100").await?;
        floor::waiting(&supervisor, &sales, 1).await?;
        hasty.hang_up().await?;
        let mut patient = phones::caller(centre, "+12025550100").await?;
        floor::waiting(&supervisor, &sales, 1).await?;
        tokio::time::sleep(Duration::from_millis(5500)).await; // real patience: analytics counts real time
        patient.hang_up().await?;
        let mut phone = phones::agent(centre, &anna, "agent_answer").await?;
        floor::ready(&supervisor, &anna.user_id).await?;
        let mut served = phones::caller(centre, "+12025550100").await?;
        served.ear.hears(AGENT_HZ, SOON).await?;
        served.hang_up().await?;
        phone.is_over(SOON).await?;
        floor::agent_is(&supervisor, &anna.user_id, "WRAP_UP").await?;
        supervisor.end_wrap_up(&anna.user_id).await?;

        let total = eventually("the figures are complete", SOON, async || {
            let summary = supervisor
                .queue_caller_summary("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
                .await?;
            let total = summary["total"].clone();
            ensure!(
                number(&total["offered"]) == 3 && number(&total["talkMs"]) > 0,
                "{summary:#}"
            );
            ensure!(
                number(&total["stillWaiting"]) == 0 && number(&total["wrapUpMs"]) > 0,
                "{summary:#}"
            );
            Ok(total)
        })
        .await?;
        let figure = |key: &str| number(&total[key]);
        ensure!(
            figure("answered") == 1 && figure("answeredInTarget") == 1,
            "{total:#}"
        );
        ensure!(
            figure("abandoned") == 2 && figure("shortAbandoned") == 1,
            "{total:#}"
        );
        ensure!(
            figure("flowOut") == 0 && figure("maxWaitMs") >= 5500,
            "{total:#}"
        );
        ensure!(
            number(&total["byReason"]["LEFT_REASON_ABANDONED"]) == 2,
            "{total:#}"
        );
        let contacts = floor::left(&supervisor, 3).await?;
        let talk: u64 = contacts
            .iter()
            .map(|contact| number(&contact["talkMs"]))
            .sum();
        ensure!(
            talk == figure("talkMs"),
            "contacts talk {talk} ms, the report says {total:#}"
        );
        live_agrees(&supervisor.queue_status(&sales).await?, &total)?;
        let day = &supervisor.agent_status(&anna.user_id).await?["today"];
        ensure!(number(&day["handled"]) == 1, "{day:#}");
        ensure!(number(&day["connectedMs"]) > 0, "{day:#}");
        Ok(())
    })
    .await
}

/// The queue's day, counted from what passes through routing, is that of the report, counted from stored rows.
fn live_agrees(status: &Value, total: &Value) -> Result<()> {
    let (today, outcomes) = (&status["today"], &status["today"]["outcomes"]);
    let same = [
        (&today["offered"], "offered"),
        (&outcomes["handled"], "answered"),
        (&outcomes["abandoned"], "abandoned"),
        (&today["shortAbandons"], "shortAbandoned"),
        (&today["serviceLevel"]["answeredWithin"], "answeredInTarget"),
        (&today["averageSpeedOfAnswerMs"], "waitAnsweredMs"),
        (&today["maxWaitMs"], "maxWaitMs"),
    ];
    for (live, key) in same {
        let reported = number(&total[key]);
        ensure!(number(live) == reported, "{key}: {reported}, {today:#}");
    }
    let waits = number(&total["waitAnsweredMs"]) + number(&total["waitAbandonedMs"]);
    let mean = &status["meanWait"];
    ensure!(number(&mean["sample"]) == 3, "{mean:#}");
    ensure!(number(&mean["meanMs"]) == waits / 3, "{mean:#}, {waits}");
    Ok(())
}
