//! Call queues and who serves them.

use super::{Desk, answer, id, merged, required, rules, time, token};
use crate::{core::queue, store::Only};
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Fault, QueueId, TenantId, UserId};
use centro_proto::configuration::{
    self as pb, CallQueue, QueueAgent, call_queues_server::CallQueues,
};
use centro_store::page;
use tonic::{Request, Response, Status};

const QUEUE: &str = "call queue";

#[tonic::async_trait]
impl CallQueues for Desk {
    async fn list_call_queues(
        &self,
        request: Request<pb::ListCallQueuesRequest>,
    ) -> Result<Response<pb::ListCallQueuesResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .list(tenant, Only::default(), limit, &asked.page_token)
            .await;
        answer(page.map(
            |(call_queues, next_page_token)| pb::ListCallQueuesResponse {
                call_queues,
                next_page_token,
            },
        ))
    }

    async fn get_call_queue(
        &self,
        request: Request<pb::GetCallQueueRequest>,
    ) -> Result<Response<CallQueue>, Status> {
        let (tenant, _) = principal(&request)?;
        let id = id::<QueueId>(QUEUE, &request.get_ref().id).map_err(from_fault)?;
        answer(self.store.get(tenant, &id).await)
    }

    async fn create_call_queue(
        &self,
        request: Request<pb::CreateCallQueueRequest>,
    ) -> Result<Response<CallQueue>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.create_queue(tenant, request.into_inner()).await)
    }

    async fn update_call_queue(
        &self,
        request: Request<pb::UpdateCallQueueRequest>,
    ) -> Result<Response<CallQueue>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.update_queue(tenant, request.into_inner()).await)
    }

    async fn delete_call_queue(
        &self,
        request: Request<pb::DeleteCallQueueRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let done = async {
            let id = id::<QueueId>(QUEUE, &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write.remove::<CallQueue>(&id).await?;
            write.commit().await
        };
        answer(done.await)
    }

    async fn list_queue_agents(
        &self,
        request: Request<pb::ListQueueAgentsRequest>,
    ) -> Result<Response<pb::ListQueueAgentsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let page = async {
            let queue = id::<QueueId>(QUEUE, &asked.queue_id)?;
            self.store.get::<CallQueue>(tenant, &queue).await?;
            let only = Only {
                queue_id: Some(queue),
                ..Only::default()
            };
            let limit = page::limit(asked.page_size);
            self.store
                .list(tenant, only, limit, &asked.page_token)
                .await
        };
        answer(
            page.await
                .map(|(agents, next_page_token)| pb::ListQueueAgentsResponse {
                    agents,
                    next_page_token,
                }),
        )
    }

    async fn assign_queue_agent(
        &self,
        request: Request<pb::AssignQueueAgentRequest>,
    ) -> Result<Response<QueueAgent>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let asked = request.into_inner();
        let user: UserId = asked
            .user_id
            .parse()
            .map_err(|_| from_fault(Fault::not_found("user", &asked.user_id)))?;
        let queue = id::<QueueId>(QUEUE, &asked.queue_id).map_err(from_fault)?;
        self.store
            .get::<CallQueue>(tenant, &queue)
            .await
            .map_err(from_fault)?;
        self.people.check(caller, user).await?;
        answer(self.assign(tenant, queue, user, asked.order).await)
    }

    async fn unassign_queue_agent(
        &self,
        request: Request<pb::UnassignQueueAgentRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let done = async {
            let queue = id::<QueueId>(QUEUE, &asked.queue_id)?;
            let user = id::<UserId>("user", &asked.user_id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write
                .remove::<QueueAgent>(&format!("{queue}/{user}"))
                .await?;
            write.commit().await
        };
        answer(done.await)
    }
}

impl Desk {
    async fn create_queue(
        &self,
        tenant: TenantId,
        asked: pb::CreateCallQueueRequest,
    ) -> Result<CallQueue, Fault> {
        let mut made = queue::with_defaults(required(asked.call_queue, "callQueue")?);
        queue::check(&mut made)?;
        rules(&made)?;
        let mut write = self.store.write(tenant, self.now()).await?;
        made.id = QueueId::generate().to_string();
        made.version = 1;
        made.create_time = time(write.now());
        if made.extension.is_empty() {
            made.extension = write.free_extension().await?;
        }
        let made = write.put(made, None).await?;
        write.commit().await?;
        Ok(made)
    }

    async fn update_queue(
        &self,
        tenant: TenantId,
        asked: pb::UpdateCallQueueRequest,
    ) -> Result<CallQueue, Fault> {
        let patch = required(asked.call_queue, "callQueue")?;
        let id = id::<QueueId>(QUEUE, &patch.id)?;
        let write = self.store.write(tenant, self.now()).await?;
        let before: CallQueue = write.get(&id).await?;
        let after = merged(
            &before,
            &patch,
            asked.update_mask,
            (&before.etag, &patch.etag),
        )?;
        // A field that was emptied goes back to its default, the extension stays.
        let mut after = queue::with_defaults(after);
        if after.extension.is_empty() {
            after.extension.clone_from(&before.extension);
        }
        queue::check(&mut after)?;
        rules(&after)?;
        if after != before {
            after.version = before.version + 1;
        }
        write.change(before, after).await
    }

    /// Repeating it changes nothing and tells nobody.
    async fn assign(
        &self,
        tenant: TenantId,
        queue: String,
        user: UserId,
        order: Option<u32>,
    ) -> Result<QueueAgent, Fault> {
        let mut write = self.store.write(tenant, self.now()).await?;
        write.get::<CallQueue>(&queue).await?;
        let before = match write.get::<QueueAgent>(&format!("{queue}/{user}")).await {
            Ok(before) => before,
            Err(fault) if fault.reason == "not_found" => QueueAgent {
                queue_id: queue,
                user_id: user.to_string(),
                create_time: None,
                order: 0,
            },
            Err(fault) => return Err(fault),
        };
        let after = QueueAgent {
            create_time: before.create_time.or_else(|| time(write.now())),
            order: order.unwrap_or(before.order),
            ..before.clone()
        };
        if after == before {
            return Ok(before);
        }
        let after = write.put(after, None).await?;
        write.commit().await?;
        Ok(after)
    }
}
