//! docs/errors.md and the code name the same error codes: none is missing there, none is there that nobody sends.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What makes a failure with a code among its arguments.
const MAKERS: [&str; 7] = [
    "Fault::new(",
    "invalid(",
    "fail(",
    "wrong(",
    "refusal(",
    "unauthenticated(",
    "problem(",
];
/// Facts (`meta`) that documentation names beside the codes.
const FACTS: [&str; 2] = ["existing_id", "retry_after_seconds"];
/// Arguments are looked at this far.
const REACH: usize = 240;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The code of services and shared crates, without tests and tools.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("services"), root().join("shared")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                let skipped = ["tests", "xtask", "testkit", "web", "examples", "benches"];
                if !skipped.contains(&name) {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.push((path, code.to_owned()));
            }
        }
    }
    found
}

fn is_code(text: &str) -> bool {
    text.contains('_')
        && !FACTS.contains(&text)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

/// The codes given to the makers: the first text among the arguments that looks like one.
fn made(source: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    for maker in MAKERS {
        for (at, _) in source.match_indices(maker) {
            let arguments = &source[at + maker.len()..];
            let end = arguments
                .char_indices()
                .nth(REACH)
                .map_or(arguments.len(), |(end, _)| end);
            let arguments = arguments[..end].split(';').next().unwrap();
            codes.extend(literals(arguments).find(|text| is_code(text)));
        }
    }
    codes
}

/// Codes that a function's documentation promises: "# Errors" and what stands in backquotes after it.
fn promised(source: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    let mut inside = false;
    for line in source.lines() {
        let Some(comment) = line.trim_start().strip_prefix("///") else {
            inside = false;
            continue;
        };
        if inside {
            let quoted = comment.split('`').skip(1).step_by(2);
            codes.extend(quoted.filter(|text| is_code(text)));
        }
        inside |= comment.trim() == "# Errors";
    }
    codes
}

fn literals(source: &str) -> impl Iterator<Item = &str> {
    source.split('"').skip(1).step_by(2)
}

/// The codes in the first column of the document's tables.
fn documented() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let first = row.split('|').nth(1).unwrap();
        first
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn every_code_is_documented() {
    let documented = documented();
    let mut missing: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (path, source) in sources() {
        for code in made(&source).into_iter().chain(promised(&source)) {
            seen.insert(code.to_owned());
            if !documented.contains(code) {
                missing.insert(code.to_owned(), path.clone());
            }
        }
    }
    assert!(seen.len() > 80, "only {} codes were found", seen.len());
    assert!(
        missing.is_empty(),
        "docs/errors.md does not have {missing:#?}"
    );
}

#[test]
fn every_documented_code_is_in_the_code() {
    let sources = sources();
    let known: BTreeSet<&str> = sources
        .iter()
        .flat_map(|(_, source)| literals(source))
        .collect();
    // A comment or a lifetime may hold an odd quote, so texts are also looked for as they are written.
    let nowhere: Vec<_> = documented()
        .into_iter()
        .filter(|code| {
            let written = format!("\"{code}\"");
            !known.contains(code.as_str())
                && !sources.iter().any(|(_, source)| source.contains(&written))
        })
        .collect();
    assert!(nowhere.is_empty(), "nobody sends {nowhere:?}");
}

#[test]
fn a_code_is_found_where_it_is_made_and_where_it_is_promised() {
    let source = "/// # Errors\n/// `one_way` or `two_ways`.\nfn a() { Fault::new(Code::Invalid, \"three_ways\", \"x\") }\n\
                  fn b() { fail(found, &format!(\"{at}\"), \"four_ways\") }";
    assert_eq!(made(source), ["three_ways", "four_ways"]);
    assert_eq!(promised(source), ["one_way", "two_ways"]);
}
