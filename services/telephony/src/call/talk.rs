//! Two parties joined: bridge, hold, recording.

use crate::{
    call::{
        actor::{Call, Stage},
        leg::{CALLER, LegId, sdp_header},
        sound::{Bridge, Recording, Sound, bridge},
    },
    recordings::Started,
};
use centro_kernel::{QueueId, Timestamp, UserId, contact::Reservation};
use rsipstack::{dialog::dialog::TransactionHandle, sip::StatusCode};
use std::time::Duration;

/// A conversation.
pub(super) struct Talk {
    with: LegId,
    reservation: Option<Reservation>,
    queue: Option<QueueId>,
    since: Timestamp,
    held_since: Option<Timestamp>,
    hold: Duration,
    bridge: Option<Bridge>,
    recording: Option<(Started, Recording)>,
}

/// What the conversations of a call add up to.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) queue: Option<QueueId>,
    pub(super) agent: Option<UserId>,
    pub(super) talk: Duration,
    pub(super) hold: Duration,
}

impl Call {
    /// The agent's record says connected: join the two.
    pub(super) fn bridge_agent(&mut self, reservation: Reservation) {
        let agent = self
            .parties
            .iter()
            .find(|(_, p)| p.reservation == Some(reservation) && p.answered && p.sound.is_some());
        match agent.map(|(id, _)| *id) {
            Some(id) => self.bridge(id, Some(reservation)),
            // The agent hung up in this very moment; the leg's end is in the mailbox.
            None => tracing::debug!(%reservation, "nobody is left to be bridged"),
        }
    }

    pub(super) fn bridge(&mut self, with: LegId, reservation: Option<Reservation>) {
        let queue = reservation.and(self.queue);
        let recording = queue.and_then(|queue| self.record(queue, reservation.map(|r| r.agent)));
        let (Some(caller), Some(party)) = (&self.sound, self.parties.get(&with)) else {
            return;
        };
        let Some(other) = &party.sound else { return };
        let bridge = bridge(
            caller,
            other,
            recording.as_ref().map(|(_, recording)| recording),
        );
        self.announce_at = None;
        self.stage = Stage::Talking;
        let since = self.now();
        self.talk = Some(Talk {
            with,
            reservation,
            queue,
            since,
            held_since: None,
            hold: Duration::ZERO,
            bridge: Some(bridge),
            recording,
        });
    }

    fn record(&self, queue: QueueId, agent: Option<UserId>) -> Option<(Started, Recording)> {
        let wanted = self
            .context
            .directory
            .read()
            .queue(queue)
            .is_some_and(|q| q.queue.record.unwrap_or(true));
        if !wanted {
            return None;
        }
        let begun = self
            .context
            .recordings
            .begin(self.tenant, self.contact, Some(queue), agent);
        let (started, file) = begun;
        let recording = Recording::start(&self.context.media, file);
        self.context.recordings.started(started.clone());
        Some((started, recording))
    }

    /// Parts the two; idempotent. The recording is completed in the background.
    pub(super) fn unbridge(&mut self) {
        let Some(mut talk) = self.talk.take() else {
            return;
        };
        drop(talk.bridge.take());
        let now = self.now();
        let held = talk
            .held_since
            .map(|since| now.since(since))
            .unwrap_or_default();
        self.past.queue = talk.queue;
        self.past.agent = talk.reservation.map(|r| r.agent);
        self.past.talk += now.since(talk.since);
        self.past.hold += talk.hold + held;
        if let Some((started, recording)) = talk.recording.take() {
            let recordings = self.context.recordings.clone();
            self.context.lifecycle.live().spawn(async move {
                let outcome = recording.finish().await;
                recordings.finished(started, outcome).await;
            });
        }
    }

    pub(super) fn talks_with(&self, leg: LegId) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.with == leg)
    }

    pub(super) fn talk_is_with(&self, reservation: Reservation) -> bool {
        self.talk
            .as_ref()
            .is_some_and(|talk| talk.reservation == Some(reservation))
    }

    /// Whether nobody who talks can be heard; someone on hold need not be.
    pub(super) fn all_silent(&self) -> bool {
        let Some(talk) = &self.talk else { return false };
        if talk.held_since.is_some() {
            return false;
        }
        let silence = self.context.settings.silence;
        let silent =
            |sound: &Option<Sound>| sound.as_ref().is_none_or(|s| s.silent_for() >= silence);
        silent(&self.sound)
            && self
                .parties
                .get(&talk.with)
                .is_none_or(|party| silent(&party.sound))
    }

    /// Whom the caller talks with, and whether one of the two holds.
    pub(super) fn talking(&self) -> Option<(LegId, bool)> {
        let talk = self.talk.as_ref()?;
        Some((talk.with, talk.held_since.is_some()))
    }

    /// How long the quieter of the two has been silent, unless one of them holds.
    pub(super) fn longest_silence(&self) -> Duration {
        let Some(talk) = self.talk.as_ref().filter(|talk| talk.held_since.is_none()) else {
            return Duration::ZERO;
        };
        let other = self.parties.get(&talk.with).and_then(|p| p.sound.as_ref());
        [self.sound.as_ref(), other]
            .into_iter()
            .flatten()
            .map(Sound::silent_for)
            .max()
            .unwrap_or_default()
    }

    /// A party offers another session (hold, resume, a new address), or asks for an offer of ours.
    pub(super) fn renegotiate(
        &mut self,
        leg: LegId,
        offer: Option<String>,
        handle: TransactionHandle,
    ) {
        let sound = if leg == CALLER {
            self.sound.as_ref()
        } else {
            self.parties
                .get(&leg)
                .and_then(|party| party.sound.as_ref())
        };
        let answer = sound.and_then(|sound| match offer {
            Some(offer) => sound.answer(&offer),
            None => Some(sound.offer(None)),
        });
        let acceptable = answer.is_some();
        tokio::spawn(async move {
            let sent = match answer {
                Some(sdp) => {
                    handle
                        .respond(StatusCode::OK, Some(sdp_header()), Some(sdp.into_bytes()))
                        .await
                }
                None => handle.reply(StatusCode::NotAcceptableHere).await,
            };
            if sent.is_err() {
                tracing::debug!("a re-INVITE ended before it was answered");
            }
        });
        if acceptable {
            self.hold_changed();
        }
    }

    /// A key told by INFO goes on to the other side as an RTP event; keys in RTP pass by themselves.
    pub(super) fn pass_digit(&self, from: LegId, digit: char) {
        let Some(talk) = &self.talk else { return };
        let to = if from == CALLER {
            self.parties
                .get(&talk.with)
                .and_then(|party| party.sound.as_ref())
        } else if from == talk.with {
            self.sound.as_ref()
        } else {
            None
        };
        if let Some(sound) = to {
            sound.press(digit);
        }
    }

    /// Whoever is held hears music; whoever is taken back hears the other again.
    fn hold_changed(&mut self) {
        let now = self.now();
        let Some(talk) = &mut self.talk else { return };
        let (Some(caller), Some(party)) = (&self.sound, self.parties.get(&talk.with)) else {
            return;
        };
        let Some(other) = &party.sound else { return };
        let by_caller = caller.holds();
        let by_other = other.holds();
        if by_caller {
            other.play_music()
        } else {
            other.hush()
        }
        if by_other {
            caller.play_music()
        } else {
            caller.hush()
        }
        match (by_caller || by_other, talk.held_since) {
            (true, None) => talk.held_since = Some(now),
            (false, Some(since)) => {
                caller.touch();
                other.touch();
                talk.hold += now.since(since);
                talk.held_since = None;
            }
            _ => {}
        }
    }
}
