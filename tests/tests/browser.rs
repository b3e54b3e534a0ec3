//! The pages in Chromium while a real call waits: the scripts of `tests/browser`, with a centre of their own.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Centre, Process};
use centro_tests::{phones, stage};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Longest run of one script.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs one script. It places a call by a shell command and ends it by SIGINT; the command only leaves marks in a folder,
/// and the call itself is placed here, with sipp.
async fn page(centre: &mut Centre, script: &str) -> Result<()> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("browser");
    ensure!(
        folder.join("node_modules").exists(),
        "run `npm ci` in {} first",
        folder.display()
    );
    let (call, end) = (centre.folder().join("call"), centre.folder().join("end"));
    let place_call = format!(
        "trap 'touch {}; exit 0' INT; touch {}; while :; do sleep 0.1; done",
        end.display(),
        call.display()
    );
    let shots = centre.folder().join("shots");
    std::fs::create_dir_all(&shots)?;
    let supervisor = centre.credentials().supervisor.clone();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", script])
        .current_dir(&folder);
    node.env("CENTRO_HTTP", centre.http())
        .env("CENTRO_LOGIN", &supervisor.login);
    node.env("CENTRO_PASSWORD", &supervisor.password)
        .env("CENTRO_PLACE_CALL", &place_call)
        .env("CENTRO_SHOTS", &shots);
    let mut node = Process::start(&mut node, &centre.folder().join("browser.log"))?;
    tokio::select! {
        ended = node.end(LIMIT) => ended.map(drop),
        failed = serve_calls(centre, &call, &end) => failed,
    }?;
    let status = node.ended()?.context("the script still runs")?;
    ensure!(status.success(), "{script} failed:\n{}", node.log());
    Ok(())
}

/// Places and ends calls as the marks say. Ends only by failing.
async fn serve_calls(centre: &Centre, call: &Path, end: &Path) -> Result<()> {
    let mut caller = None;
    loop {
        if caller.is_none() && call.exists() {
            std::fs::remove_file(call)?;
            caller = Some(phones::caller(centre, "+12025550100").await?);
        }
        if end.exists()
            && let Some(mut caller) = caller.take()
        {
            std::fs::remove_file(end)?;
            phones::Phone::hang_up(&mut caller).await?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn queues_now_shows_a_real_call() -> Result<()> {
    stage::with_centre(async |centre| page(centre, "queues-now.spec.mjs").await).await
}
