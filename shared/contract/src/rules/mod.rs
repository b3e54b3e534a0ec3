//! The rules that protos put on fields (`buf.validate`, the subset in proto/buf/validate) and their defaults
//! (`centro.field`). Compiled once from the descriptors; a rule that makes no sense is an error at start.

mod check;
mod defaults;

pub use check::{Violation, check_resource, violations};

use crate::options::{Extensions, set, sub};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value,
};
use regex::Regex;
use std::collections::HashMap;

/// A rule or default that makes no sense.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{field}: {why}")]
pub struct RuleError {
    /// Full name of the field.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

/// Field rules and defaults of every message of `centro.*`, by the message's full name.
#[derive(Debug)]
pub struct Rules(HashMap<String, Vec<Ruled>>);

/// A field that has a rule, a default, or messages below it.
#[derive(Debug)]
struct Ruled {
    field: FieldDescriptor,
    rule: Rule,
    default: Option<Value>,
    output_only: bool,
}

#[derive(Debug, Default)]
struct Rule {
    required: bool,
    check: Check,
}

#[derive(Debug, Default)]
enum Check {
    #[default]
    Nothing,
    Integer(Range),
    Text {
        chars: Range,
        pattern: Option<Regex>,
    },
    Bytes(Range),
    Defined,
    List {
        items: Range,
        unique: bool,
        each: Box<Rule>,
    },
    Map {
        pairs: Range,
        keys: Box<Rule>,
        values: Box<Rule>,
    },
    /// In nanoseconds.
    Duration(Range),
}

/// An inclusive range with open ends.
#[derive(Debug, Clone, Copy, Default)]
struct Range {
    min: Option<i128>,
    max: Option<i128>,
}

impl Rules {
    /// Compiles the rules of all messages of the packages `centro.*`.
    ///
    /// # Errors
    /// [`RuleError`] for a rule of the wrong kind, a pattern that does not compile, or a default that is no value of
    /// its field or breaks its rule.
    pub fn load(pool: &DescriptorPool, extensions: &Extensions) -> Result<Self, RuleError> {
        let mut rules = HashMap::new();
        let ours =
            |m: &MessageDescriptor| m.package_name().starts_with("centro") && !m.is_map_entry();
        for message in pool.all_messages().filter(ours) {
            let mut ruled = vec![];
            for field in message.fields() {
                let wrong = |why: String| RuleError {
                    field: field.full_name().to_owned(),
                    why,
                };
                let rule = match extensions.rules(&field) {
                    Some(options) => compile(&options, &field).map_err(wrong)?,
                    None => Rule::default(),
                };
                let default = match extensions.default(&field) {
                    Some(json) => Some(default(&field, &json, &rule).map_err(wrong)?),
                    None => None,
                };
                let plain = !rule.required && matches!(rule.check, Check::Nothing);
                if !plain || default.is_some() || holds_messages(&field) {
                    let output_only = extensions.is(&field, "OUTPUT_ONLY");
                    ruled.push(Ruled {
                        field,
                        rule,
                        default,
                        output_only,
                    });
                }
            }
            rules.insert(message.full_name().to_owned(), ruled);
        }
        Ok(Self(rules))
    }

    fn of(&self, message: &MessageDescriptor) -> &[Ruled] {
        self.0.get(message.full_name()).map_or(&[], Vec::as_slice)
    }
}

fn holds_messages(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            matches!(entry.map_entry_value_field().kind(), Kind::Message(m) if !well_known(&m))
        }
        Kind::Message(message) => !well_known(&message),
        _ => false,
    }
}

/// Whether it is one of `google.protobuf`, which have no rules inside and a JSON form of their own.
pub fn well_known(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
}

/// The rule for a field as declared: repeated and map rules stand beside it, others on it.
fn compile(options: &DynamicMessage, field: &FieldDescriptor) -> Result<Rule, String> {
    let required = set(options, "required")
        .and_then(|v| v.as_bool())
        .unwrap_or(false);
    let check = if field.is_map() {
        let Kind::Message(entry) = field.kind() else {
            return Err("a map without entries".into());
        };
        match only(options, "map")? {
            None => Check::Nothing,
            Some(rule) => Check::Map {
                pairs: range(&rule, "min_pairs", "max_pairs"),
                keys: Box::new(nested(&rule, "keys", &entry.map_entry_key_field())?),
                values: Box::new(nested(&rule, "values", &entry.map_entry_value_field())?),
            },
        }
    } else if field.is_list() {
        match only(options, "repeated")? {
            None => Check::Nothing,
            Some(rule) => Check::List {
                items: range(&rule, "min_items", "max_items"),
                unique: set(&rule, "unique")
                    .and_then(|v| v.as_bool())
                    .unwrap_or(false),
                each: Box::new(nested(&rule, "items", field)?),
            },
        }
    } else {
        single(options, &field.kind())?
    };
    Ok(Rule { required, check })
}

