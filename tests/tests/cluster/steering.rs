//! Operators look at a cluster and steer it, while people wait.

use crate::{calls::line, stage};
use anyhow::{Context, Result, ensure};
use centro_testkit::{Api, Cluster, RtpPeer, Sipp, eventually};
use centro_tests::{CALLER_HZ, SOON, floor, metrics::figure_at, phones};
use serde_json::{Value, json};
use std::time::Duration;

const CALLERS: u64 = 50;
/// Longer than 50 calls take on a busy machine.
const ALL_WAIT: Duration = Duration::from_secs(60);

/// Fifty callers of one phone; they hear nothing that is looked at.
async fn fifty(cluster: &Cluster, api: &Api, queue: &str) -> Result<(Sipp, RtpPeer)> {
    let ear = RtpPeer::a_law(CALLER_HZ).await?;
    let calls = CALLERS.to_string();
    let sipp = phones::scenario(cluster, "caller")?
        .to(cluster.sip())
        .dial("+12025550100")
        .audio(&ear)?
        .arguments(&["-m", &calls, "-l", &calls, "-r", "25"])
        .start()?;
    eventually("all wait", ALL_WAIT, async || {
        let status = api.queue_status(queue).await?;
        ensure!(
            centro_testkit::number(&status["waiting"]) == CALLERS,
            "{}",
            status["waiting"]
        );
        Ok(())
    })
    .await?;
    Ok((sipp, ear))
}

/// A queue's shard: the last byte of its id.
fn shard_of(queue: &str) -> Result<String> {
    let last = queue.get(queue.len() - 2..).context("an id")?;
    Ok(u8::from_str_radix(last, 16)?.to_string())
}

fn owner(status: &Value, shard: &str) -> Result<String> {
    let shards = status["shards"].as_array().context("shards")?;
    let number: u64 = shard.parse()?;
    let mut of = shards.iter().filter(|s| s["shard"] == number);
    let of = of.next().context("the shard")?;
    Ok(of["node"].as_str().context("an owner")?.to_owned())
}

fn member<'a>(status: &'a Value, name: &str) -> Result<&'a Value> {
    let members = status["members"].as_array().context("members")?;
    let mut found = members.iter().filter(|member| member["node"] == name);
    found.next().context("the member")
}

/// `"0.132s"` in milliseconds.
fn millis(duration: &Value) -> Result<u64> {
    let text = duration.as_str().context("a duration")?;
    let seconds: f64 = text.trim_end_matches('s').parse()?;
    Ok((seconds * 1_000.0).round() as u64)
}

