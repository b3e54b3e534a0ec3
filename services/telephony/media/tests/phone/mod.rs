//! A phone that is only sockets: sends a tone at its pace, keeps what it hears.

// Each test file uses another part of it.
#![allow(dead_code)]

use centro_media::{
    Codec,
    rtp::{self, Header, MAX_PACKET},
    tone,
};
use parking_lot::Mutex;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, task::JoinHandle, time};

pub struct Phone {
    pub socket: Arc<UdpSocket>,
    pub codec: Codec,
    pub ptime: usize,
    pub heard: Arc<Mutex<Vec<Packet>>>,
    pub muted: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    numbers: Arc<Mutex<Header>>,
}

#[derive(Clone)]
pub struct Packet {
    pub header: Header,
    pub payload: Vec<u8>,
}

impl Phone {
    pub async fn new(codec: Codec, ptime: usize) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let numbers = Header {
            payload: codec.payload(),
            marker: false,
            sequence: rand::random(),
            timestamp: rand::random(),
            ssrc: rand::random(),
        };
        let mut phone = Self {
            socket,
            codec,
            ptime,
            heard: Arc::default(),
            muted: Arc::default(),
            tasks: Vec::new(),
            numbers: Arc::new(Mutex::new(numbers)),
        };
        phone.listen();
        phone
    }

    pub fn sdp(&self, direction: &str) -> String {
        let (port, payload) = (
            self.socket.local_addr().unwrap().port(),
            self.codec.payload(),
        );
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {payload} 96\r\na=rtpmap:96 telephone-event/8000\r\n\
             a=ptime:{}\r\na={direction}\r\n",
            self.ptime
        )
    }

    /// Sends a tone to `to` until dropped.
    pub fn talk(&mut self, to: SocketAddr, hertz: f64) {
        let (socket, codec, samples) = (Arc::clone(&self.socket), self.codec, self.ptime * 8);
        let (numbers, muted) = (Arc::clone(&self.numbers), Arc::clone(&self.muted));
        let mut pace = time::interval(Duration::from_millis(self.ptime as u64));
        let mut sine = tone::Sine::new(hertz, -10.0);
        self.tasks.push(tokio::spawn(async move {
            loop {
                pace.tick().await;
                let tone = sine.samples(samples);
                let payload: Vec<u8> = tone.into_iter().map(|s| codec.encode(s)).collect();
                let header = {
                    let mut numbers = numbers.lock();
                    numbers.sequence = numbers.sequence.wrapping_add(1);
                    numbers.timestamp = numbers.timestamp.wrapping_add(samples as u32);
                    *numbers
                };
                if !muted.load(Relaxed) {
                    send(&socket, to, &header, &payload).await;
                }
            }
        }));
    }

    /// The same stream goes on from another port, as after a NAT rebinding.
    pub async fn rebind(&mut self, to: SocketAddr, hertz: f64) {
        self.tasks.drain(..).for_each(|task| task.abort());
        self.socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        self.heard.lock().clear();
        self.listen();
        self.talk(to, hertz);
    }

    /// Presses a key: five packets and three ends, under one timestamp.
    pub async fn press(&self, to: SocketAddr, event: u8) {
        let start = self.numbers.lock().timestamp;
        for n in 1..=8_u16 {
            let header = {
                let mut numbers = self.numbers.lock();
                numbers.sequence = numbers.sequence.wrapping_add(1);
                Header {
                    payload: 96,
                    marker: n == 1,
                    timestamp: start,
                    ..*numbers
                }
            };
            let [high, low] = (n.min(6) * 160).to_be_bytes();
            let end = if n > 5 { 0x8a } else { 0x0a };
            send(&self.socket, to, &header, &[event, end, high, low]).await;
            time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the last `frames` × 20 ms heard are this tone.
    pub async fn hears(&self, hertz: f64, frames: usize) {
        let what = format!("{hertz} Hz");
        until(&what, || {
            tone::frames_with(&self.last(frames), hertz) == 1.0
        })
        .await;
    }

    /// The newest voice, as samples; empty while there is less.
    pub fn last(&self, frames: usize) -> Vec<i16> {
        let heard = self.heard.lock();
        let voice = heard
            .iter()
            .filter(|packet| packet.header.payload == self.codec.payload());
        let samples: Vec<i16> = voice
            .flat_map(|packet| packet.payload.iter().map(|b| self.codec.decode(*b)))
            .collect();
        samples
            .len()
            .checked_sub(frames * 160)
            .map(|at| samples[at..].to_vec())
            .unwrap_or_default()
    }

    fn listen(&mut self) {
        let (socket, heard) = (Arc::clone(&self.socket), Arc::clone(&self.heard));
        self.tasks.push(tokio::spawn(async move {
            let mut packet = [0; MAX_PACKET];
            while let Ok((length, _)) = socket.recv_from(&mut packet).await {
                let (header, payload) = rtp::parse(&packet[..length]).unwrap();
                heard.lock().push(Packet {
                    header,
                    payload: payload.to_vec(),
                });
            }
        }));
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub async fn send(socket: &UdpSocket, to: SocketAddr, header: &Header, payload: &[u8]) {
    let mut packet = [0; MAX_PACKET];
    let length = rtp::write(&mut packet, header, payload);
    socket.send_to(&packet[..length], to).await.unwrap();
}

/// Waits for a condition, 10 s at most.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "never happened: {what}"
        );
        time::sleep(Duration::from_millis(5)).await;
    }
}

/// Media on loopback, on ports apart from other tests'.
pub fn media() -> centro_media::Media {
    let first_port = 21_000 + rand::random::<u16>() % 20_000;
    centro_media::Media::start(centro_media::MediaSettings {
        bind: [127, 0, 0, 1].into(),
        first_port,
        last_port: first_port + 200,
        threads: 1,
        ..Default::default()
    })
    .unwrap()
}
