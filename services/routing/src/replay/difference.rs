//! What the log says beside what the rules say.

use super::At;
use crate::decision_log::line::only;
use serde::Serialize;
use serde_json::Value;
use std::{fmt, fmt::Write};

/// Differing fields that are shown of one step.
const SHOWN: usize = 12;
/// Characters of a value that are shown.
const WIDTH: usize = 60;

/// A place where the log is not what was written, or not what the rules decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which file.
    pub file: String,
    /// Which line of it, from 1.
    pub line: u64,
    /// What differs.
    pub text: String,
}

impl Difference {
    pub(super) fn new(at: At<'_>, text: String) -> Self {
        Self {
            file: at.file.display().to_string(),
            line: at.line,
            text,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// The fields in which two values differ, as a table; none when they are equal. `name` is what they are called.
pub(super) fn between<T: Serialize>(name: &str, log: &T, rules: &T) -> Option<String> {
    let (Ok(log), Ok(rules)) = (serde_json::to_value(log), serde_json::to_value(rules)) else {
        return Some("it cannot be compared".to_owned());
    };
    let mut rows = Vec::new();
    walk(name, &log, &rules, &mut rows);
    if rows.is_empty() {
        return None;
    }
    let width = rows.iter().take(SHOWN).map(|(path, ..)| path.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::from("the rules of this program say something else");
    let mut row = |path: &str, log: &str, rules: &str| {
        let _ = write!(text, "\n  {path:width$}  {log:WIDTH$}  {rules}");
    };
    row("", "the log says", "the rules say");
    for (path, log, rules) in rows.iter().take(SHOWN) {
        row(path, log, rules);
    }
    if rows.len() > SHOWN {
        let _ = write!(text, "\n  and {} fields more", rows.len() - SHOWN);
    }
    Some(text)
}

/// A message's name.
pub(super) fn variant<T: Serialize>(message: &T) -> String {
    match serde_json::to_value(message) {
        Ok(Value::String(name)) => name,
        Ok(value) => only(&value).map_or_else(String::new, |(name, _)| name.to_owned()),
        Err(_) => String::new(),
    }
}

fn walk(path: &str, log: &Value, rules: &Value, rows: &mut Vec<(String, String, String)>) {
    match (log, rules) {
        (Value::Object(a), Value::Object(b)) if a.keys().any(|name| b.contains_key(name)) => {
            for (name, log) in a {
                walk(
                    &format!("{path}.{name}"),
                    log,
                    b.get(name).unwrap_or(&Value::Null),
                    rows,
                );
            }
            for (name, rules) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                walk(&format!("{path}.{name}"), &Value::Null, rules, rows);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for n in 0..a.len().max(b.len()) {
                let (log, rules) = (a.get(n), b.get(n));
                let none = &Value::Null;
                walk(
                    &format!("{path}[{n}]"),
                    log.unwrap_or(none),
                    rules.unwrap_or(none),
                    rows,
                );
            }
        }
        _ if log != rules => rows.push((path.to_owned(), short(log), short(rules))),
        _ => {}
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    if text.chars().count() <= WIDTH {
        return text;
    }
    let kept: String = text.chars().take(WIDTH - 1).collect();
    format!("{kept}…")
}
