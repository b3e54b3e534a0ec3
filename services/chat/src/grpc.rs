//! gRPC in.

use centro_proto::chat::{
    PingRequest, PingResponse,
    chat_health_server::{ChatHealth, ChatHealthServer},
};
use tonic::{Request, Response, Status};

/// The server, to be mounted.
pub(crate) fn server() -> ChatHealthServer<Health> {
    ChatHealthServer::new(Health)
}

pub(crate) struct Health;

#[tonic::async_trait]
impl ChatHealth for Health {
    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        Ok(Response::new(PingResponse {}))
    }
}
