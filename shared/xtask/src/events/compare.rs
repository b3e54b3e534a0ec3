//! What an integration that works today would stumble over. Pure.

use super::{DOCUMENT, Files};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Keywords that say nothing a program relies on.
const WORDS: [&str; 4] = ["description", "title", "summary", "$schema"];

/// One line for each promise that `present` does not keep.
pub fn broken(promised: &Files, present: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for (name, before) in promised {
        match present.get(name) {
            None => found.push(format!("{name} is gone")),
            Some(now) if name == DOCUMENT => channels(before, now, &mut found),
            Some(now) => schema(name, before, now, &mut found),
        }
    }
    found
}

/// Events, and where they are told.
fn channels(before: &Value, now: &Value, found: &mut Vec<String>) {
    let of = |document: &Value| document["channels"].as_object().cloned();
    let now = of(now).unwrap_or_default();
    for (event, channel) in of(before).unwrap_or_default() {
        match now.get(&event) {
            None => found.push(format!("the event {event} is gone")),
            Some(now) => {
                for part in ["address", "bindings"] {
                    if now[part] != channel[part] {
                        found.push(format!("the event {event} has another {part}"));
                    }
                }
            }
        }
    }
}

fn schema(at: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    let (Value::Object(before), Value::Object(now)) = (before, now) else {
        if before != now {
            found.push(format!("{at} was {before}, is {now}"));
        }
        return;
    };
    let keywords: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    for keyword in keywords {
        let (before, now) = (before.get(keyword), now.get(keyword));
        match keyword.as_str() {
            word if WORDS.contains(&word) => {}
            "properties" | "$defs" => {
                members(at, keyword, &object(before), &object(now), found);
            }
            // Values that were told may be told no more only by mistake; new ones may come.
            "examples" => {
                let gone = texts(before).difference(&texts(now)).cloned().collect();
                list(at, "no longer has the value", gone, found);
            }
            "required" => {
                let (before, now) = (texts(before), texts(now));
                let gone = before.difference(&now).cloned().collect();
                list(at, "no longer always has", gone, found);
                // Events of before are still in the log.
                let new = now.difference(&before).cloned().collect();
                list(at, "newly requires", new, found);
            }
            _ => match (before, now) {
                (Some(before), Some(now)) => {
                    schema(&format!("{at}/{keyword}"), before, now, found);
                }
                (Some(before), None) => found.push(format!("{at}/{keyword} was {before}, is gone")),
                (None, Some(now)) => found.push(format!("{at}/{keyword} is new: {now}")),
                (None, None) => {}
            },
        }
    }
}

fn members(
    at: &str,
    keyword: &str,
    before: &Map<String, Value>,
    now: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    for (name, before) in before {
        let at = format!("{at}/{keyword}/{name}");
        match now.get(name) {
            None => found.push(format!("{at} is gone")),
            Some(now) => schema(&at, before, now, found),
        }
    }
}

fn list(at: &str, what: &str, names: Vec<String>, found: &mut Vec<String>) {
    found.extend(names.iter().map(|name| format!("{at} {what} {name}")));
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn texts(value: Option<&Value>) -> BTreeSet<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn promise() -> Value {
        json!({
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": {"type": "string"},
                "b": {"$ref": "#/$defs/B"},
            },
            "$defs": {"B": {"type": "string", "examples": ["X", "Y"], "description": "b"}},
        })
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut now = promise();
        change(&mut now);
        let files = |value| Files::from([("schemas/M.json".to_owned(), value)]);
        broken(&files(promise()), &files(now))
    }

    #[test]
    fn what_grows_breaks_nothing() {
        assert!(changed(|_| {}).is_empty());
        let grown = changed(|now| {
            now["properties"]["c"] = json!({"type": "integer"});
            now["$defs"]["C"] = json!({"type": "object"});
            now["$defs"]["B"]["examples"] = json!(["X", "Y", "Z"]);
            now["$defs"]["B"]["description"] = json!("other words");
        });
        assert!(grown.is_empty(), "{grown:?}");
    }

    #[test]
    fn what_an_integration_relies_on_is_named_when_it_changes() {
        let at = "schemas/M.json";
        let gone = changed(|now| {
            now["properties"].as_object_mut().unwrap().remove("b");
        });
        assert_eq!(gone, [format!("{at}/properties/b is gone")]);
        let other = changed(|now| now["properties"]["a"]["type"] = json!("integer"));
        assert_eq!(
            other,
            [format!(
                r#"{at}/properties/a/type was "string", is "integer""#
            )]
        );
        let required = changed(|now| now["required"] = json!(["a", "b"]));
        assert_eq!(required, [format!(r#"{at} newly requires "b""#)]);
        let absent = changed(|now| now["required"] = json!([]));
        assert_eq!(absent, [format!(r#"{at} no longer always has "a""#)]);
        let value = changed(|now| now["$defs"]["B"]["examples"] = json!(["X"]));
        assert_eq!(
            value,
            [format!(r#"{at}/$defs/B no longer has the value "Y""#)]
        );
        let stricter = changed(|now| now["properties"]["a"]["maxLength"] = json!(3));
        assert_eq!(stricter, [format!("{at}/properties/a/maxLength is new: 3")]);
        let files = Files::from([(at.to_owned(), promise())]);
        assert_eq!(broken(&files, &Files::new()), [format!("{at} is gone")]);
    }

    #[test]
    fn an_event_stays_where_it_is_told() {
        let document = |address: &str| {
            let channels = json!({"x.y.z": {"address": address, "bindings": {}}});
            Files::from([(DOCUMENT.to_owned(), json!({"channels": channels}))])
        };
        let none = Files::from([(DOCUMENT.to_owned(), json!({"channels": {}}))]);
        assert!(broken(&document("a"), &document("a")).is_empty());
        assert!(broken(&none, &document("a")).is_empty());
        assert_eq!(
            broken(&document("a"), &document("b")),
            ["the event x.y.z has another address"]
        );
        assert_eq!(broken(&document("a"), &none), ["the event x.y.z is gone"]);
    }
}
