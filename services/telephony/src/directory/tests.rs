use super::*;
use centro_proto::configuration as pb;

const TENANT: TenantId = TenantId::from_u128(1);
const STRANGER: TenantId = TenantId::from_u128(2);

fn change(version: u64, object: Object) -> Change {
    Change {
        tenant_id: TENANT.to_string(),
        version,
        deleted: false,
        object: Some(object),
    }
}

fn queue(version: u64, extension: &str) -> Change {
    let id = QueueId::from_u128(5).to_string();
    change(
        version,
        Object::CallQueue(CallQueue {
            id,
            extension: extension.into(),
            ..CallQueue::default()
        }),
    )
}

#[test]
fn of_two_states_the_later_one_counts() {
    let mut directory = Directory::default();
    directory.apply(queue(2, "200"));
    directory.apply(queue(1, "100"));
    assert!(directory.extension_target(TENANT, "100").is_none());
    assert!(matches!(
        directory.extension_target(TENANT, "200"),
        Some(Target::Queue(_))
    ));
    assert!(directory.extension_target(STRANGER, "200").is_none());
    directory.apply(queue(3, "300"));
    assert!(directory.extension_target(TENANT, "200").is_none());
    directory.apply(Change {
        deleted: true,
        ..queue(4, "")
    });
    assert!(directory.extension_target(TENANT, "300").is_none());
}

#[test]
fn what_a_new_snapshot_lacks_is_gone() {
    let mut directory = Directory::default();
    directory.apply(queue(2, "200"));
    assert!(directory.replace(Directory::default()).is_empty());
    assert!(directory.extension_target(TENANT, "200").is_none());
}

#[test]
fn a_number_is_found_only_for_its_own_tenant() {
    let mut directory = Directory::default();
    let plan = DialPlanId::from_u128(3).to_string();
    directory.apply(change(
        1,
        Object::DialPlan(DialPlan {
            id: plan.clone(),
            ..DialPlan::default()
        }),
    ));
    let number = pb::Number {
        id: "num_1".into(),
        e164: "+390612345678".into(),
        dial_plan_id: plan,
        ..pb::Number::default()
    };
    directory.apply(change(2, Object::Number(number)));
    assert!(matches!(
        directory.number(TENANT, "00390612345678"),
        Some(Some(Target::Plan(_)))
    ));
    assert!(directory.number(STRANGER, "+390612345678").is_none());
    assert!(directory.number(TENANT, "+390612345679").is_none());
}

#[test]
fn a_device_with_a_new_secret_is_named_so_that_its_phones_sign_in_again() {
    let mut directory = Directory::default();
    let device = |version, ha1: &str| {
        let device = pb::Device {
            id: DeviceId::from_u128(8).to_string(),
            username: "demo-201".into(),
            extension: "201".into(),
            ..pb::Device::default()
        };
        let credentials = pb::Credentials {
            ha1_md5: ha1.into(),
            ha1_sha256: ha1.into(),
        };
        let both = pb::DeviceWithCredentials {
            device: Some(device),
            credentials: Some(credentials),
        };
        change(version, Object::Device(both))
    };
    assert_eq!(directory.apply(device(1, "a")), None);
    assert!(matches!(
        directory.login("demo-201"),
        Some(Login::Device(_))
    ));
    assert_eq!(directory.apply(device(2, "a")), None);
    assert_eq!(
        directory.apply(device(3, "b")),
        Some(DeviceId::from_u128(8))
    );
    assert_eq!(
        directory.apply(Change {
            deleted: true,
            ..device(4, "b")
        }),
        Some(DeviceId::from_u128(8))
    );
    assert!(directory.login("demo-201").is_none());
}

#[test]
fn a_suspended_device_is_signed_out_and_signs_in_no_more_but_keeps_its_extension() {
    let mut directory = Directory::default();
    let device = |version, suspended| {
        let device = pb::Device {
            id: DeviceId::from_u128(8).to_string(),
            username: "demo-201".into(),
            extension: "201".into(),
            suspended,
            ..pb::Device::default()
        };
        let both = pb::DeviceWithCredentials {
            device: Some(device),
            credentials: None,
        };
        change(version, Object::Device(both))
    };
    let id = Some(DeviceId::from_u128(8));
    assert_eq!(directory.apply(device(1, false)), None);
    assert_eq!(directory.apply(device(2, true)), id);
    assert!(directory.login("demo-201").is_none());
    assert!(directory.extension_target(TENANT, "201").is_some());
    assert_eq!(directory.apply(device(3, false)), None);
    assert!(directory.login("demo-201").is_some());
    let mut newer = Directory::default();
    newer.apply(device(4, true));
    assert_eq!(directory.replace(newer), Vec::from_iter(id));
}
