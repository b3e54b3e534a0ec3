//! One party's media: what a call needs of `centro-media`, in the call's own words.

use crate::{
    call::{Signal, briefing::Briefing, leg::LegId},
    metrics,
    settings::Settings,
};
use anyhow::Context as _;
use centro_media::{
    Bridge as Join, Clip, Codec, Direction, Language, Leg, LegEvent, LegEvents, Media, MediaError,
    MediaSettings, PlaybackId, Playlist, Repeat, SdpError, clips, recorder, sdp, tone::Sine,
};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc;

/// What a call hears of a party's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundEvent {
    /// A key.
    Digit(char),
    /// This was played to its end.
    Played(PlaybackId),
}

/// The media of this process, with what is played often made ready. Cheap to clone.
#[derive(Clone)]
pub struct Studio {
    media: Media,
    music: Playlist,
    ringback: Playlist,
}

impl Studio {
    /// Starts the media threads.
    ///
    /// # Errors
    /// When the settings or the system refuse.
    pub fn open(settings: &Settings) -> anyhow::Result<Self> {
        let (first_port, last_port) = settings.rtp_ports;
        let media = MediaSettings {
            bind: settings.bind.ip(),
            external: settings.external_address,
            first_port,
            last_port,
            threads: settings.media_threads,
        };
        let media = Media::start(media).context("telephony.rtp_ports")?;
        let music = Playlist::new([clips::music()]);
        Ok(Self {
            media,
            music,
            ringback: Playlist::new([ringback()]),
        })
    }

    /// Figures for metrics.
    pub fn media(&self) -> &Media {
        &self.media
    }
}

/// One second of 425 Hz, four of silence (ITU-T E.180, most of Europe).
fn ringback() -> Clip {
    let mut samples = Sine::new(425.0, -13.0).samples(8_000);
    samples.resize(40_000, 0);
    Clip::from_linear(&samples)
}

fn silence(time: Duration) -> Clip {
    let samples = usize::try_from(time.as_millis() * 8).unwrap_or(0);
    Clip::from_linear(&vec![0; samples])
}

/// Whether an offer has a codec of ours. What cannot be read is not understood either.
pub fn understands(offer: &str) -> bool {
    let description = sdp::parse(offer.as_bytes()).and_then(|description| {
        if description.codecs.is_empty() {
            Err(SdpError::NoCodec)
        } else {
            Ok(())
        }
    });
    description.inspect_err(metrics::sdp_refused).is_ok()
}

/// One party's media. Dropping it closes the sockets.
pub struct Sound {
    leg: Leg,
    studio: Studio,
}

impl Sound {
    /// Opens the media towards a peer. `beside` is another party of the same call.
    ///
    /// # Errors
    /// When no RTP port is free.
    pub fn open(
        studio: &Studio,
        id: LegId,
        peer: Option<IpAddr>,
        beside: Option<&Self>,
        mailbox: mpsc::Sender<Signal>,
    ) -> Result<Self, MediaError> {
        let (leg, events) = match beside {
            Some(other) => studio.media.open_leg_beside(&other.leg, peer)?,
            None => studio.media.open_leg(peer)?,
        };
        tokio::spawn(forward(id, events, mailbox));
        Ok(Self {
            leg,
            studio: studio.clone(),
        })
    }

    /// Our offer, with this codec first.
    pub fn offer(&self, first: Option<Codec>) -> String {
        self.leg
            .offer(Direction::SendRecv, first.or_else(|| self.codec()))
    }

    /// Takes the peer's offer and answers; `None` when there is no codec in common.
    pub fn answer(&self, offer: &str) -> Option<String> {
        self.leg
            .answer(offer.as_bytes())
            .inspect_err(|error| {
                metrics::sdp_refused(error);
                tracing::info!(%error, "an offer is refused");
            })
            .ok()
    }

    /// Takes the peer's answer to our offer; false when it does not fit.
    pub fn accept(&self, answer: &str) -> bool {
        let accepted = self.leg.accept(answer.as_bytes());
        accepted
            .inspect_err(|error| {
                metrics::sdp_refused(error);
                tracing::info!(%error, "an answer is refused");
            })
            .is_ok()
    }

    /// What was agreed.
    pub fn codec(&self) -> Option<Codec> {
        self.leg.negotiated().map(|agreed| agreed.codec)
    }

    /// Whether the peer has put us on hold.
    pub fn holds(&self) -> bool {
        self.leg.held_by_peer()
    }

    /// Time since the peer was heard.
    pub fn silent_for(&self) -> Duration {
        self.leg.silent_for()
    }

    /// Begins the count of silence anew.
    pub fn touch(&self) {
        self.leg.touch();
    }

