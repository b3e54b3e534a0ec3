//! The voice of a scripted phone: one tone sent every 20 ms, and an ear for another.
//!
//! The first samples of each packet carry the time it was sent, as levels no ear and no tone detector notices; between two of
//! these phones over one codec they tell how long a packet was under way.

use anyhow::Result;
use centro_media::{
    Codec, Direction, Negotiated,
    codec::FRAME,
    rtp::{self, Header, MAX_PACKET},
    sdp::{self, Local},
    tone,
};
use parking_lot::Mutex;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, time};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Nibbles of the send time, in microseconds, at the start of a packet.
const STAMP: usize = 12;
/// Packets may not have been under way longer than this.
const LONGEST: u64 = 2_000_000;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What a phone heard in one call.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// Packets sent.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
    /// Missing sequence numbers among them.
    pub lost: u64,
    /// Frames in which the expected tone dominated.
    pub tone: u64,
    /// From the start of listening to the first of them.
    pub first_tone: Option<Duration>,
    /// How long stamped packets were under way, in microseconds.
    pub under_way: Vec<u32>,
    /// The longest time without a packet, from when the other side was known until this phone hung up.
    pub longest_gap: Duration,
    /// When the last one came, or the other side was known.
    latest: Option<Instant>,
}

impl Heard {
    /// A packet came, or is waited for from now on, or no longer.
    fn mark(&mut self) {
        let now = Instant::now();
        if let Some(latest) = self.latest.replace(now) {
            self.longest_gap = self.longest_gap.max(now - latest);
        }
    }

    /// 200 ms of the expected tone came.
    pub fn the_other(&self) -> bool {
        self.tone >= 10
    }
}

/// A phone's socket for sound, or only its address when a test leaves sound out.
pub struct Voice {
    socket: Option<Arc<UdpSocket>>,
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    peer: Arc<Mutex<Option<(SocketAddr, Codec)>>>,
    stop: DropGuard,
}

/// What a phone sends and listens for.
#[derive(Debug, Clone, Copy)]
pub struct Tones {
    /// Sent, in Hz.
    pub send: f64,
    /// Listened for, in Hz.
    pub hear: f64,
}

impl Voice {
    /// Opens a socket at `ip`; without tones there is an address for SDP and nothing is sent.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open(ip: IpAddr, tones: Option<Tones>) -> Result<Self> {
        let stop = CancellationToken::new();
        let heard = Arc::<Mutex<Heard>>::default();
        let peer = Arc::default();
        let mut voice = Self {
            socket: None,
            address: SocketAddr::new(ip, 9),
            heard,
            peer,
            stop: stop.clone().drop_guard(),
        };
        if let Some(tones) = tones {
            let socket = Arc::new(UdpSocket::bind((ip, 0)).await?);
            voice.address = socket.local_addr()?;
            voice.socket = Some(Arc::clone(&socket));
            let (heard, peer) = (Arc::clone(&voice.heard), Arc::clone(&voice.peer));
            tokio::spawn(run(socket, peer, heard, tones, stop));
        }
        Ok(voice)
    }

    /// Our offer.
    pub fn offer(&self) -> Vec<u8> {
        sdp::offer(&self.local(), Direction::SendRecv, Codec::Pcma).into_bytes()
    }

    /// Answers an offer and speaks to where it says.
    ///
    /// # Errors
    /// When it is none.
    pub fn answer(&self, offer: &[u8]) -> Result<Vec<u8>> {
        let description = sdp::parse(offer)?;
        let agreed = description.negotiate(Direction::SendRecv)?;
        self.speak_to(&agreed);
        Ok(sdp::answer(&self.local(), &description.media, &agreed).into_bytes())
    }

    /// Takes the answer to our offer and speaks to where it says.
    ///
    /// # Errors
    /// When it is none.
    pub fn accept(&self, answer: &[u8]) -> Result<()> {
        self.speak_to(&sdp::parse(answer)?.negotiate(Direction::SendRecv)?);
        Ok(())
    }

    /// The answer to a re-INVITE, or our offer when it brought none.
    pub fn renegotiated(&self, body: &[u8]) -> Vec<u8> {
        self.answer(body).unwrap_or_else(|_| self.offer())
    }

    /// Whether the expected tone was heard so far.
    pub fn hears(&self) -> bool {
        self.heard.lock().the_other()
    }

    /// Stops, and tells what was heard.
    pub fn finish(self) -> Heard {
        drop(self.stop);
        let mut heard = std::mem::take(&mut *self.heard.lock());
        heard.mark();
        heard
    }

    fn local(&self) -> Local {
        Local {
            address: self.address,
            session: 1,
            version: 1,
        }
    }

    fn speak_to(&self, agreed: &Negotiated) {
        *self.peer.lock() = Some((agreed.remote, agreed.codec));
        self.heard.lock().latest.get_or_insert_with(Instant::now);
    }
}

