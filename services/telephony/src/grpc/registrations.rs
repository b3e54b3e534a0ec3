//! Which phones are registered.

use crate::{grpc::timestamp, ua::registrar::Registrar};
use centro_contract::{principal, status::from_fault};
use centro_kernel::DeviceId;
use centro_proto::telephony::{
    ListRegistrationsRequest, ListRegistrationsResponse, Registration,
    SnapshotRegistrationsRequest, SnapshotRegistrationsResponse,
    registrations_server::Registrations, snapshot_registrations_response::Online,
};
use centro_store::page::{self, Pages};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Devices in one page of the snapshot.
const SNAPSHOT_PAGE: usize = 1_000;

/// The door.
pub struct RegistrationsDoor {
    /// Who is registered.
    pub registrar: Arc<Registrar>,
    /// Makes page tokens.
    pub pages: Pages,
}

#[tonic::async_trait]
impl Registrations for RegistrationsDoor {
    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> Result<Response<ListRegistrationsResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let request = request.into_inner();
        let pages = self.pages.list("registrations", tenant, &());
        let after = pages.after::<(DeviceId, String)>(&request.page_token);
        let after = after.map_err(from_fault)?;
        let limit = page::limit(request.page_size);
        let most = usize::try_from(limit).unwrap_or(200) + 1;
        let mut rows = self.registrar.page(Some(tenant), after, most);
        let next_page_token = pages.next(&mut rows, limit, |row| {
            (row.device, row.binding.key.clone())
        });
        let registrations = rows
            .into_iter()
            .map(|row| Registration {
                device_id: row.device.to_string(),
                address: row.binding.destination.to_string(),
                user_agent: row.binding.user_agent,
                register_time: Some(timestamp(row.binding.registered)),
                expire_time: Some(timestamp(row.binding.expires)),
            })
            .collect();
        Ok(Response::new(ListRegistrationsResponse {
            registrations,
            next_page_token,
        }))
    }

    async fn snapshot_registrations(
        &self,
        request: Request<SnapshotRegistrationsRequest>,
    ) -> Result<Response<SnapshotRegistrationsResponse>, Status> {
        let pages = self.pages.list("registrations snapshot", "", &());
        let after = pages.after::<(DeviceId, String)>(&request.into_inner().page_token);
        let after = after.map_err(from_fault)?;
        let mut rows = self.registrar.page(None, after, SNAPSHOT_PAGE + 1);
        let next_page_token = pages.next(&mut rows, SNAPSHOT_PAGE as u64, |row| {
            (row.device, row.binding.key.clone())
        });
        let mut online: Vec<Online> = rows
            .into_iter()
            .map(|row| Online {
                tenant_id: row.tenant.to_string(),
                device_id: row.device.to_string(),
            })
            .collect();
        online.dedup();
        Ok(Response::new(SnapshotRegistrationsResponse {
            online,
            next_page_token,
        }))
    }
}
