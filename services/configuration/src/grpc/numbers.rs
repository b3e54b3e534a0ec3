//! Numbers callers dial, and the next free extension.

use super::{Desk, answer, id, merged, required, rules, time};
use crate::{
    core::{extension, number},
    store::{Only, Writer},
};
use centro_contract::principal;
use centro_kernel::{DialPlanId, Fault, NumberId, TenantId};
use centro_proto::configuration::{self as pb, DialPlan, Number, numbers_server::Numbers};
use centro_store::page;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Numbers for Desk {
    async fn list_numbers(
        &self,
        request: Request<pb::ListNumbersRequest>,
    ) -> Result<Response<pb::ListNumbersResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .list(tenant, Only::default(), limit, &asked.page_token)
            .await;
        answer(
            page.map(|(numbers, next_page_token)| pb::ListNumbersResponse {
                numbers,
                next_page_token,
            }),
        )
    }

    async fn create_number(
        &self,
        request: Request<pb::CreateNumberRequest>,
    ) -> Result<Response<Number>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.create(tenant, request.into_inner()).await)
    }

    async fn update_number(
        &self,
        request: Request<pb::UpdateNumberRequest>,
    ) -> Result<Response<Number>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.update(tenant, request.into_inner()).await)
    }

    async fn delete_number(
        &self,
        request: Request<pb::DeleteNumberRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let done = async {
            let id = id::<NumberId>("number", &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write.remove::<Number>(&id).await?;
            write.commit().await
        };
        answer(done.await)
    }

    async fn propose_extension(
        &self,
        request: Request<pb::ProposeExtensionRequest>,
    ) -> Result<Response<pb::ProposeExtensionResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let proposed = async { extension::next_free(&self.store.extensions(tenant).await?) };
        answer(
            proposed
                .await
                .map(|extension| pb::ProposeExtensionResponse { extension }),
        )
    }
}

impl Desk {
    async fn create(
        &self,
        tenant: TenantId,
        asked: pb::CreateNumberRequest,
    ) -> Result<Number, Fault> {
        let mut made = required(asked.number, "number")?;
        number::check(&mut made)?;
        rules(&made)?;
        let mut write = self.store.write(tenant, self.now()).await?;
        check_plan(&write, &made).await?;
        made.id = NumberId::generate().to_string();
        made.create_time = time(write.now());
        let made = write.put(made, None).await?;
        write.commit().await?;
        Ok(made)
    }

    async fn update(
        &self,
        tenant: TenantId,
        asked: pb::UpdateNumberRequest,
    ) -> Result<Number, Fault> {
        let patch = required(asked.number, "number")?;
        let id = id::<NumberId>("number", &patch.id)?;
        let write = self.store.write(tenant, self.now()).await?;
        let before: Number = write.get(&id).await?;
        let mut after = merged(
            &before,
            &patch,
            asked.update_mask,
            (&before.etag, &patch.etag),
        )?;
        number::check(&mut after)?;
        rules(&after)?;
        check_plan(&write, &after).await?;
        write.change(before, after).await
    }
}

/// A number leads to a dial plan of its own tenant, or nowhere.
async fn check_plan(write: &Writer, number: &Number) -> Result<(), Fault> {
    if !number.dial_plan_id.is_empty() {
        let plan = id::<DialPlanId>("dial plan", &number.dial_plan_id).map_err(at_plan)?;
        write.get::<DialPlan>(&plan).await.map_err(at_plan)?;
    }
    Ok(())
}

fn at_plan(fault: Fault) -> Fault {
    fault.at("/dialPlanId")
}
