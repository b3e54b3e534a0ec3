//! The proto interface only grows. `proto/interface.lock` lists every field, enum value and RPC that was ever promised;
//! a check fails when one is gone or means something else.

use crate::command::root;
use anyhow::{Context, Result, bail};
use prost_types::{DescriptorProto, FileDescriptorSet};
use std::{collections::BTreeMap, fs};

const LOCK: &str = "proto/interface.lock";

/// Refuses a change that breaks whoever uses the interface today.
pub fn check() -> Result<()> {
    let promised = fs::read_to_string(root().join(LOCK)).context("proto/interface.lock")?;
    let present = interface()?;
    let mut broken = Vec::new();
    for line in promised.lines() {
        let (name, meaning) = line.split_once(" = ").unwrap_or((line, ""));
        match present.get(name) {
            None => broken.push(format!("{name} is gone (was {meaning})")),
            Some(now) if now != meaning => broken.push(format!("{name} was {meaning}, is {now}")),
            Some(_) => {}
        }
    }
    if !broken.is_empty() {
        bail!(
            "the proto interface would break:\n  {}\nAdd a new field or a new type instead.",
            broken.join("\n  ")
        );
    }
    let added = present.len() - promised.lines().count();
    if added > 0 {
        bail!(
            "{added} new parts of the proto interface are not promised yet: run `cargo xtask proto-lock`"
        );
    }
    println!("proto interface: {} promises kept", present.len());
    Ok(())
}

/// Promises the present interface.
pub fn lock() -> Result<()> {
    let lines: Vec<_> = interface()?
        .into_iter()
        .map(|(name, meaning)| format!("{name} = {meaning}\n"))
        .collect();
    fs::write(root().join(LOCK), lines.concat())?;
    Ok(())
}

fn interface() -> Result<BTreeMap<String, String>> {
    let mut files = Vec::new();
    collect(&root().join("proto/centro"), &mut files)?;
    let set = protox::compile(files, [root().join("proto")])?;
    Ok(describe(&set))
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

fn describe(set: &FileDescriptorSet) -> BTreeMap<String, String> {
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

fn describe_message(prefix: &str, message: &DescriptorProto, parts: &mut BTreeMap<String, String>) {
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
}
