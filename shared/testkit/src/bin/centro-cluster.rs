//! A cluster on this machine to look at and to try things on: `cargo xtask cluster up | status | down`.
//!
//! A process of its own (`keep`) holds engines and processes, so that they outlive the command that wanted them. Everything it
//! starts names a file in one folder on its command line; so what is left after a crash is found, and removed.

#![allow(clippy::print_stdout)] // it speaks to people

use anyhow::{Context, Result, bail, ensure};
use centro_testkit::Cluster;
use clap::{Parser, Subcommand};
use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// How long a start may take: RabbitMQ alone takes ten seconds on a busy machine.
const START: Duration = Duration::from_secs(240);
/// How long an end in order may take.
const END: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(200);

#[derive(Parser)]
#[command(
    name = "centro-cluster",
    about = "A cluster on this machine, to try things on."
)]
struct Arguments {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Starts it, or says that it runs.
    Up {
        /// Processes of the role routing.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
        nodes: u8,
    },
    /// Who is there and who owns what.
    Status,
    /// Ends it and removes all of it, also what a crash has left.
    Down,
    /// Holds it; started by `up`.
    #[command(hide = true)]
    Keep { nodes: u8 },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: What) -> Result<()> {
    let house = House::here()?;
    match command {
        What::Keep { nodes } => house.keep(nodes),
        What::Status => house.status(),
        What::Up { nodes } => {
            let _turn = house.turn()?;
            house.up(nodes)
        }
        What::Down => {
            let _turn = house.turn()?;
            house.down()
        }
    }
}

/// Where the cluster of this user lives.
struct House(PathBuf);

impl House {
    /// `CENTRO_CLUSTER_DIR`, else a folder of this user's under /tmp, which PostgreSQL's account can reach.
    fn here() -> Result<Self> {
        if let Some(folder) = env::var_os("CENTRO_CLUSTER_DIR") {
            return Ok(Self(folder.into()));
        }
        let id = Command::new("id").arg("-u").output()?;
        let id = String::from_utf8(id.stdout)?;
        Ok(Self(format!("/tmp/centro-cluster-{}", id.trim()).into()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// One command at a time.
    fn turn(&self) -> Result<File> {
        let mut path = self.0.clone().into_os_string();
        path.push(".lock");
        let lock = File::create(&path).with_context(|| Path::new(&path).display().to_string())?;
        lock.lock()?;
        Ok(lock)
    }

    /// The process that holds the cluster, if it lives.
    fn keeper(&self) -> Option<u32> {
        let pid = fs::read_to_string(self.file("pid"))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let ours = command_line(pid).is_some_and(|line| line.contains("centro-cluster\0keep"));
        ours.then_some(pid)
    }

    fn up(&self, nodes: u8) -> Result<()> {
        let mut started = None;
        if self.keeper().is_none() {
            self.sweep()?;
            fs::create_dir_all(self.file("tmp"))?;
            fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755))?;
            let log = File::create(self.file("keeper.log"))?;
            let mut keeper = Command::new(env::current_exe()?);
            keeper.args(["keep", &nodes.to_string()]);
            keeper.env("TMPDIR", self.file("tmp"));
            keeper.env("CENTRO_CLUSTER_DIR", &self.0);
            keeper.env("CENTRO_BIN", binary()?);
            keeper.stdin(Stdio::null());
            keeper.stdout(log.try_clone()?).stderr(log).process_group(0);
            let child = keeper.spawn()?;
            fs::write(self.file("pid"), child.id().to_string())?;
            started = Some(child);
            println!(
                "Starting RabbitMQ, Redis, PostgreSQL, an office, a telephony and {nodes} routing processes …"
            );
        }
        let until = Instant::now() + START;
        loop {
            if let Ok(text) = fs::read_to_string(self.file("ready")) {
                println!("{text}");
                return Ok(());
            }
            // One that has just begun has no command line yet.
            let lives = match &mut started {
                Some(child) => child.try_wait()?.is_none(),
                None => self.keeper().is_some(),
            };
            if !lives {
                let log = fs::read_to_string(self.file("keeper.log")).unwrap_or_default();
                self.sweep()?;
                bail!("it did not start:\n{log}");
            }
            ensure!(
                Instant::now() < until,
                "it is not ready after {START:?}: look at {}",
                self.file("keeper.log").display()
            );
            std::thread::sleep(LOOK);
        }
    }

    fn status(&self) -> Result<()> {
        ensure!(
            self.keeper().is_some(),
            "no cluster runs: start one with `cargo xtask cluster up`"
        );
        let mut status = Command::new(binary()?);
        status.args(["cluster", "status", "--shards", "--config"]);
        let done = status.arg(self.file("centro.toml")).status()?;
        ensure!(done.success(), "centro cluster status: {done}");
        Ok(())
    }

    fn down(&self) -> Result<()> {
        if let Some(pid) = self.keeper() {
            send("TERM", pid)?;
            let until = Instant::now() + END;
            while self.keeper().is_some() && Instant::now() < until {
                std::thread::sleep(LOOK);
            }
            if self.keeper().is_some() {
                send("KILL", pid)?;
            }
        }
        self.sweep()?;
        println!("No cluster runs, and nothing of one is left.");
        Ok(())
    }

    /// Removes what a cluster has left: processes that name our folder, and the folder.
    fn sweep(&self) -> Result<()> {
        let mine = format!("{}/", self.file("tmp").display());
        let until = Instant::now() + END;
        loop {
            let left = processes(&mine)?;
            if left.is_empty() {
                break;
            }
            ensure!(Instant::now() < until, "these do not end: {left:?}");
            for pid in left {
                // It may have ended by itself meanwhile.
                let _ = send("KILL", pid);
            }
            std::thread::sleep(LOOK);
        }
        // Who has just been killed may still have written a file.
        loop {
            match fs::remove_dir_all(&self.0) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() >= until => {
                    return Err(error).with_context(|| self.0.display().to_string());
                }
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }

    fn keep(&self, nodes: u8) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let cluster = tokio::select! {
                cluster = Cluster::start(usize::from(nodes)) => cluster?,
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
            };
            let settings = self.file("centro.toml");
            fs::write(&settings, cluster.settings_file())?;
            fs::set_permissions(&settings, fs::Permissions::from_mode(0o600))?;
            // Whole, or not at all: who waits for it reads it at once.
            fs::write(self.file("ready.new"), said(&cluster, &settings)?)?;
            fs::rename(self.file("ready.new"), self.file("ready"))?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            drop(cluster);
            Ok(())
        })
    }
}

