//! A cluster on this machine to try things on: shared/testkit/src/bin/centro-cluster.rs, with the binary of this checkout.

use crate::{
    command::{self, cargo},
    tools,
};
use anyhow::Result;

/// Builds what is needed and passes the command on.
pub fn run(arguments: &[String]) -> Result<()> {
    let up = arguments.first().is_some_and(|first| first == "up");
    if up {
        tools::install_for_tests()?;
    }
    command::run(&mut cargo(&[
        "build",
        "--package",
        "centro",
        "--package",
        "centro-testkit",
        "--bins",
    ]))?;
    let mut cluster = cargo(&[
        "run",
        "--quiet",
        "--package",
        "centro-testkit",
        "--bin",
        "centro-cluster",
        "--",
    ]);
    command::run(cluster.args(arguments))
}
