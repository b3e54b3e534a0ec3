//! Callers leave no trace in a decision log: no rule looks at their number or name. What stands in their place tells only
//! whether two callers are the same, for a change of the caller is news to the rules; and that for one life of the process.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The field that holds a caller, wherever one is.
const FIELD: &str = "caller";

/// Puts pseudonyms in the place of callers. The key is known to this process only, and lost with it.
pub struct Mask([u8; 32]);

impl Mask {
    /// With a key that nobody knows.
    pub fn new() -> Self {
        Self(rand::random())
    }

    /// Replaces every text of every caller.
    pub fn apply(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == FIELD {
                        self.hide(value);
                    } else {
                        self.apply(value);
                    }
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|value| self.apply(value)),
            _ => {}
        }
    }

    fn hide(&self, value: &mut Value) {
        match value {
            Value::String(text) if !text.is_empty() => {
                let hash = Sha256::new().chain_update(self.0).chain_update(&*text);
                *text = format!("~{}", hex::encode(&hash.finalize()[..8]));
            }
            Value::Object(fields) => fields.values_mut().for_each(|value| self.hide(value)),
            Value::Array(all) => all.iter_mut().for_each(|value| self.hide(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_caller_is_hidden_wherever_it_is_and_stays_the_same_one_in_one_process_only() {
        let mask = Mask::new();
        let anna = json!({"number": "+391234", "display_name": "Anna", "dialled": ""});
        let mut value = json!({"a": [{"caller": anna}], "b": {"caller": anna}, "number": "7"});
        mask.apply(&mut value);
        let text = value.to_string();
        assert!(!text.contains("391234") && !text.contains("Anna"), "{text}");
        assert_eq!(value["a"][0]["caller"], value["b"]["caller"]);
        assert_eq!(value["b"]["caller"]["dialled"], "");
        assert_eq!(value["number"], "7");
        let mut other = json!({"caller": anna});
        Mask::new().apply(&mut other);
        assert_ne!(other["caller"], value["b"]["caller"]);
    }
}
