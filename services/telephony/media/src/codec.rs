//! G.711: the two codecs of the telephone network, their tables, and the transcoding between them.
//!
//! All tables are made at compile time from the definitions of ITU-T G.711. Decoding then encoding gives back the same byte for A-law;
//! for µ-law too, except that its two zeros become one.

use std::fmt;

/// Samples per second of every stream here.
pub const SAMPLE_RATE: u32 = 8_000;
/// Samples in a 20 ms frame.
pub const FRAME: usize = 160;

/// A G.711 codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// µ-law, static payload 0.
    Pcmu,
    /// A-law, static payload 8.
    Pcma,
}

impl Codec {
    /// The static payload number (RFC 3551 §6).
    pub const fn payload(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The codec of a static payload number.
    pub const fn from_payload(payload: u8) -> Option<Self> {
        match payload {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// The encoding name in SDP (RFC 3551 §6).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// One byte of G.711 as a linear sample.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Pcmu => ULAW_TO_LINEAR[usize::from(byte)],
            Self::Pcma => ALAW_TO_LINEAR[usize::from(byte)],
        }
    }

    /// A linear sample as one byte of G.711.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcmu => linear_to_ulaw(sample),
            Self::Pcma => linear_to_alaw(sample),
        }
    }

    /// The byte that means silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcmu => 0xff,
            Self::Pcma => 0xd5,
        }
    }

    /// The table that turns bytes of `self` into bytes of `to`; `None` when nothing is to be done.
    pub fn transcoding(self, to: Self) -> Option<&'static [u8; 256]> {
        match (self, to) {
            (Self::Pcmu, Self::Pcma) => Some(&ULAW_TO_ALAW),
            (Self::Pcma, Self::Pcmu) => Some(&ALAW_TO_ULAW),
            _ => None,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

static ULAW_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = ulaw_to_linear(i as u8);
        i += 1;
    }
    table
};

static ALAW_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = alaw_to_linear(i as u8);
        i += 1;
    }
    table
};

static ULAW_TO_ALAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = linear_to_alaw(ulaw_to_linear(i as u8));
        i += 1;
    }
    table
};

static ALAW_TO_ULAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = linear_to_ulaw(alaw_to_linear(i as u8));
        i += 1;
    }
    table
};

const fn ulaw_to_linear(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((((byte & 0x0f) as i32) << 3) + 0x84) << ((byte & 0x70) >> 4);
    (if byte & 0x80 != 0 {
        0x84 - magnitude
    } else {
        magnitude - 0x84
    }) as i16
}

const fn alaw_to_linear(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = (byte & 0x70) >> 4;
    let mantissa = ((byte & 0x0f) as i32) << 4;
    let magnitude = match segment {
        0 => mantissa + 8,
        _ => (mantissa + 0x108) << (segment - 1),
    };
    (if byte & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }) as i16
}

const fn linear_to_ulaw(sample: i16) -> u8 {
    let sample = sample as i32;
    let (magnitude, mask) = if sample < 0 {
        (-sample, 0x7f)
    } else {
        (sample, 0xff)
    };
    let magnitude = if magnitude > 32_635 {
        32_635
    } else {
        magnitude
    } + 0x84;
    let segment = 24 - magnitude.leading_zeros() as i32;
    let byte = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f);
    byte as u8 ^ mask
}

const fn linear_to_alaw(sample: i16) -> u8 {
    let sample = (sample as i32) >> 3;
    let (magnitude, mask) = if sample >= 0 {
        (sample, 0xd5)
    } else {
        (-sample - 1, 0x55)
    };
    let mut segment = 0;
    while segment < 8 && magnitude > (0x20 << segment) - 1 {
        segment += 1;
    }
    if segment == 8 {
        return 0x7f ^ mask;
    }
    let shift = if segment < 2 { 1 } else { segment };
    ((segment << 4) | ((magnitude >> shift) & 0x0f)) as u8 ^ mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255 {
            assert_eq!(
                Codec::Pcma.encode(Codec::Pcma.decode(byte)),
                byte,
                "A-law {byte}"
            );
            let ulaw = Codec::Pcmu.encode(Codec::Pcmu.decode(byte));
            assert_eq!(
                Codec::Pcmu.decode(ulaw),
                Codec::Pcmu.decode(byte),
                "µ-law {byte}"
            );
        }
    }

    #[test]
    fn known_values_of_the_standard() {
        assert_eq!(Codec::Pcmu.decode(0x80), 32_124);
        assert_eq!(Codec::Pcmu.decode(0x00), -32_124);
        assert_eq!(Codec::Pcma.decode(0xaa), 32_256);
        assert_eq!(Codec::Pcma.decode(0x2a), -32_256);
        assert_eq!(Codec::Pcmu.encode(0), 0xff);
        assert_eq!(Codec::Pcma.encode(0), 0xd5);
        assert_eq!(Codec::Pcma.encode(i16::MIN), 0x2a);
        assert_eq!(Codec::Pcmu.encode(i16::MIN), 0x00);
    }

    #[test]
    fn transcoding_stays_within_a_quantising_step() {
        for byte in 0..=255u8 {
            let table = Codec::Pcmu.transcoding(Codec::Pcma).unwrap();
            let (before, after) = (
                f64::from(Codec::Pcmu.decode(byte)),
                f64::from(Codec::Pcma.decode(table[usize::from(byte)])),
            );
            assert!(
                (before - after).abs() <= 16.0 + before.abs() / 16.0,
                "{before} {after}"
            );
        }
        assert!(Codec::Pcma.transcoding(Codec::Pcma).is_none());
    }
}
