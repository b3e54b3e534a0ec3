//! Where a request comes from: the socket's peer, or what our own proxies say of it.

use actix_web::{HttpRequest, http::header::HeaderMap};
use ipnet::IpNet;
use std::net::IpAddr;

const CHAIN: &str = "x-forwarded-for";
const FORWARDED: &str = "forwarded";

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// From networks (`10.0.0.0/8`) and addresses (`::1`).
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn new(networks: &[String]) -> Result<Self, String> {
        let parse = |text: &String| {
            let network = text.parse().ok();
            let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
            network.or_else(alone).ok_or_else(|| text.clone())
        };
        networks
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether it is one of them.
    pub fn has(&self, ip: &IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(ip))
    }

    /// Who sent the request; `None` when the socket does not say.
    pub fn source(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        Some(self.behind(peer, request.headers()))
    }

    /// The right-most address of the chain that is no proxy of ours: everything left of it is only what that one said.
    /// A request that carries both headers is taken at its word where they agree, else its peer answers for it, for a
    /// proxy writes one of them and lets the other through.
    fn behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        // A line that is no text counts as well: left out, it would let the other header speak alone.
        let elements = |name| {
            let lines = headers.get_all(name);
            let lines = lines.map(|value| String::from_utf8_lossy(value.as_bytes()));
            let elements =
                lines.flat_map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
            elements.collect::<Vec<String>>()
        };
        let (chain, forwarded) = (elements(CHAIN), elements(FORWARDED));
        let by_chain = self.walk(peer, chain.iter().map(|text| address(text)));
        let by_forwarded = self.walk(peer, forwarded.iter().map(|text| address(named(text))));
        match (headers.contains_key(CHAIN), headers.contains_key(FORWARDED)) {
            (true, false) => by_chain,
            (false, true) => by_forwarded,
            (true, true) if by_chain == by_forwarded => by_chain,
            _ => peer,
        }
    }

    fn walk(&self, peer: IpAddr, chain: impl DoubleEndedIterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut known = peer;
        for said in chain.rev() {
            if !self.has(&known) {
                break;
            }
            let Some(said) = said else { break };
            known = said;
        }
        known
    }
}

/// The `for` of one element of `Forwarded` (RFC 7239).
fn named(element: &str) -> &str {
    element
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("for"))
        .map_or("", |(_, value)| value.trim().trim_matches('"'))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn source(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        source_of_bytes(trusted, peer, headers)
    }

    fn source_of_bytes<'a>(
        trusted: &[&str],
        peer: &str,
        headers: impl IntoIterator<Item = (&'static str, &'a [u8])>,
    ) -> String {
        let trusted: Vec<String> = trusted.iter().map(|text| (*text).to_owned()).collect();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        let proxies = Proxies::new(&trusted).unwrap();
        proxies.behind(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_named() {
        let claim = [(CHAIN, "203.0.113.9")];
        assert_eq!(source(&[], "192.0.2.1", &claim), "192.0.2.1");
        assert_eq!(source(&["10.0.0.0/8"], "192.0.2.1", &claim), "192.0.2.1");
        assert_eq!(source(&["192.0.2.1"], "192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn the_right_most_stranger_is_the_source() {
        let trusted = ["10.0.0.0/8", "::1"];
        let chain = [(CHAIN, "198.51.100.1, 203.0.113.9, 10.1.1.1")];
        assert_eq!(source(&trusted, "10.0.0.2", &chain), "203.0.113.9");
        let lines = [(CHAIN, "198.51.100.1"), (CHAIN, "203.0.113.9:4711")];
        assert_eq!(source(&trusted, "::1", &lines), "203.0.113.9");
        let broken = [(CHAIN, "203.0.113.9, unknown")];
        assert_eq!(source(&trusted, "10.0.0.2", &broken), "10.0.0.2");
        let mapped = [(CHAIN, "::ffff:203.0.113.9")];
        assert_eq!(source(&trusted, "10.0.0.2", &mapped), "203.0.113.9");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        let trusted = ["10.0.0.0/8"];
        let one = [(
            FORWARDED,
            "for=198.51.100.1, For=\"[2001:db8::9]:80\";proto=https",
        )];
        assert_eq!(source(&trusted, "10.0.0.2", &one), "2001:db8::9");
        let both = [(FORWARDED, "for=198.51.100.1"), (CHAIN, "203.0.113.9")];
        assert_eq!(source(&trusted, "10.0.0.2", &both), "10.0.0.2");
    }

    #[test]
    fn a_line_that_is_no_text_counts_as_a_line() {
        let trusted = ["10.0.0.0/8"];
        let source =
            |headers: [(&'static str, &[u8]); 2]| source_of_bytes(&trusted, "10.0.0.2", headers);
        let chosen = (FORWARDED, &b"for=198.51.100.1"[..]);
        assert_eq!(source([(CHAIN, b"\xff"), chosen]), "10.0.0.2");
        let chosen = (CHAIN, &b"198.51.100.1"[..]);
        assert_eq!(source([(FORWARDED, b"\xff"), chosen]), "10.0.0.2");
        assert_eq!(source([chosen, (CHAIN, b"\xff")]), "10.0.0.2");
        let true_one = (CHAIN, &b"203.0.113.9"[..]);
        assert_eq!(source([(CHAIN, b"\xff"), true_one]), "203.0.113.9");
    }

    #[test]
    fn what_is_no_network_is_named() {
        let wrong = Proxies::new(&["10.0.0.0/8".into(), "proxy.example".into()]);
        assert_eq!(wrong.err().as_deref(), Some("proxy.example"));
    }
}
