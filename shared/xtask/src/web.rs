//! The web pages: built by Vite, embedded in the gateway. Without Node the centre still runs.

use crate::command::{find, root, run, run_quietly};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

fn folder() -> PathBuf {
    root().join("services/gateway/web")
}

/// Builds the pages when their sources are newer than the last build; says so when Node is missing.
pub fn build_if_stale() -> Result<()> {
    if find("npm").is_none() {
        eprintln!(
            "npm is not installed: the centre will run without its pages. Install Node 20 or newer to get them."
        );
        return Ok(());
    }
    let built = modified(&folder().join("dist/index.html"));
    let sources = [
        "src",
        "public",
        "index.html",
        "package-lock.json",
        "vite.config.ts",
        "tsconfig.json",
    ];
    let newest = sources
        .iter()
        .filter_map(|source| newest(&folder().join(source)))
        .max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    build()
}

/// Builds the pages.
pub fn build() -> Result<()> {
    install(&folder())?;
    run_quietly(
        "building the pages",
        npm(&["run", "build"]).current_dir(folder()),
    )
}

/// Types and unit tests of the pages.
pub fn test() -> Result<()> {
    install(&folder())?;
    run_quietly(
        "checking the pages' types",
        npm(&["run", "typecheck"]).current_dir(folder()),
    )?;
    run(npm(&["test"]).current_dir(folder()))
}

/// Installs a folder's packages when its lock file is newer than what is installed.
pub fn install(folder: &Path) -> Result<()> {
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    run_quietly(
        &format!("installing the packages of {}", folder.display()),
        npm(&["ci", "--no-audit", "--no-fund"]).current_dir(folder),
    )
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments);
    command
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// When the newest file below `path` was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_file() {
        return modified(path);
    }
    fs::read_dir(path)
        .ok()?
        .filter_map(|entry| newest(&entry.ok()?.path()))
        .max()
}
