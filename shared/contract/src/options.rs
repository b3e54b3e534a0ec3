//! Reading custom options from descriptors: `google.api.http`, `centro.auth`, `centro.field`, `google.api.field_behavior`
//! and `buf.validate.field`.

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Value};

/// The extensions this crate reads, resolved once.
#[derive(Debug, Clone)]
pub struct Extensions {
    pub(crate) http: ExtensionDescriptor,
    pub(crate) auth: ExtensionDescriptor,
    field: ExtensionDescriptor,
    behavior: ExtensionDescriptor,
    rules: ExtensionDescriptor,
}

impl Extensions {
    /// `None` when the pool lacks one of the option files.
    pub fn of(pool: &DescriptorPool) -> Option<Self> {
        let get = |name| pool.get_extension_by_name(name);
        Some(Self {
            http: get("google.api.http")?,
            auth: get("centro.auth")?,
            field: get("centro.field")?,
            behavior: get("google.api.field_behavior")?,
            rules: get("buf.validate.field")?,
        })
    }

    /// The message an option holds, if it is set.
    pub fn message(
        options: &DynamicMessage,
        extension: &ExtensionDescriptor,
    ) -> Option<DynamicMessage> {
        options
            .has_extension(extension)
            .then(|| options.get_extension(extension).as_message().cloned())
            .flatten()
    }

    /// Whether a field has a `google.api.field_behavior`, e.g. `OUTPUT_ONLY`.
    pub fn is(&self, field: &FieldDescriptor, behavior: &str) -> bool {
        let options = field.options();
        let value = options.get_extension(&self.behavior);
        let Some((list, names)) = value.as_list().zip(self.behavior.kind().as_enum().cloned())
        else {
            return false;
        };
        list.iter()
            .filter_map(Value::as_enum_number)
            .filter_map(|number| names.get_value(number))
            .any(|value| value.name() == behavior)
    }

    /// The ProtoJSON default declared for a field.
    pub fn default(&self, field: &FieldDescriptor) -> Option<String> {
        let text = text(&Self::message(&field.options(), &self.field)?, "default");
        (!text.is_empty()).then_some(text)
    }

    /// The `buf.validate` rules of a field, if it has any.
    pub fn rules(&self, field: &FieldDescriptor) -> Option<DynamicMessage> {
        Self::message(&field.options(), &self.rules)
    }
}

/// A string field of an option's message; empty when it is not set.
pub(crate) fn text(message: &DynamicMessage, field: &str) -> String {
    message
        .get_field_by_name(field)
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A field of an option's message, if it is set.
pub fn set(message: &DynamicMessage, field: &str) -> Option<Value> {
    message
        .has_field_by_name(field)
        .then(|| {
            message
                .get_field_by_name(field)
                .map(|value| value.into_owned())
        })
        .flatten()
}

/// A message field of an option's message, if it is set.
pub fn sub(message: &DynamicMessage, field: &str) -> Option<DynamicMessage> {
    set(message, field)?.as_message().cloned()
}
