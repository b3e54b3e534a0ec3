//! The microphone and the ear of a telephone whose signalling is done elsewhere (sipp): RTP with G.711 and key presses.
//!
//! It says nothing until it knows where to: by [`RtpPeer::speak_to`], or from the first packet it hears.

use crate::{eventually, sound};
use anyhow::{Result, ensure};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, task::JoinHandle, time::MissedTickBehavior};

/// Payload types: µ-law, A-law (RFC 3551) and, by convention of our scenarios, telephone events (RFC 4733).
const MU_LAW: u8 = 0;
const A_LAW: u8 = 8;
const EVENTS: u8 = 101;

/// Samples in a packet of 20 ms.
const FRAME: usize = 160;

/// Packets of one key press: 100 ms pressed, its end said three times.
const KEY_PACKETS: u16 = 8;

/// One end of an RTP conversation.
pub struct RtpPeer {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    socket: Arc<UdpSocket>,
    remote: Option<SocketAddr>,
    tone: Option<f64>,
    payload: u8,
    sequence: u16,
    timestamp: u32,
    keys: Vec<u8>,
    key: Option<(u8, u16, u32)>,
    heard: Vec<(Instant, Vec<i16>)>,
    last: Option<(u32, u16)>,
    missed: u16,
    sources: Vec<SocketAddr>,
}

impl RtpPeer {
    /// A peer that speaks A-law and says a tone.
    pub async fn a_law(hz: f64) -> Result<Self> {
        Self::start(hz, A_LAW).await
    }

    /// A peer that speaks µ-law and says a tone.
    pub async fn mu_law(hz: f64) -> Result<Self> {
        Self::start(hz, MU_LAW).await
    }

