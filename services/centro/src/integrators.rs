//! What integrators need from the command line: the description of events, and a queue at the broker with a user that may read it
//! and nothing else.

use crate::{
    SettingsArguments,
    acting::Login,
    exit,
    settings::{self, Settings},
};
use anyhow::{Context, Result, bail};
use centro_bus::{Again, Integration, Progress, RabbitBus, ReplayFrom};
use centro_events::Public;
use centro_gateway::Told;
use centro_kernel::{TenantId, Timestamp};
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// How far the clocks of two machines may differ.
const CLOCKS: Duration = Duration::from_secs(300);

#[derive(Args)]
pub struct AsyncapiArguments {
    /// Writes the document and the JSON Schemas into this folder instead.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Args)]
pub struct CreateArguments {
    #[command(flatten)]
    which: Which,
    /// Which events, e.g. `routing.#`; may be given several times. Without it all: only then do numbers tell what is missing.
    #[arg(long = "events", value_name = "PATTERN", default_value = "#")]
    events: Vec<String>,
}

#[derive(Args)]
pub struct DeleteArguments {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
pub struct ReplayArguments {
    #[command(flatten)]
    which: Which,
    /// The first number that is told again.
    #[arg(long, value_name = "N", required_unless_present = "from_time")]
    from_sequence: Option<u64>,
    /// Tell again what happened then or later, e.g. 2026-03-02T09:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "from_sequence")]
    from_time: Option<DateTime<Utc>>,
    /// The last number that is told again; without it the last of this moment.
    #[arg(long, value_name = "N")]
    to_sequence: Option<u64>,
    /// How many events at most; 1,000,000 fit into the queue.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    limit: u64,
}

/// An integration, and the settings that say where the broker is.
#[derive(Args)]
struct Which {
    #[command(flatten)]
    settings: SettingsArguments,
    /// The tenant's id.
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// What the integration is called: 1 to 40 of a-z, 0-9 and -.
    #[arg(long)]
    name: String,
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

/// Makes an integration's queue.
pub fn create(asked: &CreateArguments) -> ExitCode {
    at_broker(&asked.which, async |bus, settings, integration| {
        let settings = settings.bus.rabbitmq.for_integrators();
        let events: Vec<_> = asked.events.iter().map(String::as_str).collect();
        let queue = bus.open_queue(&integration, &events).await?;
        let password = Login::generate("").password;
        let vhost = settings.vhost()?;
        let commands = integration.commands(&vhost, &settings.exchange, &password);
        let lines: Vec<_> = commands.iter().map(|words| line(words)).collect();
        Ok(format!(
            "The queue {queue} is made. These commands make its user, who may read it and do nothing else; the password is \
             shown once.\n\n{}\n",
            lines.concat()
        ))
    })
}

/// Deletes an integration's queue.
pub fn delete(asked: &DeleteArguments) -> ExitCode {
    at_broker(&asked.which, async |bus, settings, integration| {
        bus.delete_queue(&integration).await?;
        let exchange = settings.bus.rabbitmq.for_integrators().exchange;
        let queue = integration.queue(&exchange);
        let command = line(&["delete_user".to_owned(), integration.user()]);
        Ok(format!(
            "The queue {queue} is deleted. This command deletes its user.\n\n{command}\n"
        ))
    })
}

/// Tells an integration again what the log still has, into its own queue.
pub fn replay(asked: &ReplayArguments) -> ExitCode {
    at_broker(&asked.which, async |bus, settings, integration| {
        let records = settings.records.records(&settings.node.data);
        let records = records.map_err(anyhow::Error::msg)?;
        let first = asked.from_sequence.unwrap_or(1);
        let told = Told::of(&records, integration.tenant(), first).await?;
        let from = match (asked.from_time, told.since) {
            (Some(time), _) => ReplayFrom::Time(Timestamp::from_millis(time.timestamp_millis())),
            // The broker's clock may be behind ours.
            (None, Some(since)) => ReplayFrom::Taken(since - CLOCKS),
            (None, None) => ReplayFrom::Oldest,
        };
        let again = Again {
            from,
            first,
            last: asked.to_sequence.unwrap_or(told.last).min(told.last),
            limit: asked.limit,
        };
        if again.last < again.first {
            bail!("nothing to tell: the tenant's last number is {}", told.last);
        }
        let last = again.last;
        let queue = integration.queue(&settings.bus.rabbitmq.for_integrators().exchange);
        let progress = |so_far: Progress| {
            eprintln!(
                "told {} events, up to number {} of {last}",
                so_far.told, so_far.last
            );
        };
        let done = bus.tell_again(&integration, again, progress).await?;
        Ok(match done.told {
            0 => "The log has none of these any more.\n".to_owned(),
            told => format!(
                "Told {told} events again, numbers {} to {}, into the queue {queue}.\n",
                done.first, done.last
            ),
        })
    })
}

/// A command as a shell takes it: no word of ours has a quote in it but a vhost's name.
fn line(words: &[String]) -> String {
    let quoted = words
        .iter()
        .map(|word| format!(" '{}'", word.replace('\'', r"'\''")));
    format!("  rabbitmqctl{}\n", quoted.collect::<String>())
}

fn at_broker(
    which: &Which,
    work: impl AsyncFnOnce(&RabbitBus, &Settings, Integration) -> Result<String>,
) -> ExitCode {
    let settings = match settings::load(&which.settings) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let done = tokio::runtime::Runtime::new()
        .context("cannot start")
        .and_then(|runtime| {
            runtime.block_on(async {
                let rabbitmq = settings.bus.rabbitmq.for_integrators();
                if rabbitmq.url.is_empty() || !settings.bus.integrators {
                    bail!("integrators are told through a broker: set bus.rabbitmq.url and bus.integrators");
                }
                let Some(integration) = Integration::new(which.tenant, &which.name) else {
                    bail!("--name: write 1 to 40 of a-z, 0-9 and -");
                };
                let bus = RabbitBus::connect(rabbitmq, Arc::new(Public)).await?;
                let done = work(&bus, &settings, integration).await;
                bus.close().await;
                done
            })
        });
    match done {
        Ok(text) => {
            crate::say(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_a_shell_takes_as_it_is() {
        let words = ["set_permissions", "-p", "it's", r"^ten_1\."].map(String::from);
        assert_eq!(
            line(&words),
            "  rabbitmqctl 'set_permissions' '-p' 'it'\\''s' '^ten_1\\.'\n"
        );
    }
}
