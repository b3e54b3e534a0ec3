//! Settings of a whole tenant. Every tenant has them; they are kept when they are changed for the first time.

use super::{Desk, answer, merged, required, rules};
use crate::core::organization;
use centro_contract::principal;
use centro_kernel::{Fault, TenantId};
use centro_proto::configuration::{
    self as pb, OrganizationSettings, organization_server::Organization,
};
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Organization for Desk {
    async fn get_organization_settings(
        &self,
        request: Request<pb::GetOrganizationSettingsRequest>,
    ) -> Result<Response<OrganizationSettings>, Status> {
        let (tenant, _) = principal(&request)?;
        let kept = self.store.get(tenant, &tenant.to_string()).await;
        answer(or_unset(kept, tenant))
    }

    async fn update_organization_settings(
        &self,
        request: Request<pb::UpdateOrganizationSettingsRequest>,
    ) -> Result<Response<OrganizationSettings>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let done = async {
            let patch = required(asked.organization_settings, "organizationSettings")?;
            let write = self.store.write(tenant, self.now()).await?;
            let before = or_unset(write.get(&tenant.to_string()).await, tenant)?;
            let etags = (before.etag.as_str(), patch.etag.as_str());
            let after = merged(&before, &patch, asked.update_mask, etags)?;
            // A field that was emptied goes back to its default.
            let after = organization::with_defaults(after);
            rules(&after)?;
            let after = organization::with_known_zone(after)?;
            write.change(before, after).await
        };
        answer(done.await)
    }
}

fn or_unset(
    found: Result<OrganizationSettings, Fault>,
    tenant: TenantId,
) -> Result<OrganizationSettings, Fault> {
    match found {
        Err(fault) if fault.reason == "not_found" => {
            Ok(organization::with_defaults(OrganizationSettings {
                tenant_id: tenant.to_string(),
                ..OrganizationSettings::default()
            }))
        }
        other => other,
    }
}
