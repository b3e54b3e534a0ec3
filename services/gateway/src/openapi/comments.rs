//! Comments of the protos by full name, from the source info of the descriptor set.

use centro_contract::Api;
use prost_reflect::prost_types::FileDescriptorProto;
use std::collections::HashMap;

/// Leading and trailing comments.
pub fn comments(api: &Api) -> HashMap<String, String> {
    let mut out = HashMap::new();
    for file in api.pool.files() {
        let proto = file.file_descriptor_proto();
        for location in proto.source_code_info.iter().flat_map(|s| &s.location) {
            let text = [location.leading_comments(), location.trailing_comments()]
                .iter()
                .flat_map(|c| c.lines())
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .collect::<Vec<_>>()
                .join("\n");
            if let Some(name) = (!text.is_empty())
                .then(|| named(proto, &location.path))
                .flatten()
            {
                out.insert(name, text);
            }
        }
    }
    out
}
/// Follows a source-info path (top-level messages, enums, services and their members; nested types are not followed).
fn named(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let package = file.package();
    let at = |i: i32| usize::try_from(i).unwrap_or(usize::MAX);
    Some(match *path {
        [4, m] => format!("{package}.{}", file.message_type.get(at(m))?.name()),
        [4, m, 2, f] => {
            let m = file.message_type.get(at(m))?;
            format!("{package}.{}.{}", m.name(), m.field.get(at(f))?.name())
        }
        [5, e] => format!("{package}.{}", file.enum_type.get(at(e))?.name()),
        [5, e, 2, v] => format!(
            "{package}.{}",
            file.enum_type.get(at(e))?.value.get(at(v))?.name()
        ),
        [6, s] => format!("{package}.{}", file.service.get(at(s))?.name()),
        [6, s, 2, m] => {
            let s = file.service.get(at(s))?;
            format!("{package}.{}.{}", s.name(), s.method.get(at(m))?.name())
        }
        _ => return None,
    })
}
