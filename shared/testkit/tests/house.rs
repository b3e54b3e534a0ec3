//! `centro-cluster`, as `cargo xtask cluster` runs it: a cluster that outlives the command, is found again, and goes whole.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests may stop at the first surprise

use anyhow::{Context, Result, ensure};
use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

/// Longer than shards take to find their owners.
const SETTLED: Duration = Duration::from_secs(20);

struct House(PathBuf);

impl House {
    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let exe = env!("CARGO_BIN_EXE_centro-cluster");
        let mut command = Command::new(exe);
        command.args(arguments).env("CENTRO_CLUSTER_DIR", &self.0);
        Ok(command.output()?)
    }

    fn says(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    }

    fn keeper(&self) -> Result<String> {
        Ok(fs::read_to_string(self.0.join("pid"))?)
    }

    fn redis(&self) -> Result<String> {
        let settings = fs::read_to_string(self.0.join("centro.toml"))?;
        let at = settings.split("redis://").nth(1).context("an address")?;
        Ok(at.split('"').next().context("its end")?.to_owned())
    }

    /// Processes that name the folder.
    fn left(&self) -> Vec<String> {
        let lines = fs::read_dir("/proc").unwrap().flatten();
        let lines = lines.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        let mine = format!("{}/", self.0.display());
        lines.filter(|line| line.contains(&mine)).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.run(&["down"]);
        let _ = fs::remove_file(format!("{}.lock", self.0.display()));
    }
}

fn is_gone(folder: &Path) -> bool {
    !folder.exists()
}

#[test]
fn it_comes_up_once_shows_who_owns_what_and_goes_whole() -> Result<()> {
    let house = House(format!("/tmp/centro-cluster-test-{}", std::process::id()).into());
    let nothing = house.run(&["status"])?;
    ensure!(!nothing.status.success(), "{nothing:?}");
    house.says(&["down"])?;

    let first = house.says(&["up", "--nodes", "2"])?;
    for part in [
        "Look    http://127.0.0.1:",
        "Call    sip:+12025550100@",
        "Steer",
        "supervisor",
    ] {
        ensure!(first.contains(part), "{part} in\n{first}");
    }
    let keeper = house.keeper()?;
    // Once more changes nothing.
    let second = house.says(&["up"])?;
    ensure!(
        first.contains(second.trim()) && house.keeper()? == keeper,
        "{second}"
    );
    // Who came last may be taking its share.
    let until = Instant::now() + SETTLED;
    let mut status = house.says(&["status"])?;
    while !status.contains("256 of 256 shards") && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(200));
        status = house.says(&["status"])?;
    }
    for part in [
        "routing-1",
        "routing-2",
        "telephony",
        "office",
        "256 of 256 shards",
    ] {
        ensure!(status.contains(part), "{part} in\n{status}");
    }
    println!("{first}\n{status}");

    // The process that holds it is killed: engines go with it, and the rest when somebody tidies up.
    let redis = house.redis()?;
    ensure!(TcpStream::connect(&redis).is_ok());
    let killed = Command::new("kill")
        .args(["-KILL", keeper.trim()])
        .status()?;
    ensure!(killed.success() && !house.left().is_empty());
    let began = Instant::now();
    house.says(&["down"])?;
    ensure!(
        house.left().is_empty() && is_gone(&house.0),
        "{:?}",
        house.left()
    );
    ensure!(TcpStream::connect(&redis).is_err(), "Redis lives");
    ensure!(began.elapsed() < Duration::from_secs(60));
    house.says(&["down"]).map(drop)
}
