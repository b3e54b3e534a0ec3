//! Digest authentication (RFC 2617, RFC 8760) over the raw header value.
//!
//! Our own because the SIP library parses the nonce count into eight bits, which locks out every phone that uses a nonce
//! ten times. `nc` stays text here, exactly as it went into the phone's hash. Secrets never come here: H(A1) does.

use md5::Md5;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Hash of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RFC 8760.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// RFC 2617, for the many phones that know nothing else.
    #[serde(rename = "MD5")]
    Md5,
}

impl Algorithm {
    /// The token in headers.
    pub const fn token(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    fn named(token: &str) -> Option<Self> {
        [Self::Sha256, Self::Md5]
            .into_iter()
            .find(|a| a.token().eq_ignore_ascii_case(token))
    }

    /// Lower-case hex of the hash of the parts joined with `:`.
    pub fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Sha256 => hex::encode(Sha256::digest(text)),
            Self::Md5 => hex::encode(Md5::digest(text)),
        }
    }
}

/// H(A1) of one account in both hashes: as good as a password, so it is never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Lower-case hex of MD5(username:realm:secret).
    pub ha1_md5: String,
    /// Lower-case hex of SHA-256(username:realm:secret).
    pub ha1_sha256: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(..)")
    }
}

/// An `Authorization` or `Proxy-Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Account.
    pub username: String,
    /// Realm the phone answers for.
    pub realm: String,
    /// Our nonce, back.
    pub nonce: String,
    /// What the phone says it asked for.
    pub uri: String,
    /// Hash used.
    pub algorithm: Algorithm,
    /// Nonce count as sent, and its value; absent without `qop`.
    pub count: Option<(String, u64)>,
    cnonce: String,
    qop: Option<String>,
    response: String,
}

/// Longest header value looked at.
const MAX_HEADER: usize = 2048;

impl Response {
    /// Reads a header value; `None` when it is not a well-formed digest answer.
    pub fn parse(value: &str) -> Option<Self> {
        if value.len() > MAX_HEADER {
            return None;
        }
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut fields = parameters(rest)?;
        let mut take = |name: &str| fields.remove(name);
        let algorithm = match take("algorithm") {
            Some(token) => Algorithm::named(&token)?,
            None => Algorithm::Md5,
        };
        let qop = take("qop");
        if qop
            .as_deref()
            .is_some_and(|q| !q.eq_ignore_ascii_case("auth"))
        {
            return None;
        }
        let count = match (&qop, take("nc")) {
            (Some(_), Some(text)) => {
                let value = u64::from_str_radix(&text, 16)
                    .ok()
                    .filter(|_| text.len() <= 16)?;
                Some((text, value))
            }
            (Some(_), None) => return None,
            (None, _) => None,
        };
        Some(Self {
            username: take("username").filter(|name| !name.is_empty() && name.len() <= 128)?,
            realm: take("realm")?,
            nonce: take("nonce")?,
            uri: take("uri")?,
            response: take("response")?.to_ascii_lowercase(),
            cnonce: take("cnonce").unwrap_or_default(),
            algorithm,
            count,
            qop,
        })
    }

    /// Whether the sender knows the account's secret.
    pub fn proves(&self, method: &str, account: &Account) -> bool {
        let ha1 = match self.algorithm {
            Algorithm::Sha256 => &account.ha1_sha256,
            Algorithm::Md5 => &account.ha1_md5,
        };
        if ha1.is_empty() {
            return false;
        }
        let ha2 = self.algorithm.hash(&[method, &self.uri]);
        let expected = match (&self.qop, &self.count) {
            (Some(qop), Some((nc, _))) => {
                self.algorithm
                    .hash(&[ha1, &self.nonce, nc, &self.cnonce, qop, &ha2])
            }
            _ => self.algorithm.hash(&[ha1, &self.nonce, &ha2]),
        };
        same(expected.as_bytes(), self.response.as_bytes())
    }
}

/// Peers that give up when any challenge names a hash they do not know, instead of taking the next (measured: baresip 1.0).
pub fn knows_only_md5(user_agent: &str) -> bool {
    ["baresip v0.", "baresip v1."]
        .iter()
        .any(|start| user_agent.starts_with(start))
}

/// Compares in a time that does not depend on where the difference is.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// A challenge for one of the hashes.
pub fn challenge(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> String {
    let stale = if stale { ", stale=true" } else { "" };
    let algorithm = algorithm.token();
    format!(
        "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}, qop=\"auth\"{stale}"
    )
}

/// `name=value` or `name="value"` pairs, separated by commas; names in lower case.
fn parameters(text: &str) -> Option<HashMap<String, String>> {
    let mut found = HashMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if found
            .insert(name.trim().to_ascii_lowercase(), value)
            .is_some()
        {
            return None; // said twice: which one would count?
        }
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(found)
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(username: &str, realm: &str, secret: &str) -> Account {
        Account {
            ha1_md5: Algorithm::Md5.hash(&[username, realm, secret]),
            ha1_sha256: Algorithm::Sha256.hash(&[username, realm, secret]),
        }
    }

    #[test]
    fn the_example_of_rfc_2617_is_proved() {
        let header = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, \
            cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let response = Response::parse(header).unwrap();
        let mufasa = account("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert!(response.proves("GET", &mufasa));
        assert!(!response.proves("PUT", &mufasa));
        assert!(!response.proves(
            "GET",
            &account("Mufasa", "testrealm@host.com", "circle of life")
        ));
        assert!(!response.proves("GET", &Account::default()));
    }

    #[test]
    fn the_example_of_rfc_7616_for_sha_256_is_proved() {
        let header = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
            algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
            cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
            response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"";
        let response = Response::parse(header).unwrap();
        assert!(response.proves(
            "GET",
            &account("Mufasa", "http-auth@example.org", "Circle of Life")
        ));
    }

    #[test]
    fn a_nonce_count_beyond_ten_keeps_its_text() {
        let header = "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", qop=auth, nc=000001aF, cnonce=\"c\", response=\"0\"";
        assert_eq!(
            Response::parse(header).unwrap().count,
            Some(("000001aF".to_owned(), 0x1af))
        );
    }

    #[test]
    fn what_is_not_a_digest_answer_is_not_read() {
        for bad in [
            "",
            "Basic abc",
            "Digest",
            "Digest username",
            "Digest username=\"a",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\", qop=auth-int, nc=1",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\", qop=auth, nc=xyz",
            "Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\"",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\", algorithm=SHA-512",
        ] {
            assert_eq!(Response::parse(bad), None, "{bad}");
        }
    }
}
