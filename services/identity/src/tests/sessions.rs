use super::*;
use centro_proto::events::SignInRefused;

#[tokio::test]
async fn a_person_signs_in_and_learns_who_it_is() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let session = world.sign_in("acme", "OWNER", PASSWORD).await.unwrap();
    let user = session.user.unwrap();
    assert!(user.password.is_empty());
    let who = world
        .keys
        .verify(&session.access_token, world.now())
        .unwrap();
    assert_eq!(who.tenant(), Some(home.tenant));
    let me = world
        .desk
        .get_me(with(&who, pb::GetMeRequest {}))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(me.user.unwrap().id, user.id);
    assert_eq!(me.tenant.unwrap().slug, "acme");
    assert!(me.permissions.contains(&"users.edit".to_owned()));
    world.clock.advance(Duration::from_secs(15 * 60));
    assert!(
        world
            .keys
            .verify(&session.access_token, world.now())
            .is_err()
    );
}

#[tokio::test]
async fn without_a_tenant_only_the_only_one_is_meant() {
    let world = World::new().await;
    assert_eq!(
        reason(world.sign_in("", "owner", PASSWORD).await),
        "tenant_needed"
    );
    world.home("acme").await;
    world.sign_in("", "owner", PASSWORD).await.unwrap();
    world.home("other").await;
    assert_eq!(
        reason(world.sign_in("", "owner", PASSWORD).await),
        "tenant_needed"
    );
    world.sign_in("other", "owner", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn unknown_login_wrong_password_and_unknown_tenant_get_the_same_answer() {
    let world = World::new().await;
    world.home("acme").await;
    let mut refused = world.watch("*.identity.session.refused").await;
    let wrong = world
        .sign_in("acme", "owner", "wrong password")
        .await
        .unwrap_err();
    let unknown = world
        .sign_in("acme", "nobody", "wrong password")
        .await
        .unwrap_err();
    let nowhere = world
        .sign_in("nowhere", "owner", PASSWORD)
        .await
        .unwrap_err();
    for status in [&unknown, &nowhere] {
        assert_eq!(status.code(), wrong.code());
        assert_eq!(status.message(), wrong.message());
        assert_eq!(status.details(), wrong.details());
    }
    assert_eq!(status::reason(&wrong), "credentials_wrong");
    let event: SignInRefused = next(&mut refused).await.decode().unwrap();
    assert_eq!(
        (event.login.as_str(), event.source.as_str()),
        ("owner", "192.0.2.1")
    );
}

#[tokio::test]
async fn a_login_that_fails_often_pauses_and_others_do_not() {
    let world = World::new().await;
    world.home("acme").await;
    for _ in 0..5 {
        assert_eq!(
            reason(world.sign_in("acme", "owner", "wrong password").await),
            "credentials_wrong"
        );
    }
    let paused = world.sign_in("acme", "owner", PASSWORD).await.unwrap_err();
    assert_eq!(status::reason(&paused), "too_many_attempts");
    assert_eq!(paused.code(), tonic::Code::ResourceExhausted);
    assert!(
        paused.message().contains("5 seconds"),
        "{}",
        paused.message()
    );
    assert_eq!(
        reason(world.sign_in("acme", "nobody", PASSWORD).await),
        "credentials_wrong"
    );
    world.clock.advance(Duration::from_secs(5));
    world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    assert_eq!(
        reason(world.sign_in("acme", "owner", "wrong password").await),
        "credentials_wrong"
    );
}

#[tokio::test]
async fn a_source_that_fails_often_pauses_whatever_login_it_tries() {
    let world = World::with(Settings {
        sign_in_failures_per_source: 3,
        ..Settings::default()
    })
    .await;
    world.home("acme").await;
    for login in ["a", "b", "c"] {
        assert_eq!(
            reason(world.sign_in("acme", login, "wrong password").await),
            "credentials_wrong"
        );
    }
    assert_eq!(
        reason(world.sign_in("acme", "owner", PASSWORD).await),
        "too_many_attempts"
    );
    world
        .sign_in_from("acme", "owner", PASSWORD, "192.0.2.2")
        .await
        .unwrap();
}

#[tokio::test]
async fn more_sign_ins_than_the_pool_and_its_queue_hold_are_refused_at_once() {
    let settings = Settings {
        hash_workers: 1,
        hash_queue: 1,
        ..Settings::default()
    };
    let world = Arc::new(World::with(settings).await);
    world.home("acme").await;
    let tries = (0..8).map(|n| {
        let world = world.clone();
        tokio::spawn(async move {
            world
                .sign_in_from("acme", "owner", PASSWORD, &format!("192.0.2.{n}"))
                .await
        })
    });
    let mut answers = Vec::new();
    for one in tries.collect::<Vec<_>>() {
        answers.push(one.await.unwrap());
    }
    let refused = answers
        .into_iter()
        .filter_map(Result::err)
        .map(|s| status::reason(&s));
    let refused: Vec<String> = refused.collect();
    assert!(
        refused.iter().any(|reason| reason == "busy_signing_in"),
        "{refused:?}"
    );
    // What was not looked at does not count as a failure.
    world.clock.advance(Duration::from_secs(60));
    world.sign_in("acme", "owner", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_its_reuse_ends_the_family() {
    let world = World::new().await;
    world.home("acme").await;
    let first = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let other = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let second = world.refresh(&first.refresh_token).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    let third = world.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(
        reason(world.refresh(&first.refresh_token).await),
        "session_ended"
    );
    assert_eq!(
        reason(world.refresh(&third.refresh_token).await),
        "session_ended"
    );
    world.refresh(&other.refresh_token).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_by_time() {
    let world = World::new().await;
    world.home("acme").await;
    let session = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let request = pb::SignOutRequest {
        refresh_token: session.refresh_token.clone(),
    };
    world
        .desk
        .sign_out(Request::new(request.clone()))
        .await
        .unwrap();
    world.desk.sign_out(Request::new(request)).await.unwrap();
    assert_eq!(
        reason(world.refresh(&session.refresh_token).await),
        "session_ended"
    );

    let session = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    world.clock.advance(Duration::from_secs(29 * 24 * 3600));
    let session = world.refresh(&session.refresh_token).await.unwrap();
    world.clock.advance(Duration::from_secs(29 * 24 * 3600));
    let session = world.refresh(&session.refresh_token).await.unwrap();
    world.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(
        reason(world.refresh(&session.refresh_token).await),
        "session_ended"
    );
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_sessions() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let session = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let change = |current: &str, new: &str| {
        let request = pb::ChangePasswordRequest {
            current_password: current.to_owned(),
            new_password: new.to_owned(),
        };
        world.desk.change_password(with(&home.owner, request))
    };
    assert_eq!(
        reason(change(PASSWORD, "too short").await),
        "password_too_short"
    );
    assert_eq!(
        reason(change("not the one", "another password").await),
        "password_wrong"
    );
    change(PASSWORD, "another password").await.unwrap();
    assert_eq!(
        reason(world.refresh(&session.refresh_token).await),
        "session_ended"
    );
    assert_eq!(
        reason(world.sign_in("acme", "owner", PASSWORD).await),
        "credentials_wrong"
    );
    world
        .sign_in("acme", "owner", "another password")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_disabled_person_is_out() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let anna = world
        .add(&home.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let session = world.sign_in("acme", "anna", PASSWORD).await.unwrap();
    let request = pb::UpdateUserRequest {
        user: Some(pb::User {
            id: anna.id.clone(),
            disabled: true,
            ..Default::default()
        }),
        update_mask: None,
    };
    world
        .desk
        .update_user(with(&home.owner, request))
        .await
        .unwrap();
    assert_eq!(
        reason(world.sign_in("acme", "anna", PASSWORD).await),
        "credentials_wrong"
    );
    assert_eq!(
        reason(world.refresh(&session.refresh_token).await),
        "session_ended"
    );
    let anna = as_user(&home, &anna, Role::Agent);
    assert_eq!(
        reason(world.desk.get_me(with(&anna, pb::GetMeRequest {})).await),
        "session_ended"
    );
}
