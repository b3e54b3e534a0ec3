//! REGISTER (RFC 3261 §10.3): digest first, then the phone's contacts with the address its packets come from.

use crate::{
    directory::{Device, Login},
    metrics,
    ua::{
        auth::Verdict,
        dispatch::{UserAgent, ip, reply},
        registrar::{Binding, Gone},
    },
};
use rsipstack::{
    sip::{Header, HeadersExt, Param, Request, StatusCode, Uri, typed},
    transaction::transaction::Transaction,
    transport::SipAddr,
};
use std::time::Duration;

/// Contacts one REGISTER may name.
const MAX_CONTACTS: usize = 8;

/// Why a REGISTER is refused after the digest was right.
enum Refusal {
    Bad,
    TooBrief,
}

impl UserAgent {
    pub(super) fn register(&self, tx: Transaction, source: SipAddr) {
        let Some(address) = ip(&source) else { return };
        let at_home = |login: &Login| match login {
            Login::Device(device) => self
                .registrar
                .phones(device.id)
                .iter()
                .any(|b| b.destination == source),
            Login::Trunk(_) => false,
        };
        let home = self.registrar.knows(&source);
        // A carrier does not register: that it is one exempts nobody here, and who guesses at its address is banned like others.
        match self.auth.judge(&tx.original, address, home, home, at_home) {
            Verdict::Known(Login::Device(device)) => self.store(tx, &device, source),
            Verdict::Known(Login::Trunk(_)) => reply(tx, StatusCode::Forbidden, Vec::new()),
            Verdict::Challenge { stale } => {
                let challenges = self.auth.challenges(&tx.original, address, stale);
                reply(tx, StatusCode::Unauthorized, challenges);
            }
            Verdict::Banned => {
                metrics::refused("not_authorised");
                reply(tx, StatusCode::Forbidden, vec![self.retry_after()]);
            }
        }
    }

    fn store(&self, tx: Transaction, device: &Device, source: SipAddr) {
        match self.obey(&tx.original, device, source) {
            Ok(()) => {
                let headers = self.contacts(device);
                reply(tx, StatusCode::OK, headers);
            }
            Err(Refusal::Bad) => reply(tx, StatusCode::BadRequest, Vec::new()),
            Err(Refusal::TooBrief) => {
                let least = self.settings.register_min.as_secs().to_string();
                reply(
                    tx,
                    StatusCode::IntervalTooBrief,
                    vec![Header::MinExpires(least.into())],
                );
            }
        }
    }

    fn obey(&self, request: &Request, device: &Device, source: SipAddr) -> Result<(), Refusal> {
        let order = order(request).ok_or(Refusal::Bad)?;
        let header_expires = request
            .expires_header()
            .and_then(|e| e.value().trim().parse::<u64>().ok());
        let values: Vec<_> = request
            .contact_headers()
            .iter()
            .flat_map(|h| split_contacts(h.value()))
            .take(MAX_CONTACTS + 1)
            .collect();
        if values.len() > MAX_CONTACTS {
            return Err(Refusal::Bad);
        }
        if values.iter().any(|value| value.trim() == "*") {
            let alone = values.len() == 1 && header_expires == Some(0);
            return if alone && self.registrar.obey(device, Vec::new(), &Gone::All, &order) {
                Ok(())
            } else {
                Err(Refusal::Bad)
            };
        }
        let now = self.clock.now();
        let user_agent = request
            .user_agent_header()
            .map(|h| h.value().chars().take(128).collect())
            .unwrap_or_default();
        let (mut phones, mut gone) = (Vec::new(), Vec::new());
        for value in values {
            let contact = typed::Contact::parse(&value).map_err(|_| Refusal::Bad)?;
            let key = key(&value, &contact.uri);
            let wanted = parameter(&value, "expires")
                .and_then(|v| v.parse().ok())
                .or(header_expires);
            let wanted = Duration::from_secs(wanted.unwrap_or(3600));
            if wanted.is_zero() {
                gone.push(key);
                continue;
            }
            if wanted < self.settings.register_min {
                return Err(Refusal::TooBrief);
            }
            phones.push(Binding {
                contact: contact.uri,
                key,
                destination: source.clone(),
                user_agent: String::clone(&user_agent),
                registered: now,
                expires: now + wanted.min(self.settings.register_max),
                order: order.clone(),
            });
        }
        let asks_only = phones.is_empty() && gone.is_empty();
        if asks_only
            || self
                .registrar
                .obey(device, phones, &Gone::Some(gone), &order)
        {
            Ok(())
        } else {
            Err(Refusal::Bad)
        }
    }

    /// What is registered now, as RFC 3261 §10.3 step 8 wants it.
    fn contacts(&self, device: &Device) -> Vec<Header> {
        let now = self.clock.now();
        let phones = self.registrar.phones(device.id);
        phones
            .iter()
            .map(|b| {
                let seconds = b.expires.since(now).as_secs().max(1);
                Header::Contact(format!("<{}>;expires={seconds}", b.contact).into())
            })
            .collect()
    }
}

fn order(request: &Request) -> Option<(String, u32)> {
    let call_id = request.call_id_header().ok()?.value().to_owned();
    Some((call_id, request.cseq_header().ok()?.seq().ok()?))
}

/// What makes it the same phone: its instance (RFC 5626) if it names one, else the contact's user, host and port.
fn key(value: &str, uri: &Uri) -> String {
    if let Some(instance) = parameter(value, "+sip.instance") {
        return instance.trim_matches(['"', '<', '>']).to_ascii_lowercase();
    }
    let user = uri
        .auth
        .as_ref()
        .map(|auth| auth.user.as_str())
        .unwrap_or_default();
    let transport = uri.params.iter().find_map(|param| match param {
        Param::Transport(transport) => Some(transport.to_string()),
        _ => None,
    });
    format!(
        "{user}@{};{}",
        uri.host_with_port,
        transport.unwrap_or_default()
    )
    .to_ascii_lowercase()
}

/// A parameter of the header, not of the URI inside `<>`.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut quoted = false;
    let end = value.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '>' && !quoted
    });
    let after = end.map_or(value, |(at, _)| &value[at..]);
    after.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// Contacts in one header are separated by commas outside quotes and brackets.
fn split_contacts(value: &str) -> Vec<String> {
    let (mut found, mut current, mut quoted, mut bracket) =
        (Vec::new(), String::new(), false, false);
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            '<' if !quoted => bracket = true,
            '>' if !quoted => bracket = false,
            ',' if !quoted && !bracket => {
                found.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    if !current.trim().is_empty() {
        found.push(current);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_split_outside_quotes_and_brackets() {
        assert_eq!(
            split_contacts("\"a, b\" <sip:a@h;x=1,2>;q=1, <sip:b@h>").len(),
            2
        );
        assert_eq!(split_contacts("*"), ["*"]);
    }

    #[test]
    fn a_parameter_of_the_uri_is_not_one_of_the_header() {
        assert_eq!(
            parameter("<sip:a@h;expires=5>;expires=60", "expires").as_deref(),
            Some("60")
        );
        assert_eq!(parameter("<sip:a@h;expires=5>", "expires"), None);
    }

    #[test]
    fn a_phone_that_names_its_instance_is_known_by_it() {
        let value = "<sip:a@10.0.0.1:5060>;+sip.instance=\"<urn:uuid:F81D>\"";
        assert_eq!(
            key(value, &"sip:a@10.0.0.1:5060".try_into().unwrap()),
            "urn:uuid:f81d"
        );
    }
}
