//! What an installation may set about media.

use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};

/// Settings of the media of one process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSettings {
    /// Address the RTP sockets bind to.
    pub bind: IpAddr,
    /// Address peers outside the private networks reach us at; for a centre behind NAT.
    pub external: Option<IpAddr>,
    /// First port for RTP.
    pub first_port: u16,
    /// Last port for RTP. Each leg takes one even port.
    pub last_port: u16,
    /// Threads that move packets; 0 = as many as there are cores.
    pub threads: usize,
}

impl Default for MediaSettings {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            external: None,
            first_port: 20_000,
            last_port: 29_999,
            threads: 0,
        }
    }
}

impl MediaSettings {
    /// Names the wrong key and what to do about it.
    pub fn validate(&self) -> Result<(), String> {
        if self.first_port < 1_024 || self.last_port <= self.first_port {
            return Err(format!(
                "first_port {} and last_port {}: give a range of unprivileged ports with room for one even port per leg",
                self.first_port, self.last_port
            ));
        }
        if self
            .external
            .is_some_and(|address| address.is_unspecified())
        {
            return Err(
                "external: give the address peers reach this machine at, or leave it out".into(),
            );
        }
        if self.threads > 64 {
            return Err(format!(
                "threads {}: 64 at most, 0 for one per core",
                self.threads
            ));
        }
        Ok(())
    }
}
