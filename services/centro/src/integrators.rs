//! What integrators need from the command line: the description of events.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Args)]
pub struct AsyncapiArguments {
    /// Writes the document and the JSON Schemas into this folder instead.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// Prints or writes what integrators are told.
pub fn asyncapi(asked: &AsyncapiArguments) -> ExitCode {
    match describe(asked.into.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn describe(folder: Option<&Path>) -> Result<()> {
    let (document, schemas) = centro_gateway::asyncapi_document().map_err(anyhow::Error::msg)?;
    let Some(folder) = folder else {
        crate::say(&format!("{document}\n"));
        return Ok(());
    };
    write(folder, "asyncapi.json", &document)?;
    for (name, schema) in &schemas {
        write(&folder.join("schemas"), name, schema)?;
    }
    Ok(())
}

fn write(folder: &Path, name: &str, value: &Value) -> Result<()> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, format!("{value:#}\n")))
        .with_context(|| path.display().to_string())
}
