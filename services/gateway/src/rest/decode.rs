//! JSON to messages, strictly, with a JSON pointer and a stable code for every mistake.
//! (prost-reflect's own deserialiser stops at the first mistake and cannot say where it is.)

use super::{
    problem::{FieldError, Place, Problem},
    scalar::{expected, map_key, scalar},
};
use centro_contract::{options::Extensions, pointer::escape, rules::well_known};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};

/// Reads values and remembers every mistake.
pub struct Decoder<'a> {
    extensions: &'a Extensions,
    errors: Vec<FieldError>,
    nulls: bool,
}

impl<'a> Decoder<'a> {
    /// `nulls`: the body is a merge patch, in which `null` clears a field.
    pub fn new(extensions: &'a Extensions, nulls: bool) -> Self {
        Self {
            extensions,
            errors: vec![],
            nulls,
        }
    }
    /// # Errors
    /// 400 with every mistake there was.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::fields(self.errors))
        }
    }
    /// Remembers a mistake.
    pub fn fail(&mut self, place: Place, code: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(place, code, detail));
    }
    fn wrong<T>(&mut self, at: &str, code: &str, detail: impl Into<String>) -> Option<T> {
        self.fail(Place::Pointer(at.to_owned()), code, detail);
        None
    }

    /// A message from a JSON object; `at` is its pointer.
    pub fn message(
        &mut self,
        message: &MessageDescriptor,
        json: &Json,
        at: &str,
    ) -> Option<DynamicMessage> {
        if well_known(message) {
            return DynamicMessage::deserialize(message.clone(), json.clone())
                .ok()
                .or_else(|| {
                    // Spec E1 has a word of its own for letters in a threshold.
                    let code = if at.ends_with("/threshold") {
                        "threshold_not_numeric"
                    } else {
                        "field_type"
                    };
                    let detail = format!("not a {} in JSON", message.full_name());
                    self.wrong(at, code, detail)
                });
        }
        let Json::Object(object) = json else {
            return self.wrong(at, "field_type", "expected an object");
        };
        let mut out = DynamicMessage::new(message.clone());
        let (mut seen, mut chosen) = (HashSet::new(), HashMap::new());
        for (key, value) in object {
            let here = format!("{at}/{}", escape(key));
            let Some(field) = message
                .get_field_by_json_name(key)
                .or_else(|| message.get_field_by_name(key))
            else {
                self.fail(Place::Pointer(here), "field_unknown", "no such field");
                continue;
            };
            if !seen.insert(field.number()) {
                self.fail(
                    Place::Pointer(here),
                    "field_repeated",
                    "given twice, in both spellings",
                );
                continue;
            }
            // What the server decides may be sent back as it came: it is ignored (AIP-203).
            if self.extensions.is(&field, "OUTPUT_ONLY") {
                continue;
            }
            if value.is_null() && !well_known_value(&field) {
                if !self.nulls {
                    self.fail(
                        Place::Pointer(here),
                        "field_null",
                        "leave the field out instead of null",
                    );
                }
                continue;
            }
            if let Some(oneof) = field.containing_oneof().filter(|o| !o.is_synthetic())
                && let Some(other) = chosen.insert(oneof.name().to_owned(), key.clone())
            {
                self.fail(
                    Place::Pointer(here),
                    "oneof_conflict",
                    format!("cannot be given together with {other}"),
                );
                continue;
            }
            if let Some(value) = self.field(&field, value, &here) {
                out.set_field(&field, value);
            }
        }
        Some(out)
    }
    /// A field's value.
    pub fn field(&mut self, field: &FieldDescriptor, json: &Json, at: &str) -> Option<Value> {
        if field.is_map() {
            let (Json::Object(object), Kind::Message(entry)) = (json, field.kind()) else {
                return self.wrong(at, "field_type", "expected an object");
            };
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            let pairs = object
                .iter()
                .filter_map(|(k, v)| {
                    let here = format!("{at}/{}", escape(k));
                    let Some(k) = map_key(&key.kind(), k) else {
                        return self.wrong(&here, "field_type", "bad key");
                    };
                    Some((k, self.single(&value.kind(), v, &here)?))
                })
                .collect();
            return Some(Value::Map(pairs));
        }
        if field.is_list() {
            let Json::Array(items) = json else {
                return self.wrong(at, "field_type", "expected an array");
            };
            return Some(Value::List(
                items
                    .iter()
                    .enumerate()
                    .filter_map(|(i, v)| self.single(&field.kind(), v, &format!("{at}/{i}")))
                    .collect(),
            ));
        }
        self.single(&field.kind(), json, at)
    }
    fn single(&mut self, kind: &Kind, json: &Json, at: &str) -> Option<Value> {
        if let Kind::Message(message) = kind {
            return self.message(message, json, at).map(Value::Message);
        }
        scalar(kind, json).or_else(|| match kind {
            Kind::Enum(e) if json.is_string() => self.wrong(
                at,
                "enum_unknown",
                format!(
                    "expected one of {}",
                    e.values()
                        .map(|v| v.name().to_owned())
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ),
            kind => self.wrong(at, "field_type", format!("expected {}", expected(kind))),
        })
    }
    /// A value from a path or a query string, reported at `place`.
    pub fn text(&mut self, kind: &Kind, text: &str, place: &Place) -> Option<Value> {
        let json = match (kind, text) {
            (Kind::Bool, "true") => Json::Bool(true),
            (Kind::Bool, "false") => Json::Bool(false),
            (
                Kind::Int32
                | Kind::Sint32
                | Kind::Sfixed32
                | Kind::Uint32
                | Kind::Fixed32
                | Kind::Double
                | Kind::Float,
                n,
            ) if !n.starts_with('+') => n
                .parse::<serde_json::Number>()
                .map(Json::Number)
                .unwrap_or_else(|_| Json::String(n.into())),
            (_, text) => Json::String(text.into()),
        };
        let value = match kind {
            Kind::Message(m) => DynamicMessage::deserialize(m.clone(), json)
                .ok()
                .map(Value::Message),
            kind => scalar(kind, &json),
        };
        if value.is_none() {
            self.fail(
                place.clone(),
                if matches!(kind, Kind::Enum(_)) {
                    "enum_unknown"
                } else {
                    "parameter_type"
                },
                format!("expected {}", expected(kind)),
            );
        }
        value
    }
}

