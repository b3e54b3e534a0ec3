//! Field rules, defaults and masked updates on Centro's own resources.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_contract::{Api, mask, rules};
use centro_proto::{configuration::*, identity};
use prost::{Message, Name};
use prost_reflect::DynamicMessage;
use prost_types::{Duration, FieldMask};

fn dynamic<M: Message + Name>(message: &M) -> DynamicMessage {
    let descriptor = centro_proto::POOL
        .get_message_by_name(&M::full_name())
        .unwrap();
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).unwrap()
}

fn broken<M: Message + Name>(message: &M) -> Vec<(String, &'static str)> {
    rules::violations(message)
        .unwrap()
        .into_iter()
        .map(|v| (v.path, v.code))
        .collect()
}

fn paths(paths: &[&str]) -> FieldMask {
    FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

#[test]
fn every_broken_rule_is_reported_at_once() {
    let queue = CallQueue {
        display_name: String::new(),
        extension: "12".into(),
        ring_strategy: 99,
        agent_ring_timeout: Some(Duration {
            seconds: 2,
            nanos: 0,
        }),
        weight: Some(1001),
        service_level: Some(ServiceLevel {
            target_percent: 0,
            within: None,
        }),
        ..Default::default()
    };
    let found = broken(&CreateCallQueueRequest {
        call_queue: Some(queue),
    });
    for want in [
        ("call_queue.display_name", "name_empty"),
        ("call_queue.extension", "extension_bad_format"),
        ("call_queue.ring_strategy", "enum_unknown"),
        ("call_queue.agent_ring_timeout", "duration_out_of_range"),
        ("call_queue.weight", "value_too_large"),
        ("call_queue.service_level.target_percent", "value_too_small"),
    ] {
        assert!(
            found.contains(&(want.0.to_owned(), want.1)),
            "{want:?} in {found:?}"
        );
    }
    assert_eq!(
        broken(&CreateCallQueueRequest { call_queue: None }),
        [("call_queue".to_owned(), "field_required")]
    );
}

#[test]
fn lists_are_counted_and_their_items_checked() {
    let user = |roles: Vec<i32>| identity::User {
        login: "a".into(),
        display_name: "A".into(),
        roles,
        ..Default::default()
    };
    assert_eq!(
        broken(&user(vec![])),
        [("roles".to_owned(), "items_too_few")]
    );
    assert_eq!(
        broken(&user(vec![3, 3])),
        [("roles[1]".to_owned(), "items_repeated")]
    );
    assert_eq!(
        broken(&user(vec![3, 77])),
        [("roles[1]".to_owned(), "enum_unknown")]
    );
    assert_eq!(broken(&user(vec![3, 4])), []);
}

#[test]
fn creation_fills_what_is_left_out_and_keeps_what_is_said() {
    let api = Api::installed().unwrap();
    let queue = CallQueue {
        display_name: "Sales".into(),
        max_callers: Some(7),
        ..Default::default()
    };
    let mut request = dynamic(&CreateCallQueueRequest {
        call_queue: Some(queue),
    });
    assert!(api.rules.fill_defaults(&mut request));
    let queue = CreateCallQueueRequest::decode(request.encode_to_vec().as_slice())
        .unwrap()
        .call_queue
        .unwrap();
    assert_eq!(
        queue.agent_ring_timeout,
        Some(Duration {
            seconds: 15,
            nanos: 0
        })
    );
    assert_eq!((queue.max_callers, queue.record), (Some(7), Some(true)));
    assert_ne!(queue.ring_strategy, 0);
    rules::check_resource(&queue).unwrap();
}

#[test]
fn a_masked_update_changes_what_the_mask_names_and_nothing_else() {
    let old = CallQueue {
        id: "que_1".into(),
        etag: "1".into(),
        display_name: "Sales".into(),
        weight: Some(5),
        service_level: Some(ServiceLevel {
            target_percent: 80,
            within: Some(Duration {
                seconds: 20,
                nanos: 0,
            }),
        }),
        ..Default::default()
    };
    let patch = CallQueue {
        id: "que_2".into(),
        display_name: "Support".into(),
        service_level: Some(ServiceLevel {
            target_percent: 90,
            within: None,
        }),
        ..Default::default()
    };
    let new = mask::merge(
        &old,
        &patch,
        &paths(&["service_level.target_percent", "weight", "id"]),
    )
    .unwrap();
    assert_eq!(
        (new.id.as_str(), new.display_name.as_str(), new.weight),
        ("que_1", "Sales", None)
    );
    let level = new.service_level.unwrap();
    assert_eq!(
        (level.target_percent, level.within),
        (
            90,
            Some(Duration {
                seconds: 20,
                nanos: 0
            })
        )
    );

    let new = mask::merge(&old, &patch, &FieldMask::default()).unwrap();
    assert_eq!(
        (new.display_name.as_str(), new.weight),
        ("Support", Some(5)),
        "without paths: what the patch carries"
    );
    let new = mask::merge(&old, &patch, &paths(&["*"])).unwrap();
    assert_eq!((new.etag.as_str(), new.weight), ("1", None));

    for path in ["nonsense", "service_level.nonsense", "display_name.x", ""] {
        let fault = mask::merge(&old, &patch, &paths(&[path])).unwrap_err();
        assert_eq!(fault.reason, "field_unknown", "{path}");
    }
}

#[test]
fn a_oneof_holds_what_the_patch_chose() {
    let node = |kind| DialPlanNode {
        id: "a".into(),
        kind: Some(kind),
    };
    let old = node(dial_plan_node::Kind::HangUp(HangUpNode {}));
    let patch = node(dial_plan_node::Kind::Queue(QueueNode {
        queue_id: "que_1".into(),
        ..Default::default()
    }));
    let new = mask::merge(&old, &patch, &paths(&["queue"])).unwrap();
    assert_eq!(new.kind, patch.kind);
}

#[test]
fn the_merged_resource_is_checked_as_a_whole() {
    let queue = CallQueue {
        display_name: "Sales".into(),
        ..Default::default()
    };
    rules::check_resource(&queue).unwrap();
    let bad = CallQueue {
        service_level: Some(ServiceLevel::default()),
        ..queue
    };
    let fault = rules::check_resource(&bad).unwrap_err();
    assert_eq!(
        (fault.reason, fault.field.as_str()),
        ("value_too_small", "/serviceLevel/targetPercent")
    );
}
