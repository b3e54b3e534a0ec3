//! What is changed in messages on the wire.
//!
//! In: the Contact of an INVITE or of its 2xx that names a private address other than the sender's gets the address the
//! packet came from, so that later requests of the dialog reach a peer behind NAT; a challenge to OPTIONS counts as its answer. Out: a CANCEL gets the `Reason` its
//! call asked for (RFC 3326); the SIP library has no way to pass it.

use crate::ua::sound::contained;
use parking_lot::Mutex;
use rsipstack::{
    sip::{
        HasHeaders, Header, HeadersExt, Host, Method, SipMessage, StatusCode, StatusCodeKind,
        Transport, headers::ToTypedHeader,
    },
    transaction::endpoint::MessageInspector,
    transport::SipAddr,
};
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// Reasons that CANCELs carry, by Call-ID.
#[derive(Clone, Default)]
pub struct Reasons(Arc<Mutex<HashMap<String, String>>>);

impl Reasons {
    /// The CANCEL of this call carries `reason`, until [`Reasons::clear`].
    pub fn set(&self, call_id: &str, reason: &str) {
        self.0.lock().insert(call_id.to_owned(), reason.to_owned());
    }

    /// The call is over.
    pub fn clear(&self, call_id: &str) {
        self.0.lock().remove(call_id);
    }
}

/// Sees every message.
pub struct Inspector {
    reasons: Reasons,
}

impl Inspector {
    /// With the reasons that calls set.
    pub fn new(reasons: Reasons) -> Self {
        Self { reasons }
    }
}

impl MessageInspector for Inspector {
    fn before_send(&self, mut msg: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut msg
            && request.method == Method::Cancel
            && let Ok(call_id) = request.call_id_header()
            && let Some(reason) = self.reasons.0.lock().get(call_id.value())
        {
            request.headers.push(Header::Reason(reason.clone().into()));
        }
        msg
    }

    fn after_received(&self, mut msg: SipMessage, from: Option<&SipAddr>) -> SipMessage {
        answer_to_a_question(&mut msg);
        let concerned = match &msg {
            SipMessage::Request(request) => request.method == Method::Invite,
            SipMessage::Response(response) => {
                response.status_code.kind() == StatusCodeKind::Successful
                    && response
                        .cseq_header()
                        .and_then(|c| c.method())
                        .is_ok_and(|m| m == Method::Invite)
            }
        };
        if concerned
            && let Some(from) = from
            && !came_through_a_proxy(&msg)
        {
            contained("a Contact", || correct_contact(&mut msg, from));
        }
        msg
    }
}

/// A peer that wants OPTIONS signed is there, which is all we ask with it. The library would end the dialog without a BYE.
fn answer_to_a_question(msg: &mut SipMessage) {
    let SipMessage::Response(response) = msg else {
        return;
    };
    let asked = matches!(
        response.status_code,
        StatusCode::Unauthorized | StatusCode::ProxyAuthenticationRequired
    ) && response
        .cseq_header()
        .and_then(|cseq| cseq.method())
        .is_ok_and(|method| method == Method::Options);
    if asked {
        response.status_code = StatusCode::OK;
    }
}

/// Then the packet's source is the proxy's, and the Contact is for the peer behind it.
fn came_through_a_proxy(msg: &SipMessage) -> bool {
    let vias = |header: &Header| match header {
        Header::Via(via) => via.value().split(',').count(),
        _ => 0,
    };
    let headers = msg.headers();
    msg.record_route_header().is_some() || headers.iter().map(vias).sum::<usize>() > 1
}

fn correct_contact(msg: &mut SipMessage, from: &SipAddr) {
    if !matches!(from.r#type, None | Some(Transport::Udp)) {
        return; // a connection is answered on itself
    }
    let Host::IpAddr(source) = from.addr.host else {
        return;
    };
    let Ok(header) = msg.contact_header() else {
        return;
    };
    let Ok(mut contact) = header.typed() else {
        return;
    };
    let hidden = match &contact.uri.host_with_port.host {
        Host::IpAddr(ip) => *ip != source && is_private(*ip),
        Host::Domain(domain) => domain.0.ends_with(".invalid"),
    };
    if hidden {
        contact.uri.host_with_port = from.addr.clone();
        if let Ok(header) = msg.contact_header_mut() {
            header.replace(contact.to_string());
        }
    }
}

/// Addresses nobody reaches from elsewhere.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(contact: &str) -> SipMessage {
        let text = format!(
            "INVITE sip:100@centro SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:100@centro>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: {contact}\r\nContent-Length: 0\r\n\r\n"
        );
        SipMessage::try_from(text).unwrap()
    }

    fn seen_from(msg: SipMessage, source: &str) -> String {
        let from = SipAddr::new(Transport::Udp, source.try_into().unwrap());
        let msg = Inspector::new(Reasons::default()).after_received(msg, Some(&from));
        msg.contact_header().unwrap().value().to_owned()
    }

    #[test]
    fn a_contact_behind_nat_gets_the_address_it_came_from() {
        let seen = seen_from(invite("<sip:a@10.0.0.9:5060>"), "203.0.113.5:40000");
        assert!(seen.contains("sip:a@203.0.113.5:40000"), "{seen}");
    }

    #[test]
    fn a_challenge_to_options_alone_is_an_answer() {
        for (status, method, seen) in [
            (401, "OPTIONS", 200),
            (407, "OPTIONS", 200),
            (481, "OPTIONS", 481),
            (401, "BYE", 401),
        ] {
            let text = format!(
                "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
                 Call-ID: c\r\nCSeq: 2 {method}\r\nContent-Length: 0\r\n\r\n"
            );
            let msg = SipMessage::try_from(text).unwrap();
            let msg = Inspector::new(Reasons::default()).after_received(msg, None);
            let SipMessage::Response(response) = msg else {
                panic!("it was a response");
            };
            assert_eq!(response.status_code.code(), seen, "{status} {method}");
        }
    }

    #[test]
    fn a_contact_behind_a_proxy_stays() {
        let head = "Max-Forwards: 70\r\nContact";
        for proxy in [
            "Record-Route: <sip:203.0.113.5;lr>\r\nContact",
            "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKy\r\nContact",
        ] {
            let text = invite("<sip:a@10.0.0.9:5060>").to_string();
            let text = text
                .replacen("Contact", head, 1)
                .replacen("Contact", proxy, 1);
            let message = SipMessage::try_from(text).unwrap();
            let seen = seen_from(message, "203.0.113.5:40000");
            assert_eq!(seen, "<sip:a@10.0.0.9:5060>", "{proxy}");
        }
    }

    #[test]
    fn a_contact_that_can_be_reached_stays() {
        let seen = seen_from(invite("<sip:a@198.51.100.7:5060>"), "203.0.113.5:40000");
        assert_eq!(seen, "<sip:a@198.51.100.7:5060>");
        let same = seen_from(invite("<sip:a@127.0.0.1:5070>"), "127.0.0.1:5070");
        assert_eq!(same, "<sip:a@127.0.0.1:5070>");
    }
}
