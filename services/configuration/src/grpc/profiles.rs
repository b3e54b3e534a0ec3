//! Routing profiles. Everybody has one; it is kept when it differs from the defaults for the first time.

use super::{Desk, answer, merged, required, rules, token};
use crate::core::profile;
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Fault, TenantId, UserId};
use centro_proto::configuration::{
    self as pb, RoutingProfile, routing_profiles_server::RoutingProfiles,
};
use tonic::{Request, Response, Status, metadata::AsciiMetadataValue};

#[tonic::async_trait]
impl RoutingProfiles for Desk {
    async fn get_routing_profile(
        &self,
        request: Request<pb::GetRoutingProfileRequest>,
    ) -> Result<Response<RoutingProfile>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let profile = self.profile(tenant, caller, &request.get_ref().user_id);
        profile.await.map(Response::new)
    }

    async fn update_routing_profile(
        &self,
        request: Request<pb::UpdateRoutingProfileRequest>,
    ) -> Result<Response<RoutingProfile>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let asked = request.into_inner();
        let patch = required(asked.routing_profile, "routingProfile").map_err(from_fault)?;
        // Whether there is such a person is asked before the write begins: writers take turns.
        let unset = self.profile(tenant, caller, &patch.user_id).await?;
        let done = async {
            let write = self.store.write(tenant, self.now()).await?;
            let before = or_unset(write.get(&patch.user_id).await, unset)?;
            let etags = (before.etag.as_str(), patch.etag.as_str());
            let after = merged(&before, &patch, asked.update_mask, etags)?;
            // A field that was emptied goes back to its default.
            let after = profile::with_defaults(after);
            rules(&after)?;
            write.change(before, after).await
        };
        answer(done.await)
    }
}

impl Desk {
    /// The person's profile, or the defaults for who has none and exists.
    async fn profile(
        &self,
        tenant: TenantId,
        caller: Option<AsciiMetadataValue>,
        user: &str,
    ) -> Result<RoutingProfile, Status> {
        let user: UserId = user
            .parse()
            .map_err(|_| from_fault(Fault::not_found("user", user)))?;
        let key = user.to_string();
        match self.store.get::<RoutingProfile>(tenant, &key).await {
            Err(fault) if fault.reason == "not_found" => {
                self.people.check(caller, user).await?;
                Ok(profile::with_defaults(RoutingProfile {
                    user_id: key,
                    ..RoutingProfile::default()
                }))
            }
            other => other.map_err(from_fault),
        }
    }
}

fn or_unset(
    found: Result<RoutingProfile, Fault>,
    unset: RoutingProfile,
) -> Result<RoutingProfile, Fault> {
    match found {
        Err(fault) if fault.reason == "not_found" => Ok(unset),
        other => other,
    }
}
