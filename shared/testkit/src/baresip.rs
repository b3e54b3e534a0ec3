//! baresip, a soft phone as people use it: registers, answers by itself, says a tone and keeps what it hears in a file.
//!
//! baresip 1.0.0 fails to register when any challenge names SHA-256. Its module `sndfile` writes what the call decoded;
//! the file is complete when the call is over.

use crate::{Process, eventually, free_port, free_sip_port, recording, sound};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const MODULES: &str = "/usr/lib/baresip/modules";

/// How a phone speaks SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection, opened by the phone.
    Tcp,
}

/// A running baresip.
pub struct Baresip {
    process: Process,
    control: SocketAddr,
    sip: SocketAddr,
    folder: PathBuf,
}

impl Baresip {
    /// Starts a phone that registers at the centre, answers every call and says a tone.
    ///
    /// # Errors
    /// baresip is not installed (Debian: `baresip-core`).
    pub fn start(
        folder: &Path,
        centre: SocketAddr,
        user: &str,
        secret: &str,
        hz: f64,
        transport: Transport,
    ) -> Result<Self> {
        let folder = folder.join(format!("baresip-{user}"));
        fs::create_dir_all(&folder)?;
        recording::write_mono(
            &folder.join("tone.wav"),
            &sound::tone(hz, 0, 60 * sound::RATE as usize),
        )?;
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (sip, control) = (at(free_sip_port()?), at(free_port()?));
        let place = folder.display();
        let rtp = 10_000 + (sip.port() % 900) * 10;
        let config = format!(
            "poll_method epoll\nsip_listen {sip}\naudio_player aufile,{place}/none\n\
             audio_source aufile,{place}/tone.wav\naudio_alert aufile,{place}/none\naudio_buffer 20-160\n\
             rtp_ports {rtp}-{}\njitter_buffer_delay 1-5\nmodule_path {MODULES}\nmodule g711.so\nmodule aufile.so\n\
             module sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
             ctrl_tcp_listen {control}\nsnd_path {place}\nstatmode_default off\nmenu_bell no\n",
            rtp + 100
        );
        fs::write(folder.join("config"), config)?;
        let over = if transport == Transport::Tcp {
            ";transport=tcp"
        } else {
            ""
        };
        let account = format!(
            "<sip:{user}@{centre}{over}>;auth_user={user};auth_pass={secret};answermode=auto;regint=600;audio_codecs=PCMU,PCMA\n"
        );
        fs::write(folder.join("accounts"), account)?;
        let process = Process::start(
            Command::new("baresip").arg("-4").arg("-f").arg(&folder),
            &folder.join("log"),
        )?;
        Ok(Self {
            process,
            control,
            sip,
            folder,
        })
    }

    /// Waits until the centre took its registration.
    pub async fn registered(&self) -> Result<()> {
        eventually(
            "baresip is registered",
            Duration::from_secs(15),
            async || {
                ensure!(
                    self.process.log().contains("200 OK ("),
                    "its log ends:\n{}",
                    self.log_tail()
                );
                Ok(())
            },
        )
        .await
    }

    /// Where it can be called directly.
    pub fn address(&self) -> SocketAddr {
        self.sip
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        self.process.log_tail(30)
    }

    /// Calls a number of the centre.
    pub fn dial(&self, number: &str) -> Result<()> {
        self.command("dial", number)
    }

    /// Hangs up.
    pub fn hang_up(&self) -> Result<()> {
        self.command("hangup", "")
    }

    /// Waits until its log has a line with the text.
    pub async fn says(&self, text: &str, within: Duration) -> Result<()> {
        eventually(&format!("baresip says {text:?}"), within, async || {
            ensure!(
                self.process.log().contains(text),
                "its log ends:\n{}",
                self.log_tail()
            );
            Ok(())
        })
        .await
    }

    /// What it heard in its calls so far, the first call first. A call that goes on is not in it.
    pub fn heard(&self) -> Result<Vec<Vec<i16>>> {
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-dec.wav") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(|path| recording::mono(path)).collect()
    }

    /// One command of the module `ctrl_tcp`: JSON in a netstring.
    fn command(&self, command: &str, parameters: &str) -> Result<()> {
        let message =
            serde_json::json!({"command": command, "params": parameters, "token": "test"})
                .to_string();
        let mut stream = TcpStream::connect(self.control).context("baresip's control port")?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "{}:{message},", message.len())?;
        let mut answer = [0; 1024];
        let size = stream.read(&mut answer)?;
        ensure!(size > 0, "baresip closed its control port on {command}");
        Ok(())
    }
}
