//! RabbitMQ 3.10 or later.

use super::{Engine, keeper};
use crate::{Process, eventually, free_port};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// Where Debian keeps the scripts; those in the path insist on the package's own account.
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";

/// A broker of one node, whose user is `guest`. It takes some 10 s to start.
pub struct RabbitMq {
    broker: Process,
    _epmd: Process,
    ports: Ports,
    folder: TempDir,
}

#[derive(Clone, Copy)]
struct Ports {
    amqp: u16,
    distribution: u16,
    epmd: u16,
}

impl RabbitMq {
    /// An empty one.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ports = Ports {
            amqp: free_port()?,
            distribution: free_port()?,
            epmd: free_port()?,
        };
        let config = format!(
            "listeners.tcp.local = 127.0.0.1:{}\ndisk_free_limit.absolute = 50MB\nlog.console = true\nlog.file = false\n",
            ports.amqp
        );
        fs::write(folder.path().join("rabbitmq.conf"), config)?;
        fs::write(folder.path().join("enabled_plugins"), "[].\n")?;
        let cookie = folder.path().join(".erlang.cookie");
        fs::write(&cookie, "centro-test")?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
        let log = folder.path().join("epmd.log");
        let epmd = keeper::start(Path::new("epmd"), None, &log, |command| {
            command.args(["-port", &ports.epmd.to_string(), "-address", "127.0.0.1"]);
        })?;
        let broker = run(ports, folder.path())?;
        let rabbit = Self {
            broker,
            _epmd: epmd,
            ports,
            folder,
        };
        rabbit.answers().await?;
        Ok(rabbit)
    }

    /// Its AMQP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// Where it is, for its user `guest`.
    pub fn url(&self) -> String {
        self.url_of("guest", "guest")
    }

    /// Where it is, for another user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        format!("amqp://{user}:{password}@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// Runs `rabbitmqctl`, e.g. `["delete_queue", "q"]`, and gives what it printed.
    ///
    /// # Errors
    /// What it says.
    pub fn control(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(PathBuf::from(SCRIPTS).join("rabbitmqctl"));
        surroundings(&mut command, self.ports, self.folder.path());
        let output = command.arg("--quiet").args(arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        ensure!(
            output.status.success(),
            "rabbitmqctl {arguments:?}: {} {}",
            text(&output.stdout),
            text(&output.stderr)
        );
        Ok(text(&output.stdout))
    }

    async fn answers(&self) -> Result<()> {
        let asked = eventually("RabbitMQ answers", Duration::from_secs(90), async || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.ports.amqp))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"AMQP\0\0\x09\x01")?;
            stream.read_exact(&mut [0; 8])?; // the first frame of connection.start
            Ok(())
        });
        asked.await.with_context(|| self.broker.log_tail(20))
    }
}

impl Engine for RabbitMq {
    fn kill(&mut self) -> Result<()> {
        self.broker.kill()
    }

    async fn revive(&mut self) -> Result<()> {
        self.broker = run(self.ports, self.folder.path())?;
        self.answers().await
    }

    fn freeze(&self) -> Result<()> {
        self.broker.signal("STOP")
    }

    fn thaw(&self) -> Result<()> {
        self.broker.signal("CONT")
    }
}

fn run(ports: Ports, folder: &Path) -> Result<Process> {
    let program = PathBuf::from(SCRIPTS).join("rabbitmq-server");
    ensure!(
        program.is_file(),
        "{} is missing: install the Debian package rabbitmq-server",
        program.display()
    );
    keeper::start(&program, None, &folder.join("rabbitmq.log"), |command| {
        surroundings(command, ports, folder)
    })
}

fn surroundings(command: &mut Command, ports: Ports, folder: &Path) {
    command
        .env("HOME", folder)
        .env(
            "RABBITMQ_NODENAME",
            format!("centro{}@localhost", ports.amqp),
        )
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq"))
        .env(
            "RABBITMQ_ENABLED_PLUGINS_FILE",
            folder.join("enabled_plugins"),
        )
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        // The script becomes the broker instead of waiting for it, so that signals reach what they are meant for.
        .env("RUNNING_UNDER_SYSTEMD", "yes")
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("ERL_EPMD_PORT", ports.epmd.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1}",
        );
}
