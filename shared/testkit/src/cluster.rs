//! A centre of several processes on engines of its own, for one test.

mod operator;

use crate::{
    Centre, Login, Process,
    centre::binary,
    engines::{Postgres, RabbitMq, Redis},
    eventually, free_port,
    network::Network,
};
use anyhow::{Context, Result, bail, ensure};
use std::{
    collections::BTreeMap, net::Ipv4Addr, ops::Deref, path::PathBuf, process::Command,
    time::Duration,
};

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The process at the far end of a network.
pub const APART: &str = "routing-apart";

/// What the first process runs: everything that keeps records, and the public door.
const OFFICE: [&str; 6] = [
    "identity",
    "configuration",
    "analytics",
    "gateway",
    "chat",
    "dialer",
];

/// How long a process may take to be ready.
const READY: Duration = Duration::from_secs(60);

/// How a cluster is to be started.
#[derive(Default)]
pub struct ClusterBuilder {
    routing: usize,
    settings: Vec<String>,
    network: Option<Network>,
}

/// A running cluster: an *office* with the records and the door, one `telephony`, and `routing-1`, `routing-2` … It ends
/// with all of its engines when it is dropped.
pub struct Cluster {
    office: Centre,
    parts: BTreeMap<String, Part>,
    settings: Vec<String>,
    network: Option<Network>,
    /// The broker.
    pub rabbitmq: RabbitMq,
    /// Sessions, owners and hot state.
    pub redis: Redis,
    /// The records.
    pub postgres: Postgres,
}

/// One of the other processes.
struct Part {
    process: Process,
    role: &'static str,
    grpc: u16,
    /// Whether it is at the far end of the network.
    apart: bool,
    probes: u16,
    /// How often it was started; each time has a log of its own.
    starts: u32,
}

impl Deref for Cluster {
    type Target = Centre;

    fn deref(&self) -> &Centre {
        &self.office
    }
}

impl ClusterBuilder {
    /// Adds a setting of all processes, e.g. `telephony.silence=5s`.
    #[must_use]
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// One more process, `routing-apart`, at the far end of a network that can be cut. Needs to be root.
    ///
    /// # Errors
    /// No network can be made on this machine.
    pub fn apart(mut self) -> Result<Self> {
        self.network = Some(Network::make()?);
        Ok(self)
    }

    /// Starts engines and processes, and waits until all are ready.
    ///
    /// # Errors
    /// Something does not come up; the end of its log is in the text.
    pub async fn start(self) -> Result<Cluster> {
        let (rabbitmq, redis, postgres) =
            tokio::try_join!(RabbitMq::start(), Redis::start(), Postgres::start())?;
        let near = self.network.as_ref().map_or(LOCALHOST, Network::near);
        if let Some(network) = &self.network {
            for port in [rabbitmq.port(), redis.port(), postgres.port()] {
                network.show(port).await?;
            }
        }
        let mut settings = self.settings;
        settings.extend([
            format!("bus.rabbitmq.url={}", rabbitmq.url()),
            format!("cluster.redis.url={}", redis.url()),
            format!("records.url={}", postgres.database()?),
            format!("node.secret={}", "5a".repeat(32)),
        ]);
        let mut office = Centre::builder().roles(&OFFICE);
        for setting in &settings {
            office = office.set(setting);
        }
        let office = office
            .set("node.name=office")
            .set(&format!("node.grpc_bind={near}:{}", free_port()?))
            .start()
            .await?;
        settings.push(format!("telephony.bind={}", office.sip()));
        let mut cluster = Cluster {
            office,
            parts: BTreeMap::new(),
            settings,
            network: self.network,
            rabbitmq,
            redis,
            postgres,
        };
        cluster.add("telephony", "telephony")?;
        for n in 1..=self.routing {
            cluster.add(&format!("routing-{n}"), "routing")?;
        }
        if cluster.network.is_some() {
            cluster.launch(APART, "routing", true)?;
        }
        cluster.all_ready().await?;
        Ok(cluster)
    }
}

impl Cluster {
    /// Starts engines and processes, and waits until all are ready.
    ///
    /// # Errors
    /// Something does not come up; the end of its log is in the text.
    pub async fn start(routing: usize) -> Result<Self> {
        Self::builder(routing).start().await
    }

    /// A cluster with so many routing processes, and settings of its own.
    pub fn builder(routing: usize) -> ClusterBuilder {
        ClusterBuilder {
            routing,
            ..ClusterBuilder::default()
        }
    }

    /// The network between `routing-apart` and everything else.
    ///
    /// # Errors
    /// The cluster was made without one.
    pub fn network(&self) -> Result<&Network> {
        self.network.as_ref().context("nobody is apart")
    }