    /// Plays a shipped clip once, and says which playback that is and how long it takes. `None`: there is no such clip.
    pub fn play_clip(&self, clip: &str, language: &str) -> Option<(PlaybackId, Duration)> {
        let language = Language::from_tag(language).unwrap_or_default();
        let playlist = Playlist::new(clips::get(language, clip));
        if playlist.is_empty() {
            tracing::warn!(clip, "a dial plan names a clip that does not exist");
            return None;
        }
        let samples = u64::try_from(playlist.len()).unwrap_or(u64::MAX);
        let length = Duration::from_millis(samples / 8);
        Some((self.leg.play(playlist, Repeat::Once), length))
    }

    /// Plays what an agent is to hear before the customer. `None`: there is nothing.
    pub fn play_briefing(
        &self,
        briefing: &Briefing,
        waited: Option<Duration>,
        language: &str,
    ) -> Option<PlaybackId> {
        let language = Language::from_tag(language).unwrap_or_default();
        let announcement = clips::get(language, &briefing.announcement);
        if announcement.is_none() && !briefing.announcement.is_empty() {
            let clip = &briefing.announcement;
            tracing::warn!(%clip, "a queue announces with a clip that does not exist");
        }
        let wait = waited.map(|wait| clips::waited(language, wait));
        let clips = [silence(briefing.delay)].into_iter().chain(announcement);
        let playlist = Playlist::new(clips.chain(wait.into_iter().flatten()));
        (!playlist.is_empty()).then(|| self.leg.play(playlist, Repeat::Once))
    }

    /// Says the place in line over the music.
    pub fn play_position(&self, position: u32, language: &str) {
        let language = Language::from_tag(language).unwrap_or_default();
        let words = clips::position(language, usize::try_from(position).unwrap_or(usize::MAX));
        if !words.is_empty() {
            self.leg.announce(words);
        }
    }

    /// Plays music until something else is played or joined.
    pub fn play_music(&self) {
        self.leg.play(self.studio.music.clone(), Repeat::Forever);
    }

    /// Plays the tone of a phone that rings far away.
    pub fn play_ringback(&self) {
        self.leg.play(self.studio.ringback.clone(), Repeat::Forever);
    }

    /// Plays nothing; whoever is joined is heard.
    pub fn hush(&self) {
        self.leg.stop();
    }

    /// Sends a key to the peer (RFC 4733).
    pub fn press(&self, digit: char) {
        self.leg.send_digit(digit);
    }
}

async fn forward(id: LegId, mut events: LegEvents, mailbox: mpsc::Sender<Signal>) {
    while let Some(event) = events.recv().await {
        let event = match event {
            LegEvent::Digit(digit) => SoundEvent::Digit(digit),
            LegEvent::PlaybackEnded(id) => SoundEvent::Played(id),
        };
        if mailbox.send(Signal::Sound(id, event)).await.is_err() {
            return;
        }
    }
}

/// Two parties that hear each other, while it lives.
pub struct Bridge {
    _join: Join,
}

/// Joins two parties; whatever was played to them stops.
pub fn bridge(caller: &Sound, other: &Sound, recording: Option<&Recording>) -> Bridge {
    let join = Join::join(&caller.leg, &other.leg, recording.map(|r| &r.recording));
    for sound in [caller, other] {
        sound.hush();
        sound.touch();
    }
    Bridge { _join: join }
}

/// A recording that runs.
pub struct Recording {
    recording: centro_media::Recording,
    file: PathBuf,
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How much of the call is in the file.
    pub duration: Duration,
    /// Something is missing: the disk was full or broken.
    pub failed: bool,
}

impl Recording {
    /// Begins to write the file.
    pub fn start(studio: &Studio, file: PathBuf) -> Self {
        let recording = studio.media.record(file.clone());
        Self { recording, file }
    }

    /// Completes the file and says what is in it.
    pub async fn finish(self) -> Outcome {
        match self.recording.finish().await {
            Ok(finished) => Outcome {
                duration: finished.duration,
                failed: false,
            },
            Err(error) => {
                tracing::error!(%error, "a recording could not be completed");
                let file = self.file;
                let kept = tokio::task::spawn_blocking(move || repair_recording(&file));
                let duration = kept.await.ok().and_then(Result::ok).unwrap_or_default();
                Outcome {
                    duration,
                    failed: true,
                }
            }
        }
    }
}

/// Makes a file that a crash left open valid, and says how long it is.
///
/// # Errors
/// What the system says; also when the file is not a recording of ours.
pub fn repair_recording(file: &Path) -> std::io::Result<Duration> {
    recorder::repair(file)?.ok_or_else(|| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "the file is not a recording of ours",
        )
    })
}
