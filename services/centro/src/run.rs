//! The life of a process: settings, runtime, services, ready, signal, drain, end.

use crate::{
    RunArguments, exit, first_start, folder, probes, report, secret, settings,
    settings::Settings,
    wiring::{self, For, Started},
};
use anyhow::{Context, Result, bail};
use centro_node::{Lifecycle, Role, Telemetry, telemetry};
use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// How often it is told how many calls are left.
const TELL_LEFT: Duration = Duration::from_secs(5);

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
                return ExitCode::from(exit::USAGE);
            }
        };
    let credentials = arguments.credentials_file.clone();
    let life = move |inside| live(inside, roles, credentials, started);
    match within(settings, life) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            eprintln!("error: {error:#}");
            exit::of(&error)
        }
    }
}

/// The roles named on the command line; all of them when none is named.
pub fn roles(names: &[String]) -> Result<Vec<Role>, String> {
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

/// What a process has once its data folder is locked and its threads run.
pub struct Inside {
    settings: Settings,
    secret: Vec<u8>,
    arbiters: Vec<actix::ArbiterHandle>,
    lifecycle: Lifecycle,
    telemetry: Telemetry,
}

/// Locks the data folder, starts the runtimes and gives them to `life`; ends them when it is over.
pub fn within<F, T>(
    settings: Settings,
    life: impl FnOnce(Inside) -> F + Send + 'static,
) -> Result<T>
where
    F: Future<Output = Result<T>> + Send + 'static,
    T: Send + 'static,
{
    // Several libraries speak TLS; without a choice the first of them would panic.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _lock = folder::open(&settings.node.data).map_err(exit::Unusable)?;
    let secret =
        secret::load(&settings.node.secret, &settings.node.data).map_err(exit::Unusable)?;

    centro_contract::Api::installed().context("the interface is not sound")?;
    let threads = threads(settings.node.threads);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    let telemetry = {
        let _guard = runtime.enter();
        telemetry::init(&settings.telemetry)?
    };
    let system = actix::System::new();
    let result = system.block_on(async {
        let arbiters: Vec<_> = (0..threads).map(|_| actix::Arbiter::new()).collect();
        let inside = Inside {
            settings,
            secret,
            arbiters: arbiters.iter().map(actix::Arbiter::handle).collect(),
            lifecycle: Lifecycle::default(),
            telemetry,
        };
        let result = runtime
            .spawn(async move { life(inside).await })
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

/// Threads for requests, and as many for actors. Work goes from one to the other and back all the time: with more threads
/// than cores to run them, most of it would begin by waking somebody.
fn threads(setting: usize) -> usize {
    match setting {
        0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
        threads => threads,
    }
}

impl Inside {
    /// Starts services and opens their doors.
    pub async fn start(&self, roles: &[Role], purpose: For) -> Result<Started> {
        wiring::start(
            self.settings.clone(),
            roles,
            purpose,
            &self.secret,
            self.arbiters.clone(),
            self.lifecycle.clone(),
            self.telemetry.metrics(),
        )
        .await
    }

    /// Ends everything now; what happened last is still written down.
    pub async fn end(self, started: &Started) {
        self.lifecycle.stop();
        // Calls end with a BYE and recordings are closed even when the grace time has passed.
        tokio::time::timeout(LAST_WORDS, self.lifecycle.live().wait())
            .await
            .ok();
        // What happened last is still published, and then written down.
        tokio::time::timeout(LAST_WORDS, self.lifecycle.telling().wait())
            .await
            .ok();
        started.adapters.leave().await;
        started.adapters.close().await;
        tokio::time::timeout(LAST_WORDS, self.lifecycle.closing().wait())
            .await
            .ok();
        self.telemetry.shutdown();
    }
}

async fn live(
    inside: Inside,
    roles: Vec<Role>,
    credentials: Option<PathBuf>,
    since: Instant,
) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let started = inside.start(&roles, For::Centre).await?;
    let (settings, lifecycle) = (&inside.settings, &inside.lifecycle);
    started.adapters.obey(lifecycle);
    probes::open(settings, &started.node, inside.telemetry.metrics())?;
    if roles.contains(&Role::Routing) {
        started.adapters.settled().await;
    }
    let made = first_start::run(&started.node, settings, &roles).await?;
    report::ready(
        &started,
        settings,
        &roles,
        made.as_ref(),
        credentials.as_deref(),
        since,
    )
    .await?;
    if made.is_some() {
        first_start::finished(&settings.node.data)?;
    }

    let stopping = lifecycle.stopping();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stopping.cancelled() => {} // a part of it has failed
    }
    let live = lifecycle.live().len();
    crate::say(&format!(
        "Stopping: no new calls; {live} live ones may go on for {} s. A second signal ends them now.\n",
        settings.node.grace.as_secs()
    ));
    lifecycle.drain();
    started.adapters.give_away();
    if !roles.contains(&Role::Telephony) {
        // Others go on with the queues at once. Whoever holds calls is there until they are over: to leave is to be dead.
        started.adapters.leave().await;
    }
    tokio::select! {
        () = lifecycle.live().wait() => {}
        () = count_down(lifecycle, settings.node.grace) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stopping.cancelled() => {}
    }
    let failure = lifecycle.failure().map(ToString::to_string);
    inside.end(&started).await;
    match failure {
        Some(reason) => bail!("{reason}"),
        None => Ok(()),
    }
}

/// Says how many calls are left until the time is over.
async fn count_down(lifecycle: &Lifecycle, grace: Duration) {
    let until = Instant::now() + grace;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        tokio::time::sleep(left.min(TELL_LEFT)).await;
        let left = until.saturating_duration_since(Instant::now());
        let live = lifecycle.live().len();
        crate::say(&format!(
            "Stopping: {live} calls are left, for {} s at most.\n",
            left.as_secs()
        ));
        if left.is_zero() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
