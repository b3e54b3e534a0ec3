//! What integrators are told, as an AsyncAPI 3 document and as JSON Schemas, from the same descriptors that the events are made
//! of. `cargo xtask events` writes them to docs/integrators.
//!
//! Lists of values are open (`examples`, not `enum`): versions only grow, and a reader must let a new value pass.

mod envelope;

use crate::openapi::{Schemas, Side};
use centro_contract::Api;
use centro_events::{Kind, catalogue, schema_uri};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// Where schemas are in the document, and in a schema that stands alone.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";
/// The exchange's default name.
const EXCHANGE: &str = "centro.events.public";

/// The document.
pub fn document(api: &Api) -> Json {
    let mut schemas = Schemas::new(api);
    let (mut channels, mut operations) = (Map::new(), Map::new());
    let mut messages = Map::new();
    for kind in public() {
        let name = kind.name.clone();
        channels.insert(name.clone(), channel(&name));
        operations.insert(format!("tell.{name}"), operation(&name));
        messages.insert(name, message(&mut schemas, kind));
    }
    let mut found = schemas.found;
    found.insert("Event".into(), envelope::schema());
    let mut found = json!(found);
    open(&mut found);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Centro events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What happens in a tenant's contact centre: CloudEvents 1.0, structured JSON, on RabbitMQ.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {"rabbitmq": {
            "host": "rabbitmq:5672",
            "protocol": "amqp",
            "protocolVersion": "0.9.1",
            "description": "The installation's broker. An integration has a user and a queue of its own.",
            "security": [{"$ref": "#/components/securitySchemes/integration"}],
        }},
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": found,
            "securitySchemes": {"integration": {"type": "userPassword"}},
        },
    })
}

/// A JSON Schema for the data of each event and one for what is around it, by file name. Each stands alone.
pub fn schemas(api: &Api) -> BTreeMap<String, Json> {
    let mut files = BTreeMap::new();
    for kind in public() {
        let mut schemas = Schemas::new(api);
        let mut schema = schemas.object(&kind.message, Side::Answer, &[]);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$id"] = json!(schema_uri(kind.message.full_name()));
        schema["title"] = json!(kind.message.name());
        if !schemas.found.is_empty() {
            schema["$defs"] = json!(schemas.found);
        }
        open(&mut schema);
        refer(&mut schema);
        files.insert(format!("{}.json", kind.message.name()), schema);
    }
    let mut around = envelope::schema();
    around["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    around["$id"] = json!("urn:centro:schema:event");
    files.insert("event.json".into(), around);
    files
}

fn public() -> impl Iterator<Item = &'static Kind> {
    catalogue().values().filter(|kind| !kind.internal)
}

fn channel(name: &str) -> Json {
    json!({
        "address": format!("{{tenant}}.{name}"),
        "parameters": {"tenant": {"description": "The tenant's id, as in `tenantid`."}},
        "messages": {"event": {"$ref": format!("#/components/messages/{name}")}},
        "bindings": {"amqp": {
            "is": "routingKey",
            "exchange": {"name": EXCHANGE, "type": "topic", "durable": true, "autoDelete": false},
            "bindingVersion": "0.3.0",
        }},
    })
}

fn operation(name: &str) -> Json {
    json!({
        "action": "send",
        "channel": {"$ref": format!("#/channels/{name}")},
        "messages": [{"$ref": format!("#/channels/{name}/messages/event")}],
    })
}

fn message(schemas: &mut Schemas<'_>, kind: &Kind) -> Json {
    let data = schemas.reference(&kind.message, Side::Answer);
    json!({
        "name": kind.name,
        "title": kind.message.name(),
        "description": schemas.comment(kind.message.full_name()),
        "contentType": "application/cloudevents+json",
        "payload": {"allOf": [
            {"$ref": format!("{COMPONENTS}Event")},
            {
                "type": "object",
                "required": ["data"],
                "properties": {
                    "type": {"const": kind.name},
                    "dataschema": {"const": schema_uri(kind.message.full_name())},
                    "data": data,
                },
            },
        ]},
    })
}

/// Lists of values may grow.
fn open(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if object.get("type") == Some(&json!("string"))
                && let Some(values) = object.remove("enum")
            {
                object.insert("examples".into(), values);
            }
            object.values_mut().for_each(open);
        }
        Json::Array(items) => items.iter_mut().for_each(open),
        _ => {}
    }
}

/// Turns references into the document into such into the schema itself.
fn refer(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if let Some(Json::String(to)) = object.get_mut("$ref") {
                *to = to.replace(COMPONENTS, DEFINITIONS);
            }
            object.values_mut().for_each(refer);
        }
        Json::Array(items) => items.iter_mut().for_each(refer),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_bus::{Event, Wire};
    use centro_events::Public;
    use centro_kernel::{EventId, TenantId, Timestamp};
    use std::{fs, path::Path};

    #[test]
    fn what_is_checked_in_is_what_this_build_tells() {
        let api = Api::installed().unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrators");
        let written = |name: &str| -> Json {
            serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
        };
        let stale = "run `cargo xtask events`";
        assert_eq!(written("asyncapi.json"), document(&api), "{stale}");
        let schemas = schemas(&api);
        for (name, schema) in &schemas {
            assert_eq!(written(&format!("schemas/{name}")), *schema, "{stale}");
        }
        let files = fs::read_dir(folder.join("schemas")).unwrap().count();
        assert_eq!(files, schemas.len(), "{stale}");
    }

    #[test]
    fn every_reference_leads_somewhere_and_nothing_internal_is_shown() {
        let api = Api::installed().unwrap();
        let document = document(&api);
        assert_references(&document, &document);
        assert!(!document.to_string().contains("identity.access.revoked"));
        assert_eq!(document["channels"].as_object().unwrap().len(), 26);
        for schema in schemas(&api).values() {
            assert_references(schema, schema);
        }
    }

    #[test]
    fn what_is_told_is_what_its_schema_says() {
        let schemas = schemas(&Api::installed().unwrap());
        let around = &schemas["event.json"];
        for kind in public() {
            let event = Event {
                id: EventId::from_u128(1),
                tenant: Some(TenantId::from_u128(1)),
                kind: kind.name.clone(),
                subject: "x".into(),
                time: Timestamp::from_millis(0),
                sequence: 1,
                contact_sequence: 0,
                traceparent: None,
                data_type: kind.message.full_name().to_owned(),
                data: vec![].into(),
            };
            let told: Json = serde_json::from_slice(&Public.write(&event)).unwrap();
            let schema = &schemas[&format!("{}.json", kind.message.name())];
            assert_eq!(told["dataschema"], schema["$id"]);
            for (value, schema) in [(&told, around), (&told["data"], schema)] {
                let value = value.as_object().unwrap();
                for name in schema["required"].as_array().into_iter().flatten() {
                    let name = name.as_str().unwrap();
                    assert!(value.contains_key(name), "{}: {name}", kind.name);
                }
                for name in value.keys().filter(|name| *name != "data") {
                    assert!(
                        !schema["properties"][name].is_null(),
                        "{}: {name}",
                        kind.name
                    );
                }
            }
        }
    }

    fn assert_references(root: &Json, at: &Json) {
        match at {
            Json::Object(object) => {
                if let Some(Json::String(to)) = object.get("$ref") {
                    let pointer = to.strip_prefix('#').unwrap();
                    assert!(root.pointer(pointer).is_some(), "{to}");
                }
                object
                    .values()
                    .for_each(|next| assert_references(root, next));
            }
            Json::Array(items) => items.iter().for_each(|next| assert_references(root, next)),
            _ => {}
        }
    }
}
