use super::*;
use centro_proto::identity::api_keys_server::ApiKeys;
use centro_testkit::engines::on_both_engines;

async fn make(world: &World, by: &Principal, role: pb::Role) -> Result<pb::ApiKey, Status> {
    let api_key = pb::ApiKey {
        display_name: "CRM".to_owned(),
        role: role as i32,
        ..Default::default()
    };
    let request = pb::CreateApiKeyRequest {
        api_key: Some(api_key),
    };
    Ok(world
        .desk
        .create_api_key(with(by, request))
        .await?
        .into_inner())
}

async fn exchange(world: &World, key: &str) -> Result<pb::Session, Status> {
    let request = pb::ExchangeApiKeyRequest {
        api_key: key.to_owned(),
    };
    Ok(world
        .desk
        .exchange_api_key(Request::new(request))
        .await?
        .into_inner())
}

async fn list(world: &World, by: &Principal) -> Vec<pb::ApiKey> {
    let request = pb::ListApiKeysRequest::default();
    world
        .desk
        .list_api_keys(with(by, request))
        .await
        .unwrap()
        .into_inner()
        .api_keys
}

#[on_both_engines]
async fn a_key_shows_its_secret_once_and_becomes_a_token_of_its_role() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let key = make(&world, &home.owner, pb::Role::Supervisor)
        .await
        .unwrap();
    assert!(key.secret.starts_with("cc_live_"));
    assert!(
        list(&world, &home.owner)
            .await
            .iter()
            .all(|key| key.secret.is_empty())
    );
    let session = exchange(&world, &key.secret).await.unwrap();
    assert!(session.refresh_token.is_empty() && session.user.is_none());
    let who = world
        .keys
        .verify(&session.access_token, world.now())
        .unwrap();
    assert_eq!(
        who,
        Principal::Key {
            tenant: home.tenant,
            role: Role::Supervisor
        }
    );
    let me = world
        .desk
        .get_me(with(&who, pb::GetMeRequest {}))
        .await
        .unwrap()
        .into_inner();
    assert!(me.user.is_none() && me.permissions.contains(&"live.view".to_owned()));
    assert_eq!(
        reason(exchange(&world, "cc_live_nonsense").await),
        "api_key_wrong"
    );
    assert_eq!(reason(exchange(&world, &key.id).await), "api_key_wrong");
}

#[on_both_engines]
async fn the_last_use_is_seen_before_and_after_it_is_written() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let key = make(&world, &home.owner, pb::Role::Agent).await.unwrap();
    assert_eq!(list(&world, &home.owner).await[0].last_use_time, None);
    exchange(&world, &key.secret).await.unwrap();
    let seen = list(&world, &home.owner).await[0].last_use_time;
    assert_eq!(seen.map(|time| time.seconds), Some(1_790_000_000));
    world.desk.key_use.flush(&world.desk.store).await;
    assert_eq!(world.desk.key_use.pending(&key.id), None);
    assert_eq!(list(&world, &home.owner).await[0].last_use_time, seen);
}

#[on_both_engines]
async fn a_deleted_or_expired_key_opens_nothing() {
    let world = World::new().await;
    let (home, other) = (world.home("acme").await, world.home("other").await);
    let key = make(&world, &home.owner, pb::Role::Agent).await.unwrap();
    let delete = |by: &Principal| {
        world
            .desk
            .delete_api_key(with(by, pb::DeleteApiKeyRequest { id: key.id.clone() }))
    };
    assert_eq!(reason(delete(&other.owner).await), "not_found");
    assert!(list(&world, &other.owner).await.is_empty());
    delete(&home.owner).await.unwrap();
    assert_eq!(reason(exchange(&world, &key.secret).await), "api_key_wrong");

    let expire = prost_types::Timestamp {
        seconds: 1_790_000_060,
        nanos: 0,
    };
    let short = pb::ApiKey {
        display_name: "short".to_owned(),
        role: pb::Role::Agent as i32,
        expire_time: Some(expire),
        ..Default::default()
    };
    let request = pb::CreateApiKeyRequest {
        api_key: Some(short),
    };
    let short = world
        .desk
        .create_api_key(with(&home.owner, request.clone()))
        .await
        .unwrap()
        .into_inner();
    let session = exchange(&world, &short.secret).await.unwrap();
    assert_eq!(session.expire_time, Some(expire));
    world.clock.advance(Duration::from_secs(60));
    assert!(
        world
            .keys
            .verify(&session.access_token, world.now())
            .is_err()
    );
    assert_eq!(
        reason(exchange(&world, &short.secret).await),
        "api_key_wrong"
    );
    let again = world.desk.create_api_key(with(&home.owner, request)).await;
    assert_eq!(reason(again), "expire_time_past");
}

