//! What became of a row: figures, and what should have been otherwise.

use serde_json::{Map, Value, json};

/// The result of a row. It is ok until something was not as it must be.
#[derive(Debug, Default)]
pub struct Outcome {
    figures: Map<String, Value>,
    broken: Vec<String>,
}

impl Outcome {
    /// Notes a figure.
    pub fn figure(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Adds to a count.
    pub fn count(&mut self, name: &str, more: usize) {
        let so_far = self.figures.get(name).and_then(Value::as_u64);
        self.figure(name, so_far.unwrap_or(0) + more as u64);
    }

    /// Adds to a count that must stay zero.
    pub fn none(&mut self, name: &str, more: usize) {
        self.count(name, more);
        self.must(more == 0, format!("{name}: {more}"));
    }

    /// Notes a figure if it is the greatest so far.
    pub fn most(&mut self, name: &str, value: Option<f64>) {
        let so_far = self.figures.get(name).and_then(Value::as_f64);
        self.figure(name, so_far.into_iter().chain(value).reduce(f64::max));
    }

    /// Notes the greatest of figures that must not exceed the limit. One that is not there is broken too.
    pub fn at_most(&mut self, name: &str, value: Option<f64>, limit: f64) {
        self.most(name, value);
        self.must(
            value.is_some_and(|value| value <= limit),
            format!("{name}: {value:?}, not {limit} at most"),
        );
    }

    /// Something that must hold, and what is said when it does not.
    pub fn must(&mut self, holds: bool, otherwise: String) {
        if !holds {
            self.broken.push(otherwise);
        }
    }

    /// Whether all was as it must be.
    pub fn is_ok(&self) -> bool {
        self.broken.is_empty()
    }

    /// `ok`, the figures, and `broken` where something is.
    pub fn json(&self) -> Value {
        let mut all = Map::new();
        all.insert("ok".into(), json!(self.is_ok()));
        all.extend(self.figures.clone());
        if !self.is_ok() {
            all.insert("broken".into(), json!(self.broken));
        }
        Value::Object(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_ok_until_something_is_not_as_it_must_be() {
        let mut outcome = Outcome::default();
        outcome.none("lost", 0);
        outcome.at_most("gap_ms", Some(20.0), 200.0);
        assert_eq!(
            outcome.json().to_string(),
            r#"{"gap_ms":20.0,"lost":0,"ok":true}"#
        );
        outcome.at_most("resume_ms", None, 3_000.0);
        assert!(!outcome.is_ok() && outcome.json()["broken"][0].is_string());
    }
}
