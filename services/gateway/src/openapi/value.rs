//! JSON Schema of single values: what the field rules of a proto mean for them.

use super::range::range;
use centro_contract::options::{set, sub};
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};
use serde_json::{Value as Json, json};

/// Rules of texts.
pub const TEXT: [(&str, &str); 3] = [
    ("min_len", "minLength"),
    ("max_len", "maxLength"),
    ("pattern", "pattern"),
];
const NUMBER: [(&str, &str); 2] = [("gte", "minimum"), ("lte", "maximum")];
const BASE64: &str =
    "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// The schema of a scalar or well-known type.
pub fn schema(kind: &Kind, rules: Option<&DynamicMessage>) -> Json {
    let rule = |name: &str| rules.and_then(|rules| sub(rules, name));
    let ruled = |mut schema: Json, name: &str, names: &[(&str, &str)]| {
        copy(&mut schema, rule(name).as_ref(), names);
        schema
    };
    match kind {
        Kind::Message(message) => well_known(message, rule("duration").as_ref()),
        Kind::Enum(_) => json!({"type": "string"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => ruled(json!({"type": "string"}), "string", &TEXT),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64", "pattern": BASE64}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            let any = json!({"type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX});
            ruled(any, "int32", &NUMBER)
        }
        Kind::Uint32 | Kind::Fixed32 => ruled(
            json!({"type": "integer", "format": "uint32", "minimum": 0, "maximum": u32::MAX}),
            "uint32",
            &NUMBER,
        ),
        // 64 bits do not fit into a JavaScript number.
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"})
        }
        Kind::Uint64 | Kind::Fixed64 => {
            json!({"type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"})
        }
        Kind::Float => json!({"type": "number", "format": "float"}),
        Kind::Double => json!({"type": "number", "format": "double"}),
    }
}

/// Copies rules into a schema under their JSON Schema names.
pub fn copy(schema: &mut Json, rules: Option<&DynamicMessage>, names: &[(&str, &str)]) {
    let Some(rules) = rules else { return };
    for (from, to) in names {
        let value = match set(rules, from) {
            Some(Value::Bool(value)) => json!(value),
            Some(Value::I32(value)) => json!(value),
            Some(Value::I64(value)) => json!(value),
            Some(Value::U32(value)) => json!(value),
            Some(Value::U64(value)) => json!(value),
            Some(Value::String(value)) => json!(value),
            _ => continue,
        };
        schema[*to] = value;
    }
}

fn well_known(message: &MessageDescriptor, duration: Option<&DynamicMessage>) -> Json {
    match message.name() {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => {
            let limit = |name| {
                let limit = duration.and_then(|rule| sub(rule, name))?;
                u64::try_from(set(&limit, "seconds").map_or(Some(0), |seconds| seconds.as_i64())?)
                    .ok()
            };
            match (limit("gte"), limit("lte")) {
                (Some(low), Some(high)) if low < high => json!({
                    "type": "string",
                    "pattern": format!("^(?:(?:{})(?:\\.[0-9]{{1,9}})?|{high}(?:\\.0{{1,9}})?)s$", range(low, high - 1)),
                    "x-minimum": format!("{low}s"),
                    "x-maximum": format!("{high}s"),
                }),
                _ => json!({"type": "string", "pattern": "^-?[0-9]{1,12}(?:\\.[0-9]{1,9})?s$"}),
            }
        }
        "FieldMask" => json!({"type": "string"}),
        _ => json!({"type": "object"}),
    }
}
