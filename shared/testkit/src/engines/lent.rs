//! Databases for tests that run on both engines: one PostgreSQL for all tests of a program, a database of its own for each.

use super::Postgres;
use anyhow::{Context, Result};
use std::{
    cell::RefCell,
    process::{Command, Stdio},
};
use tokio::sync::OnceCell;

/// Where a test keeps its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Files in a folder of the test's.
    Sqlite,
    /// A database of the shared server.
    Postgres,
}

tokio::task_local! {
    static CASE: Case;
}

struct Case {
    kind: Kind,
    url: RefCell<Option<String>>,
}

/// Runs a test on an engine; used by [`super::on_both_engines`]. Its database goes when it has passed.
pub async fn on(kind: Kind, test: impl Future<Output = ()>) {
    let case = Case {
        kind,
        url: RefCell::new(None),
    };
    let lent = CASE
        .scope(case, async {
            test.await;
            CASE.with(|case| case.url.take())
        })
        .await;
    if let Some(url) = lent
        && let Some((_, name)) = url.rsplit_once('/')
        && let Ok(server) = shared().await
    {
        let _ = server.sql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        );
    }
}

/// Where the records of the running test are: a URL, the same each time it is asked, or nothing for SQLite in the test's folder.
///
/// # Panics
/// PostgreSQL is not installed or does not start.
#[allow(clippy::expect_used)] // it is for tests, which have to end then
pub async fn records() -> String {
    let asked = CASE.try_with(|case| (case.kind, case.url.borrow().clone()));
    match asked {
        Ok((Kind::Postgres, None)) => {
            let server = shared().await.expect("a PostgreSQL for the tests");
            let url = server.database().expect("a database for the test");
            CASE.with(|case| case.url.replace(Some(url.clone())));
            url
        }
        Ok((Kind::Postgres, Some(url))) => url,
        Ok((Kind::Sqlite, _)) | Err(_) => String::new(),
    }
}

async fn shared() -> Result<&'static Postgres> {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| async {
            let server = Postgres::start().await?;
            sweep(&server)?;
            Ok(server)
        })
        .await
}

/// What is static is never dropped, so a program that waits for our end removes the data folder.
fn sweep(server: &Postgres) -> Result<()> {
    let script = "cat >/dev/null; sleep 1; rm -rf \"$0\"";
    let mut broom = Command::new("setsid")
        .args(["sh", "-c", script])
        .arg(server.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("setsid")?;
    // The pipe is closed by our end.
    std::mem::forget(broom.stdin.take());
    Ok(())
}
