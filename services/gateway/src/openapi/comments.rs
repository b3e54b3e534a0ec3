//! Comments of the protos by full name, from the source info of the descriptor set.

use centro_contract::Api;
use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto};
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

/// Follows a source-info path: messages and enums, nested ones too, services, and their members.
fn named(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let package = file.package();
    Some(match path {
        [4, message, rest @ ..] => in_message(package, get(&file.message_type, *message)?, rest)?,
        [5, one, rest @ ..] => in_enum(package, get(&file.enum_type, *one)?, rest)?,
        [6, service, rest @ ..] => {
            let service = get(&file.service, *service)?;
            match rest {
                [] => format!("{package}.{}", service.name()),
                [2, method] => {
                    let method = get(&service.method, *method)?;
                    format!("{package}.{}.{}", service.name(), method.name())
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn in_message(scope: &str, message: &DescriptorProto, path: &[i32]) -> Option<String> {
    let name = format!("{scope}.{}", message.name());
    Some(match path {
        [] => name,
        [2, field] => format!("{name}.{}", get(&message.field, *field)?.name()),
        [3, nested, rest @ ..] => in_message(&name, get(&message.nested_type, *nested)?, rest)?,
        [4, one, rest @ ..] => in_enum(&name, get(&message.enum_type, *one)?, rest)?,
        _ => return None,
    })
}

fn in_enum(scope: &str, one: &EnumDescriptorProto, path: &[i32]) -> Option<String> {
    Some(match path {
        [] => format!("{scope}.{}", one.name()),
        // An enum's values are siblings of the enum.
        [2, value] => format!("{scope}.{}", get(&one.value, *value)?.name()),
        _ => return None,
    })
}

fn get<T>(list: &[T], at: i32) -> Option<&T> {
    list.get(usize::try_from(at).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_reflect::prost_types::{EnumValueDescriptorProto, FieldDescriptorProto};

    #[test]
    fn a_nested_type_and_its_members_have_their_full_names() {
        let inner = DescriptorProto {
            name: Some("Inner".into()),
            field: vec![FieldDescriptorProto {
                name: Some("field".into()),
                ..Default::default()
            }],
            enum_type: vec![EnumDescriptorProto {
                name: Some("Kind".into()),
                value: vec![EnumValueDescriptorProto {
                    name: Some("KIND_A".into()),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let outer = DescriptorProto {
            name: Some("Outer".into()),
            nested_type: vec![inner],
            ..Default::default()
        };
        let file = FileDescriptorProto {
            package: Some("p".into()),
            message_type: vec![outer],
            ..Default::default()
        };
        let name = |path: &[i32]| named(&file, path).unwrap_or_default();
        assert_eq!(name(&[4, 0, 3, 0]), "p.Outer.Inner");
        assert_eq!(name(&[4, 0, 3, 0, 2, 0]), "p.Outer.Inner.field");
        assert_eq!(name(&[4, 0, 3, 0, 4, 0]), "p.Outer.Inner.Kind");
        assert_eq!(name(&[4, 0, 3, 0, 4, 0, 2, 0]), "p.Outer.Inner.KIND_A");
        assert_eq!(name(&[4, 0, 3, 1]), "");
    }
}
