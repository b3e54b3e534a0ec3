//! The habits of this repository: `cargo xtask <habit>`. The only tool a newcomer needs beside cargo (and npm for the
//! pages). Nothing here knows what Centro does; it knows how Centro is built, run, tested and checked.

mod browser;
mod cluster;
mod command;
mod direction;
mod events;
mod licences;
mod node;
mod proof;
mod protos;
mod sizes;
mod tools;
mod web;

use anyhow::Result;
use clap::{Parser, Subcommand};
use command::{cargo, root};
use node::Node;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs, tests and checks Centro.")]
struct Arguments {
    #[command(subcommand)]
    habit: Habit,
}

#[derive(Subcommand)]
enum Habit {
    /// Builds the pages if needed and starts a whole centre; says what to dial and where to look.
    Run {
        /// Optimised build: slower to make, faster to run.
        #[arg(long)]
        release: bool,
        /// Passed to `centro run`, e.g. `-- --data /tmp/centre`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Installs what the tests need and runs all of them.
    Test {
        /// Only tests whose names contain this.
        filter: Option<String>,
    },
    /// Formatting, lints, dependency direction, proto and event compatibility, licences; prints the longest files.
    Check,
    /// Places one real call through a throw-away centre and prints what was heard, as one line of JSON.
    Demo,
    /// Measures this machine's figures in a release build; one line of JSON per figure.
    Bench {
        /// `routing`: the rules and the actors alone, without phones. Left out: calls through a whole centre.
        what: Option<Bench>,
    },
    /// Simulates days of a whole centre on routing's own rules, with bad networks and dying machines; ends with JSON.
    Sim {
        /// Passed on: `--seeds N`, `--from SEED`, `--break RULE`, `--only PLANS`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Checks every interleaving of small worlds of routing's own rules, and that deliberate bugs are found; ends with JSON.
    Model {
        /// Passed on: `--quick`, `--only NAME`, `--limit STATES`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Real calls through a cluster whose processes, engines and network fail; ends with JSON (docs/operators/faults.md).
    Faults {
        /// Optimised build: slower to make, and its times are worth more.
        #[arg(long)]
        release: bool,
        /// Passed on: `--quick`, `--only ROW`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A cluster on this machine to try things on: `up --nodes 3`, `status`, `down`.
    Cluster {
        /// Passed on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Builds the web pages.
    Web,
    /// Accepts the present proto interface as the one to stay compatible with.
    ProtoLock,
    /// Writes what integrators are told to docs/integrators: the AsyncAPI document and the JSON Schemas.
    Events {
        /// Even if an integration that works today would break.
        #[arg(long = "break")]
        accept: bool,
    },
    /// Writes docs/licences.md anew.
    Licences,
    /// What this machine lacks for building and running Centro.
    Doctor,
}

/// What can be measured by itself.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bench {
    /// services/routing/benches.
    Routing,
}

fn main() -> ExitCode {
    match run(Arguments::parse().habit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(habit: Habit) -> Result<()> {
    std::env::set_current_dir(root())?;
    match habit {
        Habit::Run { release, arguments } => {
            web::build_if_possible()?;
            let mut build = cargo(&["run", "--package", "centro"]);
            if release {
                build.arg("--release");
            }
            build.args(["--", "run"]).args(arguments);
            command::run(&mut build)
        }
        Habit::Test { filter } => test(filter.as_deref()),
        Habit::Check => check(),
        Habit::Demo => {
            command::run(&mut cargo(&[
                "build",
                "--package",
                "centro",
                "--package",
                "centro-loadtest",
            ]))?;
            command::run(&mut cargo(&[
                "run",
                "--quiet",
                "--package",
                "centro-loadtest",
                "--",
                "demo",
            ]))
        }
        Habit::Bench { what: None } => bench(),
        Habit::Bench {
            what: Some(Bench::Routing),
        } => bench_routing(),
        Habit::Sim { arguments } => proof::run("sim", &arguments),
        Habit::Model { arguments } => proof::run("model", &arguments),
        Habit::Faults { release, arguments } => faults(release, &arguments),
        Habit::Cluster { arguments } => cluster::run(&arguments),
        Habit::Web => web::build(&Node::find_or_fetch()?),
        Habit::ProtoLock => protos::lock(),
        Habit::Events { accept } => events::write(accept),
        Habit::Licences => licences::write(),
        Habit::Doctor => {
            tools::report();
            command::run(&mut cargo(&[
                "run",
                "--quiet",
                "--package",
                "centro",
                "--",
                "doctor",
            ]))
        }
    }
}

/// Everything that can be wrong without running anything.
fn check() -> Result<()> {
    direction::check()?;
    protos::check()?;
    events::check()?;
    licences::check()?;
    sizes::print_longest()?;
    command::run(&mut cargo(&["fmt", "--all", "--", "--check"]))?;
    command::run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "centro-routing/bench,centro-routing/mutants",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn test(filter: Option<&str>) -> Result<()> {
    tools::install_for_tests()?;
    let node = Node::find_or_fetch()?;
    web::build_if_stale(&node)?;
    web::test(&node)?;
    browser::prepare(&node)?;
    // The end-to-end tests start the real binary, so it is built first, with the features the workspace build gives it.
    let all = ["--workspace", "--features", "centro-routing/mutants"];
    let mut build = cargo(&["build", "--all-targets"]);
    command::run(build.args(all))?;
    let mut tests = cargo(&["test"]);
    tests.args(all).args(filter).env("PATH", node.path());
    command::run(&mut tests)?;
    if filter.is_some() {
        return Ok(());
    }
    proof::run("sim", &["--seeds", "300"])?;
    proof::run("model", &["--quick"])
}

/// The figures of docs/figures.md, one after the other so that they do not disturb each other.
fn bench() -> Result<()> {
    command::run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "centro",
        "--package",
        "centro-loadtest",
    ]))?;
    let figures: [&[&str]; 5] = [
        &["media", "--calls", "100", "--seconds", "20"],
        &[
            "calls", "--rate", "100", "--calls", "2000", "--agents", "200", "--talk", "1",
        ],
        &[
            "backlog",
            "--agents",
            "10",
            "--waiting",
            "100",
            "--calls",
            "300",
            "--talk",
            "0.5",
        ],
        &[
            "backlog",
            "--agents",
            "100",
            "--waiting",
            "1000",
            "--calls",
            "1800",
            "--talk",
            "2",
        ],
        &[
            "idle",
            "--queues",
            "1000",
            "--devices",
            "1000",
            "--seconds",
            "20",
        ],
    ];
    for figure in figures {
        let mut load = cargo(&[
            "run",
            "--quiet",
            "--release",
            "--package",
            "centro-loadtest",
            "--",
        ]);
        load.args(figure);
        if figure[0] == "calls" || figure[0] == "backlog" {
            load.args(["--against", "spawn"]);
        }
        command::run(&mut load)?;
    }
    Ok(())
}

fn faults(release: bool, arguments: &[String]) -> Result<()> {
    let profile: &[&str] = if release { &["--release"] } else { &[] };
    let packages = ["--package", "centro", "--package", "centro-loadtest"];
    let mut build = cargo(&["build"]);
    command::run(build.args(profile).args(packages))?;
    let mut load = cargo(&["run", "--quiet"]);
    load.args(profile).args(&packages[2..]);
    command::run(load.args(["--", "faults"]).args(arguments))
}

/// The figures of routing alone: the last line is JSON.
fn bench_routing() -> Result<()> {
    command::run(&mut cargo(&[
        "bench",
        "--quiet",
        "--package",
        "centro-routing",
        "--features",
        "bench",
        "--bench",
        "routing",
    ]))
}
