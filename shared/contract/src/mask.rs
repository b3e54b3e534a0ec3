//! Masked updates (AIP-134): the fields a mask names are taken from the patch, everything else stays as it is.

use crate::{Api, options::Extensions};
use centro_kernel::{Code, Fault};
use prost::{Message, Name};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage};
use prost_types::FieldMask;

/// What `existing` becomes. Without paths every field that the patch carries is taken; `*` takes all, absent ones
/// included. `OUTPUT_ONLY` fields never change. Rules across the merged resource are the caller's
/// (`rules::check_resource`).
///
/// # Errors
/// `field_unknown` for a path that names no field, `field_immutable` when it would change an `IMMUTABLE` one.
pub fn merge<M: Message + Name + Default>(
    existing: &M,
    patch: &M,
    mask: &FieldMask,
) -> Result<M, Fault> {
    let api = Api::installed().map_err(Fault::internal)?;
    let name = M::full_name();
    let descriptor = api
        .pool
        .get_message_by_name(&name)
        .ok_or_else(|| Fault::internal(format_args!("{name} is not in the descriptor set")))?;
    let merged = apply(
        &api.extensions,
        &descriptor,
        &existing.encode_to_vec(),
        &patch.encode_to_vec(),
        &mask.paths,
    )?;
    M::decode(merged.as_slice()).map_err(Fault::internal)
}

/// [`merge`] on encoded messages.
///
/// # Errors
/// As [`merge`].
pub fn apply(
    extensions: &Extensions,
    descriptor: &MessageDescriptor,
    existing: &[u8],
    patch: &[u8],
    paths: &[String],
) -> Result<Vec<u8>, Fault> {
    let decode = |bytes| DynamicMessage::decode(descriptor.clone(), bytes).map_err(Fault::internal);
    let mut merged = decode(existing)?;
    let patch = decode(patch)?;
    if paths.is_empty() {
        for (field, _) in patch.fields() {
            take(extensions, &mut merged, &patch, &field)?;
        }
    }
    for path in paths {
        if path == "*" {
            for field in descriptor.fields() {
                take(extensions, &mut merged, &patch, &field)?;
            }
        } else {
            follow(extensions, &mut merged, Some(&patch), path, path)?;
        }
    }
    Ok(merged.encode_to_vec())
}

fn follow(
    extensions: &Extensions,
    target: &mut DynamicMessage,
    patch: Option<&DynamicMessage>,
    left: &str,
    path: &str,
) -> Result<(), Fault> {
    let (name, rest) = left
        .split_once('.')
        .map_or((left, None), |(name, rest)| (name, Some(rest)));
    let descriptor = target.descriptor();
    let field = descriptor
        .get_field_by_name(name)
        .or_else(|| descriptor.get_field_by_json_name(name))
        .ok_or_else(|| unknown(path))?;
    let Some(rest) = rest else {
        let empty = DynamicMessage::new(descriptor);
        return take(extensions, target, patch.unwrap_or(&empty), &field);
    };
    let single = !field.is_list() && !field.is_map();
    let Some(inner) = field.kind().as_message().filter(|_| single).cloned() else {
        return Err(unknown(path));
    };
    if extensions.is(&field, "OUTPUT_ONLY") {
        return Ok(());
    }
    let patched = patch
        .filter(|patch| patch.has_field(&field))
        .map(|patch| patch.get_field(&field).into_owned());
    let patched = patched.as_ref().and_then(|value| value.as_message());
    if patched.is_none() && !target.has_field(&field) {
        // Nothing to clear, but the rest of the path must exist all the same.
        return follow(
            extensions,
            &mut DynamicMessage::new(inner),
            None,
            rest,
            path,
        );
    }
    match target.get_field_mut(&field).as_message_mut() {
        Some(target) => follow(extensions, target, patched, rest, path),
        None => Err(unknown(path)),
    }
}

/// Makes one field of `target` what it is in `patch`.
fn take(
    extensions: &Extensions,
    target: &mut DynamicMessage,
    patch: &DynamicMessage,
    field: &FieldDescriptor,
) -> Result<(), Fault> {
    if extensions.is(field, "OUTPUT_ONLY") {
        return Ok(());
    }
    let (old, new) = (target.get_field(field), patch.get_field(field));
    if extensions.is(field, "IMMUTABLE") {
        if old == new {
            return Ok(());
        }
        let name = field.json_name();
        return Err(Fault::new(
            Code::Invalid,
            "field_immutable",
            format_args!("{name} cannot be changed"),
        )
        .at(&format!("/{name}")));
    }
    if patch.has_field(field) {
        target.set_field(field, new.into_owned());
    } else {
        target.clear_field(field);
    }
    Ok(())
}

fn unknown(path: &str) -> Fault {
    Fault::new(
        Code::Invalid,
        "field_unknown",
        format_args!("the update mask names no field: {path}"),
    )
    .at("/updateMask")
    .with("path", path)
}
