//! What is around the data of every event: CloudEvents attributes.

use serde_json::{Value as Json, json};

/// The schema of an event without its data.
pub fn schema() -> Json {
    let text = |description: &str| json!({"type": "string", "description": description});
    let number = |description: &str| json!({"type": "string", "pattern": "^[0-9]{20}$", "description": description});
    json!({
        "type": "object",
        "title": "Event",
        "description": "CloudEvents 1.0. Attributes and fields that a reader does not know are to be let pass.",
        "required": [
            "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "tenantid",
            "tenantsequence",
        ],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text("Unique. The same event may come again; know it by this."),
            "source": text("/centro/<service>"),
            "type": text("What happened: <service>.<subject>.<event>."),
            "subject": text("The id of the thing it is about."),
            "time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "datacontenttype": {
                "type": "string",
                "examples": ["application/json", "application/protobuf"],
                "description": "application/json, with `data`. During an update an event of the newer version may come as \
                                application/protobuf, with `data_base64`.",
            },
            "dataschema": text("The $id of the schema of `data`."),
            "tenantid": text("Whose event it is."),
            "tenantsequence": number("Its number among all of the tenant's events, from 1, without a gap. A decimal of 20 digits."),
            "sequence": number("The same among those whose subject is its contact. Absent for others."),
            "contactid": text("The contact it concerns, where `data` names one."),
            "queueid": text("The queue it concerns, where `data` names one."),
            "agentid": text("The agent it concerns, where `data` names one."),
            "traceparent": text("W3C trace context of what caused it."),
            "data_base64": text("The payload as protobuf, instead of `data`."),
        },
    })
}