/// How to look at it, and how to call in.
fn said(cluster: &Cluster, settings: &Path) -> Result<String> {
    let made = cluster.credentials();
    let mut text = format!("\nA cluster runs.\n  Look    {}\n", cluster.http());
    for (who, login) in [("owner", &made.owner), ("supervisor", &made.supervisor)] {
        writeln!(
            text,
            "          {who:<10} {}  {}",
            login.login, login.password
        )?;
    }
    for queue in &made.queues {
        writeln!(
            text,
            "  Call    sip:{}@{}   {}",
            queue.number,
            cluster.sip(),
            queue.display_name
        )?;
    }
    for agent in &made.agents {
        writeln!(
            text,
            "  Phone   {} {}   realm and address {}",
            agent.username,
            agent.secret,
            cluster.sip()
        )?;
    }
    let binary = binary()?;
    writeln!(
        text,
        "  Steer   {} cluster status --config {}",
        binary.display(),
        settings.display()
    )?;
    writeln!(text, "  Logs    {}", cluster.folder().display())?;
    write!(text, "  End     cargo xtask cluster down")?;
    Ok(text)
}

fn binary() -> Result<PathBuf> {
    let named = env::var_os("CENTRO_BIN").map(PathBuf::from);
    let beside = env::current_exe()?.with_file_name("centro");
    let path = named.unwrap_or(beside);
    ensure!(
        path.exists(),
        "{} is missing: build it first",
        path.display()
    );
    Ok(path)
}

/// Processes with the text on their command line.
fn processes(text: &str) -> Result<Vec<u32>> {
    let all = fs::read_dir("/proc")?.flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let named = |pid: &u32| command_line(*pid).is_some_and(|line| line.contains(text));
    Ok(pids
        .filter(named)
        .filter(|pid| *pid != std::process::id())
        .collect())
}

fn command_line(pid: u32) -> Option<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&line).into_owned())
}

fn send(signal: &str, pid: u32) -> Result<()> {
    let mut kill = Command::new("kill");
    kill.arg(format!("-{signal}")).arg(pid.to_string());
    let sent = kill.stderr(Stdio::null()).status()?;
    ensure!(sent.success(), "kill -{signal} {pid} failed");
    Ok(())
}
