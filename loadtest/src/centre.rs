//! The centre under test: the `centro` binary started here with an empty folder and free ports, or one that runs elsewhere.

use crate::{
    api::{self, Api},
    process,
};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Until a spawned centre must be ready.
const READY: Duration = Duration::from_secs(60);
/// Until it must be gone after SIGTERM.
const GONE: Duration = Duration::from_secs(15);

/// What the first start of a centre wrote for scripts.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// Where REST is spoken.
    pub http: String,
    /// Where SIP is spoken.
    pub sip: SocketAddr,
    /// Short name of the tenant.
    pub tenant: String,
    /// The owner's sign-in.
    pub owner: Owner,
    /// Agents with their phones.
    pub agents: Vec<Agent>,
    /// Numbers that lead into queues.
    pub numbers: Vec<String>,
    /// Queues.
    pub queues: Vec<Queue>,
}

/// Sign-in of a person.
#[derive(Debug, Clone, Deserialize)]
pub struct Owner {
    /// Login.
    pub login: String,
    /// Password.
    pub password: String,
}

/// An agent of the demo tenant.
#[derive(Debug, Clone, Deserialize)]
pub struct Agent {
    /// Login.
    pub login: String,
    /// Password.
    pub password: String,
    /// Id of the person.
    pub user_id: String,
    /// Id of the phone.
    pub device_id: String,
    /// SIP user name.
    pub username: String,
    /// SIP password.
    pub secret: String,
}

/// A queue of the demo tenant.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub display_name: String,
}

/// Which centre a measurement is made against.
#[derive(Debug, Clone)]
pub enum Against {
    /// Start one.
    Spawn,
    /// One that runs: its credentials file, and its process on this machine if its cost is to be told.
    Running(PathBuf, Option<u32>),
    /// One that runs anywhere: where it is and how its owner signs in.
    Remote(Remote),
}

/// A centre that is known by its address.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where REST is spoken.
    pub http: String,
    /// Where SIP is spoken; `None`: port 5060 of the same machine.
    pub sip: Option<SocketAddr>,
    /// Short name of the tenant; empty where there is one.
    pub tenant: String,
    /// An owner's or administrator's sign-in.
    pub owner: Owner,
    /// Its process, if it runs on this machine and its cost is to be told.
    pub pid: Option<u32>,
}

/// Where SIP is spoken unless somebody says otherwise.
const SIP_PORT: u16 = 5060;

impl Remote {
    fn sip(&self) -> Result<SocketAddr> {
        if let Some(sip) = self.sip {
            return Ok(sip);
        }
        let url: reqwest::Url = self.http.parse().context("--against is not a URL")?;
        let host = url.host_str().context("--against names no host")?;
        (host.trim_matches(['[', ']']), SIP_PORT)
            .to_socket_addrs()
            .with_context(|| format!("{host} has no address; give --sip ADDRESS:PORT"))?
            .next()
            .with_context(|| format!("{host} has no address; give --sip ADDRESS:PORT"))
    }
}

/// A centre under test. Dropping it ends a spawned one.
pub struct Centre {
    /// How to reach it.
    pub credentials: Credentials,
    pid: Option<u32>,
    started: Option<(Child, TempDir)>,
}

impl Centre {
    /// Gets the centre ready.
    ///
    /// # Errors
    /// When it cannot be started or read about; with the end of its log.
    pub async fn open(against: &Against) -> Result<Self> {
        match against {
            Against::Spawn => Self::spawn().await,
            Against::Running(file, pid) => {
                let credentials = read(file).context("the credentials file")?;
                Ok(Self {
                    credentials,
                    pid: *pid,
                    started: None,
                })
            }
            Against::Remote(remote) => Self::remote(remote).await,
        }
    }

    /// Reads queues and numbers; phones of agents are made by whoever needs them, since their secrets cannot be read.
    async fn remote(remote: &Remote) -> Result<Self> {
        let (http, owner) = (&remote.http, &remote.owner);
        let api = Api::sign_in(http, &remote.tenant, &owner.login, &owner.password)
            .await
            .with_context(|| format!("{} as {}", http, owner.login))?;
        let queues = rows(&api, "/v1/call-queues?pageSize=200", "callQueues").await?;
        let numbers = rows(&api, "/v1/numbers?pageSize=200", "numbers").await?;
        let queue = |row: &Value| {
            Ok(Queue {
                id: api::text(row, "id")?,
                display_name: api::text(row, "displayName")?,
            })
        };
        let credentials = Credentials {
            http: http.clone(),
            sip: remote.sip()?,
            tenant: remote.tenant.clone(),
            owner: owner.clone(),
            agents: Vec::new(),
            numbers: numbers
                .iter()
                .map(|row| api::text(row, "e164"))
                .collect::<Result<_>>()?,
            queues: queues.iter().map(queue).collect::<Result<_>>()?,
        };
        Ok(Self {
            credentials,
            pid: remote.pid,
            started: None,
        })
    }

