//! The web pages: built by Vite, embedded in the gateway. Without Node the centre still runs.

use crate::{
    command::{root, run, run_quietly},
    node::Node,
};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

fn folder() -> PathBuf {
    root().join("services/gateway/web")
}

/// Builds the pages for `cargo xtask run`. Where Node or its packages cannot be had, one sentence says what to do and the
/// centre runs with the pages of the last build, or without.
pub fn build_if_possible() -> Result<()> {
    if !stale() {
        return Ok(());
    }
    let prepared = Node::find_or_fetch().and_then(|node| {
        install(&node, &folder())?;
        Ok(node)
    });
    match prepared {
        Ok(node) => bundle(&node),
        Err(error) => {
            let pages = if folder().join("dist/index.html").exists() {
                "with the pages of an earlier build"
            } else {
                "without its pages"
            };
            eprintln!(
                "warning: {error:#}\nwarning: the centre will run {pages}; mend that and run this again."
            );
            Ok(())
        }
    }
}

/// Builds the pages when their sources are newer than the last build.
pub fn build_if_stale(node: &Node) -> Result<()> {
    if stale() {
        install(node, &folder())?;
        bundle(node)?;
    }
    Ok(())
}

/// Whether the sources are newer than the last build.
fn stale() -> bool {
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
    built.is_none() || built < newest
}

/// Builds the pages.
pub fn build(node: &Node) -> Result<()> {
    install(node, &folder())?;
    bundle(node)
}

fn bundle(node: &Node) -> Result<()> {
    run_quietly(
        "building the pages",
        node.npm(&["run", "build"]).current_dir(folder()),
    )
}

/// Types and unit tests of the pages.
pub fn test(node: &Node) -> Result<()> {
    install(node, &folder())?;
    run_quietly(
        "checking the pages' types",
        node.npm(&["run", "typecheck"]).current_dir(folder()),
    )?;
    run(node.npm(&["test"]).current_dir(folder()))
}

/// Installs a folder's packages when its lock file is newer than what is installed.
pub fn install(node: &Node, folder: &Path) -> Result<()> {
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    run_quietly(
        &format!("installing the packages of {}", folder.display()),
        node.npm(&["ci", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )
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