async fn run(
    socket: Arc<UdpSocket>,
    peer: Arc<Mutex<Option<(SocketAddr, Codec)>>>,
    heard: Arc<Mutex<Heard>>,
    tones: Tones,
    stop: CancellationToken,
) {
    let begun = Instant::now();
    let mut pace = time::interval(Duration::from_millis(20));
    let mut sine = tone::Sine::new(tones.send, -10.0);
    let mut header = Header {
        payload: 0,
        marker: true,
        sequence: rand::random::<u16>() >> 1,
        timestamp: rand::random(),
        ssrc: rand::random(),
    };
    let mut buffer = [0; MAX_PACKET];
    let mut ear = Ear {
        begun,
        tone: tones.hear,
        newest: None,
    };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            taken = socket.recv_from(&mut buffer) => {
                let Ok((length, _)) = taken else { continue };
                if let Some((header, payload)) = rtp::parse(&buffer[..length]) {
                    ear.packet(&header, payload, &mut heard.lock());
                }
            }
            _ = pace.tick() => {
                let Some((to, codec)) = *peer.lock() else { continue };
                let payload = packet(&mut sine, codec);
                header.payload = codec.payload();
                header.sequence = header.sequence.wrapping_add(1);
                header.timestamp = header.timestamp.wrapping_add(FRAME as u32);
                let mut out = [0; MAX_PACKET];
                let length = rtp::write(&mut out, &header, &payload);
                header.marker = false;
                if socket.try_send_to(&out[..length], to).is_ok() {
                    heard.lock().sent += 1;
                }
            }
        }
    }
}

fn packet(sine: &mut tone::Sine, codec: Codec) -> [u8; FRAME] {
    let mut payload = [codec.silence(); FRAME];
    payload
        .iter_mut()
        .zip(sine)
        .for_each(|(byte, sample)| *byte = codec.encode(sample));
    let now = u64::try_from(START.elapsed().as_micros()).unwrap_or(0);
    for (n, byte) in payload[..STAMP].iter_mut().enumerate() {
        *byte = codec.silence() ^ (now >> (4 * n) & 0x0f) as u8;
    }
    payload
}

struct Ear {
    begun: Instant,
    tone: f64,
    newest: Option<(u32, u16)>,
}

impl Ear {
    fn packet(&mut self, header: &Header, payload: &[u8], heard: &mut Heard) {
        let Some(codec) = Codec::from_payload(header.payload) else {
            return;
        };
        heard.received += 1;
        heard.mark();
        if let Some((ssrc, newest)) = self.newest
            && ssrc == header.ssrc
        {
            let ahead = header.sequence.wrapping_sub(newest);
            match ahead {
                1..=1_000 => heard.lost += u64::from(ahead - 1),
                // Late: it was counted as lost.
                0xff00.. => {
                    heard.lost = heard.lost.saturating_sub(1);
                    return;
                }
                _ => {}
            }
        }
        self.newest = Some((header.ssrc, header.sequence));
        let samples: Vec<i16> = payload.iter().map(|byte| codec.decode(*byte)).collect();
        if tone::detect(&samples, &[self.tone]).is_some() {
            heard.tone += 1;
            heard.first_tone.get_or_insert_with(|| self.begun.elapsed());
            heard.under_way.extend(under_way(payload, codec));
        }
    }
}

/// Microseconds since the packet was sent, if it carries its time over the same codec.
fn under_way(payload: &[u8], codec: Codec) -> Option<u32> {
    let mut sent = 0;
    for (n, byte) in payload.get(..STAMP)?.iter().enumerate() {
        let nibble = byte ^ codec.silence();
        if nibble > 0x0f {
            return None;
        }
        sent |= u64::from(nibble) << (4 * n);
    }
    let now = u64::try_from(START.elapsed().as_micros()).ok()?;
    let passed = now.checked_sub(sent).filter(|passed| *passed < LONGEST)?;
    u32::try_from(passed).ok()
}
