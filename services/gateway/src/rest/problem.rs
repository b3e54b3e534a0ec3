//! RFC 9457 problems: what callers get when something is wrong. `code` is stable, listed in docs/errors.md.

use super::Answer;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header};
use serde::Serialize;
use std::collections::BTreeMap;

/// Where in the request a mistake is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// JSON pointer (RFC 6901) into the body.
    Pointer(String),
    /// Path or query parameter.
    Parameter(String),
    /// Header.
    Header(String),
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Stable.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl FieldError {
    /// A mistake.
    pub fn new(place: Place, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            place,
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// A refused or failed request. Boxed, because it travels in every `Result`.
#[derive(Debug)]
pub struct Problem(Box<Members>);

#[derive(Debug, Serialize)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    instance: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    meta: BTreeMap<String, String>,
    #[serde(skip)]
    headers: HeaderMap,
}

impl Problem {
    /// A problem with a stable code.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        let code = code.into();
        Self(Box::new(Members {
            kind: format!("urn:centro:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            instance: String::new(),
            errors: vec![],
            meta: BTreeMap::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// 400 with every mistake.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = "the request does not match the API document";
        Self::new(StatusCode::BAD_REQUEST, "validation_failed", detail).with_errors(errors)
    }

    /// 405 with `Allow`.
    pub fn verb_not_allowed(verbs: &[Verb]) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this path answers other methods",
        );
        let allow = verbs
            .iter()
            .map(Verb::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        if let Ok(value) = HeaderValue::from_str(&allow) {
            problem.0.headers.insert(header::ALLOW, value);
        }
        problem
    }

    /// 502: a service broke the contract.
    pub fn malformed_reply() -> Self {
        let detail = "the service answered with something else than this operation's message";
        Self::new(StatusCode::BAD_GATEWAY, "reply_malformed", detail)
    }

    /// Adds the mistakes.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Adds facts for programs.
    #[must_use]
    pub fn with_meta(mut self, meta: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.meta.extend(meta);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Says which request it was.
    #[must_use]
    pub fn of_request(mut self, id: &str) -> Self {
        self.0.instance = format!("urn:centro:request:{id}");
        self
    }

    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The mistakes.
    #[cfg(test)]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The problem as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_else(|_| r#"{"code":"internal"}"#.to_owned())
    }

    /// The problem as an answer.
    pub fn answer(self) -> Answer {
        let (status, body) = (self.status(), Bytes::from(self.json()));
        let mut headers = self.0.headers;
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Answer::Whole {
            status,
            headers,
            body,
        }
    }
}