#[on_both_engines]
async fn a_key_has_one_known_role_and_not_more_than_its_maker() {
    let world = World::new().await;
    let home = world.home("acme").await;
    assert_eq!(
        reason(make(&world, &home.owner, pb::Role::Unspecified).await),
        "role_unknown"
    );
    let admin = world
        .add(&home.owner, person("admin", &[pb::Role::Admin]))
        .await
        .unwrap();
    let by = as_user(&home, &admin, Role::Admin);
    assert_eq!(
        reason(make(&world, &by, pb::Role::Owner).await),
        "owner_only"
    );
    make(&world, &by, pb::Role::Admin).await.unwrap();
}

async fn delete(world: &World, by: &Principal, key: &pb::ApiKey) -> Result<(), Status> {
    let request = pb::DeleteApiKeyRequest { id: key.id.clone() };
    world.desk.delete_api_key(with(by, request)).await.map(drop)
}

#[on_both_engines]
async fn only_an_owner_removes_an_owners_key() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let admin = world
        .add(&home.owner, person("admin", &[pb::Role::Admin]))
        .await
        .unwrap();
    let admin = as_user(&home, &admin, Role::Admin);
    let owners = make(&world, &home.owner, pb::Role::Owner).await.unwrap();
    let own = make(&world, &admin, pb::Role::Admin).await.unwrap();
    assert_eq!(reason(delete(&world, &admin, &owners).await), "owner_only");
    exchange(&world, &owners.secret).await.unwrap();
    delete(&world, &admin, &own).await.unwrap();
    delete(&world, &home.owner, &owners).await.unwrap();
}

#[on_both_engines]
async fn a_keys_life_is_told_and_its_tokens_end_with_it() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let mut told = world.watch("*.identity.api_key.*").await;
    let key = make(&world, &home.owner, pb::Role::Agent).await.unwrap();
    let event = next(&mut told).await;
    assert_eq!(
        (event.kind.as_str(), &event.subject),
        ("identity.api_key.created", &key.id)
    );
    let session = exchange(&world, &key.secret).await.unwrap();
    assert!(!world.void(&session).await);
    delete(&world, &home.owner, &key).await.unwrap();
    assert!(world.void(&session).await);
    let event = next(&mut told).await;
    let data: centro_proto::events::ApiKeyChanged = event.decode().unwrap();
    assert_eq!(
        (event.kind.as_str(), data.api_key_id, data.display_name),
        ("identity.api_key.deleted", key.id, "CRM".to_owned())
    );
}

#[on_both_engines]
async fn a_source_that_tries_many_unknown_keys_pauses() {
    let world = World::with(Settings {
        sign_in_failures_per_source: 3,
        ..Settings::default()
    })
    .await;
    let home = world.home("acme").await;
    let key = make(&world, &home.owner, pb::Role::Agent).await.unwrap();
    let from = |source: &str, key: String| {
        let mut request = Request::new(pb::ExchangeApiKeyRequest { api_key: key });
        request
            .metadata_mut()
            .insert(SOURCE, source.parse().unwrap());
        request.extensions_mut().insert(gateway());
        world.desk.exchange_api_key(request)
    };
    for n in 0..3 {
        let unknown = format!("cc_live_{n:064}");
        assert_eq!(reason(from("192.0.2.9", unknown).await), "api_key_wrong");
    }
    let paused = from("192.0.2.9", key.secret.clone()).await;
    assert_eq!(reason(paused), "too_many_attempts");
    for _ in 0..5 {
        from("192.0.2.8", key.secret.clone()).await.unwrap();
    }
}
