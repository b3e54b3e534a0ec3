//! sipp, a telephone driven by a scenario: callers, and agents' phones.
//!
//! A test steers a running scenario by a cue: a NOTIFY datagram with the Call-ID of the call, sent to sipp's port by
//! [`Sipp::cue`]. Scenarios wait for it where a person would decide (answer, hang up, hold). sipp 3.6.1 answers MD5
//! challenges only and looks at the first challenge only.

use crate::{Process, RtpPeer, eventually, free_sip_port};
use anyhow::{Context, Result, bail, ensure};
use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// After this long sipp gives up by itself.
const LIFETIME: Duration = Duration::from_secs(90);

static COUNTER: AtomicU32 = AtomicU32::new(1);

/// How sipp is to be started.
pub struct SippBuilder {
    scenario: PathBuf,
    folder: PathBuf,
    name: String,
    port: u16,
    arguments: Vec<String>,
    remote: Option<SocketAddr>,
}

/// A running sipp.
pub struct Sipp {
    process: Process,
    name: String,
    port: u16,
    messages: PathBuf,
    errors: PathBuf,
    cues: AtomicU32,
}

impl SippBuilder {
    /// Calls this address. Without it the scenario waits to be called.
    #[must_use]
    pub fn to(mut self, remote: SocketAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// Uses this local port instead of a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The number to dial: `[service]` of the scenario.
    #[must_use]
    pub fn dial(self, number: &str) -> Self {
        self.arguments(&["-s", number])
    }

    /// Ends after so many calls.
    #[must_use]
    pub fn calls(self, calls: u32) -> Self {
        self.arguments(&["-m", &calls.to_string()])
    }

    /// Starts so many calls within 100 ms.
    #[must_use]
    pub fn burst(self, calls: u32) -> Self {
        let calls = calls.to_string();
        self.arguments(&["-m", &calls, "-l", &calls, "-r", &calls, "-rp", "100"])
    }

    /// Gives a value to a `[key]` of the scenario.
    #[must_use]
    pub fn key(self, key: &str, value: &str) -> Self {
        self.arguments(&["-key", key, value])
    }

    /// Names the port of the peer in the SDP: `[audio_port]` of the scenario.
    pub fn audio(self, peer: &RtpPeer) -> Result<Self> {
        let port = peer.port()?.to_string();
        Ok(self.key("audio_port", &port))
    }

    /// Gives each call the next account: `[field0]` is the user name, `[field1]` answers a challenge.
    pub fn accounts<'a>(
        self,
        accounts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self> {
        let mut table = "SEQUENTIAL\n".to_owned();
        for (user, secret) in accounts {
            table += &format!("{user};[authentication username={user} password={secret}]\n");
        }
        let path = self.folder.join(format!("{}.csv", self.name));
        fs::write(&path, table)?;
        Ok(self.arguments(&["-inf", &path.display().to_string()]))
    }

    /// Further arguments of sipp's own.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// sipp is not installed (Debian: `sip-tester`), or the scenario is missing.
    pub fn start(self) -> Result<Sipp> {
        ensure!(
            self.scenario.exists(),
            "{} is missing",
            self.scenario.display()
        );
        let file = |kind: &str| self.folder.join(format!("{}.{kind}", self.name));
        let (messages, errors) = (file("messages"), file("errors"));
        let mut command = Command::new("sipp");
        command.args(self.remote.map(|remote| remote.to_string()));
        command.arg("-sf").arg(&self.scenario);
        command.args([
            "-i",
            "127.0.0.1",
            "-bind_local",
            "-mi",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        command.args([
            "-cid_str",
            &format!("{}-%u", self.name),
            "-nostdin",
            "-timer_resol",
            "1",
        ]);
        command.args([
            "-timeout",
            &LIFETIME.as_secs().to_string(),
            "-timeout_error",
        ]);
        command.args(["-trace_msg", "-message_file"]).arg(&messages);
        command.args(["-trace_err", "-error_file"]).arg(&errors);
        command.args(&self.arguments).current_dir(&self.folder);
        let process = Process::start(&mut command, &file("log"))?;
        Ok(Sipp {
            process,
            name: self.name,
            port: self.port,
            messages,
            errors,
            cues: AtomicU32::new(1),
        })
    }
}

impl Sipp {
    /// A scenario file, with its logs in the folder.
    pub fn scenario(file: &Path, folder: &Path) -> Result<SippBuilder> {
        let stem = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("sipp");
        Ok(SippBuilder {
            scenario: file.to_owned(),
            folder: folder.to_owned(),
            name: format!("{stem}-{}", COUNTER.fetch_add(1, Ordering::Relaxed)),
            port: free_sip_port()?,
            arguments: Vec::new(),
            remote: None,
        })
    }

    /// Its SIP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Messages sent and received so far, with times.
    pub fn messages(&self) -> String {
        fs::read(&self.messages)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Messages received so far.
    pub fn received(&self) -> Vec<String> {
        let all = self.messages();
        let parts = all.split("-----------------------------------------------");
        let received = parts.filter_map(|part| {
            let (head, message) = part.split_once("\n\n")?;
            head.contains("received")
                .then(|| message.trim_start().to_owned())
        });
        received.collect()
    }

    /// How many messages that start with the word (a method, or `SIP/2.0 180`) were received. What a busy machine made the
    /// other side repeat (the same branch) counts once.
    pub fn received_requests(&self, method: &str) -> usize {
        let start = format!("{method} ");
        let received = self.received();
        let branches: BTreeSet<_> = received
            .iter()
            .filter(|message| message.starts_with(&start))
            .map(|message| branch(message))
            .collect();
        branches.len()
    }

    /// Waits until sipp listens: a phone must not be called before.
    pub async fn listening(&mut self) -> Result<()> {
        let port = self.port;
        eventually("sipp listens", Duration::from_secs(10), async || {
            if let Some(status) = self.process.ended()? {
                bail!("it ended ({status}): {}", self.evidence());
            }
            ensure!(is_bound(port)?, "nothing holds port {port}");
            Ok(())
        })
        .await
    }

    /// Waits until a message that starts with the word arrived.
    pub async fn receives(&self, method: &str, within: Duration) -> Result<()> {
        eventually(
            &format!("{} receives {method}", self.name),
            within,
            async || {
                ensure!(
                    self.received_requests(method) > 0,
                    "not among {} messages",
                    self.received().len()
                );
                Ok(())
            },
        )
        .await
    }

    /// Call-ID of the last call it placed or received.
    pub fn call_id(&self) -> Result<String> {
        let messages = self.messages();
        let invite = messages.rfind("\nINVITE ").context("no INVITE yet")?;
        let line = messages[invite..]
            .lines()
            .find_map(|line| line.strip_prefix("Call-ID:"));
        Ok(line.context("an INVITE without Call-ID")?.trim().to_owned())
    }

    /// Where the other side wants its audio, from the last SDP it sent.
    pub fn remote_audio(&self) -> Result<SocketAddr> {
        let received = self.received();
        let sdp = received
            .iter()
            .rev()
            .find(|message| message.contains("\nm=audio "))
            .context("no SDP received yet")?;
        let after = |start: &str| sdp.lines().find_map(|line| line.trim().strip_prefix(start));
        let ip = after("c=IN IP4 ").context("no c= line")?;
        let port = after("m=audio ")
            .and_then(|rest| rest.split(' ').next())
            .context("no m= line")?;
        Ok(format!("{ip}:{port}").parse()?)
    }

    /// Tells the scenario to go on where it waits.
    pub fn cue(&self) -> Result<()> {
        self.cue_call(&self.call_id()?)
    }

    /// Tells all calls that were started so far to go on.
    pub fn cue_all(&self) -> Result<()> {
        let messages = self.messages();
        let ids: BTreeSet<&str> = messages
            .lines()
            .filter_map(|line| line.strip_prefix("Call-ID:"))
            .map(str::trim)
            .collect();
        ids.into_iter().try_for_each(|id| self.cue_call(id))
    }

    fn cue_call(&self, call: &str) -> Result<()> {
        let number = self.cues.fetch_add(1, Ordering::Relaxed);
        let message = format!(
            "NOTIFY sip:cue@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKcue{number}\r\n\
             From: <sip:cue@127.0.0.1>;tag=cue\r\nTo: <sip:cue@127.0.0.1>;tag=cue\r\nCall-ID: {call}\r\n\
             CSeq: {number} NOTIFY\r\nContent-Length: 0\r\n\r\n"
        );
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.send_to(message.as_bytes(), (Ipv4Addr::LOCALHOST, self.port))?;
        Ok(())
    }

    /// Waits until sipp ends and fails unless every call went as its scenario says.
    pub async fn succeeds(&mut self, within: Duration) -> Result<()> {
        let status = self
            .process
            .end(within)
            .await
            .with_context(|| self.evidence())?;
        ensure!(
            status.success(),
            "{} failed ({status}): {}",
            self.name,
            self.evidence()
        );
        Ok(())
    }

    /// Waits until sipp ends, however its calls went.
    pub async fn end(&mut self, within: Duration) -> Result<()> {
        self.process
            .end(within)
            .await
            .with_context(|| self.evidence())?;
        Ok(())
    }

    /// Ends it at once, without a word to the other side.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// What a person needs to see when it failed: its complaints and its last messages.
    pub fn evidence(&self) -> String {
        let errors = fs::read(&self.errors)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default();
        let messages = self.messages();
        let tail: Vec<&str> = messages.lines().rev().take(60).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        format!(
            "{} on port {}\n--- errors\n{errors}\n--- last messages\n{}",
            self.name,
            self.port,
            tail.join("\n")
        )
    }
}

/// The branch of the topmost Via: one for each transaction.
fn branch(message: &str) -> &str {
    let via = message
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("via:"));
    let rest = via.and_then(|via| via.split("branch=").nth(1));
    rest.and_then(|rest| rest.split([';', ',', ' ']).next())
        .unwrap_or_default()
        .trim()
}

/// Whether a program holds the UDP port. Trying it would take it away from the program for a moment.
fn is_bound(port: u16) -> Result<bool> {
    let table = fs::read_to_string("/proc/net/udp").context("the table of UDP sockets")?;
    let wanted = format!(":{port:04X}");
    Ok(table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1))
        .any(|local| local.ends_with(&wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_bound_while_somebody_holds_it() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(is_bound(port).unwrap());
    }

    #[test]
    fn repetitions_have_the_same_branch() {
        let message =
            "CANCEL sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4:5;branch=z9hG4bKx;rport\r\n";
        assert_eq!(branch(message), "z9hG4bKx");
    }
}
