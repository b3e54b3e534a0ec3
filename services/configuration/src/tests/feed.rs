use super::*;
use centro_kernel::EventId;
use centro_proto::{
    configuration::{
        change::Object, configuration_feed_server::ConfigurationFeed,
        routing_profiles_server::RoutingProfiles,
    },
    events::UserChanged,
};
use centro_testkit::engines::on_both_engines;
use std::collections::BTreeMap;

async fn snapshot(world: &World) -> Vec<Change> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let request = Request::new(pb::SnapshotRequest { page_token: token });
        let page = world.desk.snapshot(request).await.unwrap().into_inner();
        all.extend(page.changes);
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

#[on_both_engines]
async fn each_write_is_told_once_in_the_order_of_versions_and_without_credentials() {
    let world = World::new().await;
    let mut events = world.watch().await;
    let sales = world.queue("Sales", "").await.unwrap();
    assert_eq!(reason(world.queue("Sales", "").await), "name_duplicate");
    let phone = world.device(ACME, "", &ANNA.to_string()).await.unwrap();
    world.assign(&sales.id, ANNA).await.unwrap();
    world.assign(&sales.id, BRUNO).await.unwrap();
    world.delete_queue(&sales.id).await.unwrap();
    world.queue("Last", "").await.unwrap();

    let mut told = Vec::new();
    loop {
        let (event, change) = next(&mut events).await;
        assert_eq!(event.tenant, Some(ACME));
        assert_eq!(event.kind, "configuration.object.changed");
        let last = matches!(&change.object, Some(Object::CallQueue(queue)) if queue.display_name == "Last");
        told.push(change);
        if last {
            break;
        }
    }
    let versions: Vec<u64> = told.iter().map(|change| change.version).collect();
    assert_eq!(versions, (1..=8).collect::<Vec<u64>>());
    let deleted: Vec<bool> = told.iter().map(|change| change.deleted).collect();
    assert_eq!(
        deleted,
        [false, false, false, false, true, true, true, false]
    );
    let Some(Object::Device(device)) = &told[1].object else {
        panic!("{:?}", told[1])
    };
    assert_eq!(device.credentials, None);
    let device = device.device.as_ref().unwrap();
    assert!(device.secret.is_empty());
    assert_eq!((&device.id, &device.username), (&phone.id, &phone.username));
    let Some(Object::QueueAgent(agent)) = &told[4].object else {
        panic!("{:?}", told[4])
    };
    assert_eq!(
        (&agent.queue_id, &agent.user_id),
        (&sales.id, &ANNA.to_string())
    );
    let Some(Object::CallQueue(queue)) = &told[6].object else {
        panic!("{:?}", told[6])
    };
    assert_eq!((&queue.id, queue.display_name.as_str()), (&sales.id, ""));
}

#[on_both_engines]
async fn the_snapshot_holds_every_tenants_present_state_with_credentials() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let gone = world.queue("Gone", "").await.unwrap();
    world.plan("Main", &sales.id).await.unwrap();
    world.number(OTHER, "+390212345678", "").await.unwrap();
    world.device(OTHER, "", "").await.unwrap();
    world.assign(&sales.id, ANNA).await.unwrap();
    world.delete_queue(&gone.id).await.unwrap();
    let french = world.skill("French").await.unwrap();
    world.give(&french.id, ANNA, Some(8)).await.unwrap();

    let all = snapshot(&world).await;
    assert_eq!(all.len(), 7);
    assert!(
        all.iter().any(|change| matches!(
            &change.object,
            Some(Object::UserSkill(skill)) if skill.skill_id == french.id && skill.level == 8
        )),
        "{all:#?}"
    );
    assert!(all.windows(2).all(|pair| pair[0].version < pair[1].version));
    assert!(all.iter().all(|change| !change.deleted));
    let tenants = all
        .iter()
        .filter(|change| change.tenant_id == OTHER.to_string())
        .count();
    assert_eq!(tenants, 2);
    let device = all.iter().find_map(|change| match &change.object {
        Some(Object::Device(device)) => Some(device),
        _ => None,
    });
    let device = device.unwrap();
    assert_eq!(device.credentials.as_ref().unwrap().ha1_sha256.len(), 64);
    assert!(device.device.as_ref().unwrap().secret.is_empty());
}

