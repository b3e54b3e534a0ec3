//! The pages in Chromium while real calls wait and are answered: the scripts of `tests/browser`, each with a centre of its own.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Centre, Process};
use centro_tests::{phones, phones::Phone, stage};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Longest run of one script.
const LIMIT: Duration = Duration::from_secs(300);

/// What a script asks for by leaving a file: telephones live here, not in the script.
struct Marks(PathBuf);

impl Marks {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether the script asked for this since the last time.
    fn taken(&self, name: &str) -> Result<bool> {
        let path = self.path(name);
        if !path.exists() {
            return Ok(false);
        }
        std::fs::remove_file(path)?;
        Ok(true)
    }
}

/// Runs one script. It places a call by a shell command, ends it by SIGINT and answers it at the agent's phone by another;
/// the commands only leave marks, and the telephones are sipp's.
async fn page(centre: &mut Centre, script: &str, phone: Option<Phone>) -> Result<()> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("browser");
    ensure!(
        folder.join("node_modules").exists(),
        "run `npm ci` in {} first",
        folder.display()
    );
    let marks = Marks(centre.folder().to_owned());
    let touch = |name: &str| format!("touch {}", marks.path(name).display());
    let place_call = format!(
        "trap '{}; exit 0' INT; {}; while :; do sleep 0.1; done",
        touch("end"),
        touch("call")
    );
    let shots = shots(centre.folder(), script);
    std::fs::create_dir_all(&shots)?;
    let supervisor = centre.credentials().supervisor.clone();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", script])
        .current_dir(&folder);
    node.env("CENTRO_HTTP", centre.http())
        .env("CENTRO_LOGIN", &supervisor.login);
    node.env("CENTRO_PASSWORD", &supervisor.password)
        .env(
            "CENTRO_CREDENTIALS",
            centre.folder().join("credentials.json"),
        )
        .env("CENTRO_PLACE_CALL", &place_call)
        .env("CENTRO_ANSWER_CALL", touch("answer"))
        .env("CENTRO_SHOTS", &shots);
    let mut node = Process::start(&mut node, &centre.folder().join("browser.log"))?;
    tokio::select! {
        ended = node.end(LIMIT) => ended.map(drop),
        failed = serve_phones(centre, &marks, phone) => failed,
    }?;
    let status = node.ended()?.context("the script still runs")?;
    ensure!(status.success(), "{script} failed:\n{}", node.log());
    Ok(())
}

/// Where the pictures of a run go: into the test's own folder, or below `CENTRO_SHOTS` for somebody who wants to look.
fn shots(folder: &Path, script: &str) -> PathBuf {
    std::env::var_os("CENTRO_SHOTS").map_or_else(
        || folder.join("shots"),
        |wanted| PathBuf::from(wanted).join(script),
    )
}

/// Places, answers and ends calls as the marks say. Ends only by failing.
async fn serve_phones(centre: &Centre, marks: &Marks, phone: Option<Phone>) -> Result<()> {
    let mut caller: Option<Phone> = None;
    loop {
        if marks.taken("call")? {
            let called = phones::caller(centre, "+12025550100").await?;
            called.answered().await?;
            caller = Some(called);
        }
        if marks.taken("answer")? {
            let phone = phone.as_ref().context("no agent's phone in this test")?;
            phone.sipp.cue()?;
        }
        if marks.taken("end")?
            && let Some(mut caller) = caller.take()
        {
            caller.hang_up().await?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn queues_now_shows_a_real_call() -> Result<()> {
    stage::with_centre(async |centre| page(centre, "queues-now.spec.mjs", None).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_works_at_the_desk() -> Result<()> {
    stage::with_centre(async |centre| {
        let anna = centre.credentials().agents[0].clone();
        let phone = phones::agent(centre, &anna, "agent_ring").await?;
        page(centre, "desk.spec.mjs", Some(phone)).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn people_keep_their_sessions_and_passwords() -> Result<()> {
    stage::with_centre(async |centre| page(centre, "account.spec.mjs", None).await).await
}
