//! Ports that nobody uses at the moment.

use anyhow::{Context, Result};
use std::{
    collections::HashSet,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::{Mutex, OnceLock},
};

/// Ports already given out by this process: a port is free again for the kernel before its user has taken it.
fn given() -> &'static Mutex<HashSet<u16>> {
    static GIVEN: OnceLock<Mutex<HashSet<u16>>> = OnceLock::new();
    GIVEN.get_or_init(Mutex::default)
}

/// A port of 127.0.0.1 that is free for TCP.
pub fn free_port() -> Result<u16> {
    pick(|| {
        Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port())
    })
}

/// A port of 127.0.0.1 that is free for UDP and for TCP.
pub fn free_sip_port() -> Result<u16> {
    pick(|| {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = udp.local_addr()?.port();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        Ok(port)
    })
}

fn pick(try_one: impl Fn() -> Result<u16>) -> Result<u16> {
    for _ in 0..100 {
        if let Ok(port) = try_one()
            && given().lock().map_or(true, |mut given| given.insert(port))
        {
            return Ok(port);
        }
    }
    None.context("no free port among 100 tried")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_twice() {
        let ports: HashSet<u16> = (0..20).map(|_| free_sip_port().unwrap()).collect();
        assert_eq!(ports.len(), 20);
    }
}
