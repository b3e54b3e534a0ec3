//! An event as CloudEvents 1.0 structured JSON with ProtoJSON `data`.

use crate::rest::proto_json;
use centro_bus::Event;
use centro_events::payload;
use centro_kernel::Timestamp;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

/// The event as JSON; `None` when this build cannot read its payload.
pub fn json(event: &Event) -> Option<String> {
    let data: Value = serde_json::from_slice(&proto_json(&payload(event)?).ok()?).ok()?;
    let service = event.kind.split('.').next().unwrap_or_default();
    let mut out = json!({
        "specversion": "1.0",
        "id": event.id.to_string(),
        "source": format!("/centro/{service}"),
        "type": event.kind,
        "subject": event.subject,
        "time": rfc3339(event.time),
        "datacontenttype": "application/json",
        "data": data,
    });
    if event.sequence > 0 {
        out["sequence"] = json!(event.sequence.to_string());
    }
    if let Some(tenant) = event.tenant {
        out["tenantid"] = json!(tenant.to_string());
    }
    if let Some(traceparent) = &event.traceparent {
        out["traceparent"] = json!(traceparent);
    }
    Some(out.to_string())
}

/// RFC 3339 with milliseconds, in UTC.
pub fn rfc3339(time: Timestamp) -> String {
    DateTime::from_timestamp_millis(time.as_millis())
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}
