//! AMQP topic patterns: words joined by dots, `*` for one word, `#` for any number of words.

/// A pattern, split once so that matching allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Box<str>>);

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.split('.').map(Box::from).collect())
    }

    /// Whether a routing key, split at its dots, fits.
    pub(crate) fn fits(&self, key: &[&str]) -> bool {
        fits(&self.0, key)
    }
}

/// Whether a routing key fits a pattern.
pub fn matches(pattern: &str, key: &str) -> bool {
    Pattern::new(pattern).fits(&key.split('.').collect::<Vec<_>>())
}

fn fits(pattern: &[Box<str>], key: &[&str]) -> bool {
    match (pattern.split_first(), key.split_first()) {
        (None, None) => true,
        (Some((word, rest)), _) if &**word == "#" => {
            fits(rest, key)
                || key
                    .split_first()
                    .is_some_and(|(_, tail)| fits(pattern, tail))
        }
        (Some((word, rest)), Some((first, tail))) if &**word == "*" || &**word == *first => {
            fits(rest, tail)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_one_word_and_a_hash_any_number() {
        assert!(matches(
            "*.routing.contact.*",
            "ten_1.routing.contact.queued"
        ));
        assert!(matches("#", "ten_1.routing.contact.queued"));
        assert!(matches("ten_1.#", "ten_1"));
        assert!(matches("#.queued", "ten_1.routing.contact.queued"));
        assert!(!matches("*.routing.*", "ten_1.routing.contact.queued"));
        assert!(!matches("ten_2.#", "ten_1.routing.contact.queued"));
    }
}
