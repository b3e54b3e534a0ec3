use super::*;
use centro_proto::configuration::{
    OrganizationSettings, change::Object, configuration_feed_server::ConfigurationFeed,
    organization_server::Organization,
};
use centro_testkit::engines::on_both_engines;
use prost_types::FieldMask;

async fn get(world: &World, tenant: TenantId) -> OrganizationSettings {
    let request = world.ask(tenant, pb::GetOrganizationSettingsRequest {});
    let settings = world.desk.get_organization_settings(request).await;
    settings.unwrap().into_inner()
}

async fn allow(
    world: &World,
    tenant: TenantId,
    allowed: Option<bool>,
    etag: &str,
) -> Result<OrganizationSettings, Status> {
    let request = pb::UpdateOrganizationSettingsRequest {
        organization_settings: Some(OrganizationSettings {
            allow_unassigned_log_in: allowed,
            etag: etag.to_owned(),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["allow_unassigned_log_in".to_owned()],
        }),
    };
    let request = world.ask(tenant, request);
    let settings = world.desk.update_organization_settings(request).await;
    Ok(settings?.into_inner())
}

#[on_both_engines]
async fn nobody_logs_in_to_queues_of_others_until_the_organization_allows_it() {
    let world = World::new().await;
    let unset = get(&world, ACME).await;
    assert_eq!(unset.tenant_id, ACME.to_string());
    assert_eq!(unset.allow_unassigned_log_in, Some(false));
    assert_eq!(unset.etag, "");
    let on = allow(&world, ACME, Some(true), "").await.unwrap();
    assert_eq!(on.allow_unassigned_log_in, Some(true));
    assert_eq!(on.tenant_id, ACME.to_string());
    assert_eq!(get(&world, ACME).await, on);
    let same = allow(&world, ACME, Some(true), &on.etag).await;
    assert_eq!(same.unwrap(), on, "said twice it is one change");
    assert_eq!(
        get(&world, OTHER).await.allow_unassigned_log_in,
        Some(false)
    );
    let reset = allow(&world, ACME, None, &on.etag).await.unwrap();
    assert_eq!(reset.allow_unassigned_log_in, Some(false));
}

#[on_both_engines]
async fn a_tenant_lives_by_utc_until_it_says_where_it_is() {
    let world = World::new().await;
    let zone = async |name: &str| {
        let request = pb::UpdateOrganizationSettingsRequest {
            organization_settings: Some(OrganizationSettings {
                time_zone: Some(name.to_owned()),
                ..Default::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec!["time_zone".to_owned()],
            }),
        };
        let request = world.ask(ACME, request);
        let settings = world.desk.update_organization_settings(request).await;
        Ok::<_, Status>(settings?.into_inner().time_zone().to_owned())
    };
    assert_eq!(get(&world, ACME).await.time_zone(), "UTC");
    assert_eq!(zone("europe/rome").await.unwrap(), "Europe/Rome");
    for wrong in ["Roma", "+02:00", "Europe/", "Europe/Rome2", "🕛"] {
        assert_eq!(reason(zone(wrong).await), "time_zone_unknown", "{wrong}");
    }
    assert_eq!(reason(zone(&"x".repeat(65)).await), "text_too_long");
    assert_eq!(get(&world, ACME).await.time_zone(), "Europe/Rome");
    assert_eq!(get(&world, OTHER).await.time_zone(), "UTC");
    assert_eq!(zone("").await.unwrap(), "UTC", "as if nothing was said");
}

#[on_both_engines]
async fn of_two_who_change_the_settings_at_once_the_second_is_told() {
    let world = World::new().await;
    let on = allow(&world, ACME, Some(true), "").await.unwrap();
    let off = allow(&world, ACME, Some(false), &on.etag).await.unwrap();
    assert_ne!(on.etag, off.etag);
    assert_eq!(
        reason(allow(&world, ACME, Some(true), &on.etag).await),
        "etag_mismatch"
    );
    let without = pb::UpdateOrganizationSettingsRequest::default();
    let without = world.ask(ACME, without);
    assert_eq!(
        reason(world.desk.update_organization_settings(without).await),
        "field_missing"
    );
}

#[on_both_engines]
async fn the_feed_tells_of_each_change_and_each_tenant_has_settings_of_its_own() {
    let world = World::new().await;
    let mut events = world.watch().await;
    let ours = allow(&world, ACME, Some(true), "").await.unwrap();
    let (event, change) = next(&mut events).await;
    assert_eq!(event.subject, ACME.to_string());
    assert_eq!(change.tenant_id, ACME.to_string());
    let told = Some(Object::OrganizationSettings(ours.clone()));
    assert_eq!((change.deleted, &change.object), (false, &told));
    allow(&world, OTHER, Some(true), "").await.unwrap();
    let theirs = allow(&world, OTHER, Some(false), "").await.unwrap();
    let request = Request::new(pb::SnapshotRequest::default());
    let snapshot = world.desk.snapshot(request).await.unwrap().into_inner();
    let objects: Vec<_> = snapshot.changes.into_iter().map(|c| c.object).collect();
    let theirs = Some(Object::OrganizationSettings(theirs));
    assert_eq!(objects, [told, theirs]);
}
