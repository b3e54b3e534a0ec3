use super::*;
use centro_contract::revocation::{CAPACITY, LONGEST_LIFE};
use centro_node::{Node, Role as Service};
use centro_proto::identity::sessions_client::SessionsClient;
use centro_testkit::engines::on_both_engines;

async fn update(world: &World, home: &Home, user: pb::User, paths: &[&str]) {
    let request = pb::UpdateUserRequest {
        user: Some(pb::User {
            etag: String::new(),
            ..user
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
    };
    world
        .desk
        .update_user(with(&home.owner, request))
        .await
        .unwrap();
}

/// A tenant in which Anna is a supervisor and has just signed in.
async fn anna(world: &World) -> (Home, pb::User, pb::Session) {
    let home = world.home("acme").await;
    let anna = person("anna", &[pb::Role::Supervisor]);
    let anna = world.add(&home.owner, anna).await.unwrap();
    let session = world.sign_in("acme", "anna", PASSWORD).await.unwrap();
    assert!(!world.void(&session).await);
    (home, anna, session)
}

#[on_both_engines]
async fn whatever_ends_a_persons_rights_voids_the_tokens_at_once() {
    let world = World::new().await;
    let (home, anna, session) = anna(&world).await;
    let other = world.sign_in("acme", "owner", PASSWORD).await.unwrap();

    let agent = pb::User {
        roles: vec![pb::Role::Agent as i32],
        ..anna.clone()
    };
    update(&world, &home, agent.clone(), &["roles"]).await;
    assert!(world.void(&session).await, "the old roles");
    let session = world.refresh(&session.refresh_token).await.unwrap();
    assert!(!world.void(&session).await, "the session goes on");

    let renamed = pb::User {
        display_name: "Anna B".into(),
        ..agent.clone()
    };
    update(&world, &home, renamed, &["display_name"]).await;
    assert!(!world.void(&session).await, "a name is no right");

    let password = pb::User {
        password: "replaced by an owner".into(),
        ..agent.clone()
    };
    update(&world, &home, password, &["password"]).await;
    assert!(world.void(&session).await);

    let session = world
        .sign_in("acme", "anna", "replaced by an owner")
        .await
        .unwrap();
    let disabled = pb::User {
        disabled: true,
        ..agent.clone()
    };
    update(&world, &home, disabled, &["disabled"]).await;
    assert!(world.void(&session).await);

    update(&world, &home, agent.clone(), &["disabled"]).await;
    let session = world
        .sign_in("acme", "anna", "replaced by an owner")
        .await
        .unwrap();
    assert!(!world.void(&session).await);
    let gone = pb::DeleteUserRequest { id: agent.id };
    let gone = world.desk.delete_user(with(&home.owner, gone)).await;
    gone.unwrap();
    assert!(world.void(&session).await);
    assert!(!world.void(&other).await, "nobody else is concerned");
}

#[on_both_engines]
async fn signing_out_and_a_stolen_refresh_token_void_the_sessions_tokens() {
    let world = World::new().await;
    world.home("acme").await;
    let session = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let other = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let request = pb::SignOutRequest {
        refresh_token: session.refresh_token.clone(),
    };
    world.desk.sign_out(Request::new(request)).await.unwrap();
    assert!(world.void(&session).await && !world.void(&other).await);

    let second = world.refresh(&other.refresh_token).await.unwrap();
    world.refresh(&second.refresh_token).await.unwrap();
    assert!(world.refresh(&other.refresh_token).await.is_err());
    assert!(world.void(&second).await);
}

#[on_both_engines]
async fn a_revocation_is_kept_as_long_as_any_token_can_live() {
    // Whatever the life of tokens is now, there may be some that were made under another setting.
    let world = World::with(Settings {
        access_token_ttl: Duration::from_secs(60),
        ..Settings::default()
    })
    .await;
    world.home("acme").await;
    let session = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let request = pb::SignOutRequest {
        refresh_token: session.refresh_token.clone(),
    };
    world.desk.sign_out(Request::new(request)).await.unwrap();
    let kept = || async { world.desk.store.revocations(world.now()).await.unwrap() };
    world.clock.advance(LONGEST_LIFE - Duration::from_secs(1));
    assert_eq!(kept().await.len(), 1);
    world.clock.advance(Duration::from_secs(1));
    assert!(kept().await.is_empty());
}

async fn me(node: &Node, session: &pb::Session) -> Result<pb::Me, Status> {
    let mut request = Request::new(pb::GetMeRequest {});
    let token = format!("Bearer {}", session.access_token).parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    let mut door = SessionsClient::new(node.conn(Service::Identity));
    Ok(door.get_me(request).await?.into_inner())
}

/// Calls until the token is refused; a revocation takes a moment over the bus.
async fn revoked(node: &Node, session: &pb::Session) {
    let calling = async {
        loop {
            let answer = me(node, session).await;
            if answer.is_err_and(|status| status::reason(&status) == "token_revoked") {
                return;
            }
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(5), calling).await;
    within.expect("revoked within five seconds");
}

#[on_both_engines]
async fn every_process_refuses_a_disabled_persons_token_also_one_that_starts_later() {
    let world = World::new().await;
    let (node, later) = (world.serve(), world.serve());
    let (home, anna, session) = anna(&world).await;
    me(&node, &session).await.unwrap();
    let disabled = pb::User {
        disabled: true,
        ..anna
    };
    update(&world, &home, disabled, &["disabled"]).await;
    revoked(&node, &session).await;
    revoked(&later, &session).await;
    let restarted = world.serve();
    assert_eq!(
        me(&restarted, &session)
            .await
            .map_err(|s| status::reason(&s)),
        Err("token_revoked".to_owned()),
        "from the first call on"
    );
}

#[on_both_engines]
async fn more_revocations_than_anybody_can_hold_lock_nobody_out() {
    let world = World::new().await;
    let (_, _, old) = anna(&world).await;
    let request = pb::SignOutRequest {
        refresh_token: old.refresh_token.clone(),
    };
    world.desk.sign_out(Request::new(request)).await.unwrap();
    let end = |seconds: u64, many: usize| {
        world.clock.advance(Duration::from_secs(seconds));
        let ids = (0..many).map(move |n| format!("{seconds:016x}{n:016x}"));
        async { world.desk.store.revoke_many(ids, world.now()).await }
    };
    end(1, CAPACITY / 2).await;
    end(2, CAPACITY / 2 + 100).await;
    let rows = world.desk.store.revocations(world.now()).await.unwrap();
    assert_eq!(rows.len(), CAPACITY + 1);
    world.clock.advance(Duration::from_secs(1));
    let new = world.sign_in("acme", "anna", PASSWORD).await.unwrap();
    let started = world.serve();
    me(&started, &new).await.unwrap();
    let refused = me(&started, &old).await.map_err(|s| status::reason(&s));
    assert_eq!(
        refused.err().as_deref(),
        Some("token_revoked"),
        "the oldest"
    );
}
