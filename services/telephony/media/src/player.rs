//! What is played to a leg: clips, lists of clips, and where in them a playback is.

use crate::codec::{Codec, FRAME};
use bytes::Bytes;

/// Clips in one playlist.
const MAX_CLIPS: usize = 64;

/// Audio ready to be sent: G.711 at 8 kHz. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    samples: Bytes,
}

impl Clip {
    /// From G.711 bytes.
    pub fn new(codec: Codec, samples: Bytes) -> Self {
        Self { codec, samples }
    }

    /// From linear samples at 8 kHz.
    pub fn from_linear(samples: &[i16]) -> Self {
        let bytes: Vec<u8> = samples
            .iter()
            .map(|sample| Codec::Pcma.encode(*sample))
            .collect();
        Self {
            codec: Codec::Pcma,
            samples: bytes.into(),
        }
    }

    /// Samples, 8,000 of which are a second.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// True when there is nothing to hear.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// As linear samples.
    pub fn linear(&self) -> Vec<i16> {
        self.samples
            .iter()
            .map(|byte| self.codec.decode(*byte))
            .collect()
    }
}

/// Clips heard one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Playlist(Vec<Clip>);

impl Playlist {
    /// The first 64 of `clips`.
    pub fn new(clips: impl IntoIterator<Item = Clip>) -> Self {
        Self(
            clips
                .into_iter()
                .filter(|clip| !clip.is_empty())
                .take(MAX_CLIPS)
                .collect(),
        )
    }

    /// Samples in all.
    pub fn len(&self) -> usize {
        self.0.iter().map(Clip::len).sum()
    }

    /// True when there is nothing to hear.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Clip> for Playlist {
    fn from(clip: Clip) -> Self {
        Self::new([clip])
    }
}

impl From<Vec<Clip>> for Playlist {
    fn from(clips: Vec<Clip>) -> Self {
        Self::new(clips)
    }
}

/// How often a playlist is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Once; then the playback ends.
    Once,
    /// Again and again until stopped or replaced.
    Forever,
}

/// One `play` or `announce` of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaybackId(pub(crate) u64);

/// The playback of one leg: something in the background, and perhaps an announcement over it.
#[derive(Debug, Default)]
pub(crate) struct Player {
    last_id: u64,
    background: Option<Track>,
    announcement: Option<Track>,
}

#[derive(Debug)]
struct Track {
    id: PlaybackId,
    playlist: Playlist,
    repeat: Repeat,
    clip: usize,
    offset: usize,
}

impl Player {
    pub fn play(&mut self, playlist: Playlist, repeat: Repeat) -> PlaybackId {
        let track = self.track(playlist, repeat);
        self.announcement = None;
        self.background.insert(track).id
    }

    pub fn announce(&mut self, playlist: Playlist) -> PlaybackId {
        let track = self.track(playlist, Repeat::Once);
        self.announcement.insert(track).id
    }

    pub fn stop(&mut self) {
        self.background = None;
        self.announcement = None;
    }

    pub fn active(&self) -> bool {
        self.background.is_some() || self.announcement.is_some()
    }

    fn track(&mut self, playlist: Playlist, repeat: Repeat) -> Track {
        self.last_id += 1;
        let repeat = if playlist.is_empty() {
            Repeat::Once
        } else {
            repeat
        };
        Track {
            id: PlaybackId(self.last_id),
            playlist,
            repeat,
            clip: 0,
            offset: 0,
        }
    }

    /// Fills the next 20 ms in `codec` and names the playback that ended with them. The end of a clip is followed without a gap.
    pub fn frame(&mut self, codec: Codec, frame: &mut [u8; FRAME]) -> Option<PlaybackId> {
        frame.fill(codec.silence());
        let slot = if self.announcement.is_some() {
            &mut self.announcement
        } else {
            &mut self.background
        };
        let track = slot.as_mut()?;
        let ended = track.fill(codec, frame).then_some(track.id);
        if ended.is_some() {
            *slot = None;
        }
        ended
    }
}

impl Track {
    /// True when the end is reached.
    fn fill(&mut self, codec: Codec, frame: &mut [u8; FRAME]) -> bool {
        let mut filled = 0;
        while filled < FRAME {
            let Some(clip) = self.playlist.0.get(self.clip) else {
                if self.repeat == Repeat::Once {
                    return true;
                }
                self.clip = 0;
                continue;
            };
            let rest = &clip.samples[self.offset..];
            let count = rest.len().min(FRAME - filled);
            let into = &mut frame[filled..filled + count];
            into.copy_from_slice(&rest[..count]);
            if let Some(table) = clip.codec.transcoding(codec) {
                into.iter_mut()
                    .for_each(|byte| *byte = table[usize::from(*byte)]);
            }
            filled += count;
            self.offset += count;
            if self.offset == clip.len() {
                self.clip += 1;
                self.offset = 0;
            }
        }
        self.repeat == Repeat::Once && self.clip == self.playlist.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(byte: u8, length: usize) -> Clip {
        Clip::new(Codec::Pcma, vec![byte; length].into())
    }

    #[test]
    fn clips_follow_without_a_gap_and_the_end_is_told_once() {
        let mut player = Player::default();
        let id = player.play(Playlist::new([clip(1, 100), clip(2, 70)]), Repeat::Once);
        let mut frame = [0; FRAME];
        assert_eq!(player.frame(Codec::Pcma, &mut frame), None);
        assert_eq!((frame[99], frame[100], frame[159]), (1, 2, 2));
        assert_eq!(player.frame(Codec::Pcma, &mut frame), Some(id));
        assert_eq!((frame[9], frame[10]), (2, Codec::Pcma.silence()));
        assert!(!player.active());
    }

    #[test]
    fn music_goes_on_where_an_announcement_interrupted_it() {
        let mut player = Player::default();
        let music: Vec<u8> = (0..=255).cycle().take(400).collect();
        player.play(Clip::new(Codec::Pcma, music.into()).into(), Repeat::Forever);
        let mut frame = [0; FRAME];
        player.frame(Codec::Pcma, &mut frame);
        let id = player.announce(clip(7, FRAME).into());
        assert_eq!(player.frame(Codec::Pcma, &mut frame), Some(id));
        assert_eq!(frame, [7; FRAME]);
        player.frame(Codec::Pcma, &mut frame);
        assert_eq!(frame[0], 160);
        player.frame(Codec::Pcma, &mut frame);
        assert_eq!(
            (frame[79], frame[80]),
            (143, 0),
            "the loop is closed without a gap"
        );
    }

    #[test]
    fn an_empty_list_ends_at_once() {
        let mut player = Player::default();
        let id = player.play(Playlist::default(), Repeat::Forever);
        assert_eq!(player.frame(Codec::Pcmu, &mut [0; FRAME]), Some(id));
    }
}
