//! Numbers as they are dialled.

/// Feature codes a person dials from the own phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureCode {
    /// `*50`: log in and be ready.
    LogIn,
    /// `*51`: log out.
    LogOut,
    /// `*52`: pause.
    Pause,
    /// `*53`: ready.
    Ready,
    /// `*54`: end wrap-up.
    EndWrapUp,
}

impl FeatureCode {
    /// The code behind what was dialled. Some phones send `*` as `%2A`.
    pub fn dialled(dialled: &str) -> Option<Self> {
        let digits = dialled
            .strip_prefix('*')
            .or_else(|| dialled.strip_prefix("%2A"))
            .or_else(|| dialled.strip_prefix("%2a"))?;
        Some(match digits {
            "50" => Self::LogIn,
            "51" => Self::LogOut,
            "52" => Self::Pause,
            "53" => Self::Ready,
            "54" => Self::EndWrapUp,
            _ => return None,
        })
    }
}

/// The E.164 forms that what was dialled may mean, most literal first: carriers send `+39…`, `0039…` or `39…`.
pub fn e164_candidates(dialled: &str) -> Vec<String> {
    let compact: String = dialled
        .chars()
        .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
        .collect();
    let mut found = Vec::new();
    let mut add = |digits: &str| {
        let valid = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if valid && !digits.starts_with('0') {
            found.push(format!("+{digits}"));
        }
    };
    if let Some(digits) = compact.strip_prefix('+') {
        add(digits);
    } else {
        if let Some(digits) = compact.strip_prefix("00") {
            add(digits);
        }
        add(&compact);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_the_carrier_writes_it() {
        for dialled in [
            "+390612345678",
            "00390612345678",
            "390612345678",
            "+39 06-1234.5678",
        ] {
            assert_eq!(e164_candidates(dialled), ["+390612345678"], "{dialled}");
        }
        for nothing in [
            "",
            "+",
            "100",
            "*50",
            "alice",
            "+0039061",
            "1234567890123456",
            "sip:evil",
        ] {
            assert!(e164_candidates(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn feature_codes_are_known_with_and_without_escape() {
        assert_eq!(FeatureCode::dialled("*50"), Some(FeatureCode::LogIn));
        assert_eq!(FeatureCode::dialled("%2A54"), Some(FeatureCode::EndWrapUp));
        assert_eq!(FeatureCode::dialled("*55"), None);
        assert_eq!(FeatureCode::dialled("50"), None);
    }
}
