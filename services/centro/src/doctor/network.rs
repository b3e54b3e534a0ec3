//! Ports and addresses.

use super::{Finding, Mark};
use crate::settings::Settings;
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
};

/// RTP ports that are tried.
const SAMPLE: u16 = 32;

pub fn examine(settings: &Settings) -> Vec<Finding> {
    let sip = settings.telephony.bind;
    let web = settings.gateway.bind;
    let mut findings = vec![
        port(
            "SIP over UDP",
            "telephony.bind",
            sip,
            UdpSocket::bind(sip).map(drop),
        ),
        port(
            "SIP over TCP",
            "telephony.bind",
            sip,
            TcpListener::bind(sip).map(drop),
        ),
        port("web", "gateway.bind", web, TcpListener::bind(web).map(drop)),
    ];
    // The settings are checked, so the address can be read.
    if let Ok(grpc) = settings.node.grpc_bind.parse::<SocketAddr>() {
        let bound = TcpListener::bind(grpc).map(drop);
        findings.push(port("gRPC", "node.grpc_bind", grpc, bound));
    }
    findings.push(rtp(sip.ip(), settings.telephony.rtp_ports));
    findings.push(address(
        settings.telephony.bind.ip(),
        settings.telephony.external_address,
        local_address(),
    ));
    findings
}

fn port(what: &'static str, key: &str, address: SocketAddr, bound: io::Result<()>) -> Finding {
    match bound {
        Ok(()) => Finding::new(what, Mark::Ok, format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Finding::new(
            what,
            Mark::Bad,
            format!("{address}: {error}; choose a port from 1024 with --set {key}=ADDRESS:PORT"),
        ),
        Err(error) => Finding::new(
            what,
            Mark::Bad,
            format!(
                "{address}: {error}; stop what uses it, or choose another with --set {key}=ADDRESS:PORT"
            ),
        ),
    }
}

/// Tries even ports over the whole range; each leg of a call takes one.
fn rtp(ip: IpAddr, (first, last): (u16, u16)) -> Finding {
    let even = first.next_multiple_of(2);
    let step = ((last.saturating_sub(even)) / SAMPLE).max(2) & !1;
    let sample: Vec<u16> = (even..=last).step_by(step.into()).collect();
    let held: Vec<String> = sample
        .iter()
        .filter(|&&port| UdpSocket::bind((ip, port)).is_err())
        .map(u16::to_string)
        .collect();
    let (tried, what) = (sample.len(), "RTP ports");
    if held.is_empty() {
        let said = format!("{first}-{last}: {tried} tried, all free");
        return Finding::new(what, Mark::Ok, said);
    }
    let mark = if held.len() == tried {
        Mark::Bad
    } else {
        Mark::Warn
    };
    let said = format!(
        "{first}-{last}: of {tried} tried {} cannot be used ({}); choose a range nobody uses with --set telephony.rtp_ports=[FIRST,LAST]",
        held.len(),
        held.join(", ")
    );
    Finding::new(what, mark, said)
}

/// Phones elsewhere need an address they can reach; behind NAT that is not the one we bind.
fn address(bound: IpAddr, told: Option<IpAddr>, local: Option<IpAddr>) -> Finding {
    let what = "address";
    if let Some(told) = told {
        return Finding::new(what, Mark::Ok, format!("phones are told {told}"));
    }
    if bound.is_loopback() {
        let said =
            "only phones on this computer can register; for others set telephony.bind=0.0.0.0:5060";
        return Finding::new(what, Mark::Ok, said);
    }
    let used = if bound.is_unspecified() {
        local
    } else {
        Some(bound)
    };
    match used {
        Some(address) if is_private(address) => Finding::new(
            what,
            Mark::Warn,
            format!(
                "phones are told {address}, which only this network reaches; for others set telephony.external_address"
            ),
        ),
        Some(address) => Finding::new(what, Mark::Ok, format!("phones are told {address}")),
        None => Finding::new(
            what,
            Mark::Bad,
            "this machine has no route to the world; set telephony.external_address to what phones can reach",
        ),
    }
}

/// The address this machine would use towards the world. Connecting a UDP socket sends nothing.
fn local_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_port_in_use_is_bad_and_names_the_setting() {
        let holder = TcpListener::bind((HERE, 0)).unwrap();
        let address = holder.local_addr().unwrap();
        let bound = TcpListener::bind(address).map(drop);
        let finding = port("web", "gateway.bind", address, bound);
        assert_eq!(finding.mark, Mark::Bad);
        assert!(finding.said.contains("--set gateway.bind="), "{finding:?}");
        // Not tried again once it is given back: the next test may have it by then.
        let finding = port("web", "gateway.bind", address, Ok(()));
        assert_eq!(finding.mark, Mark::Ok);
    }

    #[test]
    fn some_rtp_ports_in_use_are_a_warning_and_all_are_bad() {
        let holder = UdpSocket::bind((HERE, 0)).unwrap();
        let even = holder.local_addr().unwrap().port() & !1;
        let _other = UdpSocket::bind((HERE, even));
        assert_eq!(rtp(HERE, (even, even)).mark, Mark::Bad);
        let wide = rtp(HERE, (even - 64, even));
        assert_eq!(wide.mark, Mark::Warn, "{wide:?}");
        assert!(wide.said.contains(&even.to_string()), "{wide:?}");
    }

    #[test]
    fn a_private_address_on_all_interfaces_is_a_warning() {
        let any: IpAddr = Ipv4Addr::UNSPECIFIED.into();
        let private = Some("192.168.1.5".parse().unwrap());
        let public: Option<IpAddr> = Some("198.51.100.5".parse().unwrap());
        assert_eq!(address(any, None, private).mark, Mark::Warn);
        assert_eq!(address(any, public, private).mark, Mark::Ok);
        assert_eq!(address(any, None, public).mark, Mark::Ok);
        assert_eq!(address(any, None, None).mark, Mark::Bad);
        assert_eq!(address(HERE, None, private).mark, Mark::Ok);
    }
}
