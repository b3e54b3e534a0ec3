//! `centro-routing-proof sim | model | scenarios`: what the habits `cargo xtask sim` and `cargo xtask model` run.

use centro_routing_proof::{Mutant, model, sim};
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(about = "Proves the routing protocol on the product's own rules.")]
struct Arguments {
    #[command(subcommand)]
    how: How,
}

#[derive(Subcommand)]
enum How {
    /// Simulates days by seeds; the last line is JSON.
    Sim {
        /// How many days. One alone is told step by step.
        #[arg(long, default_value_t = 300)]
        seeds: u64,
        /// The first day.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// Plants this bug and succeeds when it is found.
        #[arg(long = "break", value_name = "RULE")]
        mutant: Option<Mutant>,
        /// Only these plans of the day, as a shrunk story names them.
        #[arg(long, value_delimiter = ',')]
        only: Option<Vec<usize>>,
        /// Threads; as many as the machine has processors unless given.
        #[arg(long)]
        threads: Option<u64>,
    },
    /// Checks every interleaving of small worlds and hunts the deliberate bugs; the last line is JSON.
    Model {
        /// Only the world of one agent and one contact, with all pairs of surprises and faults, and the bugs.
        #[arg(long)]
        quick: bool,
        /// Only worlds and bugs whose names contain this.
        #[arg(long)]
        only: Option<String>,
        /// States generated per world.
        #[arg(long)]
        limit: Option<usize>,
        /// Liveness is tried from one state in so many.
        #[arg(long, default_value_t = 16)]
        sample: u64,
        /// Worlds at a time; as many as the machine has processors unless given.
        #[arg(long)]
        threads: Option<usize>,
    },
    /// Hunts the deliberate bugs and writes their shortest traces as scenarios.
    Scenarios {
        /// Where to.
        folder: PathBuf,
        /// Only bugs whose names contain this.
        #[arg(long)]
        only: Option<String>,
    },
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn main() -> ExitCode {
    let well = match Arguments::parse().how {
        How::Sim {
            seeds,
            from,
            mutant,
            only,
            threads,
        } => {
            let threads = threads.unwrap_or_else(|| processors() as u64);
            sim::habit(from, seeds, mutant, only, threads)
        }
        How::Model {
            quick,
            only,
            limit,
            sample,
            threads,
        } => {
            let threads = threads.unwrap_or_else(processors);
            model::habit(quick, only.as_deref(), limit, sample.max(1), threads)
        }
        How::Scenarios { folder, only } => match model::write_scenarios(&folder, only.as_deref()) {
            Ok(all) => all,
            Err(error) => {
                eprintln!("error: {error}");
                false
            }
        },
    };
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
