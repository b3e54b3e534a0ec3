//! `centro-loadtest`: scripted phones against a centre. See docs/figures.md.

use anyhow::{Context, Result, bail};
use centro_loadtest::{
    centre::{Against, Owner, Remote},
    command::{backlog, calls, demo, idle, media},
    faults::{self, Size},
};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};
use tracing_subscriber::EnvFilter;

/// Places real calls through a centre and tells how it went, as one line of JSON.
#[derive(Parser)]
#[command(name = "centro-loadtest", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One call through the demo queue; exit code 0 only when everything about it is right.
    Demo {
        #[command(flatten)]
        target: Target,
    },
    /// Calls at a steady rate to idle agents.
    Calls {
        /// New calls per second.
        #[arg(long)]
        rate: f64,
        /// Calls in all.
        #[arg(long)]
        calls: usize,
        /// Agents, each with a phone.
        #[arg(long)]
        agents: usize,
        /// Seconds of conversation.
        #[arg(long)]
        talk: f64,
        /// Leaves sound out.
        #[arg(long)]
        no_media: bool,
        /// Records the calls.
        #[arg(long)]
        record: bool,
        #[command(flatten)]
        target: Target,
    },
    /// More callers than agents.
    Backlog {
        /// Agents, each with a phone.
        #[arg(long)]
        agents: usize,
        /// Callers kept waiting.
        #[arg(long)]
        waiting: usize,
        /// Calls in all.
        #[arg(long)]
        calls: usize,
        /// Seconds of conversation.
        #[arg(long)]
        talk: f64,
        /// With sound.
        #[arg(long)]
        media: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Bridged and recorded calls at once.
    Media {
        /// Calls at once.
        #[arg(long, default_value_t = 100)]
        calls: usize,
        /// Seconds they are watched.
        #[arg(long, default_value_t = 20.0)]
        seconds: f64,
        #[command(flatten)]
        target: Target,
    },
    /// A cluster under trouble: exit code 0 only when every row is as docs/operators/faults.md promises.
    Faults {
        /// Each row once, outages short.
        #[arg(long)]
        quick: bool,
        /// Only this row; may be repeated.
        #[arg(long, value_name = "ROW")]
        only: Vec<String>,
    },
    /// A large centre in which nothing happens.
    Idle {
        /// Queues.
        #[arg(long, default_value_t = 1_000)]
        queues: usize,
        /// Registered phones.
        #[arg(long, default_value_t = 1_000)]
        devices: usize,
        /// Seconds it is watched.
        #[arg(long, default_value_t = 20.0)]
        seconds: f64,
        #[command(flatten)]
        target: Target,
    },
}

/// Which centre.
#[derive(Args)]
struct Target {
    /// `spawn`: start the `centro` binary beside this one (or CENTRO_BIN) with an empty folder; `engine` (media only): the
    /// media engine inside this process; the credentials file of a centre that runs; or its URL, with --login and --password.
    #[arg(
        long,
        default_value = "spawn",
        value_name = "spawn|engine|FILE|http://HOST:PORT"
    )]
    against: String,
    /// With a URL: an owner or administrator of the tenant that is measured.
    #[arg(long, env = "CENTRO_LOGIN")]
    login: Option<String>,
    /// With a URL: the password.
    #[arg(long, env = "CENTRO_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// With a URL: the tenant's short name, where there are several.
    #[arg(long, env = "CENTRO_TENANT", default_value = "")]
    tenant: String,
    /// With a URL: where SIP is spoken; port 5060 of the same machine when left out.
    #[arg(long, value_name = "ADDRESS:PORT")]
    sip: Option<SocketAddr>,
    /// Process of a running centre on this machine, to tell its cost.
    #[arg(long)]
    pid: Option<u32>,
}

impl Target {
    fn against(&self) -> Result<Against> {
        match self.against.as_str() {
            "spawn" => Ok(Against::Spawn),
            "engine" => bail!("only `media` runs against the engine"),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                let needed =
                    "a URL needs --login and --password, or CENTRO_LOGIN and CENTRO_PASSWORD";
                Ok(Against::Remote(Remote {
                    http: url.trim_end_matches('/').to_owned(),
                    sip: self.sip,
                    tenant: self.tenant.clone(),
                    owner: Owner {
                        login: self.login.clone().context(needed)?,
                        password: self.password.clone().context(needed)?,
                    },
                    pid: self.pid,
                }))
            }
            file => Ok(Against::Running(PathBuf::from(file), self.pid)),
        }
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // The SIP library is built with rustls, which wants to be told once which cryptography to use.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<bool> {
    let seconds = |seconds: f64| {
        Duration::try_from_secs_f64(seconds).context("a time in seconds must be positive")
    };
    match command {
        Command::Demo { target } => demo::run(&target.against()?).await,
        Command::Calls {
            rate,
            calls,
            agents,
            talk,
            no_media,
            record,
            target,
        } => {
            if !(0.01..=10_000.0).contains(&rate) {
                bail!("--rate: from 0.01 to 10000");
            }
            let talk = seconds(talk)?;
            let shape = calls::Shape {
                rate,
                calls,
                agents,
                talk,
                media: !no_media,
                record,
            };
            calls::run(&target.against()?, &shape).await
        }
        Command::Backlog {
            agents,
            waiting,
            calls,
            talk,
            media,
            target,
        } => {
            let shape = backlog::Shape {
                agents,
                waiting,
                calls,
                talk: seconds(talk)?,
                media,
            };
            backlog::run(&target.against()?, &shape).await
        }
        Command::Media {
            calls,
            seconds: time,
            target,
        } => {
            let shape = media::Shape {
                calls,
                time: seconds(time)?,
            };
            match target.against.as_str() {
                "engine" => media::run_engine(&shape).await,
                _ => media::run(&target.against()?, &shape).await,
            }
        }
        Command::Faults { quick, only } => {
            let size = if quick { Size::Quick } else { Size::Full };
            // Interrupted, everything that was started still ends with us.
            tokio::select! {
                ok = faults::run(&only, size) => ok,
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        }
        Command::Idle {
            queues,
            devices,
            seconds: time,
            target,
        } => {
            let shape = idle::Shape {
                queues,
                devices,
                time: seconds(time)?,
            };
            idle::run(&target.against()?, &shape).await
        }
    }
}
