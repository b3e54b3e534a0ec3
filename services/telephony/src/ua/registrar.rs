//! The phones that are registered: for each device its contacts and where their packets really come from.

use crate::{directory::Device, notify::Notifier, ua::dispatch::ip};
use centro_kernel::{Clock, DeviceId, TenantId, Timestamp, UserId};
use centro_proto::events::DeviceRegistration;
use parking_lot::Mutex;
use rsipstack::{
    sip::{Transport, Uri},
    transport::SipAddr,
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    net::{IpAddr, SocketAddr},
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

/// Which phones of a device sign out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// Those with these keys.
    Some(Vec<String>),
    /// All (`Contact: *`).
    All,
}

/// The entries, and where their phones are: asked for each message of a source that sends much.
#[derive(Default)]
struct Table {
    entries: BTreeMap<DeviceId, Entry>,
    homes: HashMap<SipAddr, usize>,
    sources: HashMap<IpAddr, usize>,
}

/// The phones. Changes are told as events when a device comes or goes.
pub struct Registrar {
    table: Mutex<Table>,
    most: usize,
    clock: Arc<dyn Clock>,
    notifier: Notifier,
    earlier: Notify,
}

impl Table {
    fn arrives(&mut self, destination: &SipAddr) {
        *self.homes.entry(destination.clone()).or_default() += 1;
        if let Some(ip) = ip(destination) {
            *self.sources.entry(ip).or_default() += 1;
        }
    }

    fn leaves(&mut self, destination: &SipAddr) {
        take_one(&mut self.homes, destination);
        if let Some(ip) = ip(destination) {
            take_one(&mut self.sources, &ip);
        }
    }
}

fn take_one<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
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

    /// Obeys one REGISTER: signs phones out, then adds or refreshes phones. False, and nothing is changed, when a phone it
    /// names was changed by a later REGISTER of the same `order` (Call-ID and CSeq) already (RFC 3261 §10.3 steps 6 and 7).
    pub fn obey(
        &self,
        device: &Device,
        phones: Vec<Binding>,
        gone: &Gone,
        order: &(String, u32),
    ) -> bool {
        let leaves = |key: &String| match gone {
            Gone::Some(keys) => keys.contains(key),
            Gone::All => true,
        };
        let mut came = Vec::new();
        let mut table = self.table.lock();
        let known = table.entries.get(&device.id);
        let late = known.is_some_and(|entry| {
            entry.bindings.iter().any(|known| {
                (leaves(&known.key) || phones.iter().any(|phone| phone.key == known.key))
                    && known.order.0 == order.0
                    && known.order.1 >= order.1
            })
        });
        if late {
            return false;
        }
        let mut entry = table.entries.remove(&device.id).unwrap_or(Entry {
            tenant: device.tenant,
            user: device.user,
            bindings: Vec::new(),
        });
        entry.user = device.user;
        let mut last = None;
        entry.bindings.retain(|known| {
            let stays = !leaves(&known.key);
            if !stays {
                table.leaves(&known.destination);
                last = Some(known.destination.to_string());
            }
            stays
        });
        for phone in phones {
            table.arrives(&phone.destination);
            if let Some(known) = entry.bindings.iter_mut().find(|b| b.key == phone.key) {
                table.leaves(&known.destination);
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
                table.leaves(&entry.bindings.remove(oldest).destination);
            }
            entry.bindings.push(phone);
        }
        let nobody = entry.bindings.is_empty();
        if !nobody {
            table.entries.insert(device.id, entry);
        }
        drop(table);
        self.earlier.notify_one();
        let (id, tenant, user) = (device.id, device.tenant, device.user);
        for address in came {
            self.tell("telephony.device.registered", tenant, id, user, address);
        }
        if let (true, Some(address)) = (nobody, last) {
            self.tell("telephony.device.unregistered", tenant, id, user, address);
        }
        true
    }

    /// The device is gone or has another secret: its phones must sign in again.
    pub fn forget(&self, device: DeviceId) {
        self.drop_where(|id, _| *id == device);
    }

    /// A connection closed: the phones that were reached through it cannot be reached any more.
    pub fn lost(&self, remote: &SipAddr) {
        if self.knows(remote) {
            self.drop_where(|_, binding| binding.destination == *remote);
        }
    }

    fn drop_where(&self, gone: impl Fn(&DeviceId, &Binding) -> bool) {
        let (mut left, mut dropped) = (Vec::new(), Vec::new());
        let mut table = self.table.lock();
        table.entries.retain(|id, entry| {
            let mut last = None;
            entry.bindings.retain(|binding| {
                let stays = !gone(id, binding);
                if !stays {
                    dropped.push(binding.destination.clone());
                    last = Some(binding.destination.to_string());
                }
                stays
            });
            if entry.bindings.is_empty() {
                left.push((*id, entry.tenant, entry.user, last.unwrap_or_default()));
            }
            !entry.bindings.is_empty()
        });
        dropped.iter().for_each(|at| table.leaves(at));
        drop(table);
        for (id, tenant, user, address) in left {
            self.tell("telephony.device.unregistered", tenant, id, user, address);
        }
    }

    /// The phones of a device that can be rung now.
    pub fn phones(&self, device: DeviceId) -> Vec<Binding> {
        let now = self.clock.now();
        let table = self.table.lock();
        let bindings = table
            .entries
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
        self.table.lock().homes.contains_key(source)
    }

    /// Whether a registered phone sends from this address, over UDP or TCP.
    pub fn is_home(&self, source: SocketAddr) -> bool {
        let table = self.table.lock();
        [Transport::Udp, Transport::Tcp].iter().any(|transport| {
            table
                .homes
                .contains_key(&SipAddr::new(*transport, source.into()))
        })
    }

    /// Whether any registered phone sends from this machine or office.
    pub fn knows_ip(&self, source: IpAddr) -> bool {
        self.table.lock().sources.contains_key(&source)
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
            .entries
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
                .entries
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
            .entries
            .iter()
            .map(|(id, e)| (*id, e.bindings.len()))
            .collect()
    }
}
