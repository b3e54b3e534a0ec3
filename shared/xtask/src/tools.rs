//! Programs that are not ours: the peers and browsers of the tests, and Node for the pages.

use crate::{
    command::{find, run_quietly},
    node,
};
use anyhow::{Result, bail};
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

/// A program the tests need, and the Debian package that brings it.
const FOR_TESTS: &[(&str, &str)] = &[
    ("sipp", "sip-tester"),
    ("baresip", "baresip-core"),
    ("chromium", "chromium"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("redis-server", "redis-server"),
    ("rabbitmqctl", "rabbitmq-server"),
    ("psql", "postgresql"),
    ("openssl", "openssl"),
    (PIKA, "python3-pika"),
];

/// Not a program but a module of Debian's Python; an example for integrators is written with it.
const PIKA: &str = "pika";

/// Where it is. Debian's packages are for Debian's Python, whichever comes first in the path.
fn place(program: &str) -> Option<PathBuf> {
    if program != PIKA {
        return find(program);
    }
    let python = PathBuf::from("/usr/bin/python3");
    let mut import = Command::new(&python);
    import.args(["-c", "import pika"]).stderr(Stdio::null());
    import.status().is_ok_and(|s| s.success()).then_some(python)
}

/// Installs what is missing. A test is never skipped because a tool is not there.
pub fn install_for_tests() -> Result<()> {
    let missing: Vec<_> = FOR_TESTS
        .iter()
        .filter(|(program, _)| place(program).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    let Some(apt) = find("apt-get") else {
        bail!(
            "the tests need {}; install the packages {} and try again",
            missing
                .iter()
                .map(|(program, _)| *program)
                .collect::<Vec<_>>()
                .join(", "),
            packages.join(", ")
        );
    };
    let apt = |arguments: &[&str]| {
        let mut command = if is_root() {
            Command::new(&apt)
        } else {
            Command::new("sudo")
        };
        if !is_root() {
            command.arg(&apt);
        }
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run_quietly("reading the list of Debian packages", &mut apt(&["update"]))?;
    let mut install = apt(&["install", "--yes", "--no-install-recommends"]);
    install.args(&packages);
    run_quietly(&format!("installing {}", packages.join(", ")), &mut install)
}

/// Prints which tools are there.
pub fn report() {
    for (program, package) in FOR_TESTS {
        match place(program) {
            Some(path) => println!("ok       {program:12} {}", path.display()),
            None => println!(
                "missing  {program:12} comes with the Debian package {package}; needed by the tests"
            ),
        }
    }
    if let Some((version, false)) = node::on_path() {
        println!(
            "old      node      {version}: a newer one is fetched into .tools when the pages are built, or {}",
            node::REMEDY
        );
    }
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}
