//! Audio of calls: RTP, SDP, G.711, bridging, playing, recording. No SIP, no calls, no bus: a call actor commands, events come back.
//!
//! | Module | Owns |
//! |---|---|
//! | [`media`] | threads, ports, recorder and counters of one process |
//! | [`leg`] | one peer: socket, agreement, playback, digits; task per leg |
//! | [`bridge`] | two legs that hear each other |
//! | [`recorder`] | stereo WAV files, off the packet path, crash-safe |
//! | [`sdp`], [`rtp`], [`codec`], [`dtmf`] | the formats on the wire |
//! | [`latch`], [`outgoing`], [`ports`] | rules of one stream: whose packets, which numbers, which port |
//! | [`clips`], [`player`], [`tone`] | what people hear |

pub mod bridge;
pub mod clips;
pub mod codec;
pub mod dtmf;
pub mod histogram;
mod lanes;
pub mod latch;
pub mod leg;
pub mod media;
pub mod outgoing;
pub mod player;
pub mod ports;
pub mod recorder;
pub mod rtp;
pub mod sdp;
pub mod settings;
pub mod tone;

pub use bridge::Bridge;
pub use clips::Language;
pub use codec::Codec;
pub use leg::{Leg, LegEvent, LegEvents, LegStats};
pub use media::{Media, MediaError, MediaStats};
pub use player::{Clip, PlaybackId, Playlist, Repeat};
pub use recorder::{Finished, Recording, RecordingError};
pub use sdp::{Direction, Negotiated, SdpError};
pub use settings::MediaSettings;
