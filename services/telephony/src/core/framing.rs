//! Where one SIP message ends in a stream and the next begins (RFC 3261 §18.3), with bounds.

use bytes::{Buf, Bytes, BytesMut};

/// Longest message, head and body together.
pub const MAX_MESSAGE: usize = 65_535;

/// What a stream holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message, not parsed yet.
    Message(Bytes),
    /// The ping of RFC 5626, to be answered with one CRLF.
    Ping,
}

/// Why a stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Longer than [`MAX_MESSAGE`], or says that it will be.
    #[error("a message is too long")]
    TooLong,
    /// No number, or two that differ.
    #[error("a Content-Length cannot be read")]
    Length,
}

/// Takes the next frame out of what was received; `None` when it is not complete yet.
///
/// # Errors
/// [`Broken`]: the connection must be closed.
pub fn next(received: &mut BytesMut) -> Result<Option<Frame>, Broken> {
    loop {
        if received.starts_with(b"\r\n\r\n") {
            received.advance(4);
            return Ok(Some(Frame::Ping));
        }
        // One CRLF answers a ping of ours, or is left over before a message (RFC 3261 §7.5); it may also be half a ping.
        if received.len() < 4 || !received.starts_with(b"\r\n") {
            break;
        }
        received.advance(2);
    }
    let Some(head) = head(received) else {
        return if received.len() > MAX_MESSAGE {
            Err(Broken::TooLong)
        } else {
            Ok(None)
        };
    };
    let total = head + content_length(&received[..head])?;
    if total > MAX_MESSAGE {
        return Err(Broken::TooLong);
    }
    if received.len() < total {
        return Ok(None);
    }
    Ok(Some(Frame::Message(received.split_to(total).freeze())))
}

/// Length of the head with its empty line.
fn head(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

fn content_length(head: &[u8]) -> Result<usize, Broken> {
    let mut found = None;
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = line[..colon].trim_ascii();
        if !(name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"l")) {
            continue;
        }
        let text =
            std::str::from_utf8(line[colon + 1..].trim_ascii()).map_err(|_| Broken::Length)?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Broken::Length);
        }
        // More digits than fit say more than may come.
        let length = text.parse().map_err(|_| Broken::TooLong)?;
        if found.is_some_and(|known| known != length) {
            return Err(Broken::Length);
        }
        found = Some(length);
    }
    Ok(found.unwrap_or(0).min(MAX_MESSAGE + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8]) -> Result<Vec<Frame>, Broken> {
        let mut received = BytesMut::from(text);
        let mut frames = Vec::new();
        while let Some(frame) = next(&mut received)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn messages_and_pings_are_told_apart() {
        let first: &[u8] = b"OPTIONS a SIP/2.0\r\nl: 3\r\n\r\nabc";
        let second: &[u8] = b"BYE a SIP/2.0\r\n\r\n";
        let text = [b"\r\n\r\n", first, b"\r\n\r\n", second, b"\r\n"].concat();
        let expected = vec![
            Frame::Ping,
            Frame::Message(Bytes::from_static(first)),
            Frame::Ping,
            Frame::Message(Bytes::from_static(second)),
        ];
        assert_eq!(all(&text), Ok(expected));
        assert_eq!(all(&first[..first.len() - 1]), Ok(vec![]));
    }

    #[test]
    fn lengths_nobody_may_send_break_the_stream() {
        for (length, broken) in [
            ("18446744073709551615", Broken::TooLong),
            ("99999999999999999999999", Broken::TooLong),
            ("65536", Broken::TooLong),
            ("-1", Broken::Length),
            ("", Broken::Length),
            ("1\r\nContent-Length: 2", Broken::Length),
        ] {
            let text = format!("INVITE a SIP/2.0\r\nContent-Length: {length}\r\n\r\n");
            assert_eq!(all(text.as_bytes()), Err(broken), "{length}");
        }
        assert_eq!(all(&[b'x'; MAX_MESSAGE + 1]), Err(Broken::TooLong));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_messages(cut in 0usize..80, body in 0usize..40) {
            let one = format!("OPTIONS a SIP/2.0\r\nContent-Length: {body}\r\n\r\n{}", "b".repeat(body));
            let text = one.repeat(2);
            let cut = cut.min(text.len());
            let mut received = BytesMut::new();
            let mut frames = Vec::new();
            for part in [&text[..cut], &text[cut..]] {
                received.extend_from_slice(part.as_bytes());
                while let Some(frame) = next(&mut received).unwrap() {
                    frames.push(frame);
                }
            }
            let expected = Frame::Message(Bytes::from(one));
            prop_assert_eq!(frames.len(), 2);
            prop_assert!(frames.iter().all(|frame| *frame == expected));
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = all(&bytes);
        }
    }
}
