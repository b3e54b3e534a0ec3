//! Whether SIP still answers: an OPTIONS to ourselves over the real sockets, told to `/health/ready`.

use crate::ua::gate::Gate;
use anyhow::{Context, ensure};
use centro_node::health::Flag;
use rsipstack::sip::Transport;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, UdpSocket},
    time::timeout,
};

/// Time between two looks, and after one that failed.
const EVERY: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(2);
/// Looks that fail in a row before it is said: a machine that was busy for a moment is not deaf.
const FAILURES: u32 = 3;
/// How long one answer may take, and how often it is asked for.
const ANSWER: Duration = Duration::from_secs(2);
const TRIES: u32 = 3;

/// Asks for ever.
pub async fn watch(sip: SocketAddr, gate: Arc<Gate>, answers: Flag) {
    let mut failures = 0;
    loop {
        match look(sip, gate.pass(), |from| gate.expect_own(from)).await {
            Ok(()) => {
                failures = 0;
                answers.raise();
            }
            Err(error) if failures + 1 < FAILURES => {
                failures += 1;
                tracing::warn!(error = format!("{error:#}"), "SIP does not answer yet");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "SIP does not answer");
                answers.lower(&format!("{error:#}"));
            }
        }
        tokio::time::sleep(if failures == 0 { EVERY } else { AGAIN }).await;
    }
}

/// Asks once over each transport; `own` hears where the connection comes from before it is made.
///
/// # Errors
/// Which one did not answer.
pub async fn look(sip: SocketAddr, pass: &str, own: impl Fn(SocketAddr)) -> anyhow::Result<()> {
    over_udp(sip, pass).await.context("SIP over UDP")?;
    over_tcp(sip, pass, own).await.context("SIP over TCP")
}

async fn over_udp(sip: SocketAddr, pass: &str) -> anyhow::Result<()> {
    let socket = UdpSocket::bind((sip.ip(), 0)).await?;
    socket.connect(reachable(sip)).await?;
    let question = question(socket.local_addr()?, Transport::Udp, pass);
    let mut answer = [0; 2_048];
    for _ in 0..TRIES {
        socket.send(question.as_bytes()).await?;
        if let Ok(length) = timeout(ANSWER, socket.recv(&mut answer)).await {
            return judge(&answer[..length?]);
        }
    }
    anyhow::bail!("no answer")
}

async fn over_tcp(sip: SocketAddr, pass: &str, own: impl Fn(SocketAddr)) -> anyhow::Result<()> {
    let whole = async {
        let to = reachable(sip);
        let socket = if to.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        socket.bind(SocketAddr::new(to.ip(), 0))?;
        own(socket.local_addr()?);
        let mut stream = socket.connect(to).await?;
        let question = question(stream.local_addr()?, Transport::Tcp, pass);
        stream.write_all(question.as_bytes()).await?;
        let mut answer = [0; 2_048];
        let length = stream.read(&mut answer).await?;
        judge(&answer[..length])
    };
    timeout(ANSWER * TRIES, whole).await.context("no answer")?
}

/// Where an address we bind to is reached from this machine.
fn reachable(mut sip: SocketAddr) -> SocketAddr {
    if sip.ip().is_unspecified() {
        sip.set_ip(match sip {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    sip
}

fn judge(answer: &[u8]) -> anyhow::Result<()> {
    // While draining it is 503, which is an answer too.
    ensure!(
        answer.starts_with(b"SIP/2.0 200") || answer.starts_with(b"SIP/2.0 503"),
        "it answers {:?}",
        String::from_utf8_lossy(&answer[..answer.len().min(40)])
    );
    Ok(())
}

fn question(from: SocketAddr, transport: Transport, pass: &str) -> String {
    let branch = rand::random::<u64>();
    format!(
        "OPTIONS sip:centro SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{branch:016x};rport\r\nMax-Forwards: 1\r\n\
         From: <sip:pulse@{from}>;tag=pulse\r\nTo: <sip:centro>\r\nCall-ID: {pass}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}
