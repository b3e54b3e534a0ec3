//! Where a service puts its doors. The node decides whether they face a socket.

use centro_contract::{Api, Guard, Keys, Revocations};
use centro_kernel::Clock;
use std::{convert::Infallible, sync::Arc};
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

    /// All doors, behind the guard.
    pub(crate) fn into_routes(
        self,
        keys: Keys,
        revocations: Revocations,
        clock: Arc<dyn Clock>,
    ) -> Routes {
        match Api::installed() {
            Ok(api) => self
                .0
                .routes()
                .into_axum_router()
                .layer(Guard::new(api, keys, revocations, clock))
                .into(),
            Err(error) => {
                tracing::error!(%error, "no RPC is served: the protos break the contract");
                Routes::default()
            }
        }
    }
}
