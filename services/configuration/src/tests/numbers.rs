use super::*;
use centro_testkit::engines::on_both_engines;

#[on_both_engines]
async fn a_number_is_one_in_the_whole_installation() {
    let world = World::new().await;
    let number = world.number(ACME, "+390212345678", "").await.unwrap();
    assert_eq!(
        reason(world.number(ACME, "+390212345678", "").await),
        "number_taken"
    );
    assert_eq!(
        reason(world.number(OTHER, "+390212345678", "").await),
        "number_taken"
    );
    assert_eq!(
        reason(world.number(ACME, "0212345678", "").await),
        "number_bad_format"
    );
    let request = pb::DeleteNumberRequest { id: number.id };
    world
        .desk
        .delete_number(world.ask(ACME, request))
        .await
        .unwrap();
    world.number(OTHER, "+390212345678", "").await.unwrap();
}

#[on_both_engines]
async fn a_plan_of_a_number_stays_until_the_number_lets_go() {
    let world = World::new().await;
    let sales = world.queue("Sales", "").await.unwrap();
    let main = world.plan("Main", &sales.id).await.unwrap();
    let number = world.number(ACME, "+390212345678", &main.id).await.unwrap();
    let delete = || {
        let request = pb::DeleteDialPlanRequest {
            id: main.id.clone(),
        };
        world.desk.delete_dial_plan(world.ask(ACME, request))
    };
    let refused = delete().await.unwrap_err();
    assert_eq!(status::reason(&refused), "in_use");
    assert!(
        refused.message().contains("number +390212345678"),
        "{}",
        refused.message()
    );
    let mask = prost_types::FieldMask {
        paths: vec!["dial_plan_id".to_owned()],
    };
    let number = Number {
        dial_plan_id: String::new(),
        ..number
    };
    let request = pb::UpdateNumberRequest {
        number: Some(number),
        update_mask: Some(mask),
    };
    let mut changes = Vec::new();
    for mut request in [request.clone(), request] {
        if let (Some(number), Some(Number { etag, .. })) = (&mut request.number, changes.last()) {
            number.etag.clone_from(etag);
        }
        let changed = world.desk.update_number(world.ask(ACME, request)).await;
        changes.push(changed.unwrap().into_inner());
    }
    assert_eq!(changes[0], changes[1], "said twice it is one change");
    delete().await.unwrap();
    let gone = world.number(ACME, "+390212345679", &main.id).await;
    assert_eq!(reason(gone), "not_found");
}
