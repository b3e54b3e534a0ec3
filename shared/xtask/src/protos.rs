//! The proto interface only grows. `proto/interface.lock` lists every field, enum value and RPC that was ever promised,
//! with the URL and verb it is called by, who may call it and the rules of its fields; a check fails when one is gone or
//! means something else.

use crate::command::root;
use anyhow::{Context, Result, bail};
use prost_types::{DescriptorProto, FileDescriptorSet};
use protox::prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use std::{collections::BTreeMap, fs};

const LOCK: &str = "proto/interface.lock";

/// Refuses a change that breaks whoever uses the interface today.
pub fn check() -> Result<()> {
    let promised = promised()?;
    let present = interface()?;
    let found = compare(&promised, &present);
    if !found.broken.is_empty() {
        bail!(
            "the proto interface would break:\n  {}\nAdd a new field or a new type instead. Where a rule only lets \
             more through than before, or what it refuses was refused anyhow, run `cargo xtask proto-lock`.",
            found.broken.join("\n  ")
        );
    }
    if !found.added.is_empty() {
        bail!(
            "{} new parts of the proto interface are not promised yet: run `cargo xtask proto-lock`",
            found.added.len()
        );
    }
    println!("proto interface: {} promises kept", present.len());
    Ok(())
}

/// Promises the present interface, and says what is promised anew or no longer.
pub fn lock() -> Result<()> {
    let present = interface()?;
    // Without a lock nothing was promised.
    let found = compare(&promised().unwrap_or_default(), &present);
    for line in found.broken {
        println!("changed: {line}");
    }
    for line in found.added {
        println!("new: {line}");
    }
    let lines: Vec<_> = present
        .into_iter()
        .map(|(name, meaning)| format!("{name} = {meaning}\n"))
        .collect();
    fs::write(root().join(LOCK), lines.concat())?;
    Ok(())
}

type Parts = BTreeMap<String, String>;

fn promised() -> Result<Parts> {
    let text = fs::read_to_string(root().join(LOCK)).context(LOCK)?;
    let split = |line: &str| {
        let (name, meaning) = line.split_once(" = ").unwrap_or((line, ""));
        (name.to_owned(), meaning.to_owned())
    };
    Ok(text.lines().map(split).collect())
}

/// What differs, a line each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Whoever uses the interface would notice.
    broken: Vec<String>,
    /// Only who knows of it can use it.
    added: Vec<String>,
}

fn compare(promised: &Parts, present: &Parts) -> Difference {
    let mut found = Difference::default();
    for (name, meaning) in promised {
        match present.get(name) {
            None => found.broken.push(format!("{name} is gone (was {meaning})")),
            Some(now) if now != meaning => {
                found.broken.push(format!("{name} was {meaning}, is {now}"));
            }
            Some(_) => {}
        }
    }
    for (name, meaning) in present
        .iter()
        .filter(|(name, _)| !promised.contains_key(*name))
    {
        // An option on what is promised without it is no growth: a rule refuses what was let in.
        let of = name.split_once(" [").map(|(of, _)| of);
        if of.is_some_and(|of| promised.contains_key(of)) {
            found.broken.push(format!("{name} is new (is {meaning})"));
        } else {
            found.added.push(format!("{name} = {meaning}"));
        }
    }
    found
}

fn interface() -> Result<Parts> {
    let mut files = Vec::new();
    collect(&root().join("proto/centro"), &mut files)?;
    let mut compiler = protox::Compiler::new([root().join("proto")])?;
    compiler.include_imports(true).open_files(files)?;
    let mut parts = describe(&compiler.file_descriptor_set());
    describe_options(&compiler.descriptor_pool(), &mut parts);
    Ok(parts)
}

/// URL, verb and access of each RPC, the types of each event, and the rules of each field: all that our options say.
fn describe_options(pool: &DescriptorPool, parts: &mut Parts) {
    let ours = |package: &str| package.starts_with("centro.");
    for service in pool.services().filter(|s| ours(s.package_name())) {
        for rpc in service.methods() {
            insert_options(rpc.full_name(), &rpc.options(), parts);
        }
    }
    let messages = pool.all_messages();
    for message in messages.filter(|m| ours(m.package_name())) {
        describe_rules(&message, parts);
    }
}

fn describe_rules(message: &MessageDescriptor, parts: &mut Parts) {
    insert_options(message.full_name(), &message.options(), parts);
    for field in message.fields() {
        insert_options(field.full_name(), &field.options(), parts);
    }
    for oneof in message.oneofs() {
        insert_options(oneof.full_name(), &oneof.options(), parts);
    }
}

