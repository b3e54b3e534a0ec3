//! Query strings and path variables to fields.

use super::{decode::Decoder, problem::Place};
use centro_contract::{Body, Route, rules::well_known};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use std::collections::HashSet;

/// Fills the request from a query string.
pub fn apply(decoder: &mut Decoder<'_>, request: &mut DynamicMessage, route: &Route, query: &str) {
    let mut seen = HashSet::new();
    for (key, text) in form_urlencoded::parse(query.as_bytes()) {
        let place = Place::Parameter(key.to_string());
        let Some(path) = resolve(request, &key).filter(|path| allowed(route, path)) else {
            decoder.fail(place, "parameter_unknown", "no such parameter");
            continue;
        };
        let Some(last) = path.last() else { continue };
        let name: Vec<_> = path.iter().map(|f| f.number()).collect();
        if !seen.insert(name) && !last.is_list() {
            decoder.fail(place, "parameter_repeated", "may be given once");
            continue;
        }
        bind(decoder, request, &path, &text, place);
    }
}
/// `created.from`, each part in camel or snake case.
fn resolve(request: &DynamicMessage, key: &str) -> Option<Vec<FieldDescriptor>> {
    use prost_reflect::ReflectMessage;
    let mut message = Some(request.descriptor());
    let path = key
        .split('.')
        .map(|part| {
            let m = message.take()?;
            let field = m
                .get_field_by_json_name(part)
                .or_else(|| m.get_field_by_name(part))?;
            message = field
                .kind()
                .as_message()
                .filter(|_| !field.is_list() && !field.is_map())
                .cloned();
            Some(field)
        })
        .collect::<Option<Vec<_>>>()?;
    bindable(path.last()?).then_some(path)
}
/// Whether a parameter can carry the field.
pub fn bindable(field: &FieldDescriptor) -> bool {
    !field.is_map()
        && field.kind().as_message().is_none_or(|m| {
            well_known(m) && !["Struct", "Value", "ListValue", "Any", "Empty"].contains(&m.name())
        })
}
/// What the body, the path or a header already says is no query parameter; neither is the field mask.
pub fn allowed(route: &Route, path: &[FieldDescriptor]) -> bool {
    let Some(first) = path.first() else {
        return false;
    };
    let in_body = match &route.body {
        Body::Message => true,
        Body::Field(field) => field == first,
        Body::None => false,
    };
    !in_body
        && route.method.mask.as_ref() != Some(first)
        && !route.template.captures.iter().any(|c| c.path == path)
        && first.name() != "etag"
}
/// Sets the field at `path`.
pub fn bind(
    decoder: &mut Decoder<'_>,
    request: &mut DynamicMessage,
    path: &[FieldDescriptor],
    text: &str,
    place: Place,
) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let Some(value) = decoder.text(&last.kind(), text, &place) else {
        return;
    };
    let mut target = request;
    for parent in parents {
        match target.get_field_mut(parent) {
            Value::Message(inner) => target = inner,
            _ => return,
        }
    }
    if last.is_list() {
        if let Value::List(items) = target.get_field_mut(last) {
            items.push(value)
        }
    } else {
        target.set_field(last, value)
    }
}
/// Every query parameter of a route, as paths.
pub fn parameters(route: &Route) -> Vec<Vec<FieldDescriptor>> {
    fn walk(
        route: &Route,
        message: &prost_reflect::MessageDescriptor,
        prefix: &[FieldDescriptor],
        out: &mut Vec<Vec<FieldDescriptor>>,
    ) {
        for field in message.fields() {
            let path = [prefix, std::slice::from_ref(&field)].concat();
            if !allowed(route, &path) {
                continue;
            }
            if bindable(&field) {
                out.push(path)
            } else if let Kind::Message(inner) = field.kind()
                && !field.is_map()
                && !field.is_list()
                && !prefix.contains(&field)
                && prefix.len() < 4
            {
                walk(route, &inner, &path, out)
            }
        }
    }
    let mut out = vec![];
    walk(route, &route.method.descriptor.input(), &[], &mut out);
    out
}