    /// Signs in as the owner.
    ///
    /// # Errors
    /// See [`Api::sign_in`].
    pub async fn owner(&self) -> Result<Api> {
        let Credentials {
            http,
            tenant,
            owner,
            ..
        } = &self.credentials;
        Api::sign_in(http, tenant, &owner.login, &owner.password).await
    }

    /// CPU time used so far, when the process is known.
    pub fn cpu(&self) -> Option<Duration> {
        self.pid.and_then(process::cpu)
    }

    /// Resident memory in MB, when the process is known.
    pub fn rss_mb(&self) -> Option<f64> {
        self.pid.and_then(process::rss_mb)
    }

    async fn spawn() -> Result<Self> {
        let binary = binary()?;
        let folder = TempDir::with_prefix("centro-loadtest-")?;
        let (file, log) = (
            folder.path().join("credentials.json"),
            folder.path().join("log"),
        );
        let output = std::fs::File::create(&log)?;
        let mut child = Command::new(&binary)
            .arg("run")
            .arg("--data")
            .arg(folder.path().join("data"))
            .args([
                "--set",
                &format!("telephony.bind=127.0.0.1:{}", free_sip_port()?),
            ])
            .args(["--set", &format!("gateway.bind=127.0.0.1:{}", free_port()?)])
            .args(settings())
            .arg("--credentials-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let begun = Instant::now();
        loop {
            if let Ok(credentials) = read(&file) {
                let pid = Some(child.id());
                return Ok(Self {
                    credentials,
                    pid,
                    started: Some((child, folder)),
                });
            }
            let ended = child.try_wait()?;
            if ended.is_some() || begun.elapsed() > READY {
                let _ = child.kill();
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let lines: Vec<&str> = said.lines().collect();
                let end = lines[lines.len().saturating_sub(20)..].join("\n");
                bail!("{} did not get ready ({ended:?}):\n{end}", binary.display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        let Some((child, folder)) = &mut self.started else {
            return;
        };
        if std::env::var_os("CENTRO_KEEP").is_some() {
            folder.disable_cleanup(true);
            eprintln!("kept: {}", folder.path().display());
        }
        let _ = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        let begun = Instant::now();
        while begun.elapsed() < GONE {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Further settings of a spawned centre: `CENTRO_SET="key=value key=value"`.
fn settings() -> Vec<String> {
    let given = std::env::var("CENTRO_SET").unwrap_or_default();
    given
        .split_whitespace()
        .flat_map(|set| ["--set".to_owned(), set.to_owned()])
        .collect()
}

/// The first page of a list.
async fn rows(api: &Api, path: &str, list: &str) -> Result<Vec<Value>> {
    let page = api.get(path).await?;
    Ok(page[list].as_array().cloned().unwrap_or_default())
}

fn read(file: &Path) -> Result<Credentials> {
    Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
}

/// `CENTRO_BIN`, or the binary beside this one.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CENTRO_BIN") {
        return Ok(path.into());
    }
    let mut folder = std::env::current_exe()?;
    folder.pop();
    for folder in [folder.as_path(), folder.parent().unwrap_or(&folder)] {
        let path = folder.join("centro");
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!(
        "no centro binary beside this one: run `cargo build -p centro` in the same profile, or set CENTRO_BIN"
    )
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Free for both UDP and TCP.
fn free_sip_port() -> Result<u16> {
    for _ in 0..50 {
        let port = free_port()?;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free for both UDP and TCP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_is_spoken_at_the_machine_of_the_url_unless_told_otherwise() {
        let remote = |http: &str, sip: Option<&str>| Remote {
            http: http.to_owned(),
            sip: sip.map(|sip| sip.parse().unwrap()),
            tenant: String::new(),
            owner: Owner {
                login: "o".into(),
                password: "p".into(),
            },
            pid: None,
        };
        for (http, sip, expected) in [
            ("http://192.0.2.1:8080", None, "192.0.2.1:5060"),
            ("http://[2001:db8::1]:8080/", None, "[2001:db8::1]:5060"),
            (
                "https://192.0.2.1",
                Some("192.0.2.9:5070"),
                "192.0.2.9:5070",
            ),
        ] {
            assert_eq!(
                remote(http, sip).sip().unwrap(),
                expected.parse().unwrap(),
                "{http}"
            );
        }
        assert!(remote("nowhere", None).sip().is_err());
    }
}
