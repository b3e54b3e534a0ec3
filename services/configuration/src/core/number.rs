//! Numbers callers dial.

use super::invalid;
use centro_kernel::Fault;
use centro_proto::configuration::Number;

/// Checks a number: E.164 with its plus, and a name without control characters.
///
/// # Errors
/// `number_bad_format`, `name_too_long`, `name_bad_character`.
pub fn check(number: &mut Number) -> Result<(), Fault> {
    let digits = number.e164.strip_prefix('+').unwrap_or_default();
    let fits = (7..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if !fits {
        let message = "write the number with its country code, e.g. +390212345678";
        return Err(invalid("number_bad_format", message, "/e164"));
    }
    if !number.display_name.trim().is_empty() {
        number.display_name = centro_kernel::name::check(&number.display_name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_e164() {
        let check = |e164: &str| {
            check(&mut Number {
                e164: e164.to_owned(),
                ..Number::default()
            })
        };
        assert_eq!(check("+390212345678"), Ok(()));
        for wrong in [
            "",
            "0212345678",
            "+0212345678",
            "+123",
            "+1234567890123456",
            "+39 02 12345",
        ] {
            assert_eq!(
                check(wrong).map_err(|f| f.reason),
                Err("number_bad_format"),
                "{wrong}"
            );
        }
    }
}
