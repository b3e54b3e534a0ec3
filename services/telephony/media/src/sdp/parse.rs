//! Reading a session description.

use super::{Description, Direction, Media, SdpError};
use crate::codec::Codec;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

const MAX_BYTES: usize = 16 * 1024;
const MAX_MEDIA: usize = 8;
const MAX_FORMATS: usize = 64;
const PTIME: Duration = Duration::from_millis(20);

/// Reads a description and takes its first usable audio stream.
///
/// # Errors
/// See [`SdpError`]. A known stream without a known codec is not an error here: `codecs` is empty then.
pub fn parse(body: &[u8]) -> Result<Description, SdpError> {
    if body.len() > MAX_BYTES {
        return Err(SdpError::TooLarge);
    }
    let text = String::from_utf8_lossy(body);
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(SdpError::Malformed);
    }
    let mut session = Attributes::default();
    let mut media = Vec::new();
    let mut audio: Option<Audio> = None;
    let mut place = Place::Session;
    for line in lines {
        if let Some(value) = line.strip_prefix("m=") {
            if media.len() == MAX_MEDIA {
                return Err(SdpError::TooLarge);
            }
            let line = MediaLine::read(value)?;
            if audio.is_none() && line.usable() {
                place = Place::Audio;
                media.push(Media::Audio);
                audio = Some(Audio::new(line.port, line.formats));
            } else {
                place = Place::Other;
                media.push(line.refused());
            }
        } else {
            match (place, &mut audio) {
                (Place::Session, _) => session.read(line),
                (Place::Audio, Some(audio)) => audio.read(line),
                _ => {}
            }
        }
    }
    let audio = audio.ok_or(SdpError::NoAudio)?;
    let ip = audio
        .attributes
        .connection
        .or(session.connection)
        .ok_or(SdpError::Malformed)?;
    Ok(Description {
        address: SocketAddr::new(ip, audio.port),
        direction: audio
            .attributes
            .direction
            .or(session.direction)
            .unwrap_or_default(),
        ptime: audio.attributes.ptime.or(session.ptime).unwrap_or(PTIME),
        codecs: audio.codecs(),
        dtmf_payload: audio.dtmf_payload(),
        media,
    })
}

#[derive(Clone, Copy)]
enum Place {
    Session,
    Audio,
    Other,
}

#[derive(Default)]
struct Attributes {
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    ptime: Option<Duration>,
}

impl Attributes {
    fn read(&mut self, line: &str) {
        if let Some(value) = line
            .strip_prefix("c=IN IP4 ")
            .or(line.strip_prefix("c=IN IP6 "))
        {
            let address = value.split('/').next().unwrap_or_default();
            self.connection = address.trim().parse().ok().or(self.connection);
        }
        match line {
            "a=sendrecv" => self.direction = Some(Direction::SendRecv),
            "a=sendonly" => self.direction = Some(Direction::SendOnly),
            "a=recvonly" => self.direction = Some(Direction::RecvOnly),
            "a=inactive" => self.direction = Some(Direction::Inactive),
            _ => {}
        }
        if let Some(value) = line.strip_prefix("a=ptime:")
            && let Ok(millis) = value.trim().parse::<u64>()
        {
            // Packets shorter than 10 ms or longer than 100 ms are nobody's wish in telephony.
            let millis = millis.clamp(10, 100);
            self.ptime = Some(Duration::from_millis(millis - millis % 10));
        }
    }
}

struct Audio {
    port: u16,
    formats: Vec<u8>,
    maps: Vec<(u8, Format)>,
    attributes: Attributes,
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Voice(Codec),
    Dtmf,
    Unknown,
}

impl Audio {
    fn new(port: u16, formats: Vec<u8>) -> Self {
        Self {
            port,
            formats,
            maps: Vec::new(),
            attributes: Attributes::default(),
        }
    }

    fn read(&mut self, line: &str) {
        let Some(value) = line.strip_prefix("a=rtpmap:") else {
            return self.attributes.read(line);
        };
        let Some((payload, encoding)) = value.split_once(' ') else {
            return;
        };
        let Ok(payload) = payload.trim().parse::<u8>() else {
            return;
        };
        if self.maps.len() < MAX_FORMATS && self.formats.contains(&payload) {
            self.maps.push((payload, Format::named(encoding)));
        }
    }

    fn format(&self, payload: u8) -> Format {
        let mapped = self.maps.iter().find(|(number, _)| *number == payload);
        mapped
            .map(|(_, format)| *format)
            .unwrap_or_else(|| Codec::from_payload(payload).map_or(Format::Unknown, Format::Voice))
    }

    fn codecs(&self) -> Vec<(u8, Codec)> {
        let known = self
            .formats
            .iter()
            .filter_map(|payload| match self.format(*payload) {
                Format::Voice(codec) => Some((*payload, codec)),
                _ => None,
            });
        known.collect()
    }

    fn dtmf_payload(&self) -> Option<u8> {
        self.formats
            .iter()
            .copied()
            .find(|payload| self.format(*payload) == Format::Dtmf)
    }
}

impl Format {
    /// `PCMA/8000` and the like; a channel count other than 1 makes it unknown.
    fn named(encoding: &str) -> Self {
        let mut parts = encoding.trim().split('/');
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rate = parts.next().unwrap_or_default().trim();
        let mono = parts.next().is_none_or(|channels| channels.trim() == "1");
        match (name.as_str(), rate, mono) {
            ("pcmu", "8000", true) => Self::Voice(Codec::Pcmu),
            ("pcma", "8000", true) => Self::Voice(Codec::Pcma),
            ("telephone-event", "8000", true) => Self::Dtmf,
            _ => Self::Unknown,
        }
    }
}

struct MediaLine {
    kind: String,
    port: u16,
    protocol: String,
    first: String,
    formats: Vec<u8>,
}

impl MediaLine {
    fn read(value: &str) -> Result<Self, SdpError> {
        let mut words = value.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
        else {
            return Err(SdpError::Malformed);
        };
        let port = port.split('/').next().unwrap_or_default();
        let port = port.parse().map_err(|_| SdpError::Malformed)?;
        let mut formats = Vec::new();
        let mut first = None;
        for word in words {
            if formats.len() == MAX_FORMATS {
                return Err(SdpError::TooLarge);
            }
            first.get_or_insert(word);
            formats.extend(word.parse::<u8>().ok().filter(|payload| *payload < 128));
        }
        let first = first.unwrap_or("0");
        if ![kind, protocol, first].into_iter().all(token) {
            return Err(SdpError::Malformed);
        }
        Ok(Self {
            kind: kind.to_owned(),
            port,
            protocol: protocol.to_owned(),
            first: first.to_owned(),
            formats,
        })
    }

    fn usable(&self) -> bool {
        self.kind.eq_ignore_ascii_case("audio")
            && self.port != 0
            && self.protocol.eq_ignore_ascii_case("RTP/AVP")
    }

    fn refused(self) -> Media {
        Media::Other {
            kind: self.kind,
            protocol: self.protocol,
            format: self.first,
        }
    }
}

/// Words that may be repeated in an answer.
fn token(word: &str) -> bool {
    (1..=64).contains(&word.len())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-/.+_*".contains(&byte))
}
