use super::*;
use centro_testkit::engines::on_both_engines;

async fn create(world: &World, plan: DialPlan) -> Result<DialPlan, Status> {
    let request = pb::CreateDialPlanRequest {
        dial_plan: Some(plan),
    };
    Ok(world
        .desk
        .create_dial_plan(world.ask(ACME, request))
        .await?
        .into_inner())
}

#[on_both_engines]
async fn a_plan_may_lead_nowhere_but_not_to_what_is_not_there() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let made = create(&world, plan("Main", &sales.id)).await.unwrap();
    assert!(made.extension.is_empty());
    let mut dangling = plan("Two", &sales.id);
    dangling.nodes.pop();
    assert_eq!(reason(create(&world, dangling).await), "node_exit_unknown");
    let gone = "que_00000000000000000000000000000099";
    assert_eq!(
        reason(create(&world, plan("Three", gone)).await),
        "queue_not_selected"
    );
    assert_eq!(
        reason(create(&world, plan("Four", "")).await),
        "queue_not_selected"
    );
    let mut twice = plan("Five", &sales.id);
    twice.nodes[1].id = "wait".to_owned();
    assert_eq!(reason(create(&world, twice).await), "node_duplicate");
    assert_eq!(
        reason(create(&world, plan("MAIN", &sales.id)).await),
        "name_duplicate"
    );
}

#[on_both_engines]
async fn an_update_frees_the_queue_it_no_longer_uses() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let support = world.queue("Support", "").await.unwrap();
    let main = create(&world, plan("Main", &sales.id)).await.unwrap();
    let patch = DialPlan {
        id: main.id,
        etag: main.etag.clone(),
        ..plan("Main", &support.id)
    };
    let request = pb::UpdateDialPlanRequest {
        dial_plan: Some(patch),
        update_mask: None,
    };
    let changed = world
        .desk
        .update_dial_plan(world.ask(ACME, request.clone()))
        .await
        .unwrap()
        .into_inner();
    let again = pb::UpdateDialPlanRequest {
        dial_plan: Some(changed.clone()),
        update_mask: None,
    };
    let same = world.desk.update_dial_plan(world.ask(ACME, again)).await;
    let same = same.unwrap().into_inner();
    assert_eq!(same, changed, "said twice it is one change");
    assert_eq!(
        reason(world.desk.update_dial_plan(world.ask(ACME, request)).await),
        "etag_mismatch"
    );
    world.delete_queue(&sales.id).await.unwrap();
    assert_eq!(reason(world.delete_queue(&support.id).await), "in_use");
}
