//! What is known of the caller's number (spec D22).

use serde::{Deserialize, Serialize};

/// What kind of number it is, seen from the tenant (spec D18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberType {
    /// An extension of the tenant.
    Internal,
    /// The tenant's own area.
    Local,
    /// The tenant's own country.
    National,
    /// A mobile phone of the tenant's country.
    Mobile,
    /// Another country.
    International,
    /// The callee pays.
    TollFree,
    /// It costs more than a call.
    Premium,
}

/// Why nobody can be called at a caller id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidCallerId {
    /// None was sent.
    Empty,
    /// The caller hides it: `anonymous`.
    Anonymous,
    /// The caller or the network withholds it: `Privacy: id`.
    Withheld,
    /// The network does not know it: `unknown`, `unavailable`.
    Unknown,
    /// It is no E.164 number.
    NotANumber,
    /// It is a number of the tenant: the call would come back here.
    OwnNumber,
}

/// The caller id, classified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerId {
    /// A number that can be called.
    Valid {
        /// In E.164, with its `+`.
        e164: String,
        /// What kind.
        number_type: NumberType,
    },
    /// Nobody can be called.
    Invalid(InvalidCallerId),
}

/// How the caller's side was presented, as the edge read it from the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presentation<'a> {
    /// The user part of the caller's address; empty when there is none.
    pub user: &'a str,
    /// The host part: `anonymous.invalid` hides the caller as well (RFC 3323).
    pub host: &'a str,
    /// The values of the `Privacy` header (RFC 3323, 3325), as sent.
    pub privacy: &'a str,
}

impl CallerId {
    /// Classifies a caller id. `parse` reads a number in the tenant's region: its E.164 form and type, or none when it is no
    /// number. `is_own` says whether the E.164 number is one of the tenant's.
    pub fn classify(
        from: Presentation<'_>,
        parse: impl FnOnce(&str) -> Option<(String, NumberType)>,
        is_own: impl FnOnce(&str) -> bool,
    ) -> Self {
        let user = from.user.trim();
        if is_withheld(from.privacy) {
            return Self::Invalid(InvalidCallerId::Withheld);
        }
        let says = |words: &[&str]| words.iter().any(|word| user.eq_ignore_ascii_case(word));
        if says(&["anonymous"]) || from.host.eq_ignore_ascii_case("anonymous.invalid") {
            return Self::Invalid(InvalidCallerId::Anonymous);
        }
        if says(&["restricted", "private", "withheld"]) {
            return Self::Invalid(InvalidCallerId::Withheld);
        }
        if says(&["unknown", "unavailable"]) {
            return Self::Invalid(InvalidCallerId::Unknown);
        }
        if user.is_empty() {
            return Self::Invalid(InvalidCallerId::Empty);
        }
        match parse(user) {
            Some((e164, _)) if is_own(&e164) => Self::Invalid(InvalidCallerId::OwnNumber),
            Some((e164, number_type)) => Self::Valid { e164, number_type },
            None => Self::Invalid(InvalidCallerId::NotANumber),
        }
    }
}

/// `id`, `user` and `header` ask to hide who calls; `none` and `critical` alone do not.
fn is_withheld(privacy: &str) -> bool {
    let values = privacy.split([';', ',']).map(str::trim);
    let hides = ["id", "user", "header"];
    let mut asked = values.filter(|value| hides.iter().any(|h| value.eq_ignore_ascii_case(h)));
    asked.next().is_some()
}
