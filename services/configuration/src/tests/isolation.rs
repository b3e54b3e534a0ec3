//! Another tenant's objects are not found, by whatever door.

use super::*;
use centro_proto::configuration::Trunk;
use centro_testkit::engines::on_both_engines;

#[on_both_engines]
async fn nothing_of_another_tenant_is_found() {
    let world = World::new().await;
    let queue = world.queue("Sales", "").await.unwrap();
    let plan_id = world.plan("Main", &queue.id).await.unwrap().id;
    let number = world.number(ACME, "+390212345678", &plan_id).await.unwrap();
    let device = world.device(ACME, "", "").await.unwrap();
    let trunk = Trunk {
        display_name: "T".to_owned(),
        digest: true,
        ..Default::default()
    };
    let request = pb::CreateTrunkRequest { trunk: Some(trunk) };
    let trunk = world
        .desk
        .create_trunk(world.ask(ACME, request))
        .await
        .unwrap()
        .into_inner();
    world.assign(&queue.id, ANNA).await.unwrap();
    let skill = world.skill("French").await.unwrap();
    world.give(&skill.id, ANNA, None).await.unwrap();

    let desk = &world.desk;
    let mut refused = Vec::new();
    macro_rules! refused {
        ($rpc:ident, $request:expr) => {
            refused.push((
                stringify!($rpc),
                reason(desk.$rpc(world.ask(OTHER, $request)).await),
            ))
        };
    }
    let (id, user_id) = (queue.id.clone(), STRANGER.to_string());
    refused!(get_call_queue, pb::GetCallQueueRequest { id: id.clone() });
    refused!(
        update_call_queue,
        pb::UpdateCallQueueRequest {
            call_queue: Some(queue),
            update_mask: None
        }
    );
    refused!(
        delete_call_queue,
        pb::DeleteCallQueueRequest { id: id.clone() }
    );
    refused!(
        list_queue_agents,
        pb::ListQueueAgentsRequest {
            queue_id: id.clone(),
            ..Default::default()
        }
    );
    refused!(
        assign_queue_agent,
        pb::AssignQueueAgentRequest {
            queue_id: id.clone(),
            user_id,
            order: None,
        }
    );
    refused!(
        unassign_queue_agent,
        pb::UnassignQueueAgentRequest {
            queue_id: id.clone(),
            user_id: ANNA.to_string(),
        }
    );
    let (skill_id, anna) = (skill.id.clone(), ANNA.to_string());
    refused!(
        get_skill,
        pb::GetSkillRequest {
            id: skill_id.clone()
        }
    );
    refused!(
        list_skill_users,
        pb::ListSkillUsersRequest {
            skill_id: skill_id.clone(),
            ..Default::default()
        }
    );
    refused!(
        list_user_skills,
        pb::ListUserSkillsRequest {
            user_id: anna.clone(),
            ..Default::default()
        }
    );
    refused!(
        assign_skill,
        pb::AssignSkillRequest {
            skill_id: skill_id.clone(),
            user_id: STRANGER.to_string(),
            level: None,
        }
    );
    refused!(
        unassign_skill,
        pb::UnassignSkillRequest {
            skill_id: skill_id.clone(),
            user_id: anna,
        }
    );
    refused!(
        update_skill,
        pb::UpdateSkillRequest {
            skill: Some(skill),
            update_mask: None
        }
    );
    refused!(delete_skill, pb::DeleteSkillRequest { id: skill_id });
    refused!(
        get_dial_plan,
        pb::GetDialPlanRequest {
            id: plan_id.clone()
        }
    );
    let patch = DialPlan {
        id: plan_id.clone(),
        ..plan("X", &id)
    };
    refused!(
        update_dial_plan,
        pb::UpdateDialPlanRequest {
            dial_plan: Some(patch),
            update_mask: None
        }
    );
    refused!(
        delete_dial_plan,
        pb::DeleteDialPlanRequest {
            id: plan_id.clone()
        }
    );
    refused!(
        delete_number,
        pb::DeleteNumberRequest {
            id: number.id.clone()
        }
    );
    refused!(
        update_number,
        pb::UpdateNumberRequest {
            number: Some(number),
            update_mask: None
        }
    );
    let foreign = Number {
        e164: "+390299999999".to_owned(),
        dial_plan_id: plan_id,
        ..Default::default()
    };
    refused!(
        create_number,
        pb::CreateNumberRequest {
            number: Some(foreign)
        }
    );
    refused!(
        delete_device,
        pb::DeleteDeviceRequest {
            id: device.id.clone()
        }
    );
    refused!(
        rotate_device_secret,
        pb::RotateDeviceSecretRequest { id: device.id }
    );
    refused!(delete_trunk, pb::DeleteTrunkRequest { id: trunk.id });
    for (rpc, reason) in refused {
        assert_eq!(reason, "not_found", "{rpc}");
    }
    let request = pb::CreateDialPlanRequest {
        dial_plan: Some(plan("X", &id)),
    };
    assert_eq!(
        reason(desk.create_dial_plan(world.ask(OTHER, request)).await),
        "queue_not_selected"
    );

    let queues = desk
        .list_call_queues(world.ask(OTHER, pb::ListCallQueuesRequest::default()))
        .await;
    assert!(queues.unwrap().into_inner().call_queues.is_empty());
    let skills = desk
        .list_skills(world.ask(OTHER, pb::ListSkillsRequest::default()))
        .await;
    assert!(skills.unwrap().into_inner().skills.is_empty());
    let numbers = desk
        .list_numbers(world.ask(OTHER, pb::ListNumbersRequest::default()))
        .await;
    assert!(numbers.unwrap().into_inner().numbers.is_empty());
    let plans = desk
        .list_dial_plans(world.ask(OTHER, pb::ListDialPlansRequest::default()))
        .await;
    assert!(plans.unwrap().into_inner().dial_plans.is_empty());
    let devices = desk
        .list_devices(world.ask(OTHER, pb::ListDevicesRequest::default()))
        .await;
    assert!(devices.unwrap().into_inner().devices.is_empty());
    let trunks = desk
        .list_trunks(world.ask(OTHER, pb::ListTrunksRequest::default()))
        .await;
    assert!(trunks.unwrap().into_inner().trunks.is_empty());
    let proposed = desk
        .propose_extension(world.ask(OTHER, pb::ProposeExtensionRequest {}))
        .await;
    assert_eq!(proposed.unwrap().into_inner().extension, "100");
}
