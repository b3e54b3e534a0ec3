//! A whole centre for one test: the real binary, an empty folder, free ports.

use crate::{Api, Credentials, Login, Process, eventually, free_port, free_sip_port};
use anyhow::{Context, Result, bail, ensure};
use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::Arc,
    sync::LazyLock,
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a centre may take to be ready.
const READY: Duration = Duration::from_secs(30);

/// Centres that run at once in one test program.
const AT_ONCE: usize = 2;

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(AT_ONCE)));

/// How a centre is to be started.
#[derive(Default)]
pub struct CentreBuilder {
    settings: Vec<String>,
    roles: Vec<String>,
}

/// A running centre. Dropping it ends it and removes its folder.
pub struct Centre {
    process: Process,
    settings: Vec<String>,
    roles: Vec<String>,
    sip: SocketAddr,
    http: SocketAddr,
    credentials: Credentials,
    folder: TempDir,
    _turn: OwnedSemaphorePermit,
}

impl CentreBuilder {
    /// Adds a setting, e.g. `telephony.silence=5s`.
    #[must_use]
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// Only these services, e.g. `identity`; all of them when none is named.
    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Self {
        self.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self
    }

    /// Starts the centre and waits until it is ready. Waits for its turn first: a machine carries few centres at once.
    ///
    /// # Errors
    /// The binary is missing or did not become ready; the end of its log is in the text.
    pub async fn start(self) -> Result<Centre> {
        let turn = TURNS.clone().acquire_owned().await?;
        let folder = tempfile::Builder::new().prefix("centro-test-").tempdir()?;
        let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, free_sip_port()?));
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut process = launch(folder.path(), &self.settings, &self.roles, sip, http)?;
        let file = credentials_file(folder.path());
        let ready = eventually("the centre is ready", READY, async || {
            if let Some(status) = process.ended()? {
                return Ok(Err(status));
            }
            let text = std::fs::read_to_string(&file).context("no credentials yet")?;
            Ok(Ok(serde_json::from_str::<Credentials>(&text)?))
        });
        match ready.await {
            Ok(Ok(credentials)) => Ok(Centre {
                process,
                settings: self.settings,
                roles: self.roles,
                sip,
                http,
                credentials,
                folder,
                _turn: turn,
            }),
            Ok(Err(status)) => bail!(
                "the centre ended ({status}) before it was ready:\n{}",
                process.log_tail(40)
            ),
            Err(error) => Err(error.context(format!("its log ends:\n{}", process.log_tail(40)))),
        }
    }
}

impl Centre {
    /// Starts a centre with the default settings.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// A centre with settings of its own.
    pub fn builder() -> CentreBuilder {
        CentreBuilder::default()
    }

    /// Logins, devices, queues and numbers of the demo tenant.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Where SIP is spoken, over UDP and TCP.
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Base address of the API and the pages.
    pub fn http(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Folder of this test, removed with the centre: a place for the logs of telephones.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the centre wrote so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The end of what the centre wrote.
    pub fn log_tail(&self, lines: usize) -> String {
        self.process.log_tail(lines)
    }

    /// Fails when anything in the centre panicked.
    pub fn assert_no_panic(&self) -> Result<()> {
        let log = self.log();
        let panicked: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("panicked"))
            .collect();
        ensure!(panicked.is_empty(), "the centre panicked: {panicked:#?}");
        Ok(())
    }

    /// Signs in.
    pub async fn api(&self, login: &Login) -> Result<Api> {
        self.api_of(&self.credentials.tenant, login).await
    }

    /// Signs in to a tenant.
    pub async fn api_of(&self, tenant: &str, login: &Login) -> Result<Api> {
        Api::sign_in_to(&self.http(), tenant, &login.login, &login.password).await
    }

    /// Signs in as the owner.
    pub async fn owner(&self) -> Result<Api> {
        self.api(&self.credentials.owner).await
    }

    /// Signs in as the supervisor.
    pub async fn supervisor(&self) -> Result<Api> {
        self.api(&self.credentials.supervisor).await
    }

    /// Runs another command of the binary on this centre's folder, e.g. `tenant create`, and gives what it printed. The
    /// centre must not run.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(binary()?)
            .args(arguments)
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .output()?;
        ensure!(
            output.status.success(),
            "centro {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Leaves a file in the data folder, as a start that broke would. Says whether it was there already.
    pub fn leave(&self, name: &str, content: &str) -> Result<bool> {
        let path = self.folder.path().join("data").join(name);
        let known = path.exists();
        std::fs::write(path, content)?;
        Ok(known)
    }

    /// What the last start that made or finished the demo tenant wrote.
    pub fn written_credentials(&self) -> Result<Credentials> {
        let text = std::fs::read_to_string(credentials_file(self.folder.path()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Sends SIGTERM and does not wait.
    pub fn terminate(&self) -> Result<()> {
        self.process.terminate()
    }

    /// Waits until the process ended.
    pub async fn ends(&mut self, within: Duration) -> Result<ExitStatus> {
        self.process.end(within).await
    }

    /// Ends the centre at once, as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Asks the centre to end and waits until it did.
    pub async fn stop(&mut self) -> Result<()> {
        if self.process.ended()?.is_none() {
            self.process.terminate()?;
            self.process
                .end(Duration::from_secs(30))
                .await
                .context("after SIGTERM")?;
        }
        Ok(())
    }

    /// Ends the centre in order, if it still runs, and starts it on the same folder and ports.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        let folder = self.folder.path();
        self.process = launch(folder, &self.settings, &self.roles, self.sip, self.http)?;
        let url = format!("{}/health/ready", self.http());
        let process = &mut self.process;
        let ready = eventually("the centre is ready again", READY, async || {
            if let Some(status) = process.ended()? {
                return Ok(Err(status));
            }
            let answer = reqwest::get(&url).await?;
            ensure!(
                answer.status().is_success(),
                "/health/ready says {}",
                answer.status()
            );
            Ok(Ok(()))
        });
        match ready.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => bail!(
                "the centre ended ({status}):\n{}",
                self.process.log_tail(40)
            ),
            Err(error) => {
                Err(error.context(format!("its log ends:\n{}", self.process.log_tail(40))))
            }
        }
    }

    /// Keeps the folder after the test, for a person to look at, and says where it is.
    pub fn keep_folder(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }
}

fn credentials_file(folder: &Path) -> PathBuf {
    folder.join("credentials.json")
}

fn launch(
    folder: &Path,
    settings: &[String],
    roles: &[String],
    sip: SocketAddr,
    http: SocketAddr,
) -> Result<Process> {
    let mut command = Command::new(binary()?);
    command.arg("run").arg("--data").arg(folder.join("data"));
    command.args([
        "--set",
        &format!("telephony.bind={sip}"),
        "--set",
        &format!("gateway.bind={http}"),
    ]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    for role in roles {
        command.args(["--role", role]);
    }
    command
        .arg("--credentials-file")
        .arg(credentials_file(folder));
    command.env("RUST_BACKTRACE", "1").env("NO_COLOR", "1");
    Process::start(&mut command, &folder.join("centro.log"))
}

/// The binary under test: `CENTRO_BIN`, else the one built beside this test program.
pub(crate) fn binary() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CENTRO_BIN") {
        return Ok(path.into());
    }
    let program = env::current_exe()?;
    // A test program lies in `deps` beside it, another program in the same folder.
    let folders = program.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join("centro"))
        .find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "no centro beside {}: build it with `cargo build`, or name one in CENTRO_BIN",
            program.display()
        )
    })
}
