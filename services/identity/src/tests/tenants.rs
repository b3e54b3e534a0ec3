use super::*;
use centro_testkit::engines::on_both_engines;

#[on_both_engines]
async fn a_short_name_belongs_to_one_tenant() {
    let world = World::new().await;
    let home = world.home("acme").await;
    assert_eq!(home.slug, "acme");
    let request = |slug: &str| {
        Request::new(pb::CreateTenantRequest {
            slug: slug.to_owned(),
            display_name: "X".to_owned(),
            owner: Some(person("owner", &[])),
        })
    };
    assert_eq!(
        reason(world.desk.create_tenant(request("acme")).await),
        "slug_taken"
    );
    assert_eq!(
        reason(world.desk.create_tenant(request("No Good")).await),
        "slug_bad_format"
    );
    let tenants = world
        .desk
        .list_tenants(Request::new(pb::ListTenantsRequest {}))
        .await
        .unwrap();
    assert_eq!(tenants.into_inner().tenants.len(), 1);
}
