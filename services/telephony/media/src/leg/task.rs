//! The task of one leg: takes what comes, passes it on when bridged, and paces what is played.

use super::{LegEvent, Shared, incoming::Content, incoming::Refused};
use crate::{bridge::Route, codec::FRAME, rtp};
use std::{net::SocketAddr, sync::Arc, sync::atomic::Ordering::Relaxed, time::Instant};
use tokio::{
    sync::mpsc::Sender,
    time::{Duration, sleep, sleep_until},
};

/// Time between the packets we make.
const PACE: Duration = Duration::from_millis(20);
/// Behind by more than this, what was missed is skipped instead of sent in a burst.
const PATIENCE: Duration = Duration::from_millis(200);
/// Packets taken in a row before others get their turn.
const BURST: usize = 16;

/// Runs until the leg is closed.
pub(super) async fn run(shared: Arc<Shared>, events: Sender<LegEvent>) {
    let mut packet = [0; rtp::MAX_PACKET];
    let pacer = sleep_until(Instant::now().into());
    tokio::pin!(pacer);
    let mut pacing = false;
    let closed = shared.closed.cancelled();
    tokio::pin!(closed);
    loop {
        tokio::select! {
            biased;
            () = &mut closed => return,
            taken = shared.socket.recv_from(&mut packet) => match taken {
                Ok((length, from)) => {
                    shared.datagram(&packet[..length], from, &events);
                    for _ in 1..BURST {
                        match shared.socket.try_recv_from(&mut packet) {
                            Ok((length, from)) => shared.datagram(&packet[..length], from, &events),
                            Err(_) => break,
                        }
                    }
                }
                // Nothing a peer did; the pause keeps a broken socket from spinning.
                Err(_) => sleep(PACE).await,
            },
            () = &mut pacer, if pacing => {
                pacing = shared.pace(&events);
                let due = pacer.deadline() + PACE;
                let now = tokio::time::Instant::now();
                pacer.as_mut().reset(if due + PATIENCE < now { now } else { due });
            }
            () = shared.wake.notified(), if !pacing => {
                pacing = true;
                pacer.as_mut().reset(tokio::time::Instant::now());
            }
        }
    }
}

impl Shared {
    fn datagram(&self, datagram: &[u8], from: SocketAddr, events: &Sender<LegEvent>) {
        let now = Instant::now();
        let Some((header, payload)) = rtp::parse(datagram) else {
            return self.count(&self.counts.malformed, &self.all.malformed, 1);
        };
        let heard = match self.incoming.lock().packet(from, &header, payload, now) {
            Ok(heard) => heard,
            Err(Refused::Stranger) => {
                return self.count(&self.counts.rejected, &self.all.rejected, 1);
            }
            Err(Refused::Payload) => {
                return self.count(&self.counts.malformed, &self.all.malformed, 1);
            }
        };
        self.count(&self.counts.received, &self.all.received, 1);
        self.heard();
        if heard.lost > 0 {
            self.count(&self.counts.lost, &self.all.lost, u64::from(heard.lost));
        }
        if heard.late {
            self.counts.late.fetch_add(1, Relaxed);
            // It was counted as lost when the later one came.
            let _ = self
                .counts
                .lost
                .fetch_update(Relaxed, Relaxed, |lost| lost.checked_sub(1));
            let _ = self
                .all
                .lost
                .fetch_update(Relaxed, Relaxed, |lost| lost.checked_sub(1));
        }
        if heard.moved {
            self.outlet.lock().retarget(from);
        }
        if let Content::Event(Some(digit)) = heard.content {
            let _ = events.try_send(LegEvent::Digit(digit));
        }
        let route = self.route.lock();
        if let Some(route) = &*route {
            self.pass_on(route, &header, heard.content, payload, now);
        }
    }

    fn pass_on(
        &self,
        route: &Route,
        header: &rtp::Header,
        content: Content,
        payload: &[u8],
        now: Instant,
    ) {
        let to = &*route.to;
        let sent = match content {
            Content::Voice(codec) => {
                if let Some(tap) = &route.tap {
                    tap.take(codec, header, payload, now);
                }
                to.outlet
                    .lock()
                    .voice(&to.socket, header, codec, payload, now)
            }
            Content::Event(_) => to
                .outlet
                .lock()
                .foreign_event(&to.socket, header, payload, now),
            Content::Silence | Content::Unwanted => return,
        };
        if sent > 0 {
            to.count(&to.counts.sent, &to.all.sent, sent);
            self.all.relay.record(now.elapsed());
        }
    }

    /// Sends the next 20 ms of digit or playback; false when there is neither.
    fn pace(&self, events: &Sender<LegEvent>) -> bool {
        let now = Instant::now();
        let digit = self.next_event();
        let mut player = self.player.lock();
        let mut outlet = self.outlet.lock();
        outlet.dialling = digit.is_some();
        if let Some((payload, starts)) = digit {
            let sent = outlet.event(&self.socket, payload, starts, now);
            self.count(&self.counts.sent, &self.all.sent, sent);
            return true;
        }
        if !player.active() {
            outlet.playing = false;
            return false;
        }
        // Nothing agreed yet: the playback waits for the peer.
        let Some(codec) = outlet.codec() else {
            return false;
        };
        let mut frame = [0; FRAME];
        let ended = player.frame(codec, &mut frame);
        let sent = outlet.own(&self.socket, &frame, now);
        self.count(&self.counts.sent, &self.all.sent, sent);
        if let Some(id) = ended {
            outlet.playing = player.active();
            let _ = events.try_send(LegEvent::PlaybackEnded(id));
        }
        true
    }

    fn next_event(&self) -> Option<([u8; 4], bool)> {
        let mut digits = self.digits.lock();
        while let Some(event) = digits.front_mut() {
            let starts = event.starts();
            if let Some(payload) = event.next_payload() {
                return Some((payload, starts));
            }
            digits.pop_front();
        }
        None
    }
}
