//! Fills what a `Create…` request leaves out.

use super::Rules;
use prost_reflect::{DynamicMessage, ReflectMessage};

impl Rules {
    /// Fills absent fields that declare a default, at any depth of the messages that are present. `true` if it changed
    /// any.
    pub fn fill_defaults(&self, message: &mut DynamicMessage) -> bool {
        let mut changed = false;
        for ruled in self.of(&message.descriptor()) {
            let field = &ruled.field;
            if message.has_field(field) {
                if !field.is_list()
                    && !field.is_map()
                    && let Some(inner) = message.get_field_mut(field).as_message_mut()
                {
                    changed |= self.fill_defaults(inner);
                }
            } else if let Some(default) = &ruled.default {
                message.set_field(field, default.clone());
                changed = true;
            }
        }
        changed
    }
}
