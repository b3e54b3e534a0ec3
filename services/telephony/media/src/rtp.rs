//! RTP packets (RFC 3550 §5.1): reading what the network brings, writing what we send. Nothing here allocates or panics.

/// Bytes of the header we write.
pub const HEADER: usize = 12;
/// The longest payload taken from or sent to the network: 200 ms of G.711.
pub const MAX_PAYLOAD: usize = 1_600;
/// The longest packet read.
pub const MAX_PACKET: usize = 2_048;

/// The fields of a received header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Payload number, 0–127.
    pub payload: u8,
    /// First packet after a silence, or of an event.
    pub marker: bool,
    /// Grows by one per packet.
    pub sequence: u16,
    /// In samples.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// Splits a datagram into header and payload. `None`: not RTP version 2, RTCP (RFC 5761 §4), truncated or padded beyond its length.
pub fn parse(datagram: &[u8]) -> Option<(Header, &[u8])> {
    let [first, second, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3, ..] = *datagram else {
        return None;
    };
    if first >> 6 != 2 || (192..=223).contains(&second) {
        return None;
    }
    let mut start = HEADER + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = datagram.get(start + 2..start + 4)?;
        start += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    let mut end = datagram.len();
    if first & 0x20 != 0 {
        end = end.checked_sub(usize::from(*datagram.last()?))?;
    }
    let header = Header {
        payload: second & 0x7f,
        marker: second & 0x80 != 0,
        sequence: u16::from_be_bytes([s0, s1]),
        timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
        ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
    };
    Some((header, datagram.get(start..end)?))
}

/// Writes header and payload into `packet` and gives its length. A payload longer than the room is cut.
pub fn write(packet: &mut [u8; MAX_PACKET], header: &Header, payload: &[u8]) -> usize {
    packet[0] = 0x80;
    packet[1] = header.payload & 0x7f | if header.marker { 0x80 } else { 0 };
    packet[2..4].copy_from_slice(&header.sequence.to_be_bytes());
    packet[4..8].copy_from_slice(&header.timestamp.to_be_bytes());
    packet[8..HEADER].copy_from_slice(&header.ssrc.to_be_bytes());
    let length = payload.len().min(MAX_PACKET - HEADER);
    packet[HEADER..HEADER + length].copy_from_slice(&payload[..length]);
    HEADER + length
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> Header {
        Header {
            payload: 8,
            marker: true,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 0xdead_beef,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut packet = [0; MAX_PACKET];
        let length = write(&mut packet, &header(), &[1, 2, 3]);
        assert_eq!(parse(&packet[..length]), Some((header(), &[1, 2, 3][..])));
    }

    #[test]
    fn rtcp_is_not_rtp() {
        assert_eq!(parse(&[0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn contributors_extension_and_padding_are_skipped() {
        let mut packet = vec![0xb1, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9];
        packet.extend([0, 0, 0, 1, 7, 7, 7, 7, 42, 0, 2]);
        assert_eq!(parse(&packet).unwrap().1, &[42]);
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some((header, payload)) = parse(&bytes) {
                prop_assert!(payload.len() <= bytes.len() - HEADER);
                prop_assert!(header.payload < 128);
            }
        }
    }
}
