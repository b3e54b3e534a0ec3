use super::*;
use centro_testkit::engines::on_both_engines;
use prost_types::FieldMask;
use std::collections::BTreeSet;

async fn update(world: &World, queue: CallQueue, paths: &[&str]) -> Result<CallQueue, Status> {
    let update_mask = Some(FieldMask {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    });
    let request = pb::UpdateCallQueueRequest {
        call_queue: Some(queue),
        update_mask,
    };
    Ok(world
        .desk
        .update_call_queue(world.ask(ACME, request))
        .await?
        .into_inner())
}

#[on_both_engines]
async fn a_new_queue_gets_the_next_free_extension_and_the_defaults() {
    let world = World::new().await;
    let sales = world.queue(" Sales ", "").await.unwrap();
    assert_eq!(
        (sales.display_name.as_str(), sales.extension.as_str()),
        ("Sales", "100")
    );
    assert_eq!(sales.agent_ring_timeout.unwrap().seconds, 15);
    world.queue("Support", "102").await.unwrap();
    assert_eq!(world.device(ACME, "", "").await.unwrap().extension, "101");
    assert_eq!(world.queue("Billing", "").await.unwrap().extension, "103");
    let proposed = world
        .desk
        .propose_extension(world.ask(ACME, pb::ProposeExtensionRequest {}))
        .await;
    assert_eq!(proposed.unwrap().into_inner().extension, "104");
    world.delete_queue(&sales.id).await.unwrap();
    assert_eq!(world.queue("Again", "").await.unwrap().extension, "100");
}

#[on_both_engines]
async fn an_extension_is_taken_once_whatever_has_it() {
    let world = World::new().await;
    let sales = world.queue("Sales", "200").await.unwrap();
    let refused = world.device(ACME, "200", "").await.unwrap_err();
    assert_eq!(status::reason(&refused), "extension_taken");
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    let mut main = plan("Main", &sales.id);
    main.extension = "200".to_owned();
    let request = pb::CreateDialPlanRequest {
        dial_plan: Some(main),
    };
    assert_eq!(
        reason(world.desk.create_dial_plan(world.ask(ACME, request)).await),
        "extension_taken"
    );
    assert_eq!(
        reason(world.queue("Other", "20").await),
        "extension_bad_format"
    );
    assert_eq!(
        world.device(OTHER, "200", "").await.unwrap().extension,
        "200"
    );
}

#[on_both_engines]
async fn of_many_made_at_once_each_gets_an_extension_of_its_own() {
    let world = Arc::new(World::new().await);
    let tries = (0..20).map(|n| {
        let world = world.clone();
        tokio::spawn(async move {
            world
                .queue(&format!("Queue {n}"), "")
                .await
                .unwrap()
                .extension
        })
    });
    let mut seen = BTreeSet::new();
    for one in tries.collect::<Vec<_>>() {
        seen.insert(one.await.unwrap());
    }
    assert_eq!(seen, (100..120).map(|n: u32| n.to_string()).collect());
}

#[on_both_engines]
async fn of_many_who_ask_for_one_extension_at_once_one_gets_it() {
    let world = Arc::new(World::new().await);
    let tries = (0..8).map(|n| {
        let world = world.clone();
        tokio::spawn(async move { world.queue(&format!("Queue {n}"), "500").await })
    });
    let mut made = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(status) => assert_eq!(status::reason(&status), "extension_taken"),
        }
    }
    assert_eq!(made, 1);
}

#[on_both_engines]
async fn names_are_unique_ignoring_case() {
    let world = World::new().await;
    world.queue("Sales", "").await.unwrap();
    assert_eq!(reason(world.queue(" sALES", "").await), "name_duplicate");
    assert_eq!(reason(world.queue(" ", "").await), "name_empty");
    let support = world.queue("Support", "").await.unwrap();
    let renamed = CallQueue {
        display_name: "SALES".to_owned(),
        ..support.clone()
    };
    assert_eq!(
        reason(update(&world, renamed, &["display_name"]).await),
        "name_duplicate"
    );
    let own = CallQueue {
        display_name: "SUPPORT".to_owned(),
        ..support
    };
    assert_eq!(
        update(&world, own, &["display_name"])
            .await
            .unwrap()
            .display_name,
        "SUPPORT"
    );
}

