//! From a field's place in proto spelling (`call_queue.tags[2]`) to a JSON pointer (RFC 6901, `/callQueue/tags/2`).

use prost_reflect::MessageDescriptor;

/// Escapes one part of a pointer.
pub fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// The parts of the pointer, escaped, for a path that starts in `message`.
pub fn parts(message: &MessageDescriptor, path: &str) -> Vec<String> {
    let mut message = Some(message.clone());
    let mut parts = vec![];
    let mut left = path;
    while !left.is_empty() {
        if let Some(index) = left.strip_prefix('[') {
            // A quoted key may hold any character, so look for the closing quote.
            let (key, rest) = match index.strip_prefix('"') {
                Some(quoted) => quoted.split_once("\"]").unwrap_or((quoted, "")),
                None => index.split_once(']').unwrap_or((index, "")),
            };
            parts.push(escape(key));
            left = rest.strip_prefix('.').unwrap_or(rest);
            continue;
        }
        let end = left.find(['.', '[']).unwrap_or(left.len());
        let (name, rest) = left.split_at(end);
        let field = message.take().and_then(|m| m.get_field_by_name(name));
        parts.push(escape(
            field.as_ref().map_or(name, |field| field.json_name()),
        ));
        message = field.and_then(|field| {
            let inner = field.kind().as_message().cloned()?;
            if field.is_map() {
                inner.map_entry_value_field().kind().as_message().cloned()
            } else {
                Some(inner)
            }
        });
        left = rest.strip_prefix('.').unwrap_or(rest);
    }
    parts
}

/// The pointer for a path that starts in `message`.
pub fn of(message: &MessageDescriptor, path: &str) -> String {
    parts(message, path)
        .iter()
        .map(|part| format!("/{part}"))
        .collect()
}