/// All of those who waited wait in their places, and none of them is lost.
fn proves(done: &Value, callers: u64) -> Result<()> {
    for (field, wanted) in [
        ("contactsBefore", callers),
        ("contactsAfter", callers),
        ("contactsAttached", callers),
        ("contactsLost", 0),
        ("contactsLeft", 0),
        ("shardsOpen", 0),
    ] {
        ensure!(done[field] == wanted, "{field}: {done:#}");
    }
    ensure!(done["positionsUnchanged"] == true, "{done:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_queue_moves_under_fifty_callers_and_says_what_it_meant() -> Result<()> {
    stage::with(2, async |cluster: &mut Cluster| {
        let supervisor = cluster.supervisor().await?;
        let sales = cluster.credentials().queues[0].id.clone();
        let shard = shard_of(&sales)?;
        let (_sipp, _ear) = fifty(cluster, &supervisor, &sales).await?;
        let before = line(&supervisor, &sales).await?;

        let status = cluster.operated(&["status"])?;
        ensure!(status["unowned"] == 0, "{status:#}");
        let first = owner(&status, &shard)?;
        let other = |node: &str| {
            if node == "routing-1" {
                "routing-2"
            } else {
                "routing-1"
            }
        };

        // Refusals change nothing, and say why.
        for (arguments, reason) in [
            (vec!["move", "256", "routing-1"], "shard_unknown"),
            (vec!["move", &shard, "nobody"], "node_unknown"),
            (vec!["move", &shard, "office"], "node_role_missing"),
            (vec!["move", &shard, &first], "shard_already_there"),
            (vec!["unpin", &shard], "shard_not_pinned"),
            (vec!["resume", &first], "node_not_drained"),
        ] {
            let refused = cluster.operate(&arguments)?;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            ensure!(
                refused.status.code() == Some(1),
                "{arguments:?}: {refused:?}"
            );
            ensure!(said.contains(reason), "{arguments:?}: {said}");
        }
        let usage = cluster.operate(&["status", "--set", "cluster.redis.url="])?;
        ensure!(usage.status.code() == Some(64), "{usage:?}");

        // There and back, again and again.
        let (mut at, mut pauses, mut attached) = (first.clone(), Vec::new(), Vec::new());
        for _ in 0..12 {
            let to = other(&at).to_owned();
            let done = cluster.operated(&["move", &shard, &to])?;
            proves(&done, CALLERS)?;
            ensure!(done["node"] == to && done["shards"] == 1, "{done:#}");
            pauses.push(millis(&done["longestPause"])?);
            attached.push(millis(&done["took"])?);
            at = to;
        }
        pauses.sort_unstable();
        attached.sort_unstable();
        println!(
            "nobody owned the queue for {pauses:?} ms; all {CALLERS} attached after {attached:?} ms"
        );
        // Half of them: what a machine that builds something else meanwhile adds is not ours.
        ensure!(pauses[pauses.len() / 2] <= 1_000, "{pauses:?}");
        ensure!(line(&supervisor, &sales).await? == before);

        // The last move is shown as a pin, and undone through the API.
        ensure!(at == first);
        let moved = cluster.operated(&["move", &shard, other(&at)])?;
        proves(&moved, CALLERS)?;
        let people = cluster.operate(&["status", "--shards"])?;
        let people = String::from_utf8(people.stdout)?;
        println!("{people}");
        ensure!(
            people.contains(&format!("shard {shard} is pinned to")),
            "{people}"
        );
        let operator = cluster.operator()?;
        let undone = operator
            .post(&format!("/v1/cluster/shards/{shard}:unpin"), json!({}))
            .await?;
        proves(&undone, CALLERS)?;
        let status = operator.get("/v1/cluster").await?;
        ensure!(owner(&status, &shard)? == first, "it belongs there");

        // Nobody of a tenant may look or steer, and what an operator did is in the log.
        let refused = supervisor
            .call(reqwest::Method::GET, "/v1/cluster", None)
            .await?;
        ensure!(refused.problem(403)? == "forbidden");
        let log = cluster.logs(4_000);
        ensure!(
            log.contains("operator:test") && log.contains("UnpinShard"),
            "no audit record"
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_process_is_drained_under_fifty_callers_and_resumed() -> Result<()> {
    stage::with(2, async |cluster: &mut Cluster| {
        let supervisor = cluster.supervisor().await?;
        let sales = cluster.credentials().queues[0].id.clone();
        let shard = shard_of(&sales)?;
        let (_sipp, _ear) = fifty(cluster, &supervisor, &sales).await?;
        let before = line(&supervisor, &sales).await?;
        let status = cluster.operated(&["status"])?;
        let node = owner(&status, &shard)?;
        let share = member(&status, &node)?["shards"].clone();
        let probe = format!("{}/health/ready", cluster.probes(&node)?);
        ensure!(reqwest::get(&probe).await?.status() == 200);

        let drained = cluster.operated(&["drain", &node])?;
        proves(&drained, CALLERS)?;
        ensure!(drained["shards"] == share, "{drained:#}");
        println!("a drain of {share} shards: {drained}");
        ensure!(millis(&drained["longestPause"])? > 0, "{drained:#}");
        let status = cluster.operated(&["status"])?;
        let of = member(&status, &node)?;
        ensure!(
            of["state"] == "MEMBER_STATE_DRAINED" && of["shards"] == 0,
            "{of:#}"
        );
        eventually(
            "it says that it is not ready",
            Duration::from_secs(1),
            async || {
                ensure!(reqwest::get(&probe).await?.status() == 503);
                Ok(())
            },
        )
        .await?;
        for (arguments, reason) in [
            (["drain", node.as_str()], "node_draining"),
            (
                [
                    "drain",
                    if node == "routing-1" {
                        "routing-2"
                    } else {
                        "routing-1"
                    },
                ],
                "node_last",
            ),
        ] {
            let refused = cluster.operate(&arguments)?;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            ensure!(said.contains(reason), "{arguments:?}: {said}");
        }

        let resumed = cluster.operated(&["resume", &node])?;
        proves(&resumed, CALLERS)?;
        let status = cluster.operated(&["status"])?;
        ensure!(member(&status, &node)?["shards"] == share, "{status:#}");
        ensure!(line(&supervisor, &sales).await? == before);
        eventually("it is ready again", SOON, async || {
            ensure!(reqwest::get(&probe).await?.status() == 200);
            Ok(())
        })
        .await?;
        floor::waiting(&supervisor, &sales, CALLERS).await?;
        counted(cluster, share.as_f64().context("a number")?).await
    })
    .await
}

/// What a drain of so many shards and their return are in the figures of the processes.
async fn counted(cluster: &Cluster, share: f64) -> Result<()> {
    let routing = [cluster.probes("routing-1")?, cluster.probes("routing-2")?];
    let sum = async |name: &str| {
        let mut sum = 0.0;
        for process in &routing {
            sum += figure_at(process, name).await?;
        }
        anyhow::Ok(sum)
    };
    let handed_over = "centro_cluster_shards_gained_total{how=\"handed_over\"}";
    let pauses = "centro_cluster_handover_pause_seconds";
    ensure!(sum("centro_cluster_shards_owned").await? == 256.0);
    ensure!(sum("centro_cluster_shards_unowned").await? == 0.0);
    // There and back; and what moved when the second of them came.
    ensure!(sum(handed_over).await? >= 2.0 * share);
    ensure!(sum("centro_cluster_shards_given_back_total").await? >= 2.0 * share);
    let (count, all) = (
        sum(&format!("{pauses}_count")).await?,
        sum(&format!("{pauses}_bucket{{le=\"+Inf\"}}")).await?,
    );
    let fast = sum(&format!("{pauses}_bucket{{le=\"1\"}}")).await?;
    println!(
        "{fast} of {all} hand-overs paused for at most 1 s, {} s on average",
        sum(&format!("{pauses}_sum")).await? / all
    );
    ensure!(count == all && all >= 2.0 * share && fast >= 0.5 * all);
    eventually("the sample has looked", SOON, async || {
        ensure!(sum("centro_routing_actors{kind=\"queue\"}").await? >= 1.0);
        ensure!(sum("centro_routing_mailbox_wait_seconds_count").await? >= 1.0);
        Ok(())
    })
    .await?;
    ensure!(sum("centro_routing_fenced_total").await? >= 0.0);
    let telephony = cluster.probes("telephony")?;
    let set_up = figure_at(&telephony, "centro_call_setup_seconds_count").await?;
    ensure!(set_up == f64::from(u32::try_from(CALLERS)?), "{set_up}");
    ensure!(
        figure_at(&telephony, "centro_call_dispatch_seconds_count").await? == 0.0,
        "nobody was offered"
    );
    Ok(())
}
