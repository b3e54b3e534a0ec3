//! Writing offers and answers.

use super::{Direction, Media, Negotiated};
use crate::codec::Codec;
use std::{fmt::Write, net::SocketAddr};

/// Payload number of telephone-events in our own offers.
const DTMF_PAYLOAD: u8 = 101;

/// Our side of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Where we want RTP.
    pub address: SocketAddr,
    /// Session number in `o=`, constant for a leg.
    pub session: u32,
    /// Version in `o=`, one more with each description that differs.
    pub version: u32,
}

/// An offer of both G.711 codecs, `prefer` first, and telephone-events, in packets of 20 ms.
pub fn offer(local: &Local, direction: Direction, prefer: Codec) -> String {
    let other = match prefer {
        Codec::Pcma => Codec::Pcmu,
        Codec::Pcmu => Codec::Pcma,
    };
    let mut sdp = head(local);
    let codecs = [(prefer.payload(), prefer), (other.payload(), other)];
    audio(&mut sdp, local, &codecs, Some(DTMF_PAYLOAD), direction);
    sdp
}

/// The answer to an offer whose media lines were `media`, with the offerer's payload numbers.
pub fn answer(local: &Local, media: &[Media], agreed: &Negotiated) -> String {
    let mut sdp = head(local);
    for line in media {
        match line {
            Media::Audio => audio(
                &mut sdp,
                local,
                &[(agreed.payload, agreed.codec)],
                agreed.dtmf_payload,
                agreed.direction,
            ),
            Media::Other {
                kind,
                protocol,
                format,
            } => {
                let _ = write!(sdp, "m={kind} 0 {protocol} {format}\r\n");
            }
        }
    }
    sdp
}

fn head(local: &Local) -> String {
    let ip = local.address.ip();
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=centro {} {} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n",
        local.session, local.version
    )
}

// Writing to a string cannot fail.
fn audio(
    sdp: &mut String,
    local: &Local,
    codecs: &[(u8, Codec)],
    dtmf: Option<u8>,
    direction: Direction,
) {
    let _ = write!(sdp, "m=audio {} RTP/AVP", local.address.port());
    for payload in codecs.iter().map(|(payload, _)| *payload).chain(dtmf) {
        let _ = write!(sdp, " {payload}");
    }
    sdp.push_str("\r\n");
    for (payload, codec) in codecs {
        let _ = write!(sdp, "a=rtpmap:{payload} {codec}/8000\r\n");
    }
    if let Some(payload) = dtmf {
        let _ = write!(
            sdp,
            "a=rtpmap:{payload} telephone-event/8000\r\na=fmtp:{payload} 0-15\r\n"
        );
    }
    let _ = write!(sdp, "a=ptime:20\r\na={}\r\n", direction.name());
}
