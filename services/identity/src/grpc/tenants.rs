//! Tenants of the installation.

use super::{Desk, message, required};
use crate::core::{person, roles::Roles};
use centro_contract::{Role, status::from_fault};
use centro_kernel::name;
use centro_proto::identity::{self as pb, tenants_server::Tenants};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Tenants for Desk {
    async fn create_tenant(
        &self,
        request: Request<pb::CreateTenantRequest>,
    ) -> Result<Response<pb::Tenant>, Status> {
        let asked = request.into_inner();
        let owner = required(asked.owner, "owner")?;
        let made = async {
            person::slug(&asked.slug)?;
            let display_name = name::check(&asked.display_name)?;
            let roles = match owner.roles.is_empty() {
                true => Roles::of(&[Role::Owner]),
                false => Roles::from_proto(&owner.roles)?.with(Role::Owner),
            };
            let mut owner = self.new_user(owner, roles).await?;
            owner.disabled = false;
            self.store
                .create_tenant(&asked.slug, &display_name, owner, self.now())
                .await
        };
        let row = made.await.map_err(from_fault)?;
        Ok(Response::new(message::tenant(row)))
    }

    async fn list_tenants(
        &self,
        _: Request<pb::ListTenantsRequest>,
    ) -> Result<Response<pb::ListTenantsResponse>, Status> {
        let rows = self.store.tenants().await.map_err(from_fault)?;
        let tenants = rows.into_iter().map(message::tenant).collect();
        Ok(Response::new(pb::ListTenantsResponse { tenants }))
    }
}
