use super::*;
use crate::catalogue;
use centro_kernel::{ContactId, EventId, QueueId, TenantId, Timestamp, UserId};
use centro_proto::{
    events::{CallArrived, ContactConnected},
    types::Party,
};
use prost::{Message, Name};
use serde_json::{Value, json};

fn about<M: Message + Name>(kind: &str, subject: impl ToString, data: &M) -> Event {
    Event {
        id: EventId::from_u128(9),
        tenant: Some(TenantId::from_u128(1)),
        kind: kind.into(),
        subject: subject.to_string(),
        time: Timestamp::from_millis(1_700_000_000_123),
        sequence: 41,
        contact_sequence: 7,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        data_type: M::full_name(),
        data: data.encode_to_vec().into(),
    }
}

fn connected() -> Event {
    let data = ContactConnected {
        contact_id: ContactId::from_u128(2).to_string(),
        queue_id: QueueId::from_u128(3).to_string(),
        agent_id: UserId::from_u128(4).to_string(),
        reservation: u64::MAX,
    };
    about("routing.contact.connected", &data.contact_id, &data)
}

#[test]
fn an_event_is_a_cloud_event_with_json_data_and_both_parties() {
    let written: Value = serde_json::from_slice(&Public.write(&connected())).unwrap();
    let (contact, queue) = (ContactId::from_u128(2), QueueId::from_u128(3));
    let agent = UserId::from_u128(4);
    let expected = json!({
        "specversion": "1.0",
        "id": EventId::from_u128(9).to_string(),
        "source": "/centro/routing",
        "type": "routing.contact.connected",
        "subject": contact.to_string(),
        "time": "2023-11-14T22:13:20.123Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:centro:schema:centro.events.v1.ContactConnected",
        "tenantid": TenantId::from_u128(1).to_string(),
        "tenantsequence": "00000000000000000041",
        "sequence": "00000000000000000007",
        "contactid": contact.to_string(),
        "queueid": queue.to_string(),
        "agentid": agent.to_string(),
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {
            "contactId": contact.to_string(),
            "queueId": queue.to_string(),
            "agentId": agent.to_string(),
            "reservation": "18446744073709551615",
        },
    });
    assert_eq!(written, expected);
}

#[test]
fn both_wires_read_both_forms() {
    let public = connected();
    let internal = Event {
        contact_sequence: 0, // the internal form has none
        ..connected()
    };
    for wire in [&Public as &dyn Wire, &Internal] {
        assert_eq!(wire.read(&Public.write(&public)), Ok(public.clone()));
        let old = wire.read(&Internal.write(&internal)).unwrap();
        assert_eq!((old.id, &old.data), (internal.id, &internal.data));
        assert_eq!(old.kind, internal.kind);
    }
    assert_eq!(
        Internal.read(&Internal.write(&internal)),
        Ok(internal.clone())
    );
    assert_eq!(CloudEvents.read(&Internal.write(&internal)), Ok(internal));
}

#[test]
fn data_of_every_type_comes_back_as_it_was() {
    let caller = Some(Party {
        number: "+390212345678".into(),
        display_name: "\"Ünï\"\n".into(),
    });
    let arrived = CallArrived {
        contact_id: ContactId::from_u128(2).to_string(),
        caller,
        ..CallArrived::default()
    };
    let event = about("telephony.call.arrived", "con", &arrived);
    assert_eq!(Public.read(&Public.write(&event)), Ok(event));
    for kind in catalogue().values() {
        let event = Event {
            kind: kind.name.clone(),
            data_type: kind.message.full_name().to_owned(),
            data: vec![].into(),
            tenant: None,
            sequence: 0,
            contact_sequence: 0,
            traceparent: None,
            ..connected()
        };
        let bytes = Public.write(&event);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("data_base64"), "{text}");
        assert_eq!(Public.read(&bytes), Ok(event));
    }
}

#[test]
fn an_event_of_a_newer_version_keeps_its_payload() {
    let event = Event {
        data_type: "centro.events.v1.LeadCalled".into(),
        data: vec![0, 255, 7].into(),
        ..connected()
    };
    let written: Value = serde_json::from_slice(&Public.write(&event)).unwrap();
    assert_eq!(written["datacontenttype"], "application/protobuf");
    assert_eq!(written["dataschema"], "proto:centro.events.v1.LeadCalled");
    assert_eq!(written["data_base64"], "AP8H");
    assert_eq!(written["tenantsequence"], "00000000000000000041");
    assert_eq!(Public.read(&Public.write(&event)), Ok(event));
}

#[test]
fn what_a_newer_version_added_is_left_out_and_what_is_no_event_is_refused() {
    let mut written: Value = serde_json::from_slice(&Public.write(&connected())).unwrap();
    let mut newer = written.clone();
    newer["later"] = json!({"x": 1});
    newer["data"]["later"] = json!([1]);
    assert_eq!(Public.read(newer.to_string().as_bytes()), Ok(connected()));
    let good = written.clone();
    for (key, bad) in [
        ("specversion", json!("0.3")),
        ("id", json!("con_1")),
        ("type", Value::Null),
        ("time", json!("yesterday")),
        ("datacontenttype", json!("text/plain")),
        ("dataschema", json!("https://example.com")),
        (
            "dataschema",
            json!("urn:centro:schema:centro.events.v1.Nothing"),
        ),
        ("tenantsequence", json!("-1")),
        ("tenantid", json!("x")),
        ("data", json!({"reservation": "many"})),
    ] {
        written = good.clone();
        written[key] = bad;
        for wire in [&Public as &dyn Wire, &Internal] {
            let read = wire.read(written.to_string().as_bytes());
            assert!(read.is_err(), "{key}: {read:?}");
        }
    }
    assert!(Public.read(b"\xff").is_err());
}
