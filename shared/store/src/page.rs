//! Pages of lists: how many, and where the next one begins.
//!
//! A token is the last key of the page before, encoded so that nobody relies on its form. It names a position and grants
//! nothing: the query it continues is keyed by the caller's tenant as ever.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use centro_kernel::{Code, Fault};
use serde::{Serialize, de::DeserializeOwned};

/// Rows on a page when the request does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Most rows on a page.
pub const MAX_SIZE: u64 = 200;

/// How many rows to answer with: 0 means [`DEFAULT_SIZE`], more than [`MAX_SIZE`] means that.
pub fn limit(page_size: i32) -> u64 {
    match u64::try_from(page_size) {
        Ok(0) | Err(_) => DEFAULT_SIZE,
        Ok(n) => n.min(MAX_SIZE),
    }
}

/// An opaque `page_token`.
pub struct Token;

impl Token {
    /// The token of the page after `last`, which is the sort key of the last row shown, e.g. `&(created_ms, id)`.
    pub fn encode<K: Serialize>(last: &K) -> String {
        // A key is a number, a text or a tuple of them; those always have a JSON form.
        serde_json::to_vec(last)
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .unwrap_or_default()
    }

    /// The key after which the page begins; `None` for the first page (an empty token).
    ///
    /// # Errors
    /// `page_token_unknown` for a text that [`Token::encode`] did not make for this list.
    pub fn decode<K: DeserializeOwned>(token: &str) -> Result<Option<K>, Fault> {
        if token.is_empty() {
            return Ok(None);
        }
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .map(Some)
            .ok_or_else(|| {
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
            .map(|row| Self::encode(&key(row)))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Token::decode(&Token::encode(&key)), Ok(Some(key)));
        assert_eq!(Token::decode::<i64>(""), Ok(None));
    }

    #[test]
    fn a_token_of_another_list_or_none_of_ours_is_refused() {
        let foreign = Token::encode(&"a text");
        for token in [foreign.as_str(), "%%%", "e30"] {
            let fault =
                Token::decode::<(i64, String)>(token).expect_err("not a token of this list");
            assert_eq!(fault.reason, "page_token_unknown");
        }
    }

    #[test]
    fn only_a_page_with_more_behind_it_has_a_next_token() {
        let mut rows = vec![1, 2, 3];
        assert_eq!(
            Token::decode(&Token::next(&mut rows, 2, |n| *n)),
            Ok(Some(2))
        );
        assert_eq!(rows, [1, 2]);
        assert_eq!(Token::next(&mut rows, 2, |n| *n), "");
    }
}
