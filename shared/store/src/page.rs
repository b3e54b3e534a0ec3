//! Pages of lists: how many, and where the next one begins.
//!
//! A token is the last key of the page before, with a seal over it and over the list it belongs to: its name, its tenant
//! and its filter. So a token continues the list it was made for and nothing else, and nobody can make one up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use centro_kernel::{Code, Fault};
use hmac::{Hmac, Mac};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;

/// Rows on a page when the request does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Most rows on a page.
pub const MAX_SIZE: u64 = 200;
/// Bytes of a seal.
const SEAL: usize = 16;

/// How many rows to answer with: 0 means [`DEFAULT_SIZE`], more than [`MAX_SIZE`] means that.
pub fn limit(page_size: i32) -> u64 {
    match u64::try_from(page_size) {
        Ok(0) | Err(_) => DEFAULT_SIZE,
        Ok(n) => n.min(MAX_SIZE),
    }
}

/// Makes and reads page tokens. Cheap to clone.
#[derive(Clone)]
pub struct Pages(Hmac<Sha256>);

impl Pages {
    /// What the installation's keys derive the key for.
    pub const PURPOSE: &'static str = "page tokens";

    /// With a key that every process of the installation shares: `Keys::derive(Pages::PURPOSE)`.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[allow(clippy::expect_used)]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// A list, by its name, whose it is (empty for the installation's) and what it is filtered by.
    pub fn list(&self, name: &str, tenant: impl ToString, filter: &impl Serialize) -> List {
        let mut seal = self.0.clone();
        // A filter is made of texts and numbers; those always have a JSON form.
        let context = serde_json::to_vec(&(name, tenant.to_string(), filter)).unwrap_or_default();
        seal.update(&(context.len() as u64).to_be_bytes());
        seal.update(&context);
        List(seal)
    }
}

/// The pages of one list.
#[derive(Clone)]
pub struct List(Hmac<Sha256>);

impl List {
    /// The token of the page after `last`, which is the sort key of the last row shown, e.g. `&(created_ms, id)`.
    pub fn token<K: Serialize>(&self, last: &K) -> String {
        // A key is a number, a text or a tuple of them; those always have a JSON form.
        let Ok(mut token) = serde_json::to_vec(last) else {
            return String::new();
        };
        let seal = self.seal(&token).finalize().into_bytes();
        token.extend_from_slice(&seal[..SEAL]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The key after which the page begins; `None` for the first page (an empty token).
    ///
    /// # Errors
    /// `page_token_unknown` for a text that [`List::token`] did not make for this list.
    pub fn after<K: DeserializeOwned>(&self, token: &str) -> Result<Option<K>, Fault> {
        if token.is_empty() {
            return Ok(None);
        }
        self.open(token).map(Some).ok_or_else(|| {
            Fault::new(
                Code::Invalid,
                "page_token_unknown",
                "the page token is not one of this list; start again without it",
            )
            .at("/pageToken")
        })
    }

    /// Cuts `rows`, read with one more than `limit`, to the page and says where the next begins: an empty token on the
    /// last page.
    pub fn next<T, K: Serialize>(
        &self,
        rows: &mut Vec<T>,
        limit: u64,
        key: impl FnOnce(&T) -> K,
    ) -> String {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return String::new();
        }
        rows.truncate(limit);
        rows.last()
            .map(|row| self.token(&key(row)))
            .unwrap_or_default()
    }

    fn open<K: DeserializeOwned>(&self, token: &str) -> Option<K> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (key, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL)?)?;
        self.seal(key).verify_truncated_left(seal).ok()?;
        serde_json::from_slice(key).ok()
    }

    fn seal(&self, key: &[u8]) -> Hmac<Sha256> {
        let mut seal = self.0.clone();
        seal.update(key);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> List {
        Pages::new(&[7; 32]).list("users", "ten_1", &("role", 4))
    }

    #[test]
    fn a_page_has_a_default_size_and_a_largest() {
        assert_eq!(
            (limit(0), limit(-3), limit(7), limit(10_000)),
            (50, 50, 7, 200)
        );
    }

    #[test]
    fn a_token_gives_back_the_key_it_was_made_of() {
        let key = (1_700_000_000_000_i64, "con_1".to_owned());
        let token = people().token(&key);
        assert_eq!(people().after(&token), Ok(Some(key)));
        assert_eq!(people().after::<i64>(""), Ok(None));
    }

    #[test]
    fn a_token_is_of_no_other_list_tenant_filter_or_installation() {
        let pages = Pages::new(&[7; 32]);
        let token = people().token(&"usr_5");
        let others = [
            pages.list("api_keys", "ten_1", &("role", 4)),
            pages.list("users", "ten_2", &("role", 4)),
            pages.list("users", "ten_1", &("role", 3)),
            Pages::new(&[8; 32]).list("users", "ten_1", &("role", 4)),
        ];
        for other in others {
            let fault = other.after::<String>(&token).expect_err("not of this list");
            assert_eq!(fault.reason, "page_token_unknown");
        }
    }

    #[test]
    fn a_token_that_was_made_up_is_refused() {
        let mut bytes = URL_SAFE_NO_PAD.decode(people().token(&"usr_5")).unwrap();
        bytes[4] ^= 1;
        let changed = URL_SAFE_NO_PAD.encode(bytes);
        let plain = URL_SAFE_NO_PAD.encode(serde_json::to_vec("usr_5").unwrap());
        for token in [changed.as_str(), plain.as_str(), "%%%", "e30", "usr_5"] {
            let fault = people().after::<String>(token).expect_err("not ours");
            assert_eq!(fault.reason, "page_token_unknown", "{token}");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_has_a_next_token() {
        let (list, mut rows) = (people(), vec![1, 2, 3]);
        assert_eq!(list.after(&list.next(&mut rows, 2, |n| *n)), Ok(Some(2)));
        assert_eq!(rows, [1, 2]);
        assert_eq!(list.next(&mut rows, 2, |n| *n), "");
    }
}
