//! Digits as telephone-events (RFC 4733): recognising each once, and making them.

use crate::rtp::Header;

const DIGITS: &[u8; 16] = b"0123456789*#ABCD";
/// Samples between the packets of an event we send.
const STEP: u16 = 160;
/// Packets of growing duration: 100 ms of tone.
const GROWING: u8 = 5;
/// Copies of the last packet, all with the end bit (§2.5.1.4).
const ENDS: u8 = 3;
/// −10 dBm0.
const VOLUME: u8 = 10;

/// Recognises digits in received events.
#[derive(Debug, Default)]
pub struct Digits {
    last: Option<(u32, u32)>,
}

impl Digits {
    /// The digit when this packet is the first of its event. An event is known by (SSRC, timestamp): neither
    /// marker nor end bit can be trusted to come exactly once.
    pub fn observe(&mut self, header: &Header, payload: &[u8]) -> Option<char> {
        let [event, _, _, _, ..] = payload else {
            return None;
        };
        let event_id = (header.ssrc, header.timestamp);
        if self.last == Some(event_id) {
            return None;
        }
        self.last = Some(event_id);
        DIGITS
            .get(usize::from(*event))
            .map(|digit| char::from(*digit))
    }
}

/// The packets of one digit, 20 ms apart.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    code: u8,
    sent: u8,
}

impl Event {
    /// `None` for what is not a digit of a telephone.
    pub fn of(digit: char) -> Option<Self> {
        let digit = u8::try_from(digit.to_ascii_uppercase()).ok()?;
        let code = DIGITS.iter().position(|known| *known == digit)?;
        Some(Self {
            code: u8::try_from(code).ok()?,
            sent: 0,
        })
    }

    /// True before the first packet.
    pub fn starts(&self) -> bool {
        self.sent == 0
    }

    /// The payload of the next packet; `None` after the last.
    pub fn next_payload(&mut self) -> Option<[u8; 4]> {
        if self.sent == GROWING + ENDS {
            return None;
        }
        self.sent += 1;
        let end = if self.sent > GROWING { 0x80 } else { 0 };
        let [high, low] = (STEP * u16::from(self.sent.min(GROWING + 1))).to_be_bytes();
        Some([self.code, end | VOLUME, high, low])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_recognised_once() {
        let mut digits = Digits::default();
        let mut seen = String::new();
        for (n, digit) in "1#d0".chars().enumerate() {
            let mut event = Event::of(digit).unwrap();
            while let Some(payload) = event.next_payload() {
                let header = Header {
                    payload: 101,
                    marker: false,
                    sequence: 0,
                    timestamp: n as u32 * 8_000,
                    ssrc: 1,
                };
                seen.extend(digits.observe(&header, &payload));
            }
        }
        assert_eq!(seen, "1#D0");
        assert!(Event::of('x').is_none());
    }
}
