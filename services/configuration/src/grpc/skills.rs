//! Skills, and who has which at what level.

use super::{Desk, answer, id, merged, required, rules, time, token};
use crate::store::Only;
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Fault, SkillId, TenantId, UserId, name};
use centro_proto::configuration::{self as pb, Skill, UserSkill, skills_server::Skills};
use centro_store::page;
use tonic::{Request, Response, Status};

const SKILL: &str = "skill";
/// The level of who gets a skill without one (spec D23).
const LEVEL: u32 = 5;

#[tonic::async_trait]
impl Skills for Desk {
    async fn list_skills(
        &self,
        request: Request<pb::ListSkillsRequest>,
    ) -> Result<Response<pb::ListSkillsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .list(tenant, Only::default(), limit, &asked.page_token)
            .await;
        answer(
            page.map(|(skills, next_page_token)| pb::ListSkillsResponse {
                skills,
                next_page_token,
            }),
        )
    }

    async fn get_skill(
        &self,
        request: Request<pb::GetSkillRequest>,
    ) -> Result<Response<Skill>, Status> {
        let (tenant, _) = principal(&request)?;
        let id = id::<SkillId>(SKILL, &request.get_ref().id).map_err(from_fault)?;
        answer(self.store.get(tenant, &id).await)
    }

    async fn create_skill(
        &self,
        request: Request<pb::CreateSkillRequest>,
    ) -> Result<Response<Skill>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.create_skill(tenant, request.into_inner()).await)
    }

    async fn update_skill(
        &self,
        request: Request<pb::UpdateSkillRequest>,
    ) -> Result<Response<Skill>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.update_skill(tenant, request.into_inner()).await)
    }

    async fn delete_skill(
        &self,
        request: Request<pb::DeleteSkillRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let done = async {
            let id = id::<SkillId>(SKILL, &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write.remove::<Skill>(&id).await?;
            write.commit().await
        };
        answer(done.await)
    }

    async fn list_skill_users(
        &self,
        request: Request<pb::ListSkillUsersRequest>,
    ) -> Result<Response<pb::ListSkillUsersResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let page = async {
            let skill = id::<SkillId>(SKILL, &asked.skill_id)?;
            self.store.get::<Skill>(tenant, &skill).await?;
            let only = Only {
                skill_id: Some(skill),
                ..Only::default()
            };
            let limit = page::limit(asked.page_size);
            self.store
                .list(tenant, only, limit, &asked.page_token)
                .await
        };
        answer(
            page.await
                .map(|(users, next_page_token)| pb::ListSkillUsersResponse {
                    users,
                    next_page_token,
                }),
        )
    }

    async fn list_user_skills(
        &self,
        request: Request<pb::ListUserSkillsRequest>,
    ) -> Result<Response<pb::ListUserSkillsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let asked = request.into_inner();
        let user = person(&asked.user_id)?;
        self.people.check(caller, user).await?;
        let only = Only {
            user_id: Some(user.to_string()),
            ..Only::default()
        };
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .list(tenant, only, limit, &asked.page_token)
            .await;
        answer(
            page.map(|(skills, next_page_token)| pb::ListUserSkillsResponse {
                skills,
                next_page_token,
            }),
        )
    }

    async fn assign_skill(
        &self,
        request: Request<pb::AssignSkillRequest>,
    ) -> Result<Response<UserSkill>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let asked = request.into_inner();
        let user = person(&asked.user_id)?;
        let skill = id::<SkillId>(SKILL, &asked.skill_id).map_err(from_fault)?;
        self.store
            .get::<Skill>(tenant, &skill)
            .await
            .map_err(from_fault)?;
        self.people.check(caller, user).await?;
        answer(self.give_skill(tenant, skill, user, asked.level).await)
    }

    async fn unassign_skill(
        &self,
        request: Request<pb::UnassignSkillRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let done = async {
            let skill = id::<SkillId>(SKILL, &asked.skill_id)?;
            let user = id::<UserId>("user", &asked.user_id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write
                .remove::<UserSkill>(&format!("{skill}/{user}"))
                .await?;
            write.commit().await
        };
        answer(done.await)
    }
}

impl Desk {
    async fn create_skill(
        &self,
        tenant: TenantId,
        asked: pb::CreateSkillRequest,
    ) -> Result<Skill, Fault> {
        let asked = required(asked.skill, SKILL)?;
        let mut write = self.store.write(tenant, self.now()).await?;
        let made = Skill {
            id: SkillId::generate().to_string(),
            display_name: name::check(&asked.display_name)?,
            create_time: time(write.now()),
            etag: String::new(),
        };
        let made = write.put(made, None).await?;
        write.commit().await?;
        Ok(made)
    }

    async fn update_skill(
        &self,
        tenant: TenantId,
        asked: pb::UpdateSkillRequest,
    ) -> Result<Skill, Fault> {
        let patch = required(asked.skill, SKILL)?;
        let id = id::<SkillId>(SKILL, &patch.id)?;
        let write = self.store.write(tenant, self.now()).await?;
        let before: Skill = write.get(&id).await?;
        let mut after = merged(
            &before,
            &patch,
            asked.update_mask,
            (&before.etag, &patch.etag),
        )?;
        after.display_name = name::check(&after.display_name)?;
        write.change(before, after).await
    }

    /// Repeating it changes nothing and tells nobody.
    async fn give_skill(
        &self,
        tenant: TenantId,
        skill: String,
        user: UserId,
        level: Option<u32>,
    ) -> Result<UserSkill, Fault> {
        let mut write = self.store.write(tenant, self.now()).await?;
        write.get::<Skill>(&skill).await?;
        let before = match write.get::<UserSkill>(&format!("{skill}/{user}")).await {
            Ok(before) => Some(before),
            Err(fault) if fault.reason == "not_found" => None,
            Err(fault) => return Err(fault),
        };
        let known = before.as_ref();
        let after = UserSkill {
            skill_id: skill,
            user_id: user.to_string(),
            level: level.or(known.map(|b| b.level)).unwrap_or(LEVEL),
            create_time: known.map_or_else(|| time(write.now()), |b| b.create_time),
        };
        rules(&after)?;
        if known == Some(&after) {
            return Ok(after);
        }
        let after = write.put(after, None).await?;
        write.commit().await?;
        Ok(after)
    }
}

fn person(id: &str) -> Result<UserId, Status> {
    id.parse()
        .map_err(|_| from_fault(Fault::not_found("user", id)))
}
