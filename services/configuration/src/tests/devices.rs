use super::*;
use crate::core::device;
use centro_proto::configuration::{Trunk, configuration_feed_server::ConfigurationFeed};
use centro_testkit::engines::on_both_engines;

async fn credentials(world: &World, tenant: TenantId, id: &str) -> Result<pb::Credentials, Status> {
    let request = pb::GetCredentialsRequest {
        tenant_id: tenant.to_string(),
        id: id.to_owned(),
    };
    Ok(world
        .desk
        .get_credentials(Request::new(request))
        .await?
        .into_inner())
}

async fn list(world: &World, who: &Principal, user_id: &str) -> Vec<Device> {
    let request = pb::ListDevicesRequest {
        user_id: user_id.to_owned(),
        ..Default::default()
    };
    world
        .desk
        .list_devices(world.ask_as(who, request))
        .await
        .unwrap()
        .into_inner()
        .devices
}

async fn trunk(
    world: &World,
    name: &str,
    addresses: &[&str],
    digest: bool,
) -> Result<Trunk, Status> {
    let trunk = Trunk {
        display_name: name.to_owned(),
        addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
        digest,
        ..Default::default()
    };
    let request = pb::CreateTrunkRequest { trunk: Some(trunk) };
    Ok(world
        .desk
        .create_trunk(world.ask(ACME, request))
        .await?
        .into_inner())
}

#[on_both_engines]
async fn a_device_shows_its_secret_once_and_keeps_its_digests() {
    let world = World::new().await;
    let phone = world.device(ACME, "", &ANNA.to_string()).await.unwrap();
    assert_eq!(
        (phone.username.as_str(), phone.secret.len()),
        ("acme-100", 32)
    );
    let expected = device::credentials("acme-100", "centro.test", &phone.secret);
    assert_eq!(
        credentials(&world, ACME, &phone.id).await.unwrap(),
        expected
    );
    let admin = Principal::User {
        tenant: ACME,
        user: BRUNO,
        roles: vec![Role::Admin],
    };
    assert!(
        list(&world, &admin, "")
            .await
            .iter()
            .all(|device| device.secret.is_empty())
    );

    let request = pb::RotateDeviceSecretRequest {
        id: phone.id.clone(),
    };
    let rotated = world
        .desk
        .rotate_device_secret(world.ask(ACME, request))
        .await
        .unwrap()
        .into_inner();
    assert_ne!(rotated.secret, phone.secret);
    let expected = device::credentials("acme-100", "centro.test", &rotated.secret);
    assert_eq!(
        credentials(&world, ACME, &phone.id).await.unwrap(),
        expected
    );
    assert_eq!(
        reason(credentials(&world, OTHER, &phone.id).await),
        "not_found"
    );
    assert_eq!(
        reason(world.device(ACME, "", &STRANGER.to_string()).await),
        "not_found"
    );
}

#[on_both_engines]
async fn a_person_lists_the_own_devices() {
    let world = World::new().await;
    let own = world.device(ACME, "", &ANNA.to_string()).await.unwrap();
    world.device(ACME, "", &BRUNO.to_string()).await.unwrap();
    world.device(ACME, "", "").await.unwrap();
    let anna = |role| Principal::User {
        tenant: ACME,
        user: ANNA,
        roles: vec![role],
    };
    let mine = list(&world, &anna(Role::Admin), "me").await;
    assert_eq!(
        mine.iter().map(|device| &device.id).collect::<Vec<_>>(),
        [&own.id]
    );
    assert_eq!(list(&world, &anna(Role::Admin), "").await.len(), 3);
    assert_eq!(
        list(&world, &anna(Role::Supervisor), &BRUNO.to_string())
            .await
            .len(),
        1
    );
    assert_eq!(list(&world, &anna(Role::Agent), "").await.len(), 1);
    assert!(
        list(&world, &anna(Role::Agent), &BRUNO.to_string())
            .await
            .is_empty()
    );
    let key = Principal::Key {
        tenant: ACME,
        role: Role::Admin,
    };
    assert!(list(&world, &key, "me").await.is_empty());
    assert_eq!(list(&world, &key, "").await.len(), 3);
}

#[on_both_engines]
async fn a_trunk_is_known_by_address_or_signs_in_by_digest() {
    let world = World::new().await;
    let by_address = trunk(&world, "Carrier", &["192.0.2.0/28", "2001:DB8::1"], false)
        .await
        .unwrap();
    assert_eq!(by_address.addresses, ["192.0.2.0/28", "2001:db8::1"]);
    assert!(by_address.secret.is_empty() && by_address.username.is_empty());
    assert_eq!(
        reason(credentials(&world, ACME, &by_address.id).await),
        "not_found"
    );
    let by_digest = trunk(&world, "Other", &[], true).await.unwrap();
    assert!(by_digest.username.starts_with("trunk-"));
    let expected = device::credentials(&by_digest.username, "centro.test", &by_digest.secret);
    assert_eq!(
        credentials(&world, ACME, &by_digest.id).await.unwrap(),
        expected
    );
    assert_eq!(
        reason(trunk(&world, "X", &["carrier.example"], false).await),
        "address_bad_format"
    );
    assert_eq!(
        reason(trunk(&world, "X", &["192.0.2.1", "0.0.0.0/0"], false).await),
        "address_too_wide"
    );
    assert_eq!(
        reason(trunk(&world, "X", &[], false).await),
        "address_needed"
    );
    assert_eq!(
        reason(trunk(&world, "carrier", &["192.0.2.1"], false).await),
        "name_duplicate"
    );
    let request = pb::ListTrunksRequest::default();
    let listed = world
        .desk
        .list_trunks(world.ask(ACME, request))
        .await
        .unwrap()
        .into_inner()
        .trunks;
    assert!(listed.len() == 2 && listed.iter().all(|trunk| trunk.secret.is_empty()));
    let request = pb::DeleteTrunkRequest { id: by_digest.id };
    world
        .desk
        .delete_trunk(world.ask(ACME, request))
        .await
        .unwrap();
}
