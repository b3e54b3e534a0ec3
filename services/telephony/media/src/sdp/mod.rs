//! SDP of one G.711 audio stream with telephone-events: reading, offering and answering (RFC 4566, RFC 3264, RFC 4733 §2.4).
//!
//! Reading is bounded and never panics. Further media of an offer are answered with port 0, as RFC 3264 §6 asks.

mod build;
mod parse;

pub use build::{Local, answer, offer};
pub use parse::parse;

use crate::codec::Codec;
use std::{net::SocketAddr, time::Duration};

/// Why a description was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Longer than 16 KiB, or more than 8 media or 64 formats.
    #[error("session description too large")]
    TooLarge,
    /// Not SDP at all, or a line that matters cannot be read.
    #[error("malformed session description")]
    Malformed,
    /// No audio stream over RTP/AVP with a port.
    #[error("no audio stream over RTP/AVP")]
    NoAudio,
    /// Neither PCMU nor PCMA.
    #[error("no codec in common, PCMU or PCMA is needed")]
    NoCodec,
    /// An address of another family than our socket's.
    #[error("the address family of the peer cannot be reached from here")]
    Unreachable,
}

/// Which way audio flows, seen from the side that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send only.
    SendOnly,
    /// We receive only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The same flow seen from the other side.
    pub const fn mirror(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            other => other,
        }
    }

    /// True when the side that says it sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// True when the side that says it receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// What both allow.
    pub const fn and(self, other: Self) -> Self {
        match (
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        ) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// One media line of a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// The audio stream that is used.
    Audio,
    /// Anything else: refused in the answer by repeating kind, protocol and first format with port 0.
    Other {
        /// E.g. `video`.
        kind: String,
        /// E.g. `RTP/SAVPF`.
        protocol: String,
        /// The first format.
        format: String,
    },
}

/// What a peer described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where the peer wants RTP. The address is unspecified on the hold of RFC 2543.
    pub address: SocketAddr,
    /// Codecs we know, in the peer's order, under the peer's payload numbers.
    pub codecs: Vec<(u8, Codec)>,
    /// The payload number of telephone-event/8000.
    pub dtmf_payload: Option<u8>,
    /// As the peer says it.
    pub direction: Direction,
    /// Length of the packets the peer wants.
    pub ptime: Duration,
    /// All media lines in order.
    pub media: Vec<Media>,
}

/// What both sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the peer wants RTP.
    pub remote: SocketAddr,
    /// The codec both ways.
    pub codec: Codec,
    /// Its payload number.
    pub payload: u8,
    /// Payload number of telephone-events, when the peer takes them.
    pub dtmf_payload: Option<u8>,
    /// Which way audio flows, seen from us.
    pub direction: Direction,
    /// Length of the packets the peer wants.
    pub ptime: Duration,
    /// The peer holds us: it does not want audio, or is at 0.0.0.0.
    pub hold: bool,
}

impl Description {
    /// What comes out when we allow `ours`: the peer's first codec that we know, the peer's numbers.
    ///
    /// # Errors
    /// [`SdpError::NoCodec`].
    pub fn negotiate(&self, ours: Direction) -> Result<Negotiated, SdpError> {
        let (payload, codec) = *self.codecs.first().ok_or(SdpError::NoCodec)?;
        let away = self.address.ip().is_unspecified();
        let theirs = if away {
            self.direction.and(Direction::SendOnly)
        } else {
            self.direction
        };
        Ok(Negotiated {
            remote: self.address,
            codec,
            payload,
            dtmf_payload: self.dtmf_payload,
            direction: theirs.mirror().and(ours),
            ptime: self.ptime,
            hold: !theirs.receives(),
        })
    }
}

#[cfg(test)]
mod tests;
