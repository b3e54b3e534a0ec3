//! The UDP socket as the SIP library sees it: only what the gate takes.

use crate::ua::gate::Gate;
use async_trait::async_trait;
use rsipstack::platform::net::UdpSocket;
use std::{net::SocketAddr, sync::Arc};

/// A socket behind the gate.
pub struct Gated {
    /// The real one.
    pub socket: tokio::net::UdpSocket,
    /// What decides.
    pub gate: Arc<Gate>,
}

#[async_trait]
impl UdpSocket for Gated {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (length, from) = self.socket.recv_from(buffer).await?;
            if self.gate.takes(&buffer[..length], from) {
                return Ok((length, from));
            }
        }
    }

    async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.socket.send_to(datagram, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}
