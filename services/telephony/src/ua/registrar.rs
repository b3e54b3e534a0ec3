//! The phones that are registered: for each device its contacts and where their packets really come from.

use crate::{directory::Device, notify::Notifier};
use centro_kernel::{Clock, DeviceId, TenantId, Timestamp, UserId};
use centro_proto::events::DeviceRegistration;
use parking_lot::Mutex;
use rsipstack::{sip::Uri, transport::SipAddr};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

/// One registered phone.
#[derive(Debug, Clone)]
pub struct Binding {
    /// What the phone calls itself; goes into the request line.
    pub contact: Uri,
    /// What makes it the same phone: its instance, else its address.
    pub key: String,
    /// Where its packets come from; requests are sent there.
    pub destination: SipAddr,
    /// Its software.
    pub user_agent: String,
    /// Since when.
    pub registered: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// Call-ID and CSeq of the latest REGISTER: an older one that arrives late changes nothing.
    pub order: (String, u32),
}

struct Entry {
    tenant: TenantId,
    user: Option<UserId>,
    bindings: Vec<Binding>,
}

/// A binding and whose it is, for lists.
#[derive(Debug, Clone)]
pub struct Registered {
    /// Whose device.
    pub tenant: TenantId,
    /// Which device.
    pub device: DeviceId,
    /// The phone.
    pub binding: Binding,
}

/// The table. Changes are told as events when a device comes or goes.
pub struct Registrar {
    table: Mutex<BTreeMap<DeviceId, Entry>>,
    most: usize,
    clock: Arc<dyn Clock>,
    notifier: Notifier,
    earlier: Notify,
}

impl Registrar {
    /// Nobody is registered; a device keeps at most `most` phones.
    pub fn new(most: usize, clock: Arc<dyn Clock>, notifier: Notifier) -> Self {
        Self {
            table: Mutex::default(),
            most,
            clock,
            notifier,
            earlier: Notify::new(),
        }
    }

    /// Adds or refreshes phones. False when the request is older than one already obeyed.
    pub fn register(&self, device: &Device, phones: Vec<Binding>) -> bool {
        let mut came = Vec::new();
        let mut table = self.table.lock();
        let entry = table.entry(device.id).or_insert_with(|| Entry {
            tenant: device.tenant,
            user: device.user,
            bindings: Vec::new(),
        });
        entry.user = device.user;
        for phone in phones {
            if let Some(known) = entry.bindings.iter_mut().find(|b| b.key == phone.key) {
                if known.order.0 == phone.order.0 && known.order.1 >= phone.order.1 {
                    return false;
                }
                if known.destination != phone.destination {
                    came.push(phone.destination.to_string());
                }
                let registered = known.registered;
                *known = Binding {
                    registered,
                    ..phone
                };
                continue;
            }
            came.push(phone.destination.to_string());
            if entry.bindings.len() >= self.most
                && let Some(oldest) =
                    (0..entry.bindings.len()).min_by_key(|i| entry.bindings[*i].expires)
            {
                entry.bindings.remove(oldest);
            }
            entry.bindings.push(phone);
        }
        drop(table);
        self.earlier.notify_one();
        for address in came {
            self.tell(
                "telephony.device.registered",
                device.tenant,
                device.id,
                device.user,
                address,
            );
        }
        true
    }

    /// Removes the phones with these keys; all of them when `keys` is `None`.
    pub fn unregister(&self, device: DeviceId, keys: Option<&[String]>) {
        self.drop_where(|id, binding| {
            *id == device && keys.is_none_or(|keys| keys.contains(&binding.key))
        });
    }

    /// The device is gone or has another secret: its phones must sign in again.
    pub fn forget(&self, device: DeviceId) {
        self.unregister(device, None);
    }

    /// A connection closed: the phones that were reached through it cannot be reached any more.
    pub fn lost(&self, remote: &SipAddr) {
        self.drop_where(|_, binding| binding.destination == *remote);
    }

    fn drop_where(&self, gone: impl Fn(&DeviceId, &Binding) -> bool) {
        let mut left = Vec::new();
        self.table.lock().retain(|id, entry| {
            let mut last = None;
            entry.bindings.retain(|binding| {
                let stays = !gone(id, binding);
                if !stays {
                    last = Some(binding.destination.to_string());
                }
                stays
            });
            if entry.bindings.is_empty() {
                left.push((*id, entry.tenant, entry.user, last.unwrap_or_default()));
            }
            !entry.bindings.is_empty()
        });
        for (id, tenant, user, address) in left {
            self.tell("telephony.device.unregistered", tenant, id, user, address);
        }
    }

    /// The phones of a device that can be rung now.
    pub fn phones(&self, device: DeviceId) -> Vec<Binding> {
        let now = self.clock.now();
        let table = self.table.lock();
        let bindings = table
            .get(&device)
            .map(|entry| entry.bindings.as_slice())
            .unwrap_or_default();
        bindings
            .iter()
            .filter(|b| b.expires > now)
            .cloned()
            .collect()
    }

    /// Whether a registered phone sends from this address.
    pub fn knows(&self, source: &SipAddr) -> bool {
        self.table
            .lock()
            .values()
            .any(|e| e.bindings.iter().any(|b| b.destination == *source))
    }

    /// Registrations after `after` in order of device id and key, at most `most`; of one tenant, or of all.
    pub fn page(
        &self,
        tenant: Option<TenantId>,
        after: Option<(DeviceId, String)>,
        most: usize,
    ) -> Vec<Registered> {
        let now = self.clock.now();
        let table = self.table.lock();
        let from = after
            .as_ref()
            .map_or(DeviceId::from_u128(0), |(device, _)| *device);
        let entries = table
            .range(from..)
            .filter(|(_, e)| tenant.is_none_or(|t| e.tenant == t));
        entries
            .flat_map(|(device, entry)| {
                let mut sorted: Vec<_> =
                    entry.bindings.iter().filter(|b| b.expires > now).collect();
                sorted.sort_by(|a, b| a.key.cmp(&b.key));
                sorted
                    .into_iter()
                    .map(|b| (*device, entry.tenant, b))
                    .collect::<Vec<_>>()
            })
            .filter(|(device, _, b)| {
                after
                    .as_ref()
                    .is_none_or(|(d, key)| (device, &b.key) > (d, key))
            })
            .take(most)
            .map(|(device, tenant, binding)| Registered {
                tenant,
                device,
                binding: binding.clone(),
            })
            .collect()
    }

    /// Removes what has expired, for ever: sleeps until the next expiry.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            let now = self.clock.now();
            self.drop_where(|_, binding| binding.expires <= now);
            let next = self
                .table
                .lock()
                .values()
                .flat_map(|e| e.bindings.iter().map(|b| b.expires))
                .min();
            let sleep = next.map_or(Duration::from_secs(3600), |at| {
                at.since(now).max(Duration::from_secs(1))
            });
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.earlier.notified() => {
                    // Many phones register together: look again once a second at most.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn tell(
        &self,
        kind: &str,
        tenant: TenantId,
        device: DeviceId,
        user: Option<UserId>,
        address: String,
    ) {
        let user_id = user.map(|u| u.to_string()).unwrap_or_default();
        let event = DeviceRegistration {
            device_id: device.to_string(),
            user_id,
            address,
        };
        self.notifier.tell(Some(tenant), kind, device, &event);
    }

    /// Number of phones registered per device, for tests and metrics.
    pub fn counts(&self) -> HashMap<DeviceId, usize> {
        self.table
            .lock()
            .iter()
            .map(|(id, e)| (*id, e.bindings.len()))
            .collect()
    }
}
