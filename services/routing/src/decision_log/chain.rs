//! The chain that ties each line to all before it: `{"hash":"…",…}`, where the hash is SHA-256 of the hash before, as it
//! is written, and of what follows it in the line.

use sha2::{Digest, Sha256};

/// What a line begins with.
const OPEN: &str = "{\"hash\":\"";
/// Length of a hash as it is written.
const HASH: usize = 64;
/// What stands between the hash and the rest.
const THEN: &str = "\",";

/// The hash before the first line of a chain.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line of the chain from a JSON object with at least one field, and its hash. No line break.
pub fn seal(before: &str, object: &str) -> (String, String) {
    let rest = object.strip_prefix('{').unwrap_or(object);
    let hash = hash(before, rest);
    (format!("{OPEN}{hash}{THEN}{rest}"), hash)
}

/// A line taken apart.
pub struct Link<'a> {
    /// The hash that the line gives.
    pub hash: &'a str,
    /// What follows it, without the brace before it.
    rest: &'a str,
}

impl<'a> Link<'a> {
    /// Takes a line apart; none when it is no line of a chain.
    pub fn read(line: &'a str) -> Option<Self> {
        let (hash, rest) = line.strip_prefix(OPEN)?.split_at_checked(HASH)?;
        let rest = rest.strip_prefix(THEN)?;
        hash.bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then_some(Self { hash, rest })
    }

    /// Whether the line is as it was written, and follows the one with this hash.
    pub fn follows(&self, before: &str) -> bool {
        hash(before, self.rest) == self.hash
    }

    /// The JSON object that was sealed.
    pub fn object(&self) -> String {
        format!("{{{}", self.rest)
    }
}

fn hash(before: &str, rest: &str) -> String {
    let hash = Sha256::new().chain_update(before).chain_update(rest);
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_is_opened_and_no_other_line_can_stand_in_its_place() {
        let (first, hash) = seal(FIRST, "{\"a\":1}");
        let (second, _) = seal(&hash, "{\"b\":2}");
        let link = Link::read(&first).unwrap();
        assert!(link.follows(FIRST) && link.object() == "{\"a\":1}" && link.hash == hash);
        let link = Link::read(&second).unwrap();
        assert!(link.follows(&hash) && !link.follows(FIRST));
        let altered = second.replace("2}", "3}");
        assert!(!Link::read(&altered).unwrap().follows(&hash));
        for wrong in ["", "{}", "{\"hash\":\"00\",\"a\":1}", "{\"a\":1}"] {
            assert!(Link::read(wrong).is_none(), "{wrong}");
        }
    }
}
