//! Checks messages against the rules of their fields. Reports every violation at once.

use super::{Check, Range, Rule, Rules, integer, nanos};
use crate::Api;
use centro_kernel::{Code, Fault};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage, Value};

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's place in proto spelling, e.g. `call_queue.tags[2]` or `skills["it"]`.
    pub path: String,
    /// Stable, listed in docs/errors.md.
    pub code: &'static str,
    /// What is wrong, for people.
    pub detail: String,
}

/// Codes of the specification that are more exact than the general ones: field, general code, code.
const EXACT: [(&str, &str, &str); 3] = [
    ("display_name", "text_too_short", "name_empty"),
    ("display_name", "text_too_long", "name_too_long"),
    ("extension", "pattern_mismatch", "extension_bad_format"),
];

impl Rules {
    /// Every rule that the message breaks, at any depth.
    pub fn check(&self, message: &DynamicMessage) -> Vec<Violation> {
        let mut found = vec![];
        self.walk(message, "", &mut found);
        found
    }

    fn walk(&self, message: &DynamicMessage, at: &str, found: &mut Vec<Violation>) {
        for ruled in self.of(&message.descriptor()) {
            let field = &ruled.field;
            let path = if at.is_empty() {
                field.name().to_owned()
            } else {
                format!("{at}.{}", field.name())
            };
            let present = message.has_field(field);
            if !present && ruled.rule.required {
                fail(found, &path, "field_required", "this field is needed");
                continue;
            }
            // What can be absent and is, breaks nothing; the rest has its zero value.
            if !present && (field.supports_presence() || ruled.output_only) {
                continue;
            }
            value(
                self,
                &ruled.rule,
                &field.kind(),
                &message.get_field(field),
                &path,
                found,
            );
        }
    }
}

/// Checks one value, whatever its shape.
pub(super) fn value(
    rules: &Rules,
    rule: &Rule,
    kind: &Kind,
    value: &Value,
    at: &str,
    found: &mut Vec<Violation>,
) {
    match value {
        Value::List(list) => items(rules, rule, kind, list, at, found),
        Value::Map(map) => {
            let Kind::Message(entry) = kind else { return };
            let (key_kind, value_kind) = (
                entry.map_entry_key_field().kind(),
                entry.map_entry_value_field().kind(),
            );
            let none = Rule::default();
            let (keys, values) = match &rule.check {
                Check::Map {
                    pairs,
                    keys,
                    values,
                } => {
                    count(
                        *pairs,
                        map.len(),
                        at,
                        ("pairs_too_few", "pairs_too_many"),
                        "entries",
                        found,
                    );
                    (&**keys, &**values)
                }
                _ => (&none, &none),
            };
            for (key, inner) in map {
                let here = format!("{at}[{}]", key_text(key));
                single(
                    rules,
                    keys,
                    &key_kind,
                    &Value::from(key.clone()),
                    &here,
                    found,
                );
                single(rules, values, &value_kind, inner, &here, found);
            }
        }
        value => single(rules, rule, kind, value, at, found),
    }
}

fn items(
    rules: &Rules,
    rule: &Rule,
    kind: &Kind,
    list: &[Value],
    at: &str,
    found: &mut Vec<Violation>,
) {
    let none = Rule::default();
    let each = match &rule.check {
        Check::List {
            items,
            unique,
            each,
        } => {
            count(
                *items,
                list.len(),
                at,
                ("items_too_few", "items_too_many"),
                "items",
                found,
            );
            if *unique {
                // Lists are bounded by the size of a request; those with this rule also by max_items.
                for (i, item) in list.iter().enumerate().take(1000) {
                    if list[..i].contains(item) {
                        fail(
                            found,
                            &format!("{at}[{i}]"),
                            "items_repeated",
                            "this item is given twice",
                        );
                    }
                }
            }
            each
        }
        _ => &none,
    };
    for (i, item) in list.iter().enumerate() {
        single(rules, each, kind, item, &format!("{at}[{i}]"), found);
    }
}

