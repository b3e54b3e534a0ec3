use super::*;
use centro_proto::events::UserChanged;
use centro_testkit::engines::on_both_engines;
use prost_types::FieldMask;
use std::collections::BTreeSet;

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    })
}

async fn update(
    world: &World,
    by: &Principal,
    user: pb::User,
    paths: &[&str],
) -> Result<pb::User, Status> {
    let request = pb::UpdateUserRequest {
        user: Some(user),
        update_mask: mask(paths),
    };
    Ok(world
        .desk
        .update_user(with(by, request))
        .await?
        .into_inner())
}

async fn delete(world: &World, by: &Principal, id: &str) -> Result<(), Status> {
    let request = pb::DeleteUserRequest { id: id.to_owned() };
    world.desk.delete_user(with(by, request)).await.map(|_| ())
}

#[on_both_engines]
async fn a_login_is_unique_in_its_tenant_ignoring_case() {
    let world = World::new().await;
    let (acme, other) = (world.home("acme").await, world.home("other").await);
    let anna = world
        .add(&acme.owner, person("Anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let twice = world
        .add(&acme.owner, person("aNNA", &[pb::Role::Agent]))
        .await
        .unwrap_err();
    assert_eq!(status::reason(&twice), "login_taken");
    world
        .add(&other.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let bruno = world
        .add(&acme.owner, person("bruno", &[pb::Role::Agent]))
        .await
        .unwrap();
    let renamed = pb::User {
        login: "ANNA".to_owned(),
        ..bruno
    };
    assert_eq!(
        reason(update(&world, &acme.owner, renamed, &["login"]).await),
        "login_taken"
    );
    let same = pb::User {
        login: "ANNA".to_owned(),
        ..anna
    };
    assert_eq!(
        update(&world, &acme.owner, same, &["login"])
            .await
            .unwrap()
            .login,
        "ANNA"
    );
}

#[on_both_engines]
async fn of_many_who_take_one_login_at_once_one_gets_it() {
    let world = Arc::new(World::new().await);
    let home = Arc::new(world.home("acme").await);
    let tries = (0..6).map(|_| {
        let (world, home) = (world.clone(), home.clone());
        tokio::spawn(async move {
            world
                .add(&home.owner, person("anna", &[pb::Role::Agent]))
                .await
        })
    });
    let mut made = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(status) => assert_eq!(status::reason(&status), "login_taken"),
        }
    }
    assert_eq!(made, 1);
}

#[on_both_engines]
async fn what_a_person_lacks_is_named() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let agent = &[pb::Role::Agent];
    let short = pb::User {
        password: "short".to_owned(),
        ..person("anna", agent)
    };
    assert_eq!(
        reason(world.add(&home.owner, short).await),
        "password_too_short"
    );
    assert_eq!(
        reason(world.add(&home.owner, person("anna", &[])).await),
        "role_needed"
    );
    assert_eq!(
        reason(world.add(&home.owner, person(" ", agent)).await),
        "login_empty"
    );
    let nameless = pb::User {
        display_name: String::new(),
        ..person("anna", agent)
    };
    assert_eq!(reason(world.add(&home.owner, nameless).await), "name_empty");
}

#[on_both_engines]
async fn the_last_owner_stays_and_stays_an_owner() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let id = home.owner.user().unwrap().to_string();
    let owner = pb::User {
        id: id.clone(),
        ..person("owner", &[pb::Role::Agent])
    };
    let disabled = pb::User {
        disabled: true,
        ..owner.clone()
    };
    assert_eq!(reason(delete(&world, &home.owner, &id).await), "last_admin");
    assert_eq!(
        reason(update(&world, &home.owner, owner.clone(), &["roles"]).await),
        "last_admin"
    );
    assert_eq!(
        reason(update(&world, &home.owner, disabled, &["disabled"]).await),
        "last_admin"
    );
    world
        .add(&home.owner, person("second", &[pb::Role::Owner]))
        .await
        .unwrap();
    update(&world, &home.owner, owner, &["roles"])
        .await
        .unwrap();
}

#[on_both_engines]
async fn of_two_owners_who_remove_each_other_at_once_one_stays() {
    let world = Arc::new(World::new().await);
    let home = world.home("acme").await;
    let first = home.owner.user().unwrap().to_string();
    let second = world
        .add(&home.owner, person("second", &[pb::Role::Owner]))
        .await
        .unwrap()
        .id;
    let both = [first, second].map(|id| {
        let (world, by) = (world.clone(), home.owner.clone());
        tokio::spawn(async move { delete(&world, &by, &id).await })
    });
    let mut refused = Vec::new();
    for one in both {
        refused.extend(
            one.await
                .unwrap()
                .err()
                .map(|status| status::reason(&status)),
        );
    }
    assert_eq!(refused, ["last_admin"]);
}

#[on_both_engines]
async fn an_administrator_does_not_become_an_owner() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let admin = world
        .add(&home.owner, person("admin", &[pb::Role::Admin]))
        .await
        .unwrap();
    let by = as_user(&home, &admin, Role::Admin);
    assert_eq!(
        reason(world.add(&by, person("x", &[pb::Role::Owner])).await),
        "owner_only"
    );
    let promoted = pb::User {
        roles: vec![pb::Role::Owner as i32],
        ..admin
    };
    assert_eq!(
        reason(update(&world, &by, promoted, &["roles"]).await),
        "owner_only"
    );
    let owner = home.owner.user().unwrap().to_string();
    let taken_over = pb::User {
        id: owner.clone(),
        ..person("owner", &[])
    };
    assert_eq!(
        reason(update(&world, &by, taken_over, &["password"]).await),
        "owner_only"
    );
    assert_eq!(reason(delete(&world, &by, &owner).await), "owner_only");
}

