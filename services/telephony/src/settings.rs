//! The `[telephony]` section of the settings.

use crate::core::digest::Algorithm;
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Everything an operator can tell telephony. `docs/sip.md` explains the addresses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where SIP is spoken, over UDP and TCP.
    pub bind: SocketAddr,
    /// Address to put into Contact and SDP when phones and carriers reach us under another one than `bind`, e.g. behind
    /// NAT or when `bind` is 0.0.0.0.
    pub external_address: Option<IpAddr>,
    /// Digest realm. Secrets are stored hashed with it: changing it makes every device need a new secret.
    pub realm: String,
    /// Hashes that are offered and taken, the first preferred: "SHA-256", "MD5".
    pub digest: Vec<Algorithm>,
    /// Ports for RTP, both included.
    pub rtp_ports: (u16, u16),
    /// Threads that move RTP; 0 = one per core.
    pub media_threads: usize,
    /// The shortest registration that is accepted.
    #[serde(with = "humantime_serde")]
    pub register_min: Duration,
    /// The longest registration given.
    #[serde(with = "humantime_serde")]
    pub register_max: Duration,
    /// Phones that may be registered with one device's account at once; the oldest gives way.
    pub contacts_per_device: usize,
    /// How long a challenge may be answered.
    #[serde(with = "humantime_serde")]
    pub nonce_lifetime: Duration,
    /// Failed sign-ins of one address within a minute before it is banned.
    pub failures_per_source: u32,
    /// Failed sign-ins on one account within a minute before strangers' answers are not looked at.
    pub failures_per_user: u32,
    /// How long an address is banned.
    #[serde(with = "humantime_serde")]
    pub ban: Duration,
    /// Messages per second taken from an address nobody knows; four times as many may come at once. More are dropped unread.
    pub messages_per_source: u32,
    /// The same for a trunk's address, for one where a phone is registered, and for one where somebody signed lately.
    pub messages_per_known_source: u32,
    /// TCP connections of one address at once.
    pub tcp_connections_per_source: usize,
    /// The same of a trunk's address, of one where a phone is registered, and of one where somebody signed lately.
    pub tcp_connections_per_known_source: usize,
    /// TCP connections in all.
    pub tcp_connections: usize,
    /// How long a TCP connection may say nothing over which no phone is registered and no call was made, unless it is a trunk's.
    #[serde(with = "humantime_serde")]
    pub tcp_idle: Duration,
    /// Whether OPTIONS from anybody is answered; false answers trunks and registered phones only.
    pub answer_options: bool,
    /// Calls at once; more are answered 503.
    pub max_calls: usize,
    /// New calls per second; more are answered 503.
    pub max_new_calls_per_second: u32,
    /// What Retry-After says in those answers.
    #[serde(with = "humantime_serde")]
    pub retry_after: Duration,
    /// A call without any sound packet for so long is ended; a party that alone is silent for so long is asked whether it is
    /// still there. Hold does not count. 0 turns it off.
    #[serde(with = "humantime_serde")]
    pub silence: Duration,
    /// The same for a party that is silent while the call is on hold.
    #[serde(with = "humantime_serde")]
    pub silence_on_hold: Duration,
    /// Longest call.
    #[serde(with = "humantime_serde")]
    pub max_call: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060),
            external_address: None,
            realm: "centro".to_owned(),
            digest: vec![Algorithm::Md5],
            rtp_ports: (20_000, 29_999),
            media_threads: 0,
            register_min: Duration::from_secs(10),
            register_max: Duration::from_secs(3600),
            contacts_per_device: 5,
            nonce_lifetime: Duration::from_secs(300),
            failures_per_source: 20,
            failures_per_user: 50,
            ban: Duration::from_secs(300),
            messages_per_source: 100,
            messages_per_known_source: 10_000,
            tcp_connections_per_source: 256,
            tcp_connections_per_known_source: 2_048,
            tcp_connections: 8_192,
            tcp_idle: Duration::from_secs(30),
            answer_options: true,
            max_calls: 5_000,
            max_new_calls_per_second: 400,
            retry_after: Duration::from_secs(5),
            silence: Duration::from_secs(30),
            silence_on_hold: Duration::from_secs(300),
            max_call: Duration::from_secs(8 * 3600),
        }
    }
}

impl Settings {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        let (first, last) = self.rtp_ports;
        if first < 1024 || last < first || last - first < 3 {
            return Err("telephony.rtp_ports: give two ports from 1024, the second at least 3 above the first".into());
        }
        if self.realm.is_empty() || self.realm.len() > 128 || self.realm.contains(['"', '\\', ','])
        {
            return Err(
                "telephony.realm: use 1 to 128 characters without quotes, commas and backslashes"
                    .into(),
            );
        }
        if self.digest.is_empty() {
            return Err("telephony.digest: name at least one of \"SHA-256\" and \"MD5\"".into());
        }
        if self.register_min > self.register_max || self.register_max < Duration::from_secs(1) {
            return Err(
                "telephony.register_min: must not be longer than telephony.register_max".into(),
            );
        }
        if self.contacts_per_device == 0 || self.contacts_per_device > 20 {
            return Err("telephony.contacts_per_device: use 1 to 20".into());
        }
        if self.external_address.is_some_and(|ip| ip.is_unspecified()) {
            return Err(
                "telephony.external_address: give the address phones can reach, not 0.0.0.0".into(),
            );
        }
        if self.max_calls == 0 || self.max_new_calls_per_second == 0 {
            return Err("telephony.max_calls and max_new_calls_per_second: use at least 1".into());
        }
        if self.messages_per_source == 0
            || self.messages_per_known_source < self.messages_per_source
            || self.tcp_connections_per_source == 0
            || self.tcp_connections_per_known_source < self.tcp_connections_per_source
            || self.tcp_connections < self.tcp_connections_per_known_source
            || self.tcp_idle.is_zero()
        {
            return Err("telephony.messages_per_source, messages_per_known_source, tcp_connections_per_source, tcp_connections_per_known_source, \
                        tcp_connections and tcp_idle: use at least 1, and for messages_per_known_source, tcp_connections_per_known_source and \
                        tcp_connections no less than for the one before"
                .into());
        }
        if self.failures_per_source == 0 || self.failures_per_user == 0 {
            return Err(
                "telephony.failures_per_source and failures_per_user: use at least 1".into(),
            );
        }
        Ok(())
    }

    /// The address that goes into Contact and SDP.
    pub fn advertised(&self) -> IpAddr {
        match self.external_address {
            Some(address) => address,
            None if self.bind.ip().is_unspecified() => outgoing_address().unwrap_or(self.bind.ip()),
            None => self.bind.ip(),
        }
    }
}

/// The address this machine uses towards the world: what the kernel would choose, nothing is sent.
fn outgoing_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_bad_values_name_their_key() {
        assert_eq!(Settings::default().validate(), Ok(()));
        let bad = Settings {
            rtp_ports: (2000, 1000),
            ..Settings::default()
        };
        assert!(
            bad.validate()
                .is_err_and(|e| e.contains("telephony.rtp_ports"))
        );
    }
}
