//! Keys for programs.

use super::{Desk, id, is_owner, message, required};
use crate::{
    core::roles::{self, Roles},
    secret,
    store::entity::api_key,
};
use centro_contract::{principal, status::from_fault};
use centro_kernel::{ApiKeyId, Code, Fault, TenantId, name};
use centro_proto::identity::{self as pb, api_keys_server::ApiKeys};
use centro_store::page;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl ApiKeys for Desk {
    async fn list_api_keys(
        &self,
        request: Request<pb::ListApiKeysRequest>,
    ) -> Result<Response<pb::ListApiKeysResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let limit = page::limit(asked.page_size);
        let page = self.store.api_keys(tenant, limit, &asked.page_token).await;
        let (mut rows, next_page_token) = page.map_err(from_fault)?;
        for row in &mut rows {
            let pending = self.key_use.pending(&row.id).map(|time| time.as_millis());
            row.last_use_ms = row.last_use_ms.max(pending);
        }
        let api_keys = rows.into_iter().map(message::api_key).collect();
        Ok(Response::new(pb::ListApiKeysResponse {
            api_keys,
            next_page_token,
        }))
    }

    async fn create_api_key(
        &self,
        request: Request<pb::CreateApiKeyRequest>,
    ) -> Result<Response<pb::ApiKey>, Status> {
        let (tenant, who) = principal(&request)?;
        let asked = required(request.into_inner().api_key, "apiKey")?;
        let (row, secret) = self
            .make(tenant, asked, is_owner(&who))
            .map_err(from_fault)?;
        self.store
            .create_api_key(tenant, row.clone(), self.now())
            .await
            .map_err(from_fault)?;
        Ok(Response::new(pb::ApiKey {
            secret,
            ..message::api_key(row)
        }))
    }

    async fn delete_api_key(
        &self,
        request: Request<pb::DeleteApiKeyRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, who) = principal(&request)?;
        let id: ApiKeyId = id("API key", &request.into_inner().id)?;
        self.store
            .delete_api_key(tenant, id, is_owner(&who), self.now())
            .await
            .map_err(from_fault)?;
        Ok(Response::new(()))
    }
}

impl Desk {
    fn make(
        &self,
        tenant: TenantId,
        asked: pb::ApiKey,
        by_owner: bool,
    ) -> Result<(api_key::Model, String), Fault> {
        let role = Roles::of(&[roles::from_proto(asked.role).map_err(|fault| fault.at("/role"))?]);
        roles::may_touch(by_owner, Roles::default(), role)?;
        let now = self.now();
        let expire = asked.expire_time.as_ref().map(message::instant);
        if expire.is_some_and(|expire| expire <= now) {
            let fault = Fault::new(
                Code::Invalid,
                "expire_time_past",
                "give a time in the future, or none",
            );
            return Err(fault.at("/expireTime"));
        }
        let secret = secret::api_key();
        let row = api_key::Model {
            id: ApiKeyId::generate().to_string(),
            tenant: tenant.to_string(),
            display_name: name::check(&asked.display_name)?,
            role: role.to_row(),
            fingerprint: secret::fingerprint(&secret),
            create_ms: now.as_millis(),
            expire_ms: expire.map(|expire| expire.as_millis()),
            last_use_ms: None,
        };
        Ok((row, secret))
    }
}
