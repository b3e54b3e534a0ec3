//! PostgreSQL 15 or later.

use super::{Engine, keeper};
use crate::{Process, eventually, free_port};
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tempfile::TempDir;

/// The account that Debian's package makes; PostgreSQL refuses to run as root.
const ACCOUNT: &str = "postgres";
/// Who owns the databases of tests.
const ROLE: &str = "centro";

/// A server trusted from 127.0.0.1, whose superuser is `postgres`. Its databases belong to the role `centro`, which may no more than
/// the guide for operators asks for.
pub struct Postgres {
    process: Process,
    port: u16,
    folder: TempDir,
    databases: AtomicU32,
}

impl Postgres {
    /// An empty one.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        if keeper::is_root() {
            done(Command::new("chown").arg(ACCOUNT).arg(folder.path()))?;
        }
        done(
            as_account(&binary("initdb")?)
                .args([
                    "--username",
                    "postgres",
                    "--auth",
                    "trust",
                    "--no-sync",
                    "--encoding",
                    "UTF8",
                ])
                .args(["--locale", "C.UTF-8", "--pgdata"])
                .arg(data(folder.path())),
        )?;
        let port = free_port()?;
        let process = run(port, folder.path())?;
        let databases = AtomicU32::new(0);
        let postgres = Self {
            process,
            port,
            folder,
            databases,
        };
        postgres.answers().await?;
        postgres.sql("postgres", &format!("CREATE ROLE {ROLE} LOGIN"))?;
        Ok(postgres)
    }

    /// A new, empty database, e.g. `postgres://centro@127.0.0.1:15432/test_1`.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} OWNER {ROLE}"))?;
        Ok(format!("postgres://{ROLE}@127.0.0.1:{}/{name}", self.port))
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a statement as superuser and gives its rows, fields separated by `|`.
    ///
    /// # Errors
    /// What the server says of it.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(binary("psql")?);
        psql.args([
            "--host",
            "127.0.0.1",
            "--username",
            "postgres",
            "--no-psqlrc",
        ])
        .args(["--port", &self.port.to_string(), "--dbname", database])
        .args([
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--command",
            statement,
        ]);
        done(&mut psql)
    }

    async fn answers(&self) -> Result<()> {
        let asked = eventually("PostgreSQL answers", Duration::from_secs(30), async || {
            self.sql("postgres", "SELECT 1").map(drop)
        });
        asked.await.with_context(|| self.process.log_tail(10))
    }
}

impl Engine for Postgres {
    fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    async fn revive(&mut self) -> Result<()> {
        // Children of the one that was killed notice its end a moment later; until then a new one is refused.
        eventually(
            "PostgreSQL starts again",
            Duration::from_secs(30),
            async || {
                self.process = run(self.port, self.folder.path())?;
                loop {
                    if self.sql("postgres", "SELECT 1").is_ok() {
                        return Ok(());
                    }
                    ensure!(self.process.ended()?.is_none(), self.process.log_tail(10));
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        )
        .await
    }

    fn freeze(&self) -> Result<()> {
        // The postmaster first: it starts no more of the others, which serve the connections that are open.
        self.process.signal("STOP")?;
        self.signal_children("STOP")
    }

    fn thaw(&self) -> Result<()> {
        self.signal_children("CONT")?;
        self.process.signal("CONT")
    }
}

impl Postgres {
    /// One may end while it is signalled.
    fn signal_children(&self, name: &str) -> Result<()> {
        let parent = self.process.id().to_string();
        Command::new("pkill")
            .args([&format!("-{name}"), "--parent", &parent])
            .status()?;
        Ok(())
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn run(port: u16, folder: &Path) -> Result<Process> {
    let log = folder.join("postgres.log");
    let program = binary("postgres")?;
    keeper::start(&program, Some(ACCOUNT), &log, |command| {
        command
            .arg("-D")
            .arg(data(folder))
            .arg("-k")
            .arg(folder)
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-c",
                "max_connections=200",
            ]);
    })
}

/// A program of the newest version that is installed; Debian keeps them out of the path.
fn binary(name: &str) -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<_> = versions
        .map(|v| v.path().join("bin").join(name))
        .filter(|p| p.is_file())
        .collect();
    found.sort();
    match found.pop() {
        Some(path) => Ok(path),
        None => bail!("{name} is missing: install the Debian package postgresql"),
    }
}

fn as_account(program: &Path) -> Command {
    if !keeper::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"])
        .arg(program);
    command
}

fn done(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| command.get_program().display().to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    ensure!(
        output.status.success(),
        "{}: {}",
        command.get_program().display(),
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}