fn single(
    rules: &Rules,
    rule: &Rule,
    kind: &Kind,
    value: &Value,
    at: &str,
    found: &mut Vec<Violation>,
) {
    match (&rule.check, value) {
        (Check::Integer(range), value) => {
            if let Some(n) = integer(value) {
                if range.min.is_some_and(|min| n < min) {
                    fail(found, at, "value_too_small", between(*range, 1, ""));
                } else if range.max.is_some_and(|max| n > max) {
                    fail(found, at, "value_too_large", between(*range, 1, ""));
                }
            }
        }
        (Check::Text { chars, pattern }, Value::String(text)) => {
            count(
                *chars,
                text.chars().count(),
                at,
                ("text_too_short", "text_too_long"),
                "characters",
                found,
            );
            if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                fail(
                    found,
                    at,
                    "pattern_mismatch",
                    format!("must match {pattern}"),
                );
            }
        }
        (Check::Bytes(range), Value::Bytes(bytes)) => {
            count(
                *range,
                bytes.len(),
                at,
                ("bytes_too_few", "bytes_too_many"),
                "bytes",
                found,
            );
        }
        (Check::Defined, Value::EnumNumber(number)) => {
            if let Kind::Enum(values) = kind
                && values.get_value(*number).is_none()
            {
                fail(
                    found,
                    at,
                    "enum_unknown",
                    "not one of the values of this field",
                );
            }
        }
        (Check::Duration(range), Value::Message(duration)) => {
            let n = nanos(duration);
            if range.min.is_some_and(|min| n < min) || range.max.is_some_and(|max| n > max) {
                fail(
                    found,
                    at,
                    "duration_out_of_range",
                    between(*range, 1_000_000_000, "s"),
                );
            }
        }
        _ => {}
    }
    if let Value::Message(message) = value {
        rules.walk(message, at, found);
    }
}

fn count(
    range: Range,
    n: usize,
    at: &str,
    (few, many): (&'static str, &'static str),
    what: &str,
    found: &mut Vec<Violation>,
) {
    let n = i128::try_from(n).unwrap_or(i128::MAX);
    if range.min.is_some_and(|min| n < min) {
        fail(found, at, few, format!("{} {what}", between(range, 1, "")));
    } else if range.max.is_some_and(|max| n > max) {
        fail(found, at, many, format!("{} {what}", between(range, 1, "")));
    }
}

fn between(range: Range, unit: i128, suffix: &str) -> String {
    match (range.min.map(|n| n / unit), range.max.map(|n| n / unit)) {
        (Some(min), Some(max)) => format!("must be {min}{suffix} to {max}{suffix}"),
        (Some(min), None) => format!("must be at least {min}{suffix}"),
        (None, Some(max)) => format!("must be at most {max}{suffix}"),
        (None, None) => "may be anything".to_owned(),
    }
}

fn fail(found: &mut Vec<Violation>, at: &str, code: &'static str, detail: impl Into<String>) {
    let field = at.rsplit('.').next().unwrap_or(at);
    let exact = EXACT
        .iter()
        .find(|(name, general, _)| *name == field && *general == code);
    found.push(Violation {
        path: at.to_owned(),
        code: exact.map_or(code, |(.., code)| code),
        detail: detail.into(),
    });
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => format!("\"{key}\""),
    }
}

/// Every rule that a generated message breaks.
///
/// # Errors
/// A fault of ours when the message is not part of this build's descriptors.
pub fn violations<M: Message + Name>(message: &M) -> Result<Vec<Violation>, Fault> {
    let api = Api::installed().map_err(Fault::internal)?;
    let name = M::full_name();
    let descriptor = api
        .pool
        .get_message_by_name(&name)
        .ok_or_else(|| Fault::internal(format_args!("{name} is not in the descriptor set")))?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .map_err(Fault::internal)?;
    Ok(api.rules.check(&dynamic))
}

/// Checks a whole resource, e.g. what a masked update made of it: the guard sees only the fields that were sent.
///
/// # Errors
/// `validation_failed`, or the exact code of the specification (`name_empty`, `duration_out_of_range` …), at the first
/// field that breaks its rule; `meta.violations` counts them all.
pub fn check_resource<M: Message + Name>(resource: &M) -> Result<(), Fault> {
    let broken = violations(resource)?;
    let Some(first) = broken.first() else {
        return Ok(());
    };
    Err(Fault::new(Code::Invalid, first.code, &first.detail)
        .at(&pointer::<M>(&first.path))
        .with("violations", broken.len()))
}

/// The JSON pointer of a proto path into `M`.
fn pointer<M: Name>(path: &str) -> String {
    match centro_proto::POOL.get_message_by_name(&M::full_name()) {
        Some(descriptor) => crate::pointer::of(&descriptor, path),
        None => String::new(),
    }
}
