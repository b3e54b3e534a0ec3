//! The `[configuration]` section of the settings.

use serde::Deserialize;

/// How the configuration is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The SIP realm that the digests of devices and trunks are made for. Changing it makes every secret useless, so it
    /// is set once, before the first device; telephony must use the same.
    pub realm: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            realm: "centro".to_owned(),
        }
    }
}

impl Settings {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The key at fault and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let fits = |c: char| c.is_ascii_graphic() && c != '"' && c != '\\' && c != ':';
        if self.realm.is_empty() || self.realm.len() > 253 || !self.realm.chars().all(fits) {
            return Err(
                "configuration.realm must be a short name without spaces, quotes and colons, \
                        e.g. the domain of the installation"
                    .into(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_fits_between_the_quotes_and_colons_of_a_digest() {
        assert_eq!(Settings::default().validate(), Ok(()));
        for wrong in ["", "a b", "a:b", "a\"b"] {
            assert!(
                Settings {
                    realm: wrong.to_owned()
                }
                .validate()
                .is_err(),
                "{wrong}"
            );
        }
    }
}
