//! Extensions: 3 to 6 digits, one namespace per tenant over queues, devices and dial plans (spec S5, G14).

use super::invalid;
use centro_kernel::{Code, Fault};
use std::collections::BTreeSet;

/// Checks an extension that somebody asked for.
///
/// # Errors
/// `extension_bad_format`.
pub fn check(extension: &str) -> Result<(), Fault> {
    if !well_formed(extension) {
        return Err(invalid(
            "extension_bad_format",
            "an extension has 3 to 6 digits",
            "/extension",
        ));
    }
    Ok(())
}

/// Whether it has 3 to 6 digits.
pub fn well_formed(extension: &str) -> bool {
    (3..=6).contains(&extension.len()) && extension.bytes().all(|b| b.is_ascii_digit())
}

/// The lowest free extension from 100 upward: three digits as long as there are some, then four, five, six.
///
/// # Errors
/// `extensions_exhausted`.
pub fn next_free(taken: &BTreeSet<String>) -> Result<String, Fault> {
    (100..1_000_000u32)
        .map(|number| number.to_string())
        .find(|extension| !taken.contains(extension))
        .ok_or_else(|| {
            Fault::new(
                Code::Conflict,
                "extensions_exhausted",
                "every extension is taken; delete something first",
            )
        })
}

/// Somebody else has the extension that was asked for.
pub fn taken(extension: &str, by: Option<&str>) -> Fault {
    let message = format_args!("the extension {extension} is taken");
    let fault = Fault::new(Code::Conflict, "extension_taken", message).at("/extension");
    match by {
        Some(id) => fault.with("existing_id", id),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_has_three_to_six_digits() {
        for good in ["000", "100", "123456"] {
            assert_eq!(check(good), Ok(()));
        }
        for wrong in ["", "12", "1234567", "1a3", "١٢٣", "+39"] {
            assert_eq!(
                check(wrong).map_err(|f| f.reason),
                Err("extension_bad_format"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn gaps_are_filled_and_four_digits_follow_three() {
        let mut taken: BTreeSet<String> = ["100", "101", "103"].map(str::to_owned).into();
        assert_eq!(next_free(&taken).as_deref(), Ok("102"));
        taken.extend((100..1000).map(|n: u32| n.to_string()));
        assert_eq!(next_free(&taken).as_deref(), Ok("1000"));
    }
}
