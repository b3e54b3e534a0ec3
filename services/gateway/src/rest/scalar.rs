//! JSON scalars to protobuf values (ProtoJSON).

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost_reflect::{Kind, MapKey, Value};
use serde_json::Value as Json;

/// What a field takes, for people.
pub fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "true or false".into(),
        Kind::String => "a string".into(),
        Kind::Bytes => "base64".into(),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "a 32-bit integer".into(),
        Kind::Uint32 | Kind::Fixed32 => "a 32-bit integer, not negative".into(),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
            "a 64-bit integer, as a string".into()
        }
        Kind::Float | Kind::Double => "a number".into(),
        Kind::Enum(e) => format!(
            "one of {}",
            e.values()
                .map(|v| v.name().to_owned())
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Kind::Message(m) => format!("a {}", m.full_name()),
    }
}
fn integer(json: &Json) -> Option<i128> {
    let n = json.as_number()?;
    n.as_i64()
        .map(i128::from)
        .or_else(|| n.as_u64().map(i128::from))
        .or_else(|| {
            n.as_f64()
                .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
                .map(|f| f as i128)
        })
}
/// 64-bit numbers are strings in JSON: many readers of JSON numbers round them.
fn long(json: &Json) -> Option<i128> {
    json.as_str()?.parse().ok()
}
/// A scalar or enum; `None` when the JSON is something else.
pub fn scalar(kind: &Kind, json: &Json) -> Option<Value> {
    Some(match kind {
        Kind::Bool => Value::Bool(json.as_bool()?),
        Kind::String => Value::String(json.as_str()?.to_owned()),
        Kind::Bytes => Value::Bytes(base64(json.as_str()?)?.into()),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(integer(json)?.try_into().ok()?),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(integer(json)?.try_into().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(long(json)?.try_into().ok()?),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(long(json)?.try_into().ok()?),
        Kind::Double => Value::F64(float(json)?),
        Kind::Float => Value::F32(float(json)? as f32),
        Kind::Enum(e) => Value::EnumNumber(e.get_value_by_name(json.as_str()?)?.number()),
        Kind::Message(_) => return None,
    })
}
fn float(json: &Json) -> Option<f64> {
    json.as_f64().or(match json.as_str()? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    })
}
fn base64(text: &str) -> Option<Vec<u8>> {
    const EITHER: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    GeneralPurpose::new(&alphabet, EITHER).decode(text).ok()
}
/// A map's key from its JSON spelling.
pub fn map_key(kind: &Kind, key: &str) -> Option<MapKey> {
    Some(match kind {
        Kind::String => MapKey::String(key.to_owned()),
        Kind::Bool => MapKey::Bool(key.parse().ok()?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(key.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(key.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(key.parse().ok()?),
        _ => MapKey::U64(key.parse().ok()?),
    })
}
