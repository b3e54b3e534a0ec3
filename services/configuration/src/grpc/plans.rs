//! Dial plans.

use super::{Desk, answer, id, merged, required, rules, time};
use crate::{
    core::plan,
    store::{Kind, Only, Writer},
};
use centro_contract::principal;
use centro_kernel::{DialPlanId, Fault, TenantId};
use centro_proto::configuration::{self as pb, DialPlan, dial_plans_server::DialPlans};
use centro_store::page;
use tonic::{Request, Response, Status};

const PLAN: &str = "dial plan";

#[tonic::async_trait]
impl DialPlans for Desk {
    async fn list_dial_plans(
        &self,
        request: Request<pb::ListDialPlansRequest>,
    ) -> Result<Response<pb::ListDialPlansResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .list(tenant, Only::default(), limit, &asked.page_token)
            .await;
        answer(
            page.map(|(dial_plans, next_page_token)| pb::ListDialPlansResponse {
                dial_plans,
                next_page_token,
            }),
        )
    }

    async fn get_dial_plan(
        &self,
        request: Request<pb::GetDialPlanRequest>,
    ) -> Result<Response<DialPlan>, Status> {
        let (tenant, _) = principal(&request)?;
        let found = async {
            let id = id::<DialPlanId>(PLAN, &request.get_ref().id)?;
            self.store.get(tenant, &id).await
        };
        answer(found.await)
    }

    async fn create_dial_plan(
        &self,
        request: Request<pb::CreateDialPlanRequest>,
    ) -> Result<Response<DialPlan>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.create_plan(tenant, request.into_inner()).await)
    }

    async fn update_dial_plan(
        &self,
        request: Request<pb::UpdateDialPlanRequest>,
    ) -> Result<Response<DialPlan>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.update_plan(tenant, request.into_inner()).await)
    }

    async fn delete_dial_plan(
        &self,
        request: Request<pb::DeleteDialPlanRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let done = async {
            let id = id::<DialPlanId>(PLAN, &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write.remove::<DialPlan>(&id).await?;
            write.commit().await
        };
        answer(done.await)
    }
}

impl Desk {
    async fn create_plan(
        &self,
        tenant: TenantId,
        asked: pb::CreateDialPlanRequest,
    ) -> Result<DialPlan, Fault> {
        let mut made = required(asked.dial_plan, "dialPlan")?;
        let mut write = self.store.write(tenant, self.now()).await?;
        check(&write, &mut made).await?;
        made.id = DialPlanId::generate().to_string();
        made.create_time = time(write.now());
        let made = write.put(made, None).await?;
        write.commit().await?;
        Ok(made)
    }

    async fn update_plan(
        &self,
        tenant: TenantId,
        asked: pb::UpdateDialPlanRequest,
    ) -> Result<DialPlan, Fault> {
        let patch = required(asked.dial_plan, "dialPlan")?;
        let id = id::<DialPlanId>(PLAN, &patch.id)?;
        let write = self.store.write(tenant, self.now()).await?;
        let before: DialPlan = write.get(&id).await?;
        let mut after = merged(
            &before,
            &patch,
            asked.update_mask,
            (&before.etag, &patch.etag),
        )?;
        check(&write, &mut after).await?;
        write.change(before, after).await
    }
}

async fn check(write: &Writer, plan: &mut DialPlan) -> Result<(), Fault> {
    let queues = write.existing(Kind::CallQueue, &plan::queues(plan)).await?;
    plan::check(plan, |id| queues.contains(id))?;
    rules(plan)
}