#[on_both_engines]
async fn an_update_changes_what_it_names_and_checks_the_whole() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let wanted = CallQueue {
        display_name: "Other".to_owned(),
        weight: Some(7),
        create_time: None,
        ..sales.clone()
    };
    let after = update(&world, wanted, &["weight"]).await.unwrap();
    assert_eq!(
        (after.display_name.as_str(), after.weight),
        ("Sales", Some(7))
    );
    assert_eq!(
        (after.create_time, &after.extension),
        (sales.create_time, &sales.extension)
    );
    assert_ne!(after.etag, sales.etag);
    assert_eq!(
        reason(update(&world, sales.clone(), &["weight"]).await),
        "etag_mismatch"
    );
    let wrong = CallQueue {
        weight: Some(5000),
        etag: String::new(),
        ..sales.clone()
    };
    assert_eq!(
        reason(update(&world, wrong, &["weight"]).await),
        "number_out_of_range"
    );
    let moved = CallQueue {
        extension: "300".to_owned(),
        etag: String::new(),
        ..sales.clone()
    };
    assert_eq!(
        update(&world, moved, &["extension"])
            .await
            .unwrap()
            .extension,
        "300"
    );
    assert_eq!(world.queue("Next", "").await.unwrap().extension, "100");
    assert_eq!(
        reason(update(&world, sales, &["colour"]).await),
        "etag_mismatch"
    );
}

#[on_both_engines]
async fn a_queue_in_a_plan_stays_until_the_plan_lets_go() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let main = world.plan("Main", &sales.id).await.unwrap();
    let refused = world.delete_queue(&sales.id).await.unwrap_err();
    assert_eq!(status::reason(&refused), "in_use");
    assert!(
        refused.message().contains("dial plan Main"),
        "{}",
        refused.message()
    );
    let request = pb::DeleteDialPlanRequest { id: main.id };
    world
        .desk
        .delete_dial_plan(world.ask(ACME, request))
        .await
        .unwrap();
    world.delete_queue(&sales.id).await.unwrap();
    assert_eq!(reason(world.delete_queue(&sales.id).await), "not_found");
}

#[on_both_engines]
async fn assigning_an_agent_again_changes_nothing() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let mut events = world.watch().await;
    let first = world.assign(&sales.id, ANNA).await.unwrap();
    assert_eq!(world.assign(&sales.id, ANNA).await.unwrap(), first);
    world.assign(&sales.id, BRUNO).await.unwrap();
    assert_eq!(reason(world.assign(&sales.id, STRANGER).await), "not_found");
    let mut told = Vec::new();
    while told.len() < 2 {
        let (event, _) = next(&mut events).await;
        if event.subject.contains('/') {
            told.push(event.subject);
        }
    }
    assert_eq!(
        told,
        [
            format!("{}/{ANNA}", sales.id),
            format!("{}/{BRUNO}", sales.id)
        ]
    );
    let list = pb::ListQueueAgentsRequest {
        queue_id: sales.id.clone(),
        ..Default::default()
    };
    let agents = world
        .desk
        .list_queue_agents(world.ask(ACME, list))
        .await
        .unwrap()
        .into_inner()
        .agents;
    assert_eq!(agents.len(), 2);
    let gone = pb::UnassignQueueAgentRequest {
        queue_id: sales.id.clone(),
        user_id: ANNA.to_string(),
    };
    world
        .desk
        .unassign_queue_agent(world.ask(ACME, gone.clone()))
        .await
        .unwrap();
    assert_eq!(
        reason(world.desk.unassign_queue_agent(world.ask(ACME, gone)).await),
        "not_found"
    );
}

#[on_both_engines]
async fn pages_hold_every_queue_once() {
    let world = World::new().await;
    for n in 0..5 {
        world.queue(&format!("Queue {n}"), "").await.unwrap();
    }
    let (mut seen, mut token) = (BTreeSet::new(), String::new());
    loop {
        let request = pb::ListCallQueuesRequest {
            page_size: 2,
            page_token: token,
        };
        let page = world
            .desk
            .list_call_queues(world.ask(ACME, request))
            .await
            .unwrap()
            .into_inner();
        assert!(page.call_queues.len() <= 2);
        for queue in page.call_queues {
            assert!(seen.insert(queue.id));
        }
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
}

#[on_both_engines]
async fn a_place_in_the_line_is_kept_until_another_is_said() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let first = world.assign(&sales.id, ANNA).await.unwrap();
    assert_eq!(first.order, 0);
    let placed = world.assign_at(&sales.id, ANNA, Some(2)).await.unwrap();
    assert_eq!((placed.order, placed.create_time), (2, first.create_time));
    let again = world.assign(&sales.id, ANNA).await.unwrap();
    assert_eq!(again, placed, "who says no place changes none");
    let cleared = world.assign_at(&sales.id, ANNA, Some(0)).await.unwrap();
    assert_eq!(cleared, first);
}

