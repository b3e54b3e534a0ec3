//! SIP user names and digests. The secret is random and shown once; what is kept is H(A1), which is as good as the
//! secret for this realm (RFC 7616 §3.4.2, RFC 8760) and for nothing else.

use centro_proto::configuration::Credentials;
use md5::Md5;
use sha2::{Digest, Sha256};

/// The SIP user name of a device: unique in the installation because short names and extensions are, and because an
/// extension has no hyphen.
pub fn username(tenant_slug: &str, extension: &str) -> String {
    format!("{tenant_slug}-{extension}")
}

/// The SIP user name of a trunk, from the random end of its id.
pub fn trunk_username(trunk_id: &str) -> String {
    let short = trunk_id.len().saturating_sub(12);
    format!("trunk-{}", trunk_id.get(short..).unwrap_or(trunk_id))
}

/// A secret from 128 random bits.
pub fn secret(random: [u8; 16]) -> String {
    hex::encode(random)
}

/// What telephony needs to check a digest.
pub fn credentials(username: &str, realm: &str, secret: &str) -> Credentials {
    let a1 = format!("{username}:{realm}:{secret}");
    Credentials {
        ha1_md5: hex::encode(Md5::digest(a1.as_bytes())),
        ha1_sha256: hex::encode(Sha256::digest(a1.as_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_those_of_the_standard() {
        // RFC 2617 §3.5: H(A1) of its example.
        let made = credentials("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert_eq!(made.ha1_md5, "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(made.ha1_sha256.len(), 64);
    }

    #[test]
    fn user_names_say_whose_they_are() {
        assert_eq!(username("acme", "101"), "acme-101");
        assert_eq!(
            trunk_username("trk_0199aaaabbbbccccddddeeeeffff0000"),
            "trunk-eeeeffff0000"
        );
        assert_eq!(secret([0xab; 16]).len(), 32);
    }
}
