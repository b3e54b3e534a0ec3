//! Failures that cross a service boundary: a closed set of codes, a stable reason, a message people may read.

use std::{collections::BTreeMap, fmt};

/// What kind of failure it is. Each maps to one gRPC status and one HTTP status (shared/contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is wrong whatever the state: 400.
    Invalid,
    /// Nobody is signed in: 401.
    Unauthenticated,
    /// The caller may not do this: 403.
    Forbidden,
    /// No such object in the caller's tenant: 404.
    NotFound,
    /// The present state forbids it: 409.
    Conflict,
    /// A limit is reached; trying later may work: 429.
    Busy,
    /// A needed part cannot be reached; trying again may work: 503.
    Unavailable,
    /// A fault of ours: 500.
    Internal,
}

/// A failure as callers see it.
///
/// `message` is safe for users; `context` goes to the log only and is never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of failure.
    pub code: Code,
    /// Stable, in snake_case, e.g. `name_duplicate`; listed in docs/errors.md.
    pub reason: &'static str,
    /// One sentence in lower case that says what is wrong and, where the reader can act, what to do.
    pub message: String,
    /// Facts for programs, e.g. the id of the object that has the name.
    pub meta: BTreeMap<String, String>,
    /// The field at fault, as a JSON pointer into the resource, e.g. `/displayName`; empty when it is not about a field.
    pub field: String,
    /// For the log.
    pub context: String,
}

impl Fault {
    /// A failure with a message people may read.
    pub fn new(code: Code, reason: &'static str, message: impl fmt::Display) -> Self {
        Self {
            code,
            reason,
            message: message.to_string(),
            meta: BTreeMap::new(),
            field: String::new(),
            context: String::new(),
        }
    }

    /// A fault of ours. The cause is for the log; users read a neutral sentence.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self {
            context: cause.to_string(),
            ..Self::new(
                Code::Internal,
                "internal",
                "something failed on our side; the log has the details",
            )
        }
    }

    /// No such object in the caller's tenant.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(
            Code::NotFound,
            "not_found",
            format_args!("no {what} has the id {id}"),
        )
    }

    /// Names the field at fault by its JSON pointer.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.field = pointer.to_owned();
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.meta.insert(key.to_owned(), value.to_string());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)?;
        if !self.context.is_empty() {
            write!(f, " ({})", self.context)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
