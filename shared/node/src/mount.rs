//! Where a service puts its doors. The node decides whether they face a socket.

use std::convert::Infallible;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};

/// Collects gRPC servers.
#[derive(Default)]
pub struct Mount(RoutesBuilder);

impl Mount {
    /// Adds a generated server.
    pub fn grpc<S>(&mut self, server: S)
    where
        S: tower::Service<http::Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.0.add_service(server);
    }

    pub(crate) fn into_routes(self) -> Routes {
        self.0.routes().prepare()
    }
}