#[on_both_engines]
async fn a_long_snapshot_comes_in_pages_that_hold_everything_once() {
    let world = World::new().await;
    for n in 0..210 {
        world.queue(&format!("Queue {n}"), "").await.unwrap();
    }
    let request = Request::new(pb::SnapshotRequest::default());
    let page = world.desk.snapshot(request).await.unwrap().into_inner();
    assert!(page.changes.len() == 200 && !page.next_page_token.is_empty());
    let mut times = BTreeMap::new();
    for change in snapshot(&world).await {
        *times.entry(change.version).or_insert(0) += 1;
    }
    assert!(times.len() == 210 && times.values().all(|times| *times == 1));
}

#[on_both_engines]
async fn the_phones_of_a_person_who_may_not_sign_in_are_suspended_until_the_person_may_again() {
    let world = World::new().await;
    let phone = world.device(ACME, "", &ANNA.to_string()).await.unwrap();
    world.device(ACME, "", &BRUNO.to_string()).await.unwrap();
    let mut events = world.watch().await;
    for disabled in [true, true, false] {
        let data = UserChanged {
            user_id: ANNA.to_string(),
            disabled,
            ..Default::default()
        };
        let now = world.clock.now();
        let event = Event::new(Some(ACME), "identity.user.changed", ANNA, now, &data);
        world.bus.publish(event).await.unwrap();
    }
    let mut told = Vec::new();
    while told.last() != Some(&false) || told.len() < 2 {
        let (_, change) = next(&mut events).await;
        let Some(Object::Device(device)) = change.object else {
            panic!("a device was expected");
        };
        // The news of its making may still be on the way.
        let device = device.device.unwrap();
        if device.id == phone.id && (device.suspended || !told.is_empty()) {
            told.push(device.suspended);
        }
    }
    assert_eq!(told, [true, false]);
    let kept = snapshot(&world).await.into_iter().filter_map(|change| {
        let Some(Object::Device(device)) = change.object else {
            return None;
        };
        device.credentials
    });
    assert_eq!(kept.count(), 2, "the secret stays");
}

#[on_both_engines]
async fn a_deleted_person_serves_no_queue_and_has_no_skill_and_no_phone() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    world.assign(&sales.id, ANNA).await.unwrap();
    world.assign(&sales.id, BRUNO).await.unwrap();
    let french = world.skill("French").await.unwrap();
    world.give(&french.id, ANNA, None).await.unwrap();
    let profile = pb::RoutingProfile {
        user_id: ANNA.to_string(),
        chat_capacity: Some(1),
        ..Default::default()
    };
    let request = pb::UpdateRoutingProfileRequest {
        routing_profile: Some(profile),
        update_mask: None,
    };
    let request = world.ask(ACME, request);
    world.desk.update_routing_profile(request).await.unwrap();
    let phone = world.device(ACME, "", &ANNA.to_string()).await.unwrap();
    let mut events = world.watch().await;
    let data = UserChanged {
        user_id: ANNA.to_string(),
        ..Default::default()
    };
    let gone = Event::new(
        Some(ACME),
        "identity.user.deleted",
        ANNA,
        world.clock.now(),
        &data,
    );
    world.bus.publish(gone.clone()).await.unwrap();
    world.bus.publish(gone).await.unwrap();
    let mut deleted = Vec::new();
    while deleted.len() < 4 {
        let (event, change) = next(&mut events).await;
        if change.deleted {
            deleted.push(event.subject);
        }
    }
    let of = |id: &str| format!("{id}/{ANNA}");
    assert_eq!(
        deleted,
        [of(&sales.id), of(&french.id), ANNA.to_string(), phone.id]
    );
    assert_eq!(snapshot(&world).await.len(), 3);
}

#[on_both_engines]
async fn ids_of_old_events_are_forgotten_and_young_ones_are_not() {
    let world = World::new().await;
    let store = &world.desk.store;
    let ids = [EventId::generate(), EventId::generate()];
    let days = |days: u64| world.clock.now() - Duration::from_secs(days * 24 * 3600);
    for (id, came) in ids.into_iter().zip([days(2), days(0)]) {
        let write = store.write(ACME, came).await.unwrap();
        assert!(write.first_time(id, came).await.unwrap());
        write.commit().await.unwrap();
    }
    let known = async |id| {
        let write = store.write(ACME, days(0)).await.unwrap();
        !write.first_time(id, days(0)).await.unwrap()
    };
    assert!(known(ids[1]).await);
    // Its first look is at once.
    let house = crate::feed::keep_house(store.clone(), Arc::new(world.clock.clone()));
    let house = tokio::spawn(house);
    let forgotten = async {
        while known(ids[0]).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), forgotten)
        .await
        .expect("the old one is forgotten");
    house.abort();
    assert!(known(ids[1]).await);
}
