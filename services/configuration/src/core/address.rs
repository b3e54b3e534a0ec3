//! Where a carrier's calls come from: addresses, and networks in CIDR form (RFC 4632, RFC 4291 §2.3).

use super::invalid;
use centro_kernel::Fault;
use std::net::IpAddr;

/// Checks an address or network and returns it in its usual spelling.
///
/// # Errors
/// `address_bad_format`.
pub fn check(text: &str, index: usize) -> Result<String, Fault> {
    parse(text.trim()).ok_or_else(|| {
        invalid(
            "address_bad_format",
            format_args!("{text} is neither an address nor a network like 192.0.2.0/28"),
            &format!("/addresses/{index}"),
        )
    })
}

fn parse(text: &str) -> Option<String> {
    let Some((address, length)) = text.split_once('/') else {
        return text
            .parse::<IpAddr>()
            .ok()
            .map(|address| address.to_string());
    };
    let address: IpAddr = address.parse().ok()?;
    if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    (length <= longest).then(|| format!("{address}/{length}"))
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
            "10.0.0.0/8",
        ] {
            assert_eq!(check(good, 0).as_deref(), Ok(good));
        }
        assert_eq!(check(" 2001:DB8:0::1 ", 0).as_deref(), Ok("2001:db8::1"));
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
