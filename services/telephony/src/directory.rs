//! What telephony knows of the configuration, in memory: numbers, dial plans, devices, trunks, queues.
//!
//! Fed by [`crate::feed`]. Of two states of one object the one with the higher version counts. Reads are short and never
//! held over an await.

use crate::core::{digest::Account, network::Network, number};
use centro_kernel::{DeviceId, DialPlanId, QueueId, TenantId, TrunkId, UserId};
use centro_proto::configuration::{CallQueue, Change, DialPlan, change::Object};
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// A phone's account.
#[derive(Debug, Clone)]
pub struct Device {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one.
    pub id: DeviceId,
    /// The person whose phone it is.
    pub user: Option<UserId>,
    /// What is dialled to ring it.
    pub extension: String,
    /// SIP user name.
    pub username: String,
    /// Name to show.
    pub display_name: String,
    /// To check its answers.
    pub account: Account,
    /// Its person may not sign in: it keeps its extension and may do nothing.
    pub suspended: bool,
}

impl Device {
    /// Whether phones that signed in when the account was `before` are out now.
    fn signs_out(&self, before: &Self) -> bool {
        self.suspended || self.account != before.account || self.username != before.username
    }
}

/// A line to a carrier.
#[derive(Debug, Clone)]
pub struct Trunk {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which one.
    pub id: TrunkId,
    /// Where its calls come from.
    pub networks: Vec<Network>,
    /// SIP user name when it signs in by digest.
    pub username: String,
    /// To check its answers.
    pub account: Account,
}

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its settings.
    pub queue: Arc<CallQueue>,
}

/// Who may sign in with a user name.
#[derive(Debug, Clone)]
pub enum Login {
    /// A phone.
    Device(Arc<Device>),
    /// A carrier.
    Trunk(Arc<Trunk>),
}

impl Login {
    /// To check answers.
    pub fn account(&self) -> &Account {
        match self {
            Self::Device(device) => &device.account,
            Self::Trunk(trunk) => &trunk.account,
        }
    }
}

/// What an extension or number leads to.
#[derive(Debug, Clone)]
pub enum Target {
    /// A dial plan.
    Plan(Arc<DialPlan>),
    /// A queue, without a dial plan.
    Queue(QueueId),
    /// A phone.
    Device(Arc<Device>),
}

#[derive(Clone)]
struct Number {
    tenant: TenantId,
    e164: String,
    plan: Option<DialPlanId>,
}

#[derive(Clone)]
enum Extension {
    Plan(DialPlanId),
    Queue(QueueId),
    Device(DeviceId),
}

/// The indexes.
#[derive(Default)]
pub struct Directory {
    versions: HashMap<String, u64>,
    queues: HashMap<QueueId, Queue>,
    plans: HashMap<DialPlanId, (TenantId, Arc<DialPlan>)>,
    devices: HashMap<DeviceId, Arc<Device>>,
    trunks: HashMap<TrunkId, Arc<Trunk>>,
    numbers: HashMap<String, Number>,
    by_e164: HashMap<String, String>,
    by_extension: HashMap<(TenantId, String), Extension>,
    by_username: HashMap<String, Login>,
}

impl Directory {
    /// Applies one object's state. Returns the device that is gone, suspended or whose account changed, so that its phones
    /// can be signed out.
    pub fn apply(&mut self, change: Change) -> Option<DeviceId> {
        let (version, deleted) = (change.version, change.deleted);
        let tenant: TenantId = change.tenant_id.parse().ok()?;
        let object = change.object?;
        let id = id_of(&object)?;
        if self.versions.get(&id).is_some_and(|known| *known > version) {
            return None;
        }
        self.versions.insert(id, version);
        match object {
            Object::CallQueue(queue) => self.set_queue(tenant, queue, deleted),
            Object::Number(number) => self.set_number(tenant, number, deleted),
            Object::DialPlan(plan) => self.set_plan(tenant, plan, deleted),
            Object::Device(device) => return self.set_device(tenant, device, deleted),
            Object::Trunk(trunk) => self.set_trunk(tenant, trunk, deleted),
            Object::QueueAgent(_)
            | Object::Skill(_)
            | Object::UserSkill(_)
            | Object::RoutingProfile(_)
            | Object::OrganizationSettings(_) => {}
        }
        None
    }

