//! docs/integrators: the AsyncAPI document and the JSON Schemas of what integrators are told. They are generated, checked in,
//! and only grow.

mod compare;

use crate::command::{self, cargo, root};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const FOLDER: &str = "docs/integrators";
const DOCUMENT: &str = "asyncapi.json";
const SCHEMAS: &str = "schemas";

/// By path below the folder.
type Files = BTreeMap<String, Value>;

/// Refuses what would break an integration, and what is not generated from the present protos.
pub fn check() -> Result<()> {
    let (promised, present) = (read(&root().join(FOLDER))?, generate()?);
    refuse(&compare::broken(&promised, &present))?;
    if promised != present {
        bail!("{FOLDER} is not what the protos say: run `cargo xtask events`");
    }
    println!("events for integrators: {} files up to date", present.len());
    Ok(())
}

/// Writes the present ones. What would break an integration is refused unless `accept` says that nobody uses it.
pub fn write(accept: bool) -> Result<()> {
    let folder = root().join(FOLDER);
    let (promised, present) = (read(&folder)?, generate()?);
    let broken = compare::broken(&promised, &present);
    if accept {
        broken.iter().for_each(|line| println!("broken: {line}"));
    } else {
        refuse(&broken)?;
    }
    fs::create_dir_all(folder.join(SCHEMAS))?;
    for name in promised.keys().filter(|name| !present.contains_key(*name)) {
        fs::remove_file(folder.join(name))?;
    }
    for (name, value) in present {
        let text = serde_json::to_string_pretty(&value)?;
        fs::write(folder.join(name), text + "\n")?;
    }
    Ok(())
}

fn refuse(broken: &[String]) -> Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    bail!(
        "integrations would break:\n  {}\nAdd an `optional` field or a new event instead. If nobody can use it yet, run `cargo \
         xtask events --break`.",
        broken.join("\n  ")
    )
}

fn generate() -> Result<Files> {
    let folder = root().join("target/integrators");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut run = cargo(&["run", "--quiet", "--package", "centro", "--", "asyncapi"]);
    command::run(run.arg("--into").arg(&folder))?;
    read(&folder)
}

fn read(folder: &Path) -> Result<Files> {
    let mut paths = vec![PathBuf::from(DOCUMENT)];
    if let Ok(entries) = fs::read_dir(folder.join(SCHEMAS)) {
        for entry in entries {
            paths.push(Path::new(SCHEMAS).join(entry?.file_name()));
        }
    }
    let mut files = Files::new();
    for path in paths.iter().filter(|path| folder.join(path).is_file()) {
        let text = fs::read(folder.join(path))?;
        let value = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        files.insert(path.display().to_string(), value);
    }
    Ok(files)
}
