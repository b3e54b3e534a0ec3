//! The rule for names people give to things (spec D30): trimmed, 1–255 Unicode scalars, no control characters, compared
//! without case.

use crate::{Code, Fault};

/// Longest name, in Unicode scalars.
pub const MAX_NAME: usize = 255;

/// Checks a name and returns it trimmed.
///
/// # Errors
/// `name_empty`, `name_too_long` (with `max`) or `name_bad_character` (with `position`, from 0).
pub fn check(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() {
        return Err(invalid("name_empty", "a name is needed"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(
            invalid("name_too_long", "a name has at most 255 characters").with("max", MAX_NAME),
        );
    }
    if let Some(position) = name.chars().position(char::is_control) {
        return Err(invalid(
            "name_bad_character",
            format!("character {position} of the name cannot be used"),
        )
        .with("position", position));
    }
    Ok(name.to_owned())
}

/// The form under which two names are the same.
pub fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

fn invalid(reason: &'static str, message: impl std::fmt::Display) -> Fault {
    Fault::new(Code::Invalid, reason, message).at("/displayName")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(
            check("  Sales ").map_err(|f| f.reason),
            Ok("Sales".to_owned())
        );
        assert_eq!(check(" \t").map_err(|f| f.reason), Err("name_empty"));
        assert!(check(&"è".repeat(255)).is_ok());
        assert_eq!(
            check(&"è".repeat(256)).map_err(|f| f.reason),
            Err("name_too_long")
        );
        assert_eq!(
            check("a\u{7}b").map_err(|f| f.meta["position"].clone()),
            Err("1".to_owned())
        );
    }

    #[test]
    fn names_that_differ_only_in_case_are_the_same() {
        assert_eq!(key("LUNCH"), key("lunch "));
    }
}