    fn set_queue(&mut self, tenant: TenantId, queue: CallQueue, deleted: bool) {
        let Ok(id) = queue.id.parse::<QueueId>() else {
            return;
        };
        if let Some(old) = self.queues.remove(&id) {
            self.by_extension
                .remove(&(tenant, old.queue.extension.clone()));
        }
        if !deleted {
            self.extension(tenant, &queue.extension, Extension::Queue(id));
            self.queues.insert(
                id,
                Queue {
                    tenant,
                    queue: Arc::new(queue),
                },
            );
        }
    }

    fn set_plan(&mut self, tenant: TenantId, plan: DialPlan, deleted: bool) {
        let Ok(id) = plan.id.parse::<DialPlanId>() else {
            return;
        };
        if let Some((_, old)) = self.plans.remove(&id) {
            self.by_extension.remove(&(tenant, old.extension.clone()));
        }
        if !deleted {
            self.extension(tenant, &plan.extension, Extension::Plan(id));
            self.plans.insert(id, (tenant, Arc::new(plan)));
        }
    }

    fn set_number(
        &mut self,
        tenant: TenantId,
        number: centro_proto::configuration::Number,
        deleted: bool,
    ) {
        if let Some(old) = self.numbers.remove(&number.id) {
            self.by_e164.remove(&old.e164);
        }
        if !deleted {
            let plan = number.dial_plan_id.parse().ok();
            self.by_e164.insert(number.e164.clone(), number.id.clone());
            self.numbers.insert(
                number.id,
                Number {
                    tenant,
                    e164: number.e164,
                    plan,
                },
            );
        }
    }

    fn set_device(
        &mut self,
        tenant: TenantId,
        change: centro_proto::configuration::DeviceWithCredentials,
        deleted: bool,
    ) -> Option<DeviceId> {
        let device = change.device?;
        let id: DeviceId = device.id.parse().ok()?;
        let old = self.devices.remove(&id);
        if let Some(old) = &old {
            self.by_extension
                .remove(&(old.tenant, old.extension.clone()));
            self.by_username.remove(&old.username);
        }
        if deleted {
            return Some(id);
        }
        let credentials = change.credentials.unwrap_or_default();
        let account = Account {
            ha1_md5: credentials.ha1_md5,
            ha1_sha256: credentials.ha1_sha256,
        };
        let new = Arc::new(Device {
            tenant,
            id,
            user: device.user_id.parse().ok(),
            extension: device.extension,
            username: device.username,
            display_name: device.display_name,
            account,
            suspended: device.suspended,
        });
        self.extension(tenant, &new.extension, Extension::Device(id));
        if !new.suspended {
            self.by_username
                .insert(new.username.clone(), Login::Device(new.clone()));
        }
        self.devices.insert(id, new.clone());
        old.filter(|old| new.signs_out(old)).map(|_| id)
    }

    fn set_trunk(
        &mut self,
        tenant: TenantId,
        change: centro_proto::configuration::TrunkWithCredentials,
        deleted: bool,
    ) {
        let Some(trunk) = change.trunk else { return };
        let Ok(id) = trunk.id.parse::<TrunkId>() else {
            return;
        };
        if let Some(old) = self.trunks.remove(&id)
            && !old.username.is_empty()
        {
            self.by_username.remove(&old.username);
        }
        if deleted {
            return;
        }
        let credentials = change.credentials.unwrap_or_default();
        let account = Account {
            ha1_md5: credentials.ha1_md5,
            ha1_sha256: credentials.ha1_sha256,
        };
        let networks = trunk
            .addresses
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let username = if trunk.digest {
            trunk.username
        } else {
            String::new()
        };
        let new = Arc::new(Trunk {
            tenant,
            id,
            networks,
            username,
            account,
        });
        if !new.username.is_empty() {
            self.by_username
                .insert(new.username.clone(), Login::Trunk(new.clone()));
        }
        self.trunks.insert(id, new);
    }

