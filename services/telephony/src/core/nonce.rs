//! Nonces that carry their own age, and the nonce counts already used.
//!
//! A nonce is made from the time, a random part and a keyed hash of both and of the address it was given to, so a challenge
//! costs no memory, a stranger cannot fill any, and an answer proves that its sender saw the challenge. Only nonces that someone answered correctly are remembered, with the highest count, until they are too old.

use crate::core::digest::same;
use centro_kernel::Timestamp;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, net::IpAddr, time::Duration};

/// Verdict on a nonce that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// It was ours, but is too old or its count was used: challenge again with `stale=true`.
    Stale,
    /// Not ours, or given to somebody else.
    Foreign,
}

/// Makes and judges nonces.
pub struct Nonces {
    key: [u8; 32],
    lifetime: Duration,
    used: HashMap<String, (u64, Timestamp)>,
    swept: Timestamp,
}

/// Most answered nonces remembered; beyond it the oldest are forgotten, which costs their phones one more round trip.
const MAX_USED: usize = 100_000;

impl Nonces {
    /// `key` must be random and stay in this process.
    pub fn new(key: [u8; 32], lifetime: Duration) -> Self {
        Self {
            key,
            lifetime,
            used: HashMap::new(),
            swept: Timestamp::default(),
        }
    }

    /// A new nonce for `source`; `salt` makes two of one millisecond differ.
    pub fn make(&self, source: IpAddr, now: Timestamp, salt: u64) -> String {
        let stamp = format!("{:012x}{salt:016x}", now.as_millis().max(0));
        let seal = self.seal(&stamp, source);
        format!("{stamp}{seal}")
    }

    fn seal(&self, stamp: &str, source: IpAddr) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(stamp);
        match source {
            IpAddr::V4(v4) => hash.update(v4.octets()),
            IpAddr::V6(v6) => hash.update(v6.octets()),
        }
        hash.update(self.key);
        hex::encode(&hash.finalize()[..12])
    }

    /// Whether a nonce may be answered with this count from there; changes nothing.
    pub fn judge(
        &self,
        nonce: &str,
        count: Option<u64>,
        source: IpAddr,
        now: Timestamp,
    ) -> Freshness {
        let Some((stamp, seal)) = nonce.split_at_checked(28) else {
            return Freshness::Foreign;
        };
        if !same(self.seal(stamp, source).as_bytes(), seal.as_bytes()) {
            return Freshness::Foreign;
        }
        let made = i64::from_str_radix(&stamp[..12], 16)
            .map(Timestamp::from_millis)
            .unwrap_or_default();
        if now.since(made) > self.lifetime || now + Duration::from_secs(5) < made {
            return Freshness::Stale;
        }
        match self.used.get(nonce) {
            Some((highest, _)) if count.unwrap_or(1) <= *highest => Freshness::Stale,
            _ => Freshness::Fresh,
        }
    }

    /// Remembers a count that was answered correctly. False when it was used before (two answers at once).
    pub fn spend(
        &mut self,
        nonce: &str,
        count: Option<u64>,
        source: IpAddr,
        now: Timestamp,
    ) -> bool {
        if self.judge(nonce, count, source, now) != Freshness::Fresh {
            return false;
        }
        if self.used.len() >= MAX_USED || now.since(self.swept) > self.lifetime {
            let lifetime = self.lifetime;
            self.used.retain(|_, (_, at)| now.since(*at) <= lifetime);
            if self.used.len() >= MAX_USED {
                return false;
            }
            self.swept = now;
        }
        self.used
            .insert(nonce.to_owned(), (count.unwrap_or(1), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const PHONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn nonces() -> Nonces {
        Nonces::new([7; 32], Duration::from_secs(300))
    }

    #[test]
    fn a_count_must_grow() {
        let mut nonces = nonces();
        let now = Timestamp::from_millis(1_000_000);
        let nonce = nonces.make(PHONE, now, 1);
        for count in 1..=20 {
            assert!(nonces.spend(&nonce, Some(count), PHONE, now));
        }
        assert_eq!(nonces.judge(&nonce, Some(20), PHONE, now), Freshness::Stale);
        assert_eq!(nonces.judge(&nonce, Some(21), PHONE, now), Freshness::Fresh);
    }

    #[test]
    fn a_nonce_grows_old_and_a_made_up_one_is_foreign() {
        let nonces = nonces();
        let now = Timestamp::from_millis(1_000_000);
        let nonce = nonces.make(PHONE, now, 1);
        assert_eq!(
            nonces.judge(&nonce, Some(1), PHONE, now + Duration::from_secs(301)),
            Freshness::Stale
        );
        let mut forged = nonce.clone();
        forged.replace_range(0..1, "f");
        assert_eq!(
            nonces.judge(&forged, Some(1), PHONE, now),
            Freshness::Foreign
        );
        assert_eq!(
            nonces.judge("dcd98b", Some(1), PHONE, now),
            Freshness::Foreign
        );
        assert_eq!(
            nonces.judge("è".repeat(40).as_str(), Some(1), PHONE, now),
            Freshness::Foreign
        );
    }

    #[test]
    fn without_a_count_a_nonce_serves_once() {
        let mut nonces = nonces();
        let now = Timestamp::from_millis(1_000_000);
        let nonce = nonces.make(PHONE, now, 1);
        assert!(nonces.spend(&nonce, None, PHONE, now));
        assert!(!nonces.spend(&nonce, None, PHONE, now));
    }

    #[test]
    fn a_nonce_serves_only_the_address_it_was_given_to() {
        let mut nonces = nonces();
        let now = Timestamp::from_millis(1_000_000);
        let nonce = nonces.make(PHONE, now, 1);
        let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(
            nonces.judge(&nonce, Some(1), other, now),
            Freshness::Foreign
        );
        assert!(!nonces.spend(&nonce, Some(1), other, now));
        assert!(nonces.spend(&nonce, Some(1), PHONE, now));
    }
}
