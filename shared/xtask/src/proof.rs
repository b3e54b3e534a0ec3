//! The proof of the routing protocol: services/routing/proof, optimised. Its last line is JSON.

use crate::command::{self, cargo};
use anyhow::Result;
use std::ffi::OsStr;

/// Runs one of its commands.
pub fn run(what: &str, arguments: &[impl AsRef<OsStr>]) -> Result<()> {
    let mut proof = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "centro-routing-proof",
        "--",
        what,
    ]);
    proof.args(arguments);
    command::run(&mut proof)
}
