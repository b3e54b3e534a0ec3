//! The Centro binary. `centro run` hosts every service in one process; `centro run --role routing` hosts one.
//!
//! Nothing is decided here but what runs where: settings are read (`settings`), services are put together (`wiring`), a
//! new installation gets its demo tenant (`first_start`), and signals become an orderly end (`run`).

mod acting;
mod adapters;
mod administer;
mod cluster;
#[cfg(test)]
mod compose;
mod demo;
mod doctor;
mod exit;
mod first_look;
mod first_start;
mod folder;
mod integrators;
mod probes;
mod replay;
mod report;
mod run;
mod secret;
mod settings;
mod stories;
mod wiring;

use clap::{Args, Parser, Subcommand};
use std::{io::Write, path::PathBuf, process::ExitCode};

/// The system's allocator keeps what password hashing used (19 MiB a time) once per thread: 728 MB after making 200
/// users, against 96 MB with one arena.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "centro", version, about = "An open-source contact centre.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the centre.
    Run(RunArguments),
    /// Shows or checks the settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Makes tenants, while no centre runs on the data folder.
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// Helps people who cannot sign in, while no centre runs on the data folder.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Looks at the processes of a centre and steers them.
    Cluster {
        #[command(subcommand)]
        command: cluster::ClusterCommand,
    },
    /// Checks ports, addresses, the clock and limits of this machine.
    Doctor(SettingsArguments),
    /// Plays stories of a contact centre against the real rules, in virtual time. Needs no centre and no data folder.
    Test(stories::TestArguments),
    /// Repeats a decision log through the rules and says where they decide otherwise. Needs no centre and no data folder.
    Replay(replay::ReplayArguments),
    /// Gives an integration its queue at the broker, fills it again, or takes it away. Centres may run meanwhile.
    Integration {
        #[command(subcommand)]
        command: IntegrationCommand,
    },
    /// Prints the OpenAPI 3.1 document.
    Openapi,
    /// Prints the AsyncAPI 3 document of the events that integrators are told.
    Asyncapi(integrators::AsyncapiArguments),
}

#[derive(Subcommand)]
enum IntegrationCommand {
    /// Makes the queue, and prints the commands that make its user.
    Create(integrators::CreateArguments),
    /// Tells the integration again, into its queue, what the log still has.
    Replay(integrators::ReplayArguments),
    /// Deletes the queue with what was not read, and prints the command that deletes its user.
    Delete(integrators::DeleteArguments),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Prints every setting, its value and where it came from. Secrets are masked.
    Show(SettingsArguments),
    /// Says whether the settings are good.
    Check(SettingsArguments),
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Makes a tenant with its owner, and prints the owner's password once.
    Create(administer::CreateTenant),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Replaces a person's password, and prints the new one once.
    ResetPassword(administer::ResetPassword),
}

/// Where settings come from, the last one winning: the built-in defaults, the file, `CENTRO__SECTION__KEY`, `--set`.
#[derive(Args, Clone, Default)]
pub struct SettingsArguments {
    /// A settings file in TOML.
    #[arg(long, value_name = "FILE", env = "CENTRO_CONFIG")]
    config: Option<PathBuf>,
    /// One setting, e.g. `--set telephony.bind=0.0.0.0:5060`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder for databases and recordings; short for `--set node.data=DIR`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What tests take for the environment.
    #[cfg(test)]
    #[arg(skip)]
    environment: Vec<(String, String)>,
}

#[derive(Args)]
pub struct RunArguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Runs only this service; may be given several times. Without it all run.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Writes the first start's generated passwords here as JSON (mode 0600), for scripts.
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
}

/// Writes to standard output. A reader that went away (`centro config show | head`) is no fault.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => return run::run(&arguments),
        Command::Config {
            command: ConfigCommand::Show(from),
        } => settings::show(&from),
        Command::Config {
            command: ConfigCommand::Check(from),
        } => settings::load(&from).map(|_| say("the settings are good\n")),
        Command::Tenant {
            command: TenantCommand::Create(asked),
        } => return administer::create_tenant(asked),
        Command::User {
            command: UserCommand::ResetPassword(asked),
        } => return administer::reset_password(asked),
        Command::Cluster { command } => return cluster::run(command),
        Command::Doctor(from) => return doctor::run(&from),
        Command::Test(asked) => return stories::run(&asked),
        Command::Replay(asked) => return replay::run(asked),
        Command::Openapi => {
            say(&format!("{}\n", centro_gateway::openapi_document()));
            Ok(())
        }
        Command::Integration {
            command: IntegrationCommand::Create(asked),
        } => return integrators::create(&asked),
        Command::Integration {
            command: IntegrationCommand::Replay(asked),
        } => return integrators::replay(&asked),
        Command::Integration {
            command: IntegrationCommand::Delete(asked),
        } => return integrators::delete(&asked),
        Command::Asyncapi(asked) => return integrators::asyncapi(&asked),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}
