//! What has been called back, for processes that start.

use super::Desk;
use centro_contract::status::from_fault;
use centro_proto::identity::{self as pb, revocations_server::Revocations};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Revocations for Desk {
    async fn list_revocations(
        &self,
        _: Request<pb::ListRevocationsRequest>,
    ) -> Result<Response<pb::ListRevocationsResponse>, Status> {
        let revocations = self.store.revocations(self.now()).await;
        let revocations = revocations.map_err(from_fault)?;
        Ok(Response::new(pb::ListRevocationsResponse { revocations }))
    }
}
