//! `cargo xtask demo` in small: the load test's own phones place one call through a centre and judge it.

use anyhow::{Context, Result, ensure};
use centro_testkit::Centre;
use serde_json::Value;
use std::{env, path::PathBuf, process::Command};

/// A binary built beside this test program, or named in the environment.
fn binary(name: &str, variable: &str) -> Result<PathBuf> {
    let built = env::current_exe()?
        .parent()
        .and_then(|deps| deps.parent())
        .map(|folder| folder.join(name));
    let path = env::var_os(variable)
        .map(PathBuf::from)
        .or(built)
        .context("no folder of binaries")?;
    ensure!(
        path.exists(),
        "{} is missing: cargo build -p {name}",
        path.display()
    );
    Ok(path)
}

#[tokio::test]
async fn demo_hears_both_sides() -> Result<()> {
    let centre = Centre::start()
        .await
        .context("the demo starts its own; this one proves that two can run")?;
    let mut command = Command::new(binary("centro-loadtest", "CENTRO_LOADTEST_BIN")?);
    command
        .arg("demo")
        .env("CENTRO_BIN", binary("centro", "CENTRO_BIN")?);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .last()
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let result: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
    ensure!(output.status.success(), "{result:#}");
    for key in [
        "ok",
        "caller_hears_agent",
        "agent_hears_caller",
        "recording_has_both",
    ] {
        ensure!(result[key] == true, "{key}: {result:#}");
    }
    ensure!(
        result["ring_ms"]
            .as_f64()
            .is_some_and(|ms| ms > 0.0 && ms < 2000.0),
        "{result:#}"
    );
    ensure!(
        result["recording_seconds"]
            .as_f64()
            .is_some_and(|seconds| seconds > 0.5),
        "{result:#}"
    );
    drop(centre);
    Ok(())
}
