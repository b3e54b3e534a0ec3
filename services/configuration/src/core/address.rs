//! Where a carrier's calls come from: addresses, and networks in CIDR form (RFC 4632, RFC 4291 §2.3).

use super::invalid;
use centro_kernel::Fault;
use std::net::IpAddr;

/// The shortest prefixes of a network. A carrier's whole block fits; half the world, whose calls would all be taken for
/// this tenant's, does not.
const SHORTEST_V4: u8 = 16;
const SHORTEST_V6: u8 = 32;

/// Checks an address or network and returns it in its usual spelling.
///
/// # Errors
/// `address_bad_format`, `address_too_wide`.
pub fn check(text: &str, index: usize) -> Result<String, Fault> {
    let place = format!("/addresses/{index}");
    let (address, prefix) = parse(text.trim()).ok_or_else(|| {
        invalid(
            "address_bad_format",
            format_args!("{text} is neither an address nor a network like 192.0.2.0/28"),
            &place,
        )
    })?;
    let Some(prefix) = prefix else {
        return Ok(address.to_string());
    };
    let shortest = if address.is_ipv4() {
        SHORTEST_V4
    } else {
        SHORTEST_V6
    };
    if prefix < shortest {
        return Err(invalid(
            "address_too_wide",
            format_args!(
                "{text} has more addresses than a carrier; the widest networks are /{SHORTEST_V4} (IPv4) and /{SHORTEST_V6} (IPv6)"
            ),
            &place,
        ));
    }
    Ok(format!("{address}/{prefix}"))
}

/// An IPv4 address mapped into IPv6 is the IPv4 address.
fn parse(text: &str) -> Option<(IpAddr, Option<u8>)> {
    let Some((address, length)) = text.split_once('/') else {
        return Some((text.parse::<IpAddr>().ok()?.to_canonical(), None));
    };
    let address: IpAddr = address.parse().ok()?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if length > longest {
        return None;
    }
    let canonical = address.to_canonical();
    if canonical.is_ipv4() && address.is_ipv6() {
        return Some((canonical, Some(length.saturating_sub(96))));
    }
    Some((address, Some(length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_accepted_in_both_families() {
        for good in [
            "192.0.2.1",
            "192.0.2.0/28",
            "2001:db8::1",
            "2001:db8::/32",
            "10.0.0.0/16",
        ] {
            assert_eq!(check(good, 0).as_deref(), Ok(good));
        }
        assert_eq!(check(" 2001:DB8:0::1 ", 0).as_deref(), Ok("2001:db8::1"));
        assert_eq!(
            check("::ffff:192.0.2.0/124", 0).as_deref(),
            Ok("192.0.2.0/28")
        );
    }

    #[test]
    fn a_network_wider_than_a_carrier_is_refused() {
        for wide in [
            "0.0.0.0/0",
            "10.0.0.0/15",
            "::/0",
            "2001:db8::/31",
            "::ffff:0.0.0.0/96",
            "::ffff:10.0.0.0/90",
        ] {
            let fault = check(wide, 1).unwrap_err();
            assert_eq!(
                (fault.reason, fault.field.as_str()),
                ("address_too_wide", "/addresses/1"),
                "{wide}"
            );
        }
    }

    #[test]
    fn anything_else_is_named_by_its_place() {
        for wrong in [
            "",
            "carrier.example",
            "192.0.2.1/33",
            "2001:db8::/129",
            "192.0.2.1/",
            "1.2.3",
            "::1/+8",
        ] {
            let fault = check(wrong, 2).unwrap_err();
            assert_eq!(
                (fault.reason, fault.field.as_str()),
                ("address_bad_format", "/addresses/2"),
                "{wrong}"
            );
        }
    }
}
