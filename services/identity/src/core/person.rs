//! What a login, a password and a tenant's short name must look like.

use centro_kernel::{Code, Fault, name};

/// Shortest password, in characters.
pub const MIN_PASSWORD: usize = 12;
/// Longest password, in bytes: more would only cost time.
pub const MAX_PASSWORD: usize = 1024;

/// Checks a login and returns it trimmed.
///
/// # Errors
/// `login_empty`, `login_too_long` or `login_bad_character`.
pub fn login(login: &str) -> Result<String, Fault> {
    name::check(login).map_err(|fault| {
        let (reason, message) = match fault.reason {
            "name_too_long" => ("login_too_long", "a login has at most 255 characters"),
            "name_bad_character" => (
                "login_bad_character",
                "the login has a character that cannot be used",
            ),
            _ => ("login_empty", "a login is needed"),
        };
        Fault {
            reason,
            message: message.to_owned(),
            field: "/login".to_owned(),
            ..fault
        }
    })
}

/// Checks a new password.
///
/// # Errors
/// `password_too_short` (with `min`) or `password_too_long` (with `max`).
pub fn password(password: &str, field: &str) -> Result<(), Fault> {
    if password.chars().count() < MIN_PASSWORD {
        let fault = Fault::new(
            Code::Invalid,
            "password_too_short",
            "a password has at least 12 characters",
        );
        return Err(fault.at(field).with("min", MIN_PASSWORD));
    }
    if password.len() > MAX_PASSWORD {
        let fault = Fault::new(
            Code::Invalid,
            "password_too_long",
            "a password has at most 1024 bytes",
        );
        return Err(fault.at(field).with("max", MAX_PASSWORD));
    }
    Ok(())
}

/// Checks a tenant's short name: lower-case letters, digits and hyphens, at most 40, not beginning with a hyphen.
///
/// # Errors
/// `slug_bad_format`.
pub fn slug(slug: &str) -> Result<(), Fault> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if slug.is_empty() || slug.len() > 40 || slug.starts_with('-') || !slug.bytes().all(allowed) {
        return Err(Fault::new(
            Code::Invalid,
            "slug_bad_format",
            "a tenant's short name has 1 to 40 lower-case letters, digits and hyphens",
        )
        .at("/slug"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_at_least_twelve_characters() {
        assert_eq!(
            password("elevenchars", "/password").map_err(|f| f.reason),
            Err("password_too_short")
        );
        assert_eq!(password("twelve chars", "/password"), Ok(()));
        assert_eq!(password("èèèèèèèèèèèè", "/password"), Ok(()));
        assert_eq!(
            password(&"x".repeat(1025), "/password").map_err(|f| f.reason),
            Err("password_too_long")
        );
    }

    #[test]
    fn a_login_fault_names_the_login() {
        let fault = login(" ").unwrap_err();
        assert_eq!(
            (fault.reason, fault.field.as_str()),
            ("login_empty", "/login")
        );
        assert_eq!(
            login(" anna@example.com ").as_deref(),
            Ok("anna@example.com")
        );
    }

    #[test]
    fn a_short_name_is_what_fits_into_a_sip_user_name() {
        assert_eq!(slug("acme-2"), Ok(()));
        for wrong in ["", "-a", "Acme", "a b", "è"] {
            assert!(slug(wrong).is_err(), "{wrong}");
        }
    }
}