    fn extension(&mut self, tenant: TenantId, extension: &str, leads_to: Extension) {
        if !extension.is_empty() {
            self.by_extension
                .insert((tenant, extension.to_owned()), leads_to);
        }
    }

    /// Takes the place of an older state: what is not in the new one is gone. Returns the devices that are gone or whose
    /// account changed.
    pub fn replace(&mut self, new: Self) -> Vec<DeviceId> {
        let old = std::mem::replace(self, new);
        let changed = |device: &&Arc<Device>| {
            self.devices
                .get(&device.id)
                .is_none_or(|now| now.signs_out(device))
        };
        old.devices
            .values()
            .filter(changed)
            .map(|device| device.id)
            .collect()
    }

    /// Who signs in with this name.
    pub fn login(&self, username: &str) -> Option<Login> {
        self.by_username.get(username).cloned()
    }

    /// A phone's account.
    pub fn device(&self, id: DeviceId) -> Option<Arc<Device>> {
        self.devices.get(&id).cloned()
    }

    /// A queue.
    pub fn queue(&self, id: QueueId) -> Option<Queue> {
        self.queues.get(&id).cloned()
    }

    /// The trunks whose calls come from this address.
    pub fn trunks_at(&self, source: IpAddr) -> Vec<Arc<Trunk>> {
        let here = |trunk: &&Arc<Trunk>| trunk.networks.iter().any(|n| n.contains(source));
        self.trunks.values().filter(here).cloned().collect()
    }

    /// Whether a number is some tenant's.
    pub fn is_number(&self, dialled: &str) -> bool {
        number::e164_candidates(dialled)
            .iter()
            .any(|e164| self.by_e164.contains_key(e164))
    }

    /// Whether any trunk's calls come from this address.
    pub fn is_trunk(&self, source: IpAddr) -> bool {
        self.trunks
            .values()
            .any(|trunk| trunk.networks.iter().any(|n| n.contains(source)))
    }

    /// What a number leads to, if it is this tenant's. `Some(None)` is a number without a dial plan.
    pub fn number(&self, tenant: TenantId, dialled: &str) -> Option<Option<Target>> {
        let found = number::e164_candidates(dialled)
            .iter()
            .find_map(|e164| self.numbers.get(self.by_e164.get(e164)?))
            .filter(|number| number.tenant == tenant)?;
        Some(found.plan.and_then(|plan| self.plan(tenant, plan)))
    }

    /// What an extension leads to.
    pub fn extension_target(&self, tenant: TenantId, extension: &str) -> Option<Target> {
        match self.by_extension.get(&(tenant, extension.to_owned()))? {
            Extension::Plan(id) => self.plan(tenant, *id),
            Extension::Queue(id) => Some(Target::Queue(*id)),
            Extension::Device(id) => self.device(*id).map(Target::Device),
        }
    }

    fn plan(&self, tenant: TenantId, id: DialPlanId) -> Option<Target> {
        let (owner, plan) = self.plans.get(&id)?;
        (*owner == tenant).then(|| Target::Plan(plan.clone()))
    }
}

fn id_of(object: &Object) -> Option<String> {
    Some(match object {
        Object::CallQueue(o) => o.id.clone(),
        Object::Number(o) => o.id.clone(),
        Object::DialPlan(o) => o.id.clone(),
        Object::Device(o) => o.device.as_ref()?.id.clone(),
        Object::Trunk(o) => o.trunk.as_ref()?.id.clone(),
        Object::QueueAgent(o) => format!("{}/{}", o.queue_id, o.user_id),
        // No call asks for these.
        Object::Skill(_)
        | Object::UserSkill(_)
        | Object::RoutingProfile(_)
        | Object::OrganizationSettings(_) => return None,
    })
}

#[cfg(test)]
mod tests;