#[on_both_engines]
async fn the_version_of_a_queue_counts_its_changes() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    world.queue("Support", "").await.unwrap();
    assert_eq!(sales.version, 1);
    let wanted = CallQueue {
        weight: Some(7),
        version: 40,
        ..sales.clone()
    };
    let after = update(&world, wanted, &["weight", "version"])
        .await
        .unwrap();
    assert_eq!((after.version, after.weight), (2, Some(7)));
    let same = update(&world, after.clone(), &["weight", "display_name"]).await;
    assert_eq!(same.unwrap(), after, "said twice it is one change");
    let wrong = CallQueue {
        weight: Some(0),
        etag: String::new(),
        ..after.clone()
    };
    let refused = update(&world, wrong, &["weight"]).await;
    assert_eq!(reason(refused), "number_out_of_range");
    let request = pb::GetCallQueueRequest { id: sales.id };
    let now = world.desk.get_call_queue(world.ask(ACME, request)).await;
    assert_eq!(now.unwrap().into_inner(), after);
}

#[on_both_engines]
async fn settings_that_need_each_other_are_checked_together() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let sales = CallQueue {
        etag: String::new(),
        ..sales
    };
    let callback = |threshold: Option<i64>| {
        let threshold = threshold.map(|seconds| prost_types::Duration { seconds, nanos: 0 });
        let callback = pb::CallbackSettings {
            enabled: true,
            threshold,
            ..Default::default()
        };
        CallQueue {
            callback: Some(callback),
            ..sales.clone()
        }
    };
    for (threshold, code) in [
        (None, "threshold_missing"),
        (Some(0), "threshold_not_positive"),
        (Some(-5), "threshold_not_positive"),
        (Some(86_401), "duration_out_of_range"),
    ] {
        let refused = update(&world, callback(threshold), &["callback"]).await;
        assert_eq!(reason(refused), code, "{threshold:?}");
    }
    let on = update(&world, callback(Some(60)), &["callback"]).await;
    let on = on.unwrap().callback.unwrap();
    assert_eq!(on.window.unwrap().seconds, 900);
    // Only the switch is named, so the threshold stays.
    let off = CallQueue {
        callback: Some(pb::CallbackSettings::default()),
        ..sales.clone()
    };
    let off = update(&world, off, &["callback.enabled"]).await.unwrap();
    let off = off.callback.unwrap();
    assert_eq!((off.enabled, off.threshold), (false, on.threshold));

    let pause = CallQueue {
        rona_action: pb::RonaAction::Pause.into(),
        ..sales.clone()
    };
    assert_eq!(
        reason(update(&world, pause, &["rona_action"]).await),
        "rona_reason_missing"
    );
    let far = |grace| CallQueue {
        leave_empty_grace: Some(prost_types::Duration {
            seconds: grace,
            nanos: 0,
        }),
        ..sales.clone()
    };
    let refused = update(&world, far(601), &["leave_empty_grace"]).await;
    assert_eq!(reason(refused), "duration_out_of_range");
    update(&world, far(600), &["leave_empty_grace"])
        .await
        .unwrap();
    let odd = CallQueue {
        skill_match: 99,
        ..sales
    };
    assert_eq!(
        reason(update(&world, odd, &["skill_match"]).await),
        "enum_unknown"
    );
}

#[on_both_engines]
async fn a_queue_that_an_older_centre_wrote_is_read_with_the_defaults_of_what_is_new() {
    let world = World::new().await;
    let old = CallQueue {
        id: centro_kernel::QueueId::from_u128(1).to_string(),
        display_name: "Old".to_owned(),
        extension: "100".to_owned(),
        ..Default::default()
    };
    let now = world.clock.now();
    let mut write = world.desk.store.write(ACME, now).await.unwrap();
    write.put(old.clone(), None).await.unwrap();
    write.commit().await.unwrap();
    let request = pb::GetCallQueueRequest { id: old.id };
    let read = world.desk.get_call_queue(world.ask(ACME, request)).await;
    let read = read.unwrap().into_inner();
    assert_eq!(read.wrap_up_mode(), pb::WrapUpMode::Timed);
    assert_eq!((read.version, read.busy_delay.unwrap().seconds), (0, 60));
    let wanted = CallQueue {
        weight: Some(3),
        ..read
    };
    assert_eq!(
        update(&world, wanted, &["weight"]).await.unwrap().version,
        1
    );
}
