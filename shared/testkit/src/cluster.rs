//! A centre of several processes on engines of its own, for one test.

use crate::{
    Centre, Process,
    centre::binary,
    engines::{Postgres, RabbitMq, Redis},
    eventually, free_port,
};
use anyhow::{Context, Result, bail, ensure};
use std::{collections::BTreeMap, ops::Deref, process::Command, time::Duration};

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

/// A running cluster: an *office* with the records and the door, one `telephony`, and `routing-1`, `routing-2` … It ends
/// with all of its engines when it is dropped.
pub struct Cluster {
    office: Centre,
    parts: BTreeMap<String, Part>,
    settings: Vec<String>,
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
    /// How often it was started; each time has a log of its own.
    starts: u32,
}

impl Deref for Cluster {
    type Target = Centre;

    fn deref(&self) -> &Centre {
        &self.office
    }
}

impl Cluster {
    /// Starts engines and processes, and waits until all are ready.
    ///
    /// # Errors
    /// Something does not come up; the end of its log is in the text.
    pub async fn start(routing: usize) -> Result<Self> {
        let (rabbitmq, redis, postgres) =
            tokio::try_join!(RabbitMq::start(), Redis::start(), Postgres::start())?;
        let mut settings = vec![
            format!("bus.rabbitmq.url={}", rabbitmq.url()),
            format!("cluster.redis.url={}", redis.url()),
            format!("records.url={}", postgres.database()?),
            format!("node.secret={}", "5a".repeat(32)),
        ];
        let mut office = Centre::builder().roles(&OFFICE);
        for setting in &settings {
            office = office.set(setting);
        }
        let office = office
            .set("node.name=office")
            .set(&format!("node.grpc_bind=127.0.0.1:{}", free_port()?))
            .start()
            .await?;
        settings.push(format!("telephony.bind={}", office.sip()));
        let mut cluster = Self {
            office,
            parts: BTreeMap::new(),
            settings,
            rabbitmq,
            redis,
            postgres,
        };
        cluster.add("telephony", "telephony")?;
        for n in 1..=routing {
            cluster.add(&format!("routing-{n}"), "routing")?;
        }
        cluster.all_ready().await?;
        Ok(cluster)
    }

    /// Starts one more process, or one that had ended, with this name and role, and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn add(&mut self, name: &str, role: &'static str) -> Result<()> {
        let (grpc, starts) = match self.parts.get(name) {
            Some(part) => (part.grpc, part.starts + 1),
            None => (free_port()?, 1),
        };
        let mut command = Command::new(binary()?);
        let folder = self.office.folder();
        command
            .args(["run", "--role", role, "--data"])
            .arg(folder.join(name))
            .args(["--set", &format!("node.name={name}")])
            .args(["--set", &format!("node.grpc_bind=127.0.0.1:{grpc}")])
            .env("RUST_BACKTRACE", "1")
            .env("NO_COLOR", "1");
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        let log = folder.join(format!("{name}-{starts}.log"));
        let process = Process::start(&mut command, &log)?;
        let part = Part {
            process,
            role,
            grpc,
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
        let role = self.parts.get(name).map(|part| part.role);
        self.add(name, role.with_context(|| format!("there was no {name}"))?)
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

    /// The ends of all logs.
    pub fn logs(&self, lines: usize) -> String {
        let office = format!("--- office\n{}\n", self.office.log_tail(lines));
        let parts = self.parts.iter();
        let parts =
            parts.map(|(name, part)| format!("--- {name}\n{}\n", part.process.log_tail(lines)));
        std::iter::once(office).chain(parts).collect()
    }
}
