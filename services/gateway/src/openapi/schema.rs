//! Schemas of messages and enums. Names are qualified by their area (`routing.AgentStatus`), so that two areas may use
//! the same word.

use super::{comments, value};
use centro_contract::{
    Api,
    options::{Extensions, sub},
    rules::well_known,
};
use prost_reflect::{DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap};

/// What a schema is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the server says.
    Answer,
    /// What it is told.
    Input,
    /// A merge patch.
    Patch,
}

/// The schemas met so far.
pub struct Schemas<'a> {
    api: &'a Api,
    comments: HashMap<String, String>,
    /// By name.
    pub found: BTreeMap<String, Json>,
}

impl<'a> Schemas<'a> {
    /// None yet.
    pub fn new(api: &'a Api) -> Self {
        Self {
            api,
            comments: comments::comments(api),
            found: BTreeMap::new(),
        }
    }

    /// How the options are read.
    pub fn extensions(&self) -> &'a Extensions {
        &self.api.extensions
    }

    /// What the proto says about a name.
    pub fn comment(&self, name: &str) -> String {
        self.comments.get(name).cloned().unwrap_or_default()
    }

    /// A reference to a message's schema.
    pub fn reference(&mut self, message: &MessageDescriptor, side: Side) -> Json {
        let suffix = match side {
            Side::Answer => "",
            Side::Input => "Input",
            Side::Patch => "Patch",
        };
        let name = format!("{}{suffix}", qualified(message.full_name()));
        if !self.found.contains_key(&name) {
            self.found.insert(name.clone(), Json::Null); // stops recursion
            let schema = self.object(message, side, &[]);
            self.found.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A message's schema without the fields in `skip`.
    pub fn object(
        &mut self,
        message: &MessageDescriptor,
        side: Side,
        skip: &[FieldDescriptor],
    ) -> Json {
        let (mut properties, mut required) = (Map::new(), vec![]);
        for field in message.fields().filter(|field| !skip.contains(field)) {
            let output_only = self.extensions().is(&field, "OUTPUT_ONLY");
            let input_only = self.extensions().is(&field, "INPUT_ONLY");
            if side != Side::Answer && output_only {
                continue;
            }
            let must = self.extensions().is(&field, "REQUIRED");
            let name = field.json_name().to_owned();
            // Answers always carry what has no presence.
            if match side {
                Side::Answer => !field.supports_presence(),
                Side::Input => must,
                Side::Patch => false,
            } {
                required.push(name.clone());
            }
            let mut schema = self.field(&field, side);
            if side == Side::Patch && !must {
                schema = json!({"anyOf": [schema, {"type": "null"}]});
            }
            let text = self.comment(field.full_name());
            if !text.is_empty() {
                schema["description"] = json!(text);
            }
            if output_only {
                schema["readOnly"] = json!(true);
            }
            if input_only {
                schema["writeOnly"] = json!(true);
            }
            let default = self
                .extensions()
                .default(&field)
                .filter(|_| side == Side::Input);
            if let Some(default) = default.and_then(|json| serde_json::from_str::<Json>(&json).ok())
            {
                schema["default"] = default;
            }
            properties.insert(name, schema);
        }
        let mut out = json!({"type": "object", "properties": properties});
        let text = self.comment(message.full_name());
        if !text.is_empty() {
            out["description"] = json!(text);
        }
        if !required.is_empty() {
            out["required"] = json!(required);
        }
        if side != Side::Answer {
            out["additionalProperties"] = json!(false);
        }
        let exclusive = exclusive(message, side);
        // `not` and no `allOf`: an intersection type would switch off TypeScript's check for unknown fields.
        match exclusive.as_slice() {
            [] => {}
            [one] => out["not"] = one.clone(),
            more => out["not"] = json!({"anyOf": more}),
        }
        out
    }

    /// A field's schema.
    pub fn field(&mut self, field: &FieldDescriptor, side: Side) -> Json {
        let rules = self.extensions().rules(field);
        let rule = |kind: &str| rules.as_ref().and_then(|rules| sub(rules, kind));
        if field.is_map() {
            let (Kind::Message(entry), rule) = (field.kind(), rule("map")) else {
                return json!({"type": "object"});
            };
            let inner = rule.as_ref().and_then(|rule| sub(rule, "values"));
            let values = self.single(&entry.map_entry_value_field(), side, inner.as_ref());
            let mut schema = json!({"type": "object", "additionalProperties": values});
            let keys = rule
                .as_ref()
                .and_then(|rule| sub(rule, "keys"))
                .and_then(|keys| sub(&keys, "string"));
            if let Some(keys) = keys {
                value::copy(&mut schema["propertyNames"], Some(&keys), &value::TEXT);
            }
            value::copy(
                &mut schema,
                rule.as_ref(),
                &[
                    ("min_pairs", "minProperties"),
                    ("max_pairs", "maxProperties"),
                ],
            );
            return schema;
        }
        if field.is_list() {
            let rule = rule("repeated");
            let inner = rule.as_ref().and_then(|rule| sub(rule, "items"));
            let mut schema =
                json!({"type": "array", "items": self.single(field, side, inner.as_ref())});
            let names = [
                ("min_items", "minItems"),
                ("max_items", "maxItems"),
                ("unique", "uniqueItems"),
            ];
            value::copy(&mut schema, rule.as_ref(), &names);
            return schema;
        }
        self.single(field, side, rules.as_ref())
    }

    fn single(
        &mut self,
        field: &FieldDescriptor,
        side: Side,
        rules: Option<&DynamicMessage>,
    ) -> Json {
        match field.kind() {
            Kind::Message(message) if !well_known(&message) => self.reference(&message, side),
            Kind::Enum(values) => self.enumeration(&values),
            kind => value::schema(&kind, rules),
        }
    }

    fn enumeration(&mut self, values: &EnumDescriptor) -> Json {
        let name = qualified(values.full_name());
        if !self.found.contains_key(&name) {
            let names: Vec<_> = values
                .values()
                .map(|value| value.name().to_owned())
                .collect();
            let lines = values.values().filter_map(|value| {
                let text = self.comment(value.full_name());
                (!text.is_empty()).then(|| format!("- `{}`: {text}", value.name()))
            });
            let lines: Vec<_> = [self.comment(values.full_name())]
                .into_iter()
                .chain(lines)
                .collect();
            let mut schema = json!({"type": "string", "enum": names});
            let text = lines.join("\n").trim().to_owned();
            if !text.is_empty() {
                schema["description"] = json!(text);
            }
            self.found.insert(name.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }
}

/// `centro.routing.v1.AgentStatus` is `routing.AgentStatus`.
fn qualified(name: &str) -> String {
    let name = name.strip_prefix("centro.").unwrap_or(name);
    name.split('.')
        .filter(|part| *part != "v1")
        .collect::<Vec<_>>()
        .join(".")
}

/// Pairs of fields that exclude each other, as schemas that must not fit.
fn exclusive(message: &MessageDescriptor, side: Side) -> Vec<Json> {
    let mut out = vec![];
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let names: Vec<String> = oneof
            .fields()
            .map(|field| field.json_name().to_owned())
            .collect();
        for (i, one) in names.iter().enumerate() {
            for other in &names[i + 1..] {
                let mut both = json!({"required": [one, other]});
                if side == Side::Patch {
                    // A null clears and may stand beside another field.
                    let given = json!({"not": {"type": "null"}});
                    both["properties"] = json!({(one): given, (other): given});
                }
                out.push(both);
            }
        }
    }
    out
}
