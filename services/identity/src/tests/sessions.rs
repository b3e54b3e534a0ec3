use super::*;
use centro_proto::events::SignInRefused;
use centro_testkit::engines::on_both_engines;

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
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

#[on_both_engines]
async fn an_answer_that_was_lost_is_given_again_and_nothing_else_is() {
    let world = World::new().await;
    world.home("acme").await;
    let first = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let lost = world.refresh(&first.refresh_token).await.unwrap();
    world.clock.advance(Duration::from_secs(30));
    let second = world.refresh(&first.refresh_token).await.unwrap();
    let third = world.refresh(&second.refresh_token).await.unwrap();
    // Whoever has the answer that did not arrive has it from somebody else.
    assert_eq!(
        reason(world.refresh(&lost.refresh_token).await),
        "session_ended"
    );
    assert_eq!(
        reason(world.refresh(&third.refresh_token).await),
        "session_ended"
    );
}

#[on_both_engines]
async fn a_used_token_is_reuse_once_its_successor_was_used_or_time_has_passed() {
    let world = World::new().await;
    world.home("acme").await;
    let first = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let second = world.refresh(&first.refresh_token).await.unwrap();
    world.refresh(&second.refresh_token).await.unwrap();
    assert_eq!(
        reason(world.refresh(&first.refresh_token).await),
        "session_ended"
    );

    let first = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let second = world.refresh(&first.refresh_token).await.unwrap();
    world.clock.advance(Duration::from_millis(30_001));
    assert_eq!(
        reason(world.refresh(&first.refresh_token).await),
        "session_ended"
    );
    assert_eq!(
        reason(world.refresh(&second.refresh_token).await),
        "session_ended"
    );

    let first = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    for _ in 0..4 {
        world.refresh(&first.refresh_token).await.unwrap();
    }
    assert_eq!(
        reason(world.refresh(&first.refresh_token).await),
        "session_ended",
        "nobody loses that many answers"
    );
}

#[on_both_engines]
async fn a_new_password_keeps_the_session_it_was_set_in() {
    let world = World::new().await;
    world.home("acme").await;
    let own = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let other = world.sign_in("acme", "owner", PASSWORD).await.unwrap();
    let verified = world.keys.read(&own.access_token, world.now()).unwrap();
    let mut request = with(
        &verified.principal,
        pb::ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: "another password".to_owned(),
        },
    );
    request.extensions_mut().insert(verified.basis);
    world.desk.change_password(request).await.unwrap();
    assert!(world.void(&other).await && !world.void(&own).await);
    world.refresh(&own.refresh_token).await.unwrap();
    assert_eq!(
        reason(world.refresh(&other.refresh_token).await),
        "session_ended"
    );
}

#[on_both_engines]
async fn the_event_of_a_refused_sign_in_never_has_what_was_typed_by_nobody() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let mut refused = world.watch("*.identity.session.refused").await;
    let _ = world.sign_in("acme", "correct horse battery", "").await;
    let event = next(&mut refused).await;
    let data: SignInRefused = event.decode().unwrap();
    assert_eq!((data.login.as_str(), data.user_id.as_str()), ("", ""));
    assert_eq!(event.subject, "192.0.2.1");
    let _ = world.sign_in("acme", "OWNER", "wrong password").await;
    let event = next(&mut refused).await;
    let data: SignInRefused = event.decode().unwrap();
    let owner = home.owner.user().unwrap().to_string();
    assert_eq!((data.login.as_str(), &data.user_id), ("owner", &owner));
    assert_eq!(event.subject, owner);
}

#[on_both_engines]
async fn only_another_service_may_say_where_a_sign_in_comes_from() {
    let world = World::with(Settings {
        sign_in_failures_per_source: 1,
        ..Settings::default()
    })
    .await;
    world.home("acme").await;
    let claim = || {
        let mut request = Request::new(pb::SignInRequest {
            tenant: "acme".to_owned(),
            login: "nobody".to_owned(),
            password: "wrong password".to_owned(),
        });
        let victim = "198.51.100.7".parse().unwrap();
        request.metadata_mut().insert(SOURCE, victim);
        request
    };
    assert_eq!(
        reason(world.desk.sign_in(claim()).await),
        "credentials_wrong"
    );
    world
        .sign_in_from("acme", "owner", PASSWORD, "198.51.100.7")
        .await
        .unwrap();
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_sign_in_is_audited_with_its_source_and_outcome_and_without_what_was_typed() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // For every test's thread, or whoever logs first decides for all whether a line is wanted.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::new().await;
    let home = world.home("acme").await;
    let owner = home.owner.user().unwrap().to_string();
    let _ = world.sign_in("acme", "owner", "my dog's name").await;
    let _ = world.sign_in("acme", "hunter2hunter2", PASSWORD).await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let tenant = home.tenant.to_string();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("Sessions.SignIn") && line.contains(&tenant))
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in &lines {
        assert!(
            line.contains("audit: ") && line.contains("192.0.2.1"),
            "{line}"
        );
    }
    assert!(lines[0].contains(&owner) && lines[0].contains("granted=true"));
    assert!(lines[1].contains(&owner) && lines[1].contains("credentials_wrong"));
    assert!(!lines[2].contains(&owner) && lines[2].contains("credentials_wrong"));
    for typed in [PASSWORD, "my dog's name", "hunter2hunter2"] {
        assert!(!text.contains(typed));
    }
}

/// A proof takes a while; what happened to the person meanwhile counts.
#[on_both_engines]
async fn a_sign_in_under_way_does_not_outlive_the_password_it_was_proved_with() {
    let world = &World::new().await;
    let home = world.home("acme").await;
    let anna = world
        .add(&home.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let store = &world.desk.store;
    let proved = || async {
        store
            .user_by_login(home.tenant, "anna")
            .await
            .unwrap()
            .unwrap()
    };
    let ttl = Duration::from_secs(3600);
    let opened = |user| async move {
        let opened = store.open_session(&user, world.now(), ttl).await.unwrap();
        opened.is_some()
    };
    let change = |change: pb::User, path: &str| {
        let request = pb::UpdateUserRequest {
            user: Some(change),
            update_mask: Some(prost_types::FieldMask {
                paths: vec![path.to_owned()],
            }),
        };
        world.desk.update_user(with(&home.owner, request))
    };
    let anna = pb::User {
        etag: String::new(),
        ..anna
    };

    let before = proved().await;
    let renamed = pb::User {
        display_name: "Anna B".into(),
        ..anna.clone()
    };
    change(renamed, "display_name").await.unwrap();
    assert!(opened(before).await, "a name is no proof");

    let before = proved().await;
    let replaced = pb::User {
        password: "replaced by an owner".into(),
        ..anna.clone()
    };
    change(replaced, "password").await.unwrap();
    assert!(!opened(before).await, "another password");

    let before = proved().await;
    let disabled = pb::User {
        disabled: true,
        ..anna.clone()
    };
    change(disabled, "disabled").await.unwrap();
    assert!(!opened(before).await, "disabled");

    change(anna.clone(), "disabled").await.unwrap();
    let before = proved().await;
    assert!(opened(before.clone()).await);
    let gone = pb::DeleteUserRequest { id: anna.id };
    let gone = world.desk.delete_user(with(&home.owner, gone)).await;
    gone.unwrap();
    assert!(!opened(before).await, "gone");
}
