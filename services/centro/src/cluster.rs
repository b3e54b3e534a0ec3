//! `centro cluster`: look at the processes of a centre and steer them. It works on Redis itself, as the processes do, so it
//! is of use while they hang. The same through the API: `/v1/cluster`, with a token of `centro cluster token`.

mod said;

use crate::{SettingsArguments, exit, secret, settings, settings::Settings};
use anyhow::{Context, Result, bail};
use centro_contract::{Keys, Principal};
use centro_kernel::{Clock, Fault, SystemClock};
use centro_proto::routing::{ClusterStatus, HandOver};
use centro_routing::cluster::Steering;
use clap::{Args, Subcommand};
use humantime_serde::re::humantime;
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The longest that a token may be good for.
const LONGEST_TOKEN: Duration = Duration::from_secs(24 * 3600);

#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Who is there, who owns how many shards, what waits to be published.
    Status {
        #[command(flatten)]
        how: How,
        /// Names the shards of each process.
        #[arg(long)]
        shards: bool,
    },
    /// Moves a shard to a process. It is there whenever that process is, until `unpin`.
    Move {
        /// 0 to 255.
        shard: u32,
        /// Name of the process.
        node: String,
        #[command(flatten)]
        how: How,
    },
    /// Undoes a move: the shard goes where it would be without.
    Unpin {
        /// 0 to 255.
        shard: u32,
        #[command(flatten)]
        how: How,
    },
    /// Gives all shards of a process to the others. It gets nothing new, over its restarts too, until `resume`.
    Drain {
        /// Name of the process.
        node: String,
        /// Waits so long for calls that go on there, e.g. 10m.
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        wait: Option<Duration>,
        #[command(flatten)]
        how: How,
    },
    /// Lets a drained process work again.
    #[command(alias = "undrain")]
    Resume {
        /// Name of the process.
        node: String,
        #[command(flatten)]
        how: How,
    },
    /// Prints a token for the API's `/v1/cluster`. Whoever has it may do what these commands do.
    Token {
        /// How long it is good; 24h at most.
        #[arg(long = "for", value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
        life: Duration,
        /// Who is written into the audit log.
        #[arg(long, default_value = "operator")]
        name: String,
        #[command(flatten)]
        settings: SettingsArguments,
    },
}

#[derive(Args)]
pub struct How {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Prints JSON, as the API answers it.
    #[arg(long)]
    json: bool,
}

/// What can go wrong, by whose fault.
enum Failed {
    /// The settings'.
    Usage(String),
    /// Everything else.
    Work(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Work(error.into())
    }
}

