//! Phones that register. The door also carries the trunks, which [`super::trunks`] serves.

use super::{Desk, answer, id, new_secret, required, rules, time, token};
use crate::{
    core::{device, extension},
    store::Only,
};
use centro_contract::{Principal, principal, status::from_fault};
use centro_kernel::{DeviceId, Fault, TenantId, UserId, name};
use centro_proto::configuration::{self as pb, Device, devices_server::Devices};
use centro_store::page;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Devices for Desk {
    async fn list_devices(
        &self,
        request: Request<pb::ListDevicesRequest>,
    ) -> Result<Response<pb::ListDevicesResponse>, Status> {
        let (tenant, who) = principal(&request)?;
        answer(self.devices(tenant, &who, request.into_inner()).await)
    }

    async fn create_device(
        &self,
        request: Request<pb::CreateDeviceRequest>,
    ) -> Result<Response<Device>, Status> {
        let (tenant, _) = principal(&request)?;
        let caller = token(&request);
        let made = required(request.into_inner().device, "device").and_then(checked);
        let mut made = made.map_err(from_fault)?;
        if !made.user_id.is_empty() {
            let user: UserId = made
                .user_id
                .parse()
                .map_err(|_| from_fault(Fault::not_found("user", &made.user_id).at("/userId")))?;
            made.suspended = !self.people.check(caller, user).await?;
        }
        let slug = self.people.slug(tenant).await?;
        answer(self.create_device(tenant, &slug, made).await)
    }

    async fn delete_device(
        &self,
        request: Request<pb::DeleteDeviceRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        let done = async {
            let id = id::<DeviceId>("device", &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            write.remove::<Device>(&id).await?;
            write.commit().await
        };
        answer(done.await)
    }

    async fn rotate_device_secret(
        &self,
        request: Request<pb::RotateDeviceSecretRequest>,
    ) -> Result<Response<Device>, Status> {
        let (tenant, _) = principal(&request)?;
        let made = async {
            let id = id::<DeviceId>("device", &request.get_ref().id)?;
            let mut write = self.store.write(tenant, self.now()).await?;
            let device: Device = write.get(&id).await?;
            let (secret, credentials) = new_secret(&device.username, &self.settings.realm);
            let device = write.put(device, Some(credentials)).await?;
            write.commit().await?;
            Ok(Device { secret, ..device })
        };
        answer(made.await)
    }

    async fn list_trunks(
        &self,
        request: Request<pb::ListTrunksRequest>,
    ) -> Result<Response<pb::ListTrunksResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.trunks(tenant, request.into_inner()).await)
    }

    async fn create_trunk(
        &self,
        request: Request<pb::CreateTrunkRequest>,
    ) -> Result<Response<pb::Trunk>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.create_trunk(tenant, request.into_inner()).await)
    }

    async fn delete_trunk(
        &self,
        request: Request<pb::DeleteTrunkRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, _) = principal(&request)?;
        answer(self.delete_trunk(tenant, &request.get_ref().id).await)
    }
}

impl Desk {
    /// Who does not manage agents sees the own devices only.
    async fn devices(
        &self,
        tenant: TenantId,
        who: &Principal,
        asked: pb::ListDevicesRequest,
    ) -> Result<pb::ListDevicesResponse, Fault> {
        let own = who.user().map(|user| user.to_string());
        let wanted = match asked.user_id.as_str() {
            "" => None,
            "me" => Some(own.clone()),
            other => Some(Some(other.to_owned())),
        };
        let user_id = match wanted {
            // A program has no devices of its own.
            Some(None) => return Ok(pb::ListDevicesResponse::default()),
            Some(user) => user,
            None if who.grants("agents.manage") => None,
            None => own.clone(),
        };
        if !who.grants("agents.manage") && (user_id.is_none() || user_id != own) {
            return Ok(pb::ListDevicesResponse::default());
        }
        let only = Only {
            user_id,
            ..Only::default()
        };
        let limit = page::limit(asked.page_size);
        let (devices, next_page_token) = self
            .store
            .list(tenant, only, limit, &asked.page_token)
            .await?;
        Ok(pb::ListDevicesResponse {
            devices,
            next_page_token,
        })
    }

    async fn create_device(
        &self,
        tenant: TenantId,
        slug: &str,
        mut made: Device,
    ) -> Result<Device, Fault> {
        let mut write = self.store.write(tenant, self.now()).await?;
        made.id = DeviceId::generate().to_string();
        made.create_time = time(write.now());
        if made.extension.is_empty() {
            made.extension = write.free_extension().await?;
        }
        made.username = device::username(slug, &made.extension);
        let (secret, credentials) = new_secret(&made.username, &self.settings.realm);
        let made = write.put(made, Some(credentials)).await?;
        write.commit().await?;
        Ok(Device { secret, ..made })
    }
}

/// A device as asked for, without what the service sets.
fn checked(asked: Device) -> Result<Device, Fault> {
    let made = Device {
        display_name: name::check(&asked.display_name)?,
        user_id: asked.user_id,
        extension: asked.extension,
        ..Device::default()
    };
    if !made.extension.is_empty() {
        extension::check(&made.extension)?;
    }
    rules(&made)?;
    Ok(made)
}
