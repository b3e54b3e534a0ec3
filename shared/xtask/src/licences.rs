//! Licences of what we build on: every one must be on the list, and docs/licences.md names them all.

use crate::command::root;
use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use std::{collections::BTreeMap, fmt::Write as _, fs};

/// Licences under which a dependency may be used beside Apache-2.0. One acceptable choice of an `OR` is enough.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
const FILE: &str = "docs/licences.md";

/// Refuses a dependency whose licence is not on the list, and a list that is not true.
pub fn check() -> Result<()> {
    let text = render()?;
    let written = fs::read_to_string(root().join(FILE)).unwrap_or_default();
    if written != text {
        bail!(
            "{FILE} is not what the dependencies say: run `cargo xtask licences` and read the difference"
        );
    }
    println!("licences: all on the list");
    Ok(())
}

/// Writes the list anew.
pub fn write() -> Result<()> {
    fs::write(root().join(FILE), render()?).with_context(|| format!("cannot write {FILE}"))
}

fn render() -> Result<String> {
    let metadata = MetadataCommand::new().exec()?;
    let mut by_licence: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = Vec::new();
    for package in metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
    {
        let licence = package
            .license
            .clone()
            .unwrap_or_else(|| "none stated".to_owned())
            .replace('/', " OR ");
        if !acceptable(&licence) {
            refused.push(format!("{} {}: {licence}", package.name, package.version));
        }
        by_licence
            .entry(licence)
            .or_default()
            .push(format!("{} {}", package.name, package.version));
    }
    if !refused.is_empty() {
        bail!(
            "licences not on the list of shared/xtask/src/licences.rs:\n  {}",
            refused.join("\n  ")
        );
    }
    let mut text = String::from(
        "# Licences of dependencies\n\nWritten by `cargo xtask licences` from Cargo.lock; `cargo xtask check` fails when it is not true.\n",
    );
    for (licence, mut packages) in by_licence {
        packages.sort();
        write!(text, "\n## {licence}\n\n{}\n", packages.join(", "))?;
    }
    Ok(text)
}

/// Whether an SPDX expression can be satisfied from the list.
fn acceptable(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "");
    plain.split(" OR ").any(|choice| {
        choice
            .split(" AND ")
            .all(|part| ALLOWED.contains(&part.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::acceptable;

    #[test]
    fn one_acceptable_choice_is_enough_and_every_part_of_an_and_counts() {
        assert!(acceptable("MIT OR GPL-3.0"));
        assert!(acceptable("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!acceptable("GPL-3.0"));
        assert!(!acceptable("MIT AND GPL-3.0"));
    }
}