    /// Starts one more process, or one that had ended, with this name and role, and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn add(&mut self, name: &str, role: &'static str) -> Result<()> {
        self.launch(name, role, false)
    }

    fn launch(&mut self, name: &str, role: &'static str, apart: bool) -> Result<()> {
        let (grpc, probes, starts) = match self.parts.get(name) {
            Some(part) => (part.grpc, part.probes, part.starts + 1),
            None => (free_port()?, free_port()?, 1),
        };
        let mut command = match &self.network {
            Some(network) if apart => network.inside(&binary()?),
            _ => Command::new(binary()?),
        };
        let address = match &self.network {
            Some(network) if apart => network.far(),
            Some(network) => network.near(),
            None => LOCALHOST,
        };
        let folder = self.office.folder();
        command
            .args(["run", "--role", role, "--data"])
            .arg(folder.join(name))
            .args(["--set", &format!("node.name={name}")])
            .args(["--set", &format!("node.grpc_bind={address}:{grpc}")])
            .args(["--set", &format!("node.probe_bind={address}:{probes}")])
            .env("RUST_BACKTRACE", "1")
            .env("NO_COLOR", "1");
        for setting in &self.settings {
            // What is at this machine's own address is not there at the far end.
            let setting = match &self.network {
                Some(network) if apart && setting.contains(".url=") => {
                    setting.replace("127.0.0.1", &network.near().to_string())
                }
                _ => setting.clone(),
            };
            command.args(["--set", &setting]);
        }
        let log = folder.join(format!("{name}-{starts}.log"));
        let process = Process::start(&mut command, &log)?;
        let part = Part {
            process,
            role,
            grpc,
            apart,
            probes,
            starts,
        };
        self.parts.insert(name.to_owned(), part);
        Ok(())
    }

    /// Waits until every process says that it is ready.
    ///
    /// # Errors
    /// One does not, or has ended.
    pub async fn all_ready(&mut self) -> Result<()> {
        for (name, part) in &mut self.parts {
            let what = format!("{name} is ready");
            let ready = eventually(&what, READY, async || {
                if let Some(status) = part.process.ended()? {
                    return Ok(Err(status));
                }
                ensure!(part.process.log().contains("Centro is ready"), "it starts");
                Ok(Ok(()))
            });
            match ready.await {
                Ok(Ok(())) => {}
                Ok(Err(status)) => bail!("{name} ended ({status}):\n{}", part.process.log_tail(30)),
                Err(error) => return Err(error.context(part.process.log_tail(30))),
            }
        }
        Ok(())
    }

    /// A process by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn process(&mut self, name: &str) -> Result<&mut Process> {
        let part = self.parts.get_mut(name);
        Ok(&mut part.with_context(|| format!("there is no {name}"))?.process)
    }

    /// Kills a process without a word (SIGKILL).
    ///
    /// # Errors
    /// There is none of this name.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        self.process(name)?.kill()
    }

    /// Starts a process again that had ended.
    ///
    /// # Errors
    /// There was none of this name, or it cannot be started.
    pub fn revive(&mut self, name: &str) -> Result<()> {
        let part = self.parts.get(name).map(|part| (part.role, part.apart));
        let (role, apart) = part.with_context(|| format!("there was no {name}"))?;
        self.launch(name, role, apart)
    }

    /// Everything that processes of this name wrote, the first start first.
    pub fn log_of(&self, name: &str) -> String {
        let starts = self.parts.get(name).map_or(0, |part| part.starts);
        let logs = (1..=starts).map(|start| {
            let file = self.office.folder().join(format!("{name}-{start}.log"));
            std::fs::read(file).unwrap_or_default()
        });
        logs.map(|log| String::from_utf8_lossy(&log).into_owned())
            .collect()
    }

    /// Ends the office in order and starts it again.
    ///
    /// # Errors
    /// It does not end, or does not come up.
    pub async fn restart_office(&mut self) -> Result<()> {
        self.office.restart().await
    }

    /// Makes another tenant, whose short name is the name in small letters, and says how its owner signs in.
    ///
    /// # Errors
    /// What `centro tenant create` says.
    pub fn create_tenant(&self, name: &str, owner: &str) -> Result<Login> {
        let mut command = Command::new(binary()?);
        command.args(["tenant", "create", "--name", name, "--owner-login", owner]);
        command
            .arg("--data")
            .arg(self.office.folder().join("tenants"));
        for setting in &self.settings {
            if setting.starts_with("records.") || setting.starts_with("node.") {
                command.args(["--set", setting]);
            }
        }
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let mut lines = said.lines();
        let word = lines.find_map(|line| line.trim().strip_prefix("password "));
        let password = word.map(str::trim).with_context(|| {
            let why = String::from_utf8_lossy(&output.stderr);
            format!("no tenant was made: {said}{why}")
        })?;
        Ok(Login {
            login: owner.to_owned(),
            password: password.to_owned(),
        })
    }

    /// The names of the processes of a role that run.
    pub fn running(&mut self, role: &str) -> Vec<String> {
        let of_role = self.parts.iter_mut().filter(|(_, part)| part.role == role);
        of_role
            .filter_map(|(name, part)| {
                let runs = matches!(part.process.ended(), Ok(None));
                runs.then(|| name.clone())
            })
            .collect()
    }

    /// Fails when anything in any process panicked.
    ///
    /// # Errors
    /// The lines that say so.
    pub fn assert_no_panic_anywhere(&self) -> Result<()> {
        self.office.assert_no_panic()?;
        for (name, part) in &self.parts {
            let log = part.process.log();
            let panicked: Vec<_> = log
                .lines()
                .filter(|line| line.contains("panicked"))
                .collect();
            ensure!(panicked.is_empty(), "{name} panicked: {panicked:#?}");
        }
        Ok(())
    }

    /// Keeps the folder with all logs, for a person to look at, and says where it is.
    pub fn keep_folder(&mut self) -> PathBuf {
        self.office.keep_folder()
    }

    /// The ends of all logs.
    pub fn logs(&self, lines: usize) -> String {
        let office = format!("--- office\n{}\n", self.office.log_tail(lines));
        let parts = self.parts.iter();
        let parts =
            parts.map(|(name, part)| format!("--- {name}\n{}\n", part.process.log_tail(lines)));
        std::iter::once(office).chain(parts).collect()
    }
}