/// One part for each option that is not of the proto language itself.
fn insert_options(name: &str, options: &DynamicMessage, parts: &mut Parts) {
    for (option, value) in options.extensions() {
        parts.insert(format!("{name} [{}]", option.full_name()), written(value));
    }
}

/// A value in one line, always the same for the same value.
fn written(value: &Value) -> String {
    match value {
        Value::Message(message) => {
            let mut fields: Vec<_> = message
                .fields()
                .map(|(field, value)| format!("{}: {}", field.name(), written(value)))
                .collect();
            fields.sort();
            format!("{{{}}}", fields.join(", "))
        }
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key:?}: {}", written(value)))
                .collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Bool(value) => value.to_string(),
        Value::I32(value) | Value::EnumNumber(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
        Value::Bytes(bytes) => format!("{bytes:?}"),
    }
}

fn collect(folder: &std::path::Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    Ok(())
}

fn describe(set: &FileDescriptorSet) -> Parts {
    let mut parts = BTreeMap::new();
    for file in set
        .file
        .iter()
        .filter(|file| file.package().starts_with("centro."))
    {
        for message in &file.message_type {
            describe_message(file.package(), message, &mut parts);
        }
        for kind in &file.enum_type {
            for value in &kind.value {
                parts.insert(
                    format!("{}.{}.{}", file.package(), kind.name(), value.name()),
                    value.number().to_string(),
                );
            }
        }
        for service in &file.service {
            for rpc in &service.method {
                let stream = |on: bool| if on { "stream " } else { "" };
                parts.insert(
                    format!("{}.{}.{}", file.package(), service.name(), rpc.name()),
                    format!(
                        "{}{} -> {}{}",
                        stream(rpc.client_streaming()),
                        rpc.input_type(),
                        stream(rpc.server_streaming()),
                        rpc.output_type()
                    ),
                );
            }
        }
    }
    parts
}

fn describe_message(prefix: &str, message: &DescriptorProto, parts: &mut Parts) {
    let name = format!("{prefix}.{}", message.name());
    for field in &message.field {
        let meaning = format!(
            "{} {:?} {:?} {}",
            field.number(),
            field.label(),
            field.r#type(),
            field.type_name()
        );
        parts.insert(
            format!("{name}.{}", field.name()),
            meaning.trim_end().to_owned(),
        );
    }
    for kind in &message.enum_type {
        for value in &kind.value {
            parts.insert(
                format!("{name}.{}.{}", kind.name(), value.name()),
                value.number().to_string(),
            );
        }
    }
    for nested in &message.nested_type {
        describe_message(&name, nested, parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_number_is_seen() {
        let set = |number| FileDescriptorSet {
            file: vec![prost_types::FileDescriptorProto {
                package: Some("centro.x.v1".into()),
                message_type: vec![DescriptorProto {
                    name: Some("M".into()),
                    field: vec![prost_types::FieldDescriptorProto {
                        name: Some("f".into()),
                        number: Some(number),
                        ..Default::default()
                    }],
                    ..Default::default()
                }],
                ..Default::default()
            }],
        };
        assert_ne!(describe(&set(1)), describe(&set(2)));
    }

    #[test]
    fn a_new_rule_on_what_is_promised_breaks_and_on_what_is_new_does_not() {
        let parts = |names: &[&str]| -> Parts {
            names
                .iter()
                .map(|name| ((*name).to_owned(), "x".to_owned()))
                .collect()
        };
        let promised = parts(&["M.f"]);
        let ruled = compare(&promised, &parts(&["M.f", "M.f [buf.validate.field]"]));
        assert_eq!(ruled.broken, ["M.f [buf.validate.field] is new (is x)"]);
        assert!(ruled.added.is_empty());
        let grown = compare(
            &promised,
            &parts(&["M.f", "M.g", "M.g [buf.validate.field]"]),
        );
        assert!(grown.broken.is_empty(), "{grown:?}");
        assert_eq!(grown.added.len(), 2);
        let gone = compare(&promised, &parts(&[]));
        assert_eq!(gone.broken, ["M.f is gone (was x)"]);
    }

    #[test]
    fn url_access_and_field_rules_are_promised() {
        let parts = interface().unwrap();
        let rpc = "centro.configuration.v1.CallQueues.GetCallQueue";
        let url = &parts[&format!("{rpc} [google.api.http]")];
        assert_eq!(url, r#"{get: "/v1/call-queues/{id}"}"#);
        let access = &parts[&format!("{rpc} [centro.auth]")];
        assert!(access.contains(r#"permission: "queues.view""#), "{access}");
        let rules = &parts["centro.configuration.v1.GetCallQueueRequest.id [buf.validate.field]"];
        assert!(rules.contains("pattern"), "{rules}");
    }
}