/// Does what is asked. Exit code 1 when it is refused or did not go as it should.
pub fn run(command: ClusterCommand) -> ExitCode {
    let done = match command {
        ClusterCommand::Token {
            life,
            name,
            settings,
        } => token(&settings, life, name),
        other => within(other),
    };
    match done {
        Ok(code) => code,
        Err(Failed::Usage(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(exit::USAGE)
        }
        Err(Failed::Work(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn settings_of(from: &SettingsArguments) -> Result<Settings, Failed> {
    let settings = settings::read(from).map_err(|error| Failed::Usage(error.to_string()))?;
    let redis = &settings.cluster.redis;
    if redis.url.is_empty() {
        let text = "cluster.redis.url is empty: this centre is one process, which owns everything";
        return Err(Failed::Usage(text.to_owned()));
    }
    redis.validate().map_err(Failed::Usage)?;
    Ok(settings)
}

fn token(from: &SettingsArguments, life: Duration, name: String) -> Result<ExitCode, Failed> {
    let settings = settings::read(from).map_err(|error| Failed::Usage(error.to_string()))?;
    if life > LONGEST_TOKEN {
        return Err(Failed::Usage("--for: 24h at most".to_owned()));
    }
    if settings.node.secret.is_empty() {
        let text = "node.secret: name the secret that the processes of the cluster share";
        return Err(Failed::Usage(text.to_owned()));
    }
    let keys = Keys::new(&secret::load(&settings.node.secret, &settings.node.data)?);
    let token = keys.mint(&Principal::Operator { name }, SystemClock.now(), life)?;
    crate::say(&format!("{token}\n"));
    Ok(ExitCode::SUCCESS)
}

fn within(command: ClusterCommand) -> Result<ExitCode, Failed> {
    let settings = settings_of(match &command {
        ClusterCommand::Status { how, .. }
        | ClusterCommand::Move { how, .. }
        | ClusterCommand::Unpin { how, .. }
        | ClusterCommand::Drain { how, .. }
        | ClusterCommand::Resume { how, .. } => &how.settings,
        ClusterCommand::Token { settings, .. } => settings,
    })?;
    // Redis may speak TLS; without a choice of library it would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        let steering = Steering::new(&settings.cluster.redis)?;
        obey(&steering, command).await
    });
    runtime.shutdown_background();
    Ok(done?)
}

async fn obey(steering: &Steering, command: ClusterCommand) -> Result<ExitCode> {
    let (done, how, about) = match command {
        ClusterCommand::Status { how, shards } => {
            let status = steering.status().await.map_err(told)?;
            crate::say(&match how.json {
                true => json("ClusterStatus", &status)?,
                false => said::status(&status, shards),
            });
            return Ok(ExitCode::SUCCESS);
        }
        ClusterCommand::Move { shard, node, how } => {
            let done = steering.move_shard(shard, &node).await;
            (done, how, said::About::Moved(shard))
        }
        ClusterCommand::Unpin { shard, how } => (
            steering.unpin(shard).await,
            how,
            said::About::Unpinned(shard),
        ),
        ClusterCommand::Resume { node, how } => (
            steering.resume(&node).await,
            how,
            said::About::Resumed(node),
        ),
        ClusterCommand::Drain { node, wait, how } => {
            let mut done = tell_shards(steering, &node, !how.json).await;
            if let (Ok(done), Some(wait)) = (&mut done, wait) {
                done.calls = calls_end(steering, &node, wait, !how.json).await?;
                if done.calls > 0 {
                    let text = said::handed_over(done, &said::About::Drained(node.clone()));
                    bail!(
                        "{text}{} calls still go on there after {wait:?}",
                        done.calls
                    );
                }
            }
            (done, how, said::About::Drained(node))
        }
        ClusterCommand::Token { .. } => bail!("a token needs no cluster"),
    };
    let done = done.map_err(told)?;
    crate::say(&match how.json {
        true => json("HandOver", &done)?,
        false => said::handed_over(&done, &about),
    });
    let good = done.shards_open == 0
        && done.contacts_lost == 0
        && done.positions_unchanged
        && done.contacts_attached == done.contacts_after;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Drains a process and tells how many shards it still has.
async fn tell_shards(steering: &Steering, node: &str, aloud: bool) -> Result<HandOver, Fault> {
    let mut drain = std::pin::pin!(steering.drain(node));
    let mut known = None;
    loop {
        tokio::select! {
            done = &mut drain => return done,
            status = steering.status() => {
                let has = status.ok().and_then(|s| member(&s, node).map(|m| m.shards));
                if aloud && has.is_some() && has != known {
                    crate::say(&format!("{node} has {} shards\n", has.unwrap_or_default()));
                }
                known = has.or(known);
            }
        }
        tokio::select! {
            done = &mut drain => return done,
            () = tokio::time::sleep(LOOK / 4) => {}
        }
    }
}

/// Waits until no call goes on in a process, and tells how many do; how many are left.
async fn calls_end(steering: &Steering, node: &str, wait: Duration, aloud: bool) -> Result<u32> {
    let (began, mut known) = (Instant::now(), None);
    loop {
        let status = steering.status().await.map_err(told)?;
        let left = member(&status, node).map_or(0, |member| member.calls);
        if aloud && known != Some(left) {
            crate::say(&format!("{left} calls go on in {node}\n"));
        }
        known = Some(left);
        if left == 0 || began.elapsed() >= wait {
            return Ok(left);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn member<'a>(
    status: &'a ClusterStatus,
    node: &str,
) -> Option<&'a centro_proto::routing::ClusterMember> {
    status.members.iter().find(|member| member.node == node)
}

/// As people read it.
fn told(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{} ({})", fault.message, fault.reason)
}

/// As the API answers it.
fn json(name: &str, message: &impl Message) -> Result<String> {
    let descriptor = centro_proto::POOL
        .get_message_by_name(&format!("centro.routing.v1.{name}"))
        .context("the interface lacks a message")?;
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())?;
    let mut text = Vec::new();
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut pretty = serde_json::Serializer::pretty(&mut text);
    message.serialize_with_options(&mut pretty, &options)?;
    Ok(String::from_utf8(text)? + "\n")
}
