//! Licences of what we build on, crates and the packages of the web pages: every one must be on the list, and
//! docs/licences.md names them all.

use crate::command::root;
use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;
use serde_json::Value;
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
/// Licences of fonts: their text must be in docs/licences, because it has to go with the font.
const FONTS: &[&str] = &["OFL-1.1"];
const FILE: &str = "docs/licences.md";
const WEB_LOCK: &str = "services/gateway/web/package-lock.json";

/// Something we build on.
struct Package {
    name: String,
    version: String,
    licence: String,
}

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
    let lock = fs::read_to_string(root().join(WEB_LOCK)).with_context(|| WEB_LOCK.to_owned())?;
    let (crates, web) = (crates()?, bundled(&serde_json::from_str(&lock)?)?);
    let mut refused: Vec<_> = unacceptable(&crates, ALLOWED);
    let with_fonts: Vec<&str> = ALLOWED.iter().chain(FONTS).copied().collect();
    refused.extend(unacceptable(&web, &with_fonts));
    if !refused.is_empty() {
        bail!(
            "licences not on the list of shared/xtask/src/licences.rs:\n  {}",
            refused.join("\n  ")
        );
    }
    let mut text = String::from(
        "# Licences of dependencies\n\nWritten by `cargo xtask licences` from Cargo.lock and the web pages' package-lock.json; `cargo xtask check` fails\nwhen it is not true.\n\n# In the binary\n",
    );
    list(&mut text, &crates)?;
    text.push_str("\n# In the web pages\n");
    list(&mut text, &web)?;
    for font in web
        .iter()
        .filter(|package| FONTS.contains(&&*package.licence))
    {
        let file = format!(
            "licences/{}.txt",
            font.name.replace('/', "-").trim_start_matches('@')
        );
        if !root().join("docs").join(&file).exists() {
            bail!("docs/{file} is missing: copy the font's licence text there");
        }
        write!(
            text,
            "\nThe text of {}'s licence: [{file}]({file}).\n",
            font.name
        )?;
    }
    Ok(text)
}

fn crates() -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new().exec()?;
    let foreign = metadata.packages.iter().filter(|p| p.source.is_some());
    Ok(foreign
        .map(|package| Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            licence: stated(package.license.as_deref()),
        })
        .collect())
}

/// The packages of a package-lock.json that end up in the bundle: all but those only needed to make it.
fn bundled(lock: &Value) -> Result<Vec<Package>> {
    let packages = lock["packages"].as_object().context("no packages")?;
    Ok(packages
        .iter()
        .filter(|(path, package)| {
            !path.is_empty() && package["dev"] != true && package["devOptional"] != true
        })
        .map(|(path, package)| Package {
            name: path
                .rsplit_once("node_modules/")
                .map_or(&**path, |(_, name)| name)
                .to_owned(),
            version: package["version"].as_str().unwrap_or_default().to_owned(),
            licence: stated(package["license"].as_str()),
        })
        .collect())
}

fn stated(licence: Option<&str>) -> String {
    licence.unwrap_or("none stated").replace('/', " OR ")
}

fn unacceptable(packages: &[Package], allowed: &[&str]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| !acceptable(&package.licence, allowed))
        .map(|package| format!("{} {}: {}", package.name, package.version, package.licence))
        .collect()
}

fn list(text: &mut String, packages: &[Package]) -> Result<()> {
    let mut by_licence: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in packages {
        by_licence
            .entry(&package.licence)
            .or_default()
            .push(format!("{} {}", package.name, package.version));
    }
    for (licence, mut packages) in by_licence {
        packages.sort();
        packages.dedup();
        write!(text, "\n## {licence}\n\n{}\n", packages.join(", "))?;
    }
    Ok(())
}

/// Whether an SPDX expression can be satisfied from the list.
fn acceptable(licence: &str, allowed: &[&str]) -> bool {
    let plain = licence.replace(['(', ')'], "");
    plain.split(" OR ").any(|choice| {
        choice
            .split(" AND ")
            .all(|part| allowed.contains(&part.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_acceptable_choice_is_enough_and_every_part_of_an_and_counts() {
        let acceptable = |licence| acceptable(licence, ALLOWED);
        assert!(acceptable("MIT OR GPL-3.0"));
        assert!(acceptable("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!acceptable("GPL-3.0"));
        assert!(!acceptable("MIT AND GPL-3.0"));
    }

    #[test]
    fn what_ends_up_in_the_pages_is_listed_and_judged() {
        let lock = json!({"packages": {
            "": {"name": "ours"},
            "node_modules/react": {"version": "19.0.0", "license": "MIT"},
            "node_modules/a/node_modules/@b/c": {"version": "1.0.0", "license": "GPL-3.0"},
            "node_modules/nameless": {"version": "2.0.0"},
            "node_modules/vite": {"version": "8.0.0", "license": "MIT", "dev": true},
            "node_modules/typescript": {"version": "5.0.0", "license": "Apache-2.0", "devOptional": true},
        }});
        let packages = bundled(&lock).unwrap();
        let names: Vec<_> = packages.iter().map(|package| &*package.name).collect();
        assert_eq!(names, ["@b/c", "nameless", "react"]);
        assert_eq!(
            unacceptable(&packages, ALLOWED),
            ["@b/c 1.0.0: GPL-3.0", "nameless 2.0.0: none stated"]
        );
    }
}
