//! What the other services ask: everything once, and the digests that events never carry.

use super::{Desk, answer};
use centro_kernel::{Fault, TenantId};
use centro_proto::configuration::{self as pb, configuration_feed_server::ConfigurationFeed};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl ConfigurationFeed for Desk {
    async fn snapshot(
        &self,
        request: Request<pb::SnapshotRequest>,
    ) -> Result<Response<pb::SnapshotResponse>, Status> {
        let page = self.store.snapshot(&request.get_ref().page_token).await;
        answer(page.map(|(changes, next_page_token)| pb::SnapshotResponse {
            changes,
            next_page_token,
        }))
    }

    async fn get_credentials(
        &self,
        request: Request<pb::GetCredentialsRequest>,
    ) -> Result<Response<pb::Credentials>, Status> {
        let asked = request.into_inner();
        let found = async {
            let tenant: TenantId = asked
                .tenant_id
                .parse()
                .map_err(|_| Fault::not_found("tenant", &asked.tenant_id))?;
            self.store.credentials(tenant, &asked.id).await
        };
        answer(found.await)
    }
}