#[on_both_engines]
async fn a_person_of_another_tenant_is_not_found() {
    let world = World::new().await;
    let (acme, other) = (world.home("acme").await, world.home("other").await);
    let anna = world
        .add(&acme.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let get = pb::GetUserRequest {
        id: anna.id.clone(),
    };
    assert_eq!(
        reason(world.desk.get_user(with(&other.owner, get)).await),
        "not_found"
    );
    assert_eq!(
        reason(update(&world, &other.owner, anna.clone(), &["login"]).await),
        "not_found"
    );
    assert_eq!(
        reason(delete(&world, &other.owner, &anna.id).await),
        "not_found"
    );
    let list = world
        .desk
        .list_users(with(&other.owner, pb::ListUsersRequest::default()))
        .await;
    assert_eq!(list.unwrap().into_inner().users.len(), 1);
}

#[on_both_engines]
async fn an_old_etag_changes_nothing() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let anna = world
        .add(&home.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let renamed = pb::User {
        display_name: "Anna A.".to_owned(),
        ..anna.clone()
    };
    let after = update(&world, &home.owner, renamed.clone(), &["display_name"])
        .await
        .unwrap();
    assert_ne!(after.etag, anna.etag);
    assert_eq!(
        reason(update(&world, &home.owner, renamed, &["display_name"]).await),
        "etag_mismatch"
    );
    let unchecked = pb::User {
        etag: String::new(),
        ..after
    };
    update(&world, &home.owner, unchecked, &["display_name"])
        .await
        .unwrap();
    let unknown = update(&world, &home.owner, anna, &["colour"]).await;
    assert_eq!(reason(unknown), "field_unknown");
}

#[on_both_engines]
async fn pages_hold_everybody_once() {
    let world = World::new().await;
    let home = world.home("acme").await;
    for n in 0..4 {
        let role = if n % 2 == 0 {
            pb::Role::Agent
        } else {
            pb::Role::Supervisor
        };
        world
            .add(&home.owner, person(&format!("person{n}"), &[role]))
            .await
            .unwrap();
    }
    let (mut seen, mut token) = (BTreeSet::new(), String::new());
    loop {
        let request = pb::ListUsersRequest {
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let page = world
            .desk
            .list_users(with(&home.owner, request))
            .await
            .unwrap()
            .into_inner();
        assert!(page.users.len() <= 2);
        for user in page.users {
            assert!(seen.insert(user.id));
        }
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    let request = pb::ListUsersRequest {
        role: pb::Role::Agent as i32,
        ..Default::default()
    };
    let agents = world
        .desk
        .list_users(with(&home.owner, request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(agents.users.len(), 2);
    let request = pb::ListUsersRequest {
        page_token: "nonsense".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        reason(world.desk.list_users(with(&home.owner, request)).await),
        "page_token_unknown"
    );
}

#[on_both_engines]
async fn a_page_token_is_of_one_tenants_list_and_filter() {
    use centro_proto::identity::api_keys_server::ApiKeys;
    let world = World::new().await;
    let (home, other) = (world.home("acme").await, world.home("other").await);
    world
        .add(&home.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    let request = pb::ListUsersRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = world.desk.list_users(with(&home.owner, request)).await;
    let token = page.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    let users = |who: &Principal, role: i32, page_token: &str| {
        let request = pb::ListUsersRequest {
            role,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        world.desk.list_users(with(who, request))
    };
    let refused = [
        reason(users(&other.owner, 0, &token).await),
        reason(users(&home.owner, pb::Role::Agent as i32, &token).await),
        reason(users(&home.owner, 0, "InVzcl8i").await),
    ];
    assert_eq!(refused, ["page_token_unknown"; 3]);
    let request = pb::ListApiKeysRequest {
        page_token: token.clone(),
        ..Default::default()
    };
    let keys = world.desk.list_api_keys(with(&home.owner, request)).await;
    assert_eq!(reason(keys), "page_token_unknown");
    users(&home.owner, 0, &token).await.unwrap();
}

#[on_both_engines]
async fn each_change_of_a_person_is_told_once() {
    let world = World::new().await;
    let home = world.home("acme").await;
    let mut events = world.watch("*.identity.user.*").await;
    let anna = world
        .add(&home.owner, person("anna", &[pb::Role::Agent]))
        .await
        .unwrap();
    // What is refused is not told.
    assert_eq!(
        reason(
            world
                .add(&home.owner, person("anna", &[pb::Role::Agent]))
                .await
        ),
        "login_taken"
    );
    let renamed = pb::User {
        display_name: "Anna A.".to_owned(),
        ..anna.clone()
    };
    update(&world, &home.owner, renamed, &["display_name"])
        .await
        .unwrap();
    delete(&world, &home.owner, &anna.id).await.unwrap();
    world
        .add(&home.owner, person("last", &[pb::Role::Agent]))
        .await
        .unwrap();
    let mut told = Vec::new();
    // The watch may begin before the owner's own event was relayed.
    loop {
        let event = next(&mut events).await;
        let data: UserChanged = event.decode().unwrap();
        if data.display_name == "last" {
            break;
        }
        if event.subject == anna.id {
            told.push((event.kind, data.display_name));
        }
    }
    let expected = [
        ("changed", "anna"),
        ("changed", "Anna A."),
        ("deleted", "Anna A."),
    ];
    let expected = expected.map(|(kind, name)| (format!("identity.user.{kind}"), name.to_owned()));
    assert_eq!(told, expected);
}
