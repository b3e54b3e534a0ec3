//! Secrets that we make: refresh tokens and API keys. Only their fingerprints are stored.

use centro_contract::caller::API_KEY_PREFIX;
use sha2::{Digest, Sha256};

/// A new refresh token: 256 random bits.
pub fn refresh_token() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// A new API key: the prefix and 256 random bits.
pub fn api_key() -> String {
    format!(
        "{API_KEY_PREFIX}{}",
        hex::encode(rand::random::<[u8; 32]>())
    )
}

/// Whether a text has the form of an API key. Only such a one is looked up.
pub fn is_api_key(text: &str) -> bool {
    text.strip_prefix(API_KEY_PREFIX)
        .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The form in which a secret is stored. A plain hash is enough for 256 random bits: there is nothing to guess.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_their_fingerprints_do_not_reveal_them() {
        assert_ne!(refresh_token(), refresh_token());
        let key = api_key();
        assert_eq!(key.len(), API_KEY_PREFIX.len() + 64);
        assert!(is_api_key(&key) && !is_api_key(&key[1..]) && !is_api_key("cc_live_short"));
        assert!(!fingerprint(&key).contains(&key[8..]));
    }
}
