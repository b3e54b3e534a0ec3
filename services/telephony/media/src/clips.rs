//! What callers and agents hear from the centre: spoken phrases in English and Italian, and music, shipped in the binary.
//!
//! Texts are in `clips/texts.toml`; `examples/make_clips.rs` and `examples/make_music.rs` made the files. All of it is CC0.

use crate::{
    codec::Codec,
    player::{Clip, Playlist},
};
use bytes::Bytes;
use std::time::Duration;

/// Numbers that are spoken.
const SPOKEN: usize = 20;

/// A language people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// `en`.
    #[default]
    English,
    /// `it`.
    Italian,
}

impl Language {
    /// The language of a tag such as `it-IT`; `None` when we do not speak it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "it" => Some(Self::Italian),
            _ => None,
        }
    }

    /// Its tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Italian => "it",
        }
    }
}

macro_rules! phrases {
    ($($name:literal),* $(,)?) => {
        /// Names of the phrases there are in each language.
        pub const PHRASES: &[&str] = &[$($name),*];

        fn phrase(language: Language, name: &str) -> Option<&'static [u8]> {
            match (language, name) {
                $(
                    (Language::English, $name) => Some(include_bytes!(concat!("../clips/english/", $name, ".ulaw"))),
                    (Language::Italian, $name) => Some(include_bytes!(concat!("../clips/italian/", $name, ".ulaw"))),
                )*
                _ => None,
            }
        }
    };
}

phrases!(
    "welcome",
    "queue_position",
    "queue_in_line",
    "queue_many",
    "queue_next",
    "queue_full",
    "no_agents",
    "timeout",
    "goodbye",
    "not_in_service",
    "done",
    "refused",
    "wait_moment",
    "wait_minute",
    "wait_some",
    "wait_minutes",
    "wait_long",
    "number_1",
    "number_2",
    "number_3",
    "number_4",
    "number_5",
    "number_6",
    "number_7",
    "number_8",
    "number_9",
    "number_10",
    "number_11",
    "number_12",
    "number_13",
    "number_14",
    "number_15",
    "number_16",
    "number_17",
    "number_18",
    "number_19",
    "number_20",
);

/// A phrase by name, see [`PHRASES`].
pub fn get(language: Language, name: &str) -> Option<Clip> {
    phrase(language, name).map(|samples| Clip::new(Codec::Pcmu, Bytes::from_static(samples)))
}

/// “You are number 3 in line”; 1 is “you are next”, more than 20 is not counted. Empty for 0.
pub fn position(language: Language, place: usize) -> Playlist {
    let number;
    let names: &[&str] = match place {
        0 => &[],
        1 => &["queue_next"],
        2..=SPOKEN => {
            number = format!("number_{place}");
            &["queue_position", &number, "queue_in_line"]
        }
        _ => &["queue_many"],
    };
    Playlist::new(names.iter().filter_map(|name| get(language, name)))
}

/// “The caller has waited 3 minutes”, in whole minutes; more than 20 are not counted.
pub fn waited(language: Language, wait: Duration) -> Vec<Clip> {
    let number;
    let names: &[&str] = match wait.as_secs() / 60 {
        0 => &["wait_moment"],
        1 => &["wait_minute"],
        minutes if minutes <= SPOKEN as u64 => {
            number = format!("number_{minutes}");
            &["wait_some", &number, "wait_minutes"]
        }
        _ => &["wait_long"],
    };
    let clips = names.iter().filter_map(|name| get(language, name));
    clips.collect()
}

/// A minute of quiet music that closes into a loop.
pub fn music() -> Clip {
    Clip::new(
        Codec::Pcmu,
        Bytes::from_static(include_bytes!("../clips/music.ulaw")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_audible_and_short_in_both_languages() {
        for language in [Language::English, Language::Italian] {
            for name in PHRASES {
                let clip = get(language, name).unwrap();
                assert!((1_600..64_000).contains(&clip.len()), "{language:?} {name}");
                let loud = clip
                    .linear()
                    .iter()
                    .any(|sample| sample.unsigned_abs() > 8_000);
                assert!(loud, "{language:?} {name}");
            }
        }
        assert!(get(Language::English, "nothing").is_none());
    }

    #[test]
    fn a_wait_is_spoken_in_minutes_up_to_twenty() {
        for language in [Language::English, Language::Italian] {
            let length = |seconds| {
                let clips = waited(language, Duration::from_secs(seconds));
                clips.iter().map(Clip::len).sum::<usize>()
            };
            let clips = |names: &[&str]| {
                let clips = names.iter().map(|name| get(language, name).unwrap().len());
                clips.sum::<usize>()
            };
            assert_eq!(length(59), clips(&["wait_moment"]));
            assert_eq!(length(60), clips(&["wait_minute"]));
            let twenty = ["wait_some", "number_20", "wait_minutes"];
            assert_eq!(length(20 * 60 + 59), clips(&twenty));
            assert_eq!(length(21 * 60), clips(&["wait_long"]));
        }
    }

    #[test]
    fn positions_are_spoken_up_to_twenty() {
        let lengths: Vec<usize> = (0..23)
            .map(|place| position(Language::Italian, place).len())
            .collect();
        assert_eq!(lengths[0], 0);
        assert!(lengths[1..].iter().all(|length| *length > 0));
        assert_eq!(lengths[21], lengths[22]);
        assert_ne!(lengths[2], lengths[12]);
    }

    #[test]
    fn music_is_a_minute_and_quieter_than_speech() {
        let music = music();
        assert!((50 * 8_000..90 * 8_000).contains(&music.len()));
        assert!(
            music
                .linear()
                .iter()
                .all(|sample| sample.unsigned_abs() < 13_000)
        );
    }

    #[test]
    fn tags_choose_the_language() {
        assert_eq!(Language::from_tag("it-IT"), Some(Language::Italian));
        assert_eq!(Language::from_tag("EN"), Some(Language::English));
        assert_eq!(Language::from_tag("de"), None);
    }
}
