//! Long files are the first sign of decay, so the longest are printed at each check.

use crate::command::root;
use anyhow::{Context, Result};
use std::{fs, process::Command};

/// Above this a file must have one subject that cannot be cut.
const LONG: usize = 400;

/// Prints the ten longest source files.
pub fn print_longest() -> Result<()> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "*.rs",
            "*.ts",
            "*.tsx",
            "*.mjs",
        ])
        .current_dir(root())
        .output()
        .context("git ls-files")?;
    let mut files: Vec<(usize, &str)> = Vec::new();
    let names = String::from_utf8(listed.stdout)?;
    for name in names.lines() {
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            files.push((text.lines().count(), name));
        }
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    println!("longest files (aim: {LONG} lines at most)");
    for (lines, name) in files.iter().take(10) {
        println!("{lines:6}  {name}");
    }
    Ok(())
}
