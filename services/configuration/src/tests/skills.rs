use super::*;
use centro_proto::configuration::change::Object;
use centro_testkit::engines::on_both_engines;
use prost_types::FieldMask;

async fn rename(world: &World, skill: pb::Skill) -> Result<pb::Skill, Status> {
    let update_mask = Some(FieldMask {
        paths: vec!["display_name".to_owned()],
    });
    let request = pb::UpdateSkillRequest {
        skill: Some(skill),
        update_mask,
    };
    let renamed = world.desk.update_skill(world.ask(ACME, request)).await?;
    Ok(renamed.into_inner())
}

async fn delete(world: &World, id: &str) -> Result<(), Status> {
    let request = pb::DeleteSkillRequest { id: id.to_owned() };
    let done = world.desk.delete_skill(world.ask(ACME, request)).await;
    done.map(|_| ())
}

async fn take(world: &World, skill: &str, user: UserId) -> Result<(), Status> {
    let request = pb::UnassignSkillRequest {
        skill_id: skill.to_owned(),
        user_id: user.to_string(),
    };
    let done = world.desk.unassign_skill(world.ask(ACME, request)).await;
    done.map(|_| ())
}

#[on_both_engines]
async fn a_skill_is_named_once_ignoring_case_and_can_be_renamed() {
    let world = World::new().await;
    let french = world.skill(" French ").await.unwrap();
    assert_eq!(french.display_name, "French");
    assert!(french.id.starts_with("ski_"));
    assert_eq!(reason(world.skill("fRENCH").await), "name_duplicate");
    assert_eq!(reason(world.skill(" ").await), "name_empty");
    // A queue of the same name is another thing.
    world.queue("French", "").await.unwrap();
    let italian = world.skill("Italian").await.unwrap();
    let clash = pb::Skill {
        display_name: "FRENCH".to_owned(),
        ..italian.clone()
    };
    assert_eq!(reason(rename(&world, clash).await), "name_duplicate");
    let own = pb::Skill {
        display_name: "ITALIAN".to_owned(),
        ..italian.clone()
    };
    let renamed = rename(&world, own).await.unwrap();
    assert_eq!(renamed.display_name, "ITALIAN");
    let same = rename(&world, renamed.clone()).await;
    assert_eq!(same.unwrap(), renamed, "said twice it is one change");
    assert_eq!(reason(rename(&world, italian).await), "etag_mismatch");
    let list = pb::ListSkillsRequest::default();
    let listed = world.desk.list_skills(world.ask(ACME, list)).await;
    assert_eq!(listed.unwrap().into_inner().skills.len(), 2);
}

#[on_both_engines]
async fn a_skill_that_somebody_has_is_not_deleted() {
    let world = World::new().await;
    let french = world.skill("French").await.unwrap();
    world.give(&french.id, ANNA, None).await.unwrap();
    world.give(&french.id, BRUNO, Some(9)).await.unwrap();
    let refused = delete(&world, &french.id).await.unwrap_err();
    assert_eq!(status::reason(&refused), "in_use");
    for person in [ANNA, BRUNO] {
        assert!(
            refused.message().contains(&format!("person {person}")),
            "{}",
            refused.message()
        );
    }
    take(&world, &french.id, ANNA).await.unwrap();
    take(&world, &french.id, BRUNO).await.unwrap();
    assert_eq!(reason(take(&world, &french.id, ANNA).await), "not_found");
    delete(&world, &french.id).await.unwrap();
    assert_eq!(reason(delete(&world, &french.id).await), "not_found");
    assert_eq!(
        reason(world.give(&french.id, ANNA, None).await),
        "not_found"
    );
}

#[on_both_engines]
async fn a_level_is_five_unless_said_and_stays_until_another_is_said() {
    let world = World::new().await;
    let french = world.skill("French").await.unwrap();
    let mut events = world.watch().await;
    let given = world.give(&french.id, ANNA, None).await.unwrap();
    assert_eq!(given.level, 5);
    assert_eq!(world.give(&french.id, ANNA, None).await.unwrap(), given);
    let better = world.give(&french.id, ANNA, Some(10)).await.unwrap();
    assert_eq!((better.level, better.create_time), (10, given.create_time));
    assert_eq!(world.give(&french.id, ANNA, None).await.unwrap(), better);
    assert_eq!(
        reason(world.give(&french.id, ANNA, Some(11)).await),
        "value_too_large"
    );
    assert_eq!(
        reason(world.give(&french.id, ANNA, Some(0)).await),
        "value_too_small"
    );
    assert_eq!(
        reason(world.give(&french.id, STRANGER, None).await),
        "not_found"
    );
    take(&world, &french.id, ANNA).await.unwrap();
    let mut levels = Vec::new();
    while levels.len() < 3 {
        let (_, change) = next(&mut events).await;
        if let Some(Object::UserSkill(skill)) = change.object {
            assert_eq!(skill.user_id, ANNA.to_string());
            levels.push((skill.level, change.deleted));
        }
    }
    assert_eq!(levels, [(5, false), (10, false), (0, true)]);
}

#[on_both_engines]
async fn skills_are_listed_by_person_and_people_by_skill() {
    let world = World::new().await;
    let french = world.skill("French").await.unwrap();
    let italian = world.skill("Italian").await.unwrap();
    world.give(&french.id, ANNA, Some(7)).await.unwrap();
    world.give(&italian.id, ANNA, None).await.unwrap();
    world.give(&french.id, BRUNO, Some(2)).await.unwrap();
    let of_skill = async |page_token: String| {
        let list = pb::ListSkillUsersRequest {
            skill_id: french.id.clone(),
            page_size: 1,
            page_token,
        };
        let page = world.desk.list_skill_users(world.ask(ACME, list)).await;
        page.unwrap().into_inner()
    };
    let first = of_skill(String::new()).await;
    let second = of_skill(first.next_page_token.clone()).await;
    let both = [&first.users[0], &second.users[0]];
    assert_eq!(
        both.map(|user| (user.user_id.clone(), user.level)),
        [(ANNA.to_string(), 7), (BRUNO.to_string(), 2)]
    );
    assert_eq!(second.next_page_token, "");
    let list = |user: UserId| pb::ListUserSkillsRequest {
        user_id: user.to_string(),
        ..Default::default()
    };
    let of_anna = world
        .desk
        .list_user_skills(world.ask(ACME, list(ANNA)))
        .await;
    let of_anna = of_anna.unwrap().into_inner().skills;
    let skills: Vec<_> = of_anna.iter().map(|skill| &skill.skill_id).collect();
    assert_eq!(skills, [&french.id, &italian.id]);
    let stranger = list(STRANGER);
    assert_eq!(
        reason(world.desk.list_user_skills(world.ask(ACME, stranger)).await),
        "not_found"
    );
}