    async fn start(hz: f64, payload: u8) -> Result<Self> {
        let state = State {
            socket: socket().await?,
            remote: None,
            tone: Some(hz),
            payload,
            sequence: rand::random(),
            timestamp: rand::random(),
            keys: Vec::new(),
            key: None,
            heard: Vec::new(),
            last: None,
            missed: 0,
            sources: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let task = tokio::spawn(converse(Arc::clone(&state), rand::random()));
        Ok(Self { state, task })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The port for SDP.
    pub fn port(&self) -> Result<u16> {
        Ok(self.lock().socket.local_addr()?.port())
    }

    /// Where to speak to from now on.
    pub fn speak_to(&self, remote: SocketAddr) {
        self.lock().remote = Some(remote);
    }

    /// Says another tone, or nothing: no packet is sent then.
    pub fn say(&self, hz: Option<f64>) {
        self.lock().tone = hz;
    }

    /// Presses a key (`0`–`9`, `*`, `#`) for 100 ms.
    pub fn press(&self, key: char) {
        let event = match key {
            '*' => 10,
            '#' => 11,
            digit => digit.to_digit(10).map_or(0, |digit| digit as u8),
        };
        self.lock().keys.push(event);
    }

    /// Moves to another local port in the middle of the stream, as a router's new binding does. The old port is closed.
    pub async fn rebind(&self) -> Result<u16> {
        let fresh = socket().await?;
        let port = fresh.local_addr()?.port();
        self.lock().socket = fresh;
        Ok(port)
    }

    /// What was heard since, in order of arrival.
    pub fn heard_since(&self, since: Instant) -> Vec<i16> {
        let state = self.lock();
        state
            .heard
            .iter()
            .filter(|(at, _)| *at >= since)
            .flat_map(|(_, samples)| samples.iter().copied())
            .collect()
    }

    /// The most packets in a row that were sent to it and not heard: 50 are a second, however busy the machine is.
    pub fn missed(&self) -> u16 {
        self.lock().missed
    }

    /// Packets heard so far.
    pub fn packets(&self) -> usize {
        self.lock().heard.len()
    }

    /// Addresses that packets came from.
    pub fn sources(&self) -> Vec<SocketAddr> {
        self.lock().sources.clone()
    }

    /// Waits until a quarter of a second of the tone was heard from now on, and says how long that took.
    pub async fn hears(&self, hz: f64, within: Duration) -> Result<Duration> {
        let since = Instant::now();
        eventually(&format!("a tone of {hz} Hz is heard"), within, async || {
            let heard = self.heard_since(since);
            let (tone, all) = (
                sound::seconds_of(hz, &heard),
                heard.len() as f64 / f64::from(sound::RATE),
            );
            ensure!(tone >= 0.25, "{tone:.2} s of it in {all:.2} s heard");
            Ok(())
        })
        .await?;
        Ok(since.elapsed())
    }

    /// Waits until a quarter of a second of any sound was heard from now on.
    pub async fn hears_something(&self, within: Duration) -> Result<()> {
        let since = Instant::now();
        eventually("some sound is heard", within, async || {
            let heard = self.heard_since(since);
            let loud = sound::seconds_loud(&heard);
            ensure!(
                loud >= 0.25,
                "{loud:.2} s of sound in {} samples",
                heard.len()
            );
            Ok(())
        })
        .await
    }
}

impl Drop for RtpPeer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn socket() -> Result<Arc<UdpSocket>> {
    Ok(Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?))
}

/// Says one packet every 20 ms and listens in between.
async fn converse(state: Arc<Mutex<State>>, source: u32) {
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut buffer = [0; 2048];
    loop {
        let socket = Arc::clone(&lock(&state).socket);
        tokio::select! {
            _ = clock.tick() => {
                let packet = lock(&state).next_packet(source);
                if let Some((packet, remote)) = packet {
                    socket.send_to(&packet, remote).await.ok();
                }
            }
            Ok((size, from)) = socket.recv_from(&mut buffer) => lock(&state).hear(&buffer[..size], from),
        }
    }
}

impl State {
    fn next_packet(&mut self, source: u32) -> Option<(Vec<u8>, SocketAddr)> {
        let remote = self.remote?;
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        if self.key.is_none() && !self.keys.is_empty() {
            self.key = Some((self.keys.remove(0), 0, self.timestamp));
        }
        let (payload_type, marker, timestamp, payload) = match self.key {
            Some((event, packets, began)) => {
                let end = if packets >= KEY_PACKETS - 3 { 0x80 } else { 0 };
                let duration = (packets.min(KEY_PACKETS - 3) + 1) * FRAME as u16;
                self.key = (packets + 1 < KEY_PACKETS).then_some((event, packets + 1, began));
                let [high, low] = duration.to_be_bytes();
                (
                    EVENTS,
                    packets == 0,
                    began,
                    vec![event, end | 10, high, low],
                )
            }
            None => {
                let samples = sound::tone(self.tone?, u64::from(self.timestamp), FRAME);
                let encode = if self.payload == A_LAW {
                    sound::to_a_law
                } else {
                    sound::to_mu_law
                };
                (
                    self.payload,
                    false,
                    self.timestamp,
                    samples.into_iter().map(encode).collect(),
                )
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = vec![0x80, payload_type | if marker { 0x80 } else { 0 }];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(source.to_be_bytes());
        packet.extend(payload);
        Some((packet, remote))
    }

    fn hear(&mut self, packet: &[u8], from: SocketAddr) {
        let [first, second, ..] = *packet else { return };
        let header = 12 + 4 * usize::from(first & 15);
        if first >> 6 != 2 || packet.len() < header {
            return;
        }
        let decode = match second & 0x7f {
            MU_LAW => sound::from_mu_law,
            A_LAW => sound::from_a_law,
            _ => return,
        };
        self.remote.get_or_insert(from);
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|n| packet[at + n]));
        let (sequence, source) = ((word(0) & 0xffff) as u16, word(8));
        if let Some((_, last)) = self.last.filter(|(of, _)| *of == source) {
            let step = sequence.wrapping_sub(last);
            if step < 1 << 15 {
                self.missed = self.missed.max(step.saturating_sub(1));
            }
        }
        self.last = Some((source, sequence));
        if !self.sources.contains(&from) {
            self.sources.push(from);
        }
        self.heard.push((
            Instant::now(),
            packet[header..].iter().map(|&byte| decode(byte)).collect(),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_peers_hear_each_other_and_follow_a_move() {
        let (one, two) = (
            RtpPeer::a_law(600.0).await.unwrap(),
            RtpPeer::mu_law(1000.0).await.unwrap(),
        );
        one.speak_to((Ipv4Addr::LOCALHOST, two.port().unwrap()).into());
        two.hears(600.0, Duration::from_secs(3)).await.unwrap();
        one.hears(1000.0, Duration::from_secs(3)).await.unwrap();
        let before = two.sources().len();
        one.rebind().await.unwrap();
        eventually("a second source", Duration::from_secs(3), async || {
            ensure!(two.sources().len() == before + 1);
            Ok(())
        })
        .await
        .unwrap();
    }
}
