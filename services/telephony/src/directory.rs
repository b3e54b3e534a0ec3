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
    /// Applies one object's state. Returns the device that is gone or whose account changed, so that its phones can be
    /// signed out.
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
            Object::QueueAgent(_) => {}
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
        });
        self.extension(tenant, &new.extension, Extension::Device(id));
        self.by_username
            .insert(new.username.clone(), Login::Device(new.clone()));
        self.devices.insert(id, new.clone());
        old.filter(|old| old.account != new.account || old.username != new.username)
            .map(|_| id)
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::configuration as pb;

    const TENANT: TenantId = TenantId::from_u128(1);
    const STRANGER: TenantId = TenantId::from_u128(2);

    fn change(version: u64, object: Object) -> Change {
        Change {
            tenant_id: TENANT.to_string(),
            version,
            deleted: false,
            object: Some(object),
        }
    }

    fn queue(version: u64, extension: &str) -> Change {
        let id = QueueId::from_u128(5).to_string();
        change(
            version,
            Object::CallQueue(CallQueue {
                id,
                extension: extension.into(),
                ..CallQueue::default()
            }),
        )
    }

    #[test]
    fn of_two_states_the_later_one_counts() {
        let mut directory = Directory::default();
        directory.apply(queue(2, "200"));
        directory.apply(queue(1, "100"));
        assert!(directory.extension_target(TENANT, "100").is_none());
        assert!(matches!(
            directory.extension_target(TENANT, "200"),
            Some(Target::Queue(_))
        ));
        assert!(directory.extension_target(STRANGER, "200").is_none());
        directory.apply(queue(3, "300"));
        assert!(directory.extension_target(TENANT, "200").is_none());
        directory.apply(Change {
            deleted: true,
            ..queue(4, "")
        });
        assert!(directory.extension_target(TENANT, "300").is_none());
    }

    #[test]
    fn a_number_is_found_only_for_its_own_tenant() {
        let mut directory = Directory::default();
        let plan = DialPlanId::from_u128(3).to_string();
        directory.apply(change(
            1,
            Object::DialPlan(DialPlan {
                id: plan.clone(),
                ..DialPlan::default()
            }),
        ));
        let number = pb::Number {
            id: "num_1".into(),
            e164: "+390612345678".into(),
            dial_plan_id: plan,
            ..pb::Number::default()
        };
        directory.apply(change(2, Object::Number(number)));
        assert!(matches!(
            directory.number(TENANT, "00390612345678"),
            Some(Some(Target::Plan(_)))
        ));
        assert!(directory.number(STRANGER, "+390612345678").is_none());
        assert!(directory.number(TENANT, "+390612345679").is_none());
    }

    #[test]
    fn a_device_with_a_new_secret_is_named_so_that_its_phones_sign_in_again() {
        let mut directory = Directory::default();
        let device = |version, ha1: &str| {
            let device = pb::Device {
                id: DeviceId::from_u128(8).to_string(),
                username: "demo-201".into(),
                extension: "201".into(),
                ..pb::Device::default()
            };
            let credentials = pb::Credentials {
                ha1_md5: ha1.into(),
                ha1_sha256: ha1.into(),
            };
            let both = pb::DeviceWithCredentials {
                device: Some(device),
                credentials: Some(credentials),
            };
            change(version, Object::Device(both))
        };
        assert_eq!(directory.apply(device(1, "a")), None);
        assert!(matches!(
            directory.login("demo-201"),
            Some(Login::Device(_))
        ));
        assert_eq!(directory.apply(device(2, "a")), None);
        assert_eq!(
            directory.apply(device(3, "b")),
            Some(DeviceId::from_u128(8))
        );
        assert_eq!(
            directory.apply(Change {
                deleted: true,
                ..device(4, "b")
            }),
            Some(DeviceId::from_u128(8))
        );
        assert!(directory.login("demo-201").is_none());
    }
}
