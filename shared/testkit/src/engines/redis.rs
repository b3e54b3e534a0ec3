//! Redis 7.

use super::{Engine, keeper};
use crate::{Process, eventually, free_port};
use anyhow::{Context, Result, ensure};
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A Redis that writes what it is told to an append-only file, as a careful operator's does.
pub struct Redis {
    process: Process,
    port: u16,
    folder: TempDir,
}

impl Redis {
    /// An empty one.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let process = run(port, folder.path())?;
        let redis = Self {
            process,
            port,
            folder,
        };
        redis.answers().await?;
        Ok(redis)
    }

    /// Where it is, e.g. `redis://127.0.0.1:16379`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Asks it something by `redis-cli`, e.g. `["GET", "key"]`, and gives the lines of the answer.
    ///
    /// # Errors
    /// What it says.
    pub fn ask(&self, command: &[&str]) -> Result<Vec<String>> {
        let output = self.cli().args(command).output().context("redis-cli")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "redis-cli {command:?}: {text}");
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Everything it is told from now on, and what its scripts do, line by line in a file, until what is returned is dropped.
    ///
    /// # Errors
    /// `redis-cli` cannot be started.
    pub fn monitor(&self, file: &Path) -> Result<Process> {
        Process::start(self.cli().arg("MONITOR"), file)
    }

    fn cli(&self) -> Command {
        let mut cli = Command::new("redis-cli");
        cli.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        cli
    }

    async fn answers(&self) -> Result<()> {
        let asked = eventually("Redis answers", Duration::from_secs(20), async || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer)?;
            ensure!(
                &answer == b"+PONG\r\n",
                "{}",
                String::from_utf8_lossy(&answer)
            );
            Ok(())
        });
        asked.await.with_context(|| self.process.log_tail(10))
    }
}

impl Engine for Redis {
    fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    async fn revive(&mut self) -> Result<()> {
        self.process = run(self.port, self.folder.path())?;
        self.answers().await
    }

    fn freeze(&self) -> Result<()> {
        self.process.signal("STOP")
    }

    fn thaw(&self) -> Result<()> {
        self.process.signal("CONT")
    }
}

fn run(port: u16, folder: &Path) -> Result<Process> {
    let log = folder.join("redis.log");
    keeper::start(Path::new("redis-server"), None, &log, |command| {
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args([
                "--appendonly",
                "yes",
                "--appendfsync",
                "everysec",
                "--save",
                "",
            ])
            .arg("--dir")
            .arg(folder);
    })
}
