//! Replies that only whoever has the `Idempotency-Key` can have read.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use sha2::Sha256;

/// The key for one row.
pub fn key(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return *secret; // HMAC takes keys of any length
    };
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Seals a text. `None` when the machine has no randomness.
pub fn close(key: &[u8; 32], text: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let mut sealed = text.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::empty(),
            &mut sealed,
        )
        .ok()?;
    Some([&nonce[..], &sealed].concat())
}

/// Opens what [`close`] made with the same key.
pub fn open(key: &[u8; 32], mut sealed: Vec<u8>) -> Option<Bytes> {
    let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let text = cipher(key)?.open_in_place(nonce, Aad::empty(), text).ok()?;
    Some(Bytes::copy_from_slice(text))
}

fn cipher(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_a_seal() {
        let one = key(&[7; 32], &[b"key", b"id"]);
        let sealed = close(&one, b"secret").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(open(&one, sealed.clone()).as_deref(), Some(&b"secret"[..]));
        let other = key(&[7; 32], &[b"ke", b"yid"]);
        assert_eq!(open(&other, sealed), None);
        assert_eq!(open(&one, vec![1, 2]), None);
    }
}
