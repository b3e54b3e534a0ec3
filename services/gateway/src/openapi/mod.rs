//! The OpenAPI 3.1 document, from the same descriptors that the server runs on. Each resource has up to three schemas:
//! `area.X` (answers), `area.XInput` (bodies), `area.XPatch` (merge patches: all optional, `null` clears).

mod comments;
mod range;
mod schema;
mod value;

use crate::rest::query;
use centro_contract::{
    Access, Api, Body, Route,
    caller::API_KEY_PREFIX,
    template::{Capture, Segment},
};
pub use schema::{Schemas, Side};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// The document of an API.
pub fn document(api: &Api) -> Json {
    let mut schemas = Schemas::new(api);
    let mut paths: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    let mut tags = BTreeMap::new();
    for route in &api.routes {
        let service = route.method.descriptor.parent_service();
        tags.entry(service.name().to_owned())
            .or_insert_with(|| schemas.comment(service.full_name()));
        let (path, parameters) = path(&mut schemas, route);
        let operation = operation(&mut schemas, route, parameters);
        paths
            .entry(path)
            .or_default()
            .insert(route.verb.as_str().to_lowercase(), operation);
    }
    schemas.found.insert("Problem".into(), problem());
    let tags: Vec<_> = tags
        .into_iter()
        .map(|(name, text)| json!({"name": name, "description": text}))
        .collect();
    let bearer = format!(
        "An access token of POST /v1/sessions:signIn, or an API key ({API_KEY_PREFIX}…). It names the tenant."
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Centro",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.found,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": bearer}},
            "responses": {"Problem": {
                "description": "RFC 9457 problem; decide on `code`",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
        },
    })
}

fn path(schemas: &mut Schemas<'_>, route: &Route) -> (String, Vec<Json>) {
    let template = &route.template;
    let (mut out, mut parameters) = (String::new(), vec![]);
    for (at, segment) in template.segments.iter().enumerate() {
        out.push('/');
        if let Segment::Literal(text) = segment {
            out.push_str(text);
            continue;
        }
        let covers = |capture: &&Capture| capture.from <= at && capture.to.is_none_or(|to| at < to);
        let capture = template.captures.iter().find(covers);
        let name = match capture {
            Some(capture) if capture.to == Some(capture.from + 1) => capture.name(),
            Some(capture) => format!("{}{}", capture.name(), at - capture.from + 1),
            None => format!("value{at}"),
        };
        let (schema, text) = match capture.and_then(|capture| capture.path.last()) {
            Some(field) => (
                schemas.field(field, Side::Answer),
                schemas.comment(field.full_name()),
            ),
            None => (json!({"type": "string"}), String::new()),
        };
        out.push_str(&format!("{{{name}}}"));
        let parameter = json!({"name": name, "in": "path", "required": true, "description": text, "schema": schema});
        parameters.push(parameter);
    }
    if let Some(action) = &template.action {
        out.push_str(&format!(":{action}"));
    }
    (out, parameters)
}

fn operation(schemas: &mut Schemas<'_>, route: &Route, mut parameters: Vec<Json>) -> Json {
    let method = &route.method;
    let rpc = &method.descriptor;
    for path in query::parameters(route) {
        let Some(field) = path.last() else { continue };
        let name = path
            .iter()
            .map(|field| field.json_name())
            .collect::<Vec<_>>()
            .join(".");
        let required = schemas.extensions().is(field, "REQUIRED");
        let (text, schema) = (
            schemas.comment(field.full_name()),
            schemas.field(field, Side::Answer),
        );
        parameters.push(json!({"name": name, "in": "query", "required": required, "description": text, "schema": schema}));
    }
    let holder = match &route.body {
        Body::Field(field) => field.kind().as_message().cloned(),
        _ => Some(rpc.input()),
    };
    let has_etag = holder.is_some_and(|message| message.get_field_by_name("etag").is_some());
    if route.verb != http::Method::GET && !method.creates && has_etag {
        let text = "The ETag this change is based on; 412 if it is no longer the current one.";
        let schema = json!({"type": "string"});
        parameters.push(json!({"name": "If-Match", "in": "header", "required": false, "description": text, "schema": schema}));
    }
    let comment = schemas.comment(rpc.full_name());
    let summary = comment
        .lines()
        .next()
        .unwrap_or(rpc.name())
        .trim_end_matches('.')
        .to_owned();
    let mut operation = json!({
        "operationId": rpc.name(),
        "tags": [rpc.parent_service().name()],
        "summary": summary,
        "description": comment,
        "parameters": parameters,
        "responses": responses(schemas, route),
    });
    let side = if method.mask.is_some() {
        Side::Patch
    } else {
        Side::Input
    };
    let body = match &route.body {
        Body::None => None,
        Body::Message => {
            let captured = route
                .template
                .captures
                .iter()
                .filter(|capture| capture.path.len() == 1);
            let skip: Vec<_> = captured.flat_map(|capture| capture.path.clone()).collect();
            Some((schemas.object(&rpc.input(), Side::Input, &skip), false))
        }
        Body::Field(field) => Some((schemas.field(field, side), true)),
    };
    if let Some((schema, required)) = body {
        let mut content = json!({"application/json": {"schema": schema}});
        if side == Side::Patch {
            content["application/merge-patch+json"] = content["application/json"].clone();
        }
        operation["requestBody"] = json!({"required": required, "content": content});
    }
    match &method.access {
        Access::Public => operation["security"] = json!([]),
        Access::Internal => {}
        Access::Permission { permission, .. } => {
            operation["security"] = json!([{"bearer": []}]);
            operation["x-permission"] = json!(permission);
        }
    }
    operation
}

fn responses(schemas: &mut Schemas<'_>, route: &Route) -> Json {
    let (method, output) = (&route.method, route.method.descriptor.output());
    let (code, answer) = match output.full_name() {
        "google.protobuf.Empty" => ("204", json!({"description": "Done"})),
        "google.api.HttpBody" => (
            "200",
            json!({"description": "The file", "content": {"*/*": {}}}),
        ),
        _ if method.descriptor.is_server_streaming() => {
            let schema =
                json!({"type": "string", "x-message": schemas.reference(&output, Side::Answer)});
            let content = json!({"application/x-ndjson": {"schema": schema}, "text/event-stream": {"schema": schema}});
            (
                "200",
                json!({"description": "One line or event per message", "content": content}),
            )
        }
        _ => {
            let code = if method.creates { "201" } else { "200" };
            let schema = schemas.reference(&output, Side::Answer);
            (
                code,
                json!({"description": "OK", "content": {"application/json": {"schema": schema}}}),
            )
        }
    };
    let mut responses = json!({(code): answer});
    for code in ["400", "401", "403", "404", "default"] {
        responses[code] = json!({"$ref": "#/components/responses/Problem"});
    }
    responses
}

fn problem() -> Json {
    let text = json!({"type": "string"});
    json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "Stable; decide on this. Listed in docs/errors.md."},
            "detail": text,
            "instance": {"type": "string", "description": "Names this one request; the log has it too."},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body"},
                    "parameter": text,
                    "header": text,
                    "code": text,
                    "detail": text,
                },
            }},
            "meta": {"type": "object", "additionalProperties": text},
        },
    })
}
