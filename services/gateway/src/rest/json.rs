//! JSON text to a tree, refusing keys that are given twice: whoever reads the first and whoever reads the last would
//! see different requests.

use super::problem::{FieldError, Place, Problem};
use centro_contract::pointer::escape;
use http::StatusCode;
use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::fmt;

/// Reads a body.
///
/// # Errors
/// `json_malformed`, or `validation_failed` with one `field_repeated` per key that is given twice.
pub fn parse(body: &[u8]) -> Result<Value, Problem> {
    let malformed = |error: serde_json::Error| {
        let detail = format!(
            "line {}, column {}: not valid JSON",
            error.line(),
            error.column()
        );
        Problem::new(StatusCode::BAD_REQUEST, "json_malformed", detail)
    };
    let mut repeated = vec![];
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = Seed {
        at: String::new(),
        repeated: &mut repeated,
    }
    .deserialize(&mut json)
    .map_err(malformed)?;
    json.end().map_err(malformed)?;
    if repeated.is_empty() {
        return Ok(value);
    }
    Err(Problem::fields(
        repeated
            .into_iter()
            .map(|pointer| {
                FieldError::new(
                    Place::Pointer(pointer),
                    "field_repeated",
                    "this key is given twice",
                )
            })
            .collect(),
    ))
}

struct Seed<'a> {
    at: String,
    repeated: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = vec![];
        let next = |i: usize| format!("{}/{i}", self.at);
        while let Some(item) = items.next_element_seed(Seed {
            at: next(out.len()),
            repeated: self.repeated,
        })? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let at = format!("{}/{}", self.at, escape(&key));
            if out.contains_key(&key) {
                self.repeated.push(at.clone());
            }
            out.insert(
                key,
                entries.next_value_seed(Seed {
                    at,
                    repeated: self.repeated,
                })?,
            );
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_given_twice_is_found_at_any_depth() {
        let problem =
            parse(br#"{"a": {"b": [1, {"c": 1, "c": 2}]}, "d/e": 1, "d/e": 1}"#).unwrap_err();
        let places: Vec<_> = problem
            .errors()
            .iter()
            .map(|error| format!("{:?}", error.place))
            .collect();
        assert_eq!(places, [r#"Pointer("/a/b/1/c")"#, r#"Pointer("/d~1e")"#]);
        assert_eq!(
            parse(br#"{"a": [1, -2, 1.5, true, null, "x"]}"#).unwrap()["a"][2],
            1.5
        );
        assert!(parse(b"{} x").is_err());
        assert!(parse(&[b'['; 100_000]).is_err(), "depth is bounded");
    }
}