fn well_known_value(field: &FieldDescriptor) -> bool {
    field
        .kind()
        .as_message()
        .is_some_and(|m| m.full_name() == "google.protobuf.Value")
}
/// The field mask that a merge patch stands for: its leaves. Lists, maps and well-known types are replaced whole.
pub fn mask(
    extensions: &Extensions,
    message: &MessageDescriptor,
    json: &Json,
    prefix: &str,
    paths: &mut Vec<String>,
) {
    let Json::Object(object) = json else { return };
    for (key, value) in object {
        let Some(field) = message
            .get_field_by_json_name(key)
            .or_else(|| message.get_field_by_name(key))
        else {
            continue;
        };
        if extensions.is(&field, "OUTPUT_ONLY") {
            continue;
        }
        let path = format!("{prefix}{}", field.name());
        match (field.kind(), value) {
            (Kind::Message(inner), Json::Object(o))
                if !field.is_map() && !field.is_list() && !well_known(&inner) && !o.is_empty() =>
            {
                mask(extensions, &inner, value, &format!("{path}."), paths)
            }
            _ => paths.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_contract::Api;
    use serde_json::json;

    /// The codes of what is wrong with a queue, by place.
    fn mistakes(queue: &Json) -> Vec<(String, String)> {
        let api = Api::installed().unwrap();
        let name = "centro.configuration.v1.CallQueue";
        let descriptor = api.pool.get_message_by_name(name).unwrap();
        let mut decoder = Decoder::new(&api.extensions, false);
        decoder.message(&descriptor, queue, "");
        let place = |place: &Place| match place {
            Place::Pointer(at) | Place::Parameter(at) | Place::Header(at) => at.clone(),
        };
        let errors = decoder.errors.iter();
        errors.map(|e| (place(&e.place), e.code.clone())).collect()
    }

    #[test]
    fn a_threshold_that_is_no_duration_has_a_code_of_its_own() {
        for wrong in ["abc", "1h", "1e3", "\u{ff15}", ""] {
            let found = mistakes(&json!({"callback": {"threshold": wrong}}));
            let want = ("/callback/threshold", "threshold_not_numeric");
            assert_eq!(found, [(want.0.to_owned(), want.1.to_owned())], "{wrong}");
        }
        let found = mistakes(&json!({"wrapUp": "abc"}));
        assert_eq!(found, [("/wrapUp".to_owned(), "field_type".to_owned())]);
        for good in ["90s", "0s", "-5s"] {
            assert_eq!(mistakes(&json!({"callback": {"threshold": good}})), []);
        }
    }
}
