use super::*;
use centro_proto::configuration::{
    RoutingProfile, change::Object, routing_profiles_server::RoutingProfiles,
};
use centro_testkit::engines::on_both_engines;
use prost_types::FieldMask;

async fn get(world: &World, tenant: TenantId, user: UserId) -> Result<RoutingProfile, Status> {
    let request = pb::GetRoutingProfileRequest {
        user_id: user.to_string(),
    };
    let profile = world.desk.get_routing_profile(world.ask(tenant, request));
    Ok(profile.await?.into_inner())
}

async fn update(
    world: &World,
    tenant: TenantId,
    profile: RoutingProfile,
    path: &str,
) -> Result<RoutingProfile, Status> {
    let request = pb::UpdateRoutingProfileRequest {
        routing_profile: Some(profile),
        update_mask: Some(FieldMask {
            paths: vec![path.to_owned()],
        }),
    };
    let profile = world
        .desk
        .update_routing_profile(world.ask(tenant, request));
    Ok(profile.await?.into_inner())
}

#[on_both_engines]
async fn who_was_never_given_a_profile_serves_three_chats_and_no_call_beside_them() {
    let world = World::new().await;
    let anna = get(&world, ACME, ANNA).await.unwrap();
    assert_eq!(anna.user_id, ANNA.to_string());
    assert_eq!(
        (anna.chat_capacity, anna.voice_interrupts_chat),
        (Some(3), Some(false))
    );
    assert_eq!(anna.etag, "");
    assert_eq!(reason(get(&world, ACME, STRANGER).await), "not_found");
    assert_eq!(reason(get(&world, OTHER, ANNA).await), "not_found");
}

#[on_both_engines]
async fn a_profile_changes_where_it_is_told_to_and_the_feed_tells_of_it() {
    let world = World::new().await;
    let mut events = world.watch().await;
    let anna = RoutingProfile {
        user_id: ANNA.to_string(),
        chat_capacity: Some(8),
        voice_interrupts_chat: Some(true),
        etag: String::new(),
    };
    let eight = update(&world, ACME, anna.clone(), "chat_capacity").await;
    let eight = eight.unwrap();
    let same = update(&world, ACME, eight.clone(), "chat_capacity").await;
    assert_eq!(same.unwrap(), eight, "said twice it is one change");
    assert_eq!(
        (eight.chat_capacity, eight.voice_interrupts_chat),
        (Some(8), Some(false))
    );
    assert_eq!(get(&world, ACME, ANNA).await.unwrap(), eight);
    let (event, change) = next(&mut events).await;
    assert_eq!(event.subject, ANNA.to_string());
    assert_eq!(change.object, Some(Object::RoutingProfile(eight.clone())));
    let both = update(&world, ACME, anna.clone(), "voice_interrupts_chat").await;
    let both = both.unwrap();
    assert_eq!(
        (both.chat_capacity, both.voice_interrupts_chat),
        (Some(8), Some(true))
    );
    let stale = RoutingProfile {
        etag: eight.etag,
        ..anna.clone()
    };
    assert_eq!(
        reason(update(&world, ACME, stale, "chat_capacity").await),
        "etag_mismatch"
    );
    for (wrong, code) in [(0, "value_too_small"), (31, "value_too_large")] {
        let wrong = RoutingProfile {
            chat_capacity: Some(wrong),
            ..anna.clone()
        };
        let refused = update(&world, ACME, wrong, "chat_capacity").await;
        assert_eq!(reason(refused), code);
    }
    assert_eq!(
        reason(update(&world, OTHER, anna.clone(), "chat_capacity").await),
        "not_found"
    );
    let cleared = RoutingProfile {
        chat_capacity: None,
        ..anna
    };
    let cleared = update(&world, ACME, cleared, "chat_capacity").await;
    assert_eq!(cleared.unwrap().chat_capacity, Some(3));
}