fn nested(rule: &DynamicMessage, name: &str, field: &FieldDescriptor) -> Result<Rule, String> {
    let Some(options) = sub(rule, name) else {
        return Ok(Rule::default());
    };
    Ok(Rule {
        required: false,
        check: single(&options, &field.kind())?,
    })
}

fn single(options: &DynamicMessage, kind: &Kind) -> Result<Check, String> {
    let name = match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "int32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "int64",
        Kind::Uint32 | Kind::Fixed32 => "uint32",
        Kind::Uint64 | Kind::Fixed64 => "uint64",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Enum(_) => "enum",
        Kind::Message(m) if m.full_name() == "google.protobuf.Duration" => "duration",
        _ => "",
    };
    let Some(rule) = only(options, name)? else {
        return Ok(Check::Nothing);
    };
    Ok(match name {
        "string" => Check::Text {
            chars: range(&rule, "min_len", "max_len"),
            pattern: match set(&rule, "pattern").as_ref().and_then(Value::as_str) {
                Some(pattern) => Some(Regex::new(pattern).map_err(|error| error.to_string())?),
                None => None,
            },
        },
        "bytes" => Check::Bytes(range(&rule, "min_len", "max_len")),
        "enum" => match set(&rule, "defined_only").and_then(|v| v.as_bool()) {
            Some(true) => Check::Defined,
            _ => Check::Nothing,
        },
        "duration" => Check::Duration(Range {
            min: sub(&rule, "gte").map(|d| nanos(&d)),
            max: sub(&rule, "lte").map(|d| nanos(&d)),
        }),
        _ => Check::Integer(range(&rule, "gte", "lte")),
    })
}

/// The type rule called `name`; another one does not fit the field.
fn only(options: &DynamicMessage, name: &str) -> Result<Option<DynamicMessage>, String> {
    for oneof in options.descriptor_ref().oneofs() {
        for field in oneof.fields().filter(|field| options.has_field(field)) {
            if field.name() != name {
                return Err(format!(
                    "a rule for {} does not fit this field",
                    field.name()
                ));
            }
        }
    }
    Ok((!name.is_empty()).then(|| sub(options, name)).flatten())
}

fn range(rule: &DynamicMessage, min: &str, max: &str) -> Range {
    let limit = |name| set(rule, name).as_ref().and_then(integer);
    Range {
        min: limit(min),
        max: limit(max),
    }
}

fn integer(value: &Value) -> Option<i128> {
    Some(match value {
        Value::I32(n) => i128::from(*n),
        Value::I64(n) => i128::from(*n),
        Value::U32(n) => i128::from(*n),
        Value::U64(n) => i128::from(*n),
        _ => return None,
    })
}

/// A `google.protobuf.Duration` in nanoseconds.
fn nanos(duration: &DynamicMessage) -> i128 {
    let part = |name: &str| {
        duration
            .get_field_by_name(name)
            .as_deref()
            .and_then(integer)
            .unwrap_or(0)
    };
    part("seconds") * 1_000_000_000 + part("nanos")
}

fn default(field: &FieldDescriptor, json: &str, rule: &Rule) -> Result<Value, String> {
    if !field.supports_presence() && !matches!(field.kind(), Kind::Enum(_)) {
        return Err(
            "a default needs a field that can be absent (`optional`, an enum or a message)".into(),
        );
    }
    // A one-field message lets prost-reflect do the ProtoJSON work.
    let text = format!("{{\"{}\":{json}}}", field.json_name());
    let mut json = serde_json::Deserializer::from_str(&text);
    let message = DynamicMessage::deserialize(field.parent_message().clone(), &mut json)
        .map_err(|error| format!("bad default: {error}"))?;
    let value = message.get_field(field).into_owned();
    let mut broken = vec![];
    check::value(
        &Rules(HashMap::new()),
        rule,
        &field.kind(),
        &value,
        field.name(),
        &mut broken,
    );
    match broken.first() {
        Some(violation) => Err(format!(
            "the default breaks its own rule: {}",
            violation.detail
        )),
        None => Ok(value),
    }
}

trait DescriptorRef {
    fn descriptor_ref(&self) -> MessageDescriptor;
}

impl DescriptorRef for DynamicMessage {
    fn descriptor_ref(&self) -> MessageDescriptor {
        prost_reflect::ReflectMessage::descriptor(self)
    }
}
