//! Lines to carriers.

use super::{Desk, id, new_secret, required, rules, time};
use crate::{
    core::{address, device},
    store::Only,
};
use centro_kernel::{Code, Fault, TenantId, TrunkId, name};
use centro_proto::configuration::{self as pb, Trunk};
use centro_store::page;

impl Desk {
    pub(super) async fn trunks(
        &self,
        tenant: TenantId,
        asked: pb::ListTrunksRequest,
    ) -> Result<pb::ListTrunksResponse, Fault> {
        let limit = page::limit(asked.page_size);
        let (trunks, next_page_token) = self
            .store
            .list(tenant, Only::default(), limit, &asked.page_token)
            .await?;
        Ok(pb::ListTrunksResponse {
            trunks,
            next_page_token,
        })
    }

    pub(super) async fn create_trunk(
        &self,
        tenant: TenantId,
        asked: pb::CreateTrunkRequest,
    ) -> Result<Trunk, Fault> {
        let mut made = checked(required(asked.trunk, "trunk")?)?;
        let mut write = self.store.write(tenant, self.now()).await?;
        made.id = TrunkId::generate().to_string();
        made.create_time = time(write.now());
        let (secret, credentials) = if made.digest {
            made.username = device::trunk_username(&made.id);
            let (secret, credentials) = new_secret(&made.username, &self.settings.realm);
            (secret, Some(credentials))
        } else {
            (String::new(), None)
        };
        let made = write.put(made, credentials).await?;
        write.commit().await?;
        Ok(Trunk { secret, ..made })
    }

    pub(super) async fn delete_trunk(&self, tenant: TenantId, trunk: &str) -> Result<(), Fault> {
        let id = id::<TrunkId>("trunk", trunk)?;
        let mut write = self.store.write(tenant, self.now()).await?;
        write.remove::<Trunk>(&id).await?;
        write.commit().await
    }
}

/// A trunk as asked for, without what the service sets.
fn checked(asked: Trunk) -> Result<Trunk, Fault> {
    let addresses = asked.addresses.iter().enumerate();
    let made = Trunk {
        display_name: name::check(&asked.display_name)?,
        addresses: addresses
            .map(|(index, text)| address::check(text, index))
            .collect::<Result<_, _>>()?,
        digest: asked.digest,
        ..Trunk::default()
    };
    if made.addresses.is_empty() && !made.digest {
        let message = "give the carrier's addresses, or let it sign in by digest";
        return Err(Fault::new(Code::Invalid, "address_needed", message).at("/addresses"));
    }
    rules(&made)?;
    Ok(made)
}
