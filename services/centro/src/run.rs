//! The life of a process: settings, runtime, services, ready, signal, drain, end.

use crate::{
    EX_USAGE, RunArguments, first_start, report, secret, settings, settings::Settings, wiring,
};
use anyhow::{Context, Result, bail};
use centro_node::{Lifecycle, Role, Telemetry, telemetry};
use std::{
    fs::{self, File, TryLockError},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// How long tasks may take to close files and sockets once everything was told to stop.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Runs the centre until a signal ends it.
pub fn run(arguments: &RunArguments) -> ExitCode {
    let started = Instant::now();
    let loaded = settings::load(&arguments.settings).map_err(|error| error.to_string());
    let (settings, roles) =
        match loaded.and_then(|settings| Ok((settings, roles(&arguments.roles)?))) {
            Ok(loaded) => loaded,
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(EX_USAGE);
            }
        };
    match host(settings, &roles, arguments, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The roles named on the command line; all of them when none is named.
fn roles(names: &[String]) -> Result<Vec<Role>, String> {
    if names.is_empty() {
        return Ok(Role::ALL.to_vec());
    }
    let known = || Role::ALL.map(Role::name).join(", ");
    names
        .iter()
        .map(|name| {
            Role::named(name)
                .ok_or_else(|| format!("there is no role {name}; the roles are {}", known()))
        })
        .collect()
}

fn host(
    settings: Settings,
    roles: &[Role],
    arguments: &RunArguments,
    started: Instant,
) -> Result<()> {
    // Several libraries speak TLS; without a choice the first of them would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    fs::create_dir_all(&settings.node.data).with_context(|| {
        format!(
            "node.data: cannot make the folder {}",
            settings.node.data.display()
        )
    })?;
    let _lock = lock(&settings.node.data)?;
    let secret = secret::load(&settings.node.secret, &settings.node.data)?;

    centro_contract::Api::installed().context("the interface is not sound")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let telemetry = {
        let _guard = runtime.enter();
        telemetry::init(&settings.telemetry)?
    };
    let system = actix::System::new();
    let result = system.block_on(async {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arbiters: Vec<_> = (0..cores).map(|_| actix::Arbiter::new()).collect();
        let handles = arbiters.iter().map(actix::Arbiter::handle).collect();
        let credentials = arguments.credentials_file.clone();
        let life = live(
            settings,
            roles.to_vec(),
            secret,
            handles,
            telemetry,
            credentials,
            started,
        );
        let result = runtime
            .spawn(life)
            .await
            .context("the main task panicked")?;
        for arbiter in &arbiters {
            arbiter.stop();
        }
        result
    });
    runtime.shutdown_timeout(LAST_WORDS);
    result
}

async fn live(
    settings: Settings,
    roles: Vec<Role>,
    secret: Vec<u8>,
    arbiters: Vec<actix::ArbiterHandle>,
    telemetry: Telemetry,
    credentials: Option<std::path::PathBuf>,
    started: Instant,
) -> Result<()> {
    let lifecycle = Lifecycle::default();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (node, bus) = wiring::start(
        settings.clone(),
        &roles,
        &secret,
        arbiters,
        lifecycle.clone(),
        &telemetry,
    )
    .await?;
    let made = first_start::run(&node, &settings, &roles).await?;
    report::ready(
        &node,
        &settings,
        &roles,
        made.as_ref(),
        credentials.as_deref(),
        started,
    )
    .await?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let live = lifecycle.live().len();
    crate::say(&format!(
        "Stopping: no new calls; {live} live ones may go on for {} s. A second signal ends them now.\n",
        settings.node.grace.as_secs()
    ));
    lifecycle.drain();
    tokio::select! {
        () = lifecycle.live().wait() => {}
        () = tokio::time::sleep(settings.node.grace) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    lifecycle.stop();
    // Calls end with a BYE and recordings are closed even when the grace time has passed.
    tokio::time::timeout(LAST_WORDS, lifecycle.live().wait())
        .await
        .ok();
    // What happened last is still published, and then written down.
    tokio::time::timeout(LAST_WORDS, lifecycle.telling().wait())
        .await
        .ok();
    bus.close();
    tokio::time::timeout(LAST_WORDS, lifecycle.closing().wait())
        .await
        .ok();
    telemetry.shutdown();
    Ok(())
}

/// Keeps a second process out of the same data folder.
fn lock(data: &Path) -> Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another Centro runs on {}; stop it, or name another folder with --data",
                data.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_centre() {
        let data = tempfile::tempdir().unwrap();
        let first = lock(data.path()).unwrap();
        assert!(
            lock(data.path())
                .unwrap_err()
                .to_string()
                .contains("another Centro")
        );
        drop(first);
        lock(data.path()).unwrap();
    }

    #[test]
    fn an_unknown_role_is_refused_by_name() {
        assert!(
            roles(&["router".into()])
                .unwrap_err()
                .contains("no role router")
        );
        assert_eq!(roles(&[]).unwrap().len(), Role::ALL.len());
        assert_eq!(roles(&["routing".into()]), Ok(vec![Role::Routing]));
    }
}
