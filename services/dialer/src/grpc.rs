//! gRPC in.

use centro_proto::dialer::{
    PingRequest, PingResponse,
    dialer_health_server::{DialerHealth, DialerHealthServer},
};
use tonic::{Request, Response, Status};

/// The server, to be mounted.
pub(crate) fn server() -> DialerHealthServer<Health> {
    DialerHealthServer::new(Health)
}

pub(crate) struct Health;

#[tonic::async_trait]
impl DialerHealth for Health {
    async fn ping(&self, _: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        Ok(Response::new(PingResponse {}))
    }
}
