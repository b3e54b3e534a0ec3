//! Whether a message can be worked with at all. Nothing else of what comes off the wire reaches the SIP library.
//!
//! The library reads each datagram in one task for all phones: what would make it panic there must be found here, where a panic
//! is contained and counted like every other malformed message.

use rsipstack::{
    sip::{HeadersExt, SipMessage, Transport},
    transaction::key::{TransactionKey, TransactionRole},
    transport::SipConnection,
};
use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Reads a message as the library does, and fills in where it came from. `None` when it is malformed.
pub fn read(bytes: &[u8], from: SocketAddr, transport: Transport) -> Option<SipMessage> {
    contained("a message", || {
        let message = SipMessage::try_from(bytes).ok()?;
        let message = SipConnection::update_msg_received(message, from, transport).ok()?;
        let known = match &message {
            SipMessage::Request(request) => {
                TransactionKey::from_request(request, TransactionRole::Server)
            }
            SipMessage::Response(response) => {
                TransactionKey::from_response(response, TransactionRole::Client)
            }
        };
        known.ok()?;
        let agrees = match &message {
            // RFC 3261 §8.1.1.5
            SipMessage::Request(request) => {
                request.cseq_header().ok()?.method().ok()? == request.method
            }
            SipMessage::Response(_) => true,
        };
        message.call_id_header().ok()?;
        agrees.then_some(message)
    })
    .flatten()
}

/// Runs what works on a peer's words; `None` when it panicked, which is a fault of ours or of the library, and is logged.
pub fn contained<T>(what: &str, work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work))
        .inspect_err(|_| tracing::error!(what, "a peer's words made us panic; they are dropped"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKx;rport\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:a>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

    fn reads(text: &str) -> bool {
        let from = "203.0.113.5:40000".parse().unwrap();
        read(text.as_bytes(), from, Transport::Udp).is_some()
    }

    #[test]
    fn a_whole_message_is_read_and_a_wounded_one_is_not() {
        assert!(reads(OPTIONS));
        for (part, instead) in [
            ("\r\n\r\n", ""),
            ("Via:", "Vai:"),
            ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"),
            ("CSeq: 1 OPTIONS", "CSeq: x"),
            ("Call-ID:", "Call-DI:"),
            ("From:", "Form:"),
        ] {
            assert!(!reads(&OPTIONS.replace(part, instead)), "{part}");
        }
    }

    #[test]
    fn a_panic_ends_with_the_message_that_made_it() {
        assert_eq!(contained("a test", || -> u8 { panic!("of a test") }), None);
    }
}
