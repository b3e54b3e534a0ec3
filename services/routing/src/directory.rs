//! What routing knows of the configuration: queues, who is assigned to them, devices and whether they are registered.
//!
//! Filled by `feed`. Of two states of one object the one with the higher version counts, so the order in which the
//! snapshot and the events arrive does not matter.

mod promise;

use crate::{live::Zone, rules};
use centro_kernel::{Code, DeviceId, Fault, QueueId, SkillId, TenantId, UserId};
use centro_proto::configuration::{CallQueue, Change, change::Object};
use centro_routing_core::{Capacity, Membership, Profile, QueueSettings, figures::Rules};
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A queue as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueConfig {
    /// Whose queue.
    pub tenant: TenantId,
    /// What people call it.
    pub display_name: String,
    /// The rules.
    pub settings: QueueSettings,
    /// The rules for its figures.
    pub figures: Rules,
}

impl QueueConfig {
    /// Serving it without being assigned, until the log-out.
    pub fn temporary_membership(&self) -> Membership {
        Membership {
            medium: self.settings.terms.medium,
            order: u64::MAX,
            temporary: true,
            ..Membership::new(self.settings.id)
        }
    }
}

/// What a change means for those who act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consequence {
    /// A queue is new.
    QueueAdded(TenantId, QueueId),
    /// A queue's rules changed.
    QueueChanged(QueueId),
    /// A queue is gone.
    QueueDeleted(TenantId, QueueId),
    /// A person may serve a queue.
    Assigned(TenantId, UserId, QueueId),
    /// A person no longer serves a queue.
    Unassigned(TenantId, UserId, QueueId),
    /// What a person can do, or how much at once, has changed.
    ProfileChanged(UserId),
    /// A device went from the first person to the second, or is gone.
    DeviceMoved(TenantId, DeviceId, Option<UserId>, Option<UserId>),
}

/// An object of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A queue.
    Queue(QueueId),
    /// An assignment.
    QueueAgent(QueueId, UserId),
    /// A device.
    Device(DeviceId),
    /// A skill.
    Skill(SkillId),
    /// What somebody can do.
    UserSkill(UserId, SkillId),
    /// How much somebody can do at once.
    RoutingProfile(UserId),
    /// What holds for a whole tenant.
    Organization(TenantId),
}

#[derive(Debug, Default)]
struct State {
    configured: bool,
    registered: bool,
    versions: HashMap<Key, (u64, TenantId)>,
    queues: HashMap<QueueId, QueueConfig>,
    by_tenant: HashMap<TenantId, BTreeSet<QueueId>>,
    /// Who serves what, and where among its agents in a linear queue.
    assigned: HashMap<TenantId, BTreeMap<UserId, BTreeMap<QueueId, u64>>>,
    agents_of: HashMap<QueueId, BTreeSet<UserId>>,
    skills: HashMap<UserId, BTreeMap<SkillId, u8>>,
    skill_names: HashMap<SkillId, String>,
    capacities: HashMap<UserId, Capacity>,
    /// Tenants whose queues may be served by people who are not assigned to them.
    open_to_unassigned: HashSet<TenantId>,
    /// Where tenants live who do not live by UTC.
    zones: HashMap<TenantId, Zone>,
    devices: HashMap<DeviceId, (TenantId, Option<UserId>)>,
    by_user: HashMap<UserId, BTreeSet<DeviceId>>,
    /// Devices of people who may not work any more. Nobody's phone, so nobody can log in with it.
    suspended: HashMap<DeviceId, UserId>,
    suspended_of: BTreeSet<(UserId, DeviceId)>,
    online: HashSet<DeviceId>,
}

/// The present configuration. Readers never wait for long: every operation is a few map look-ups.
#[derive(Debug, Default)]
pub struct Directory(RwLock<State>);

impl Directory {
    /// Whether the person may not work any more.
    pub fn is_suspended(&self, user: UserId) -> bool {
        let all = (user, DeviceId::from_u128(0))..=(user, DeviceId::from_u128(u128::MAX));
        self.0.read().suspended_of.range(all).next().is_some()
    }

    /// Whether the configuration was read at least once. Before that nothing is known to be absent.
    pub fn is_loaded(&self) -> bool {
        self.0.read().configured
    }

    /// Whether the registrations were read at least once, too. Before that no phone is known to be away.
    pub fn is_complete(&self) -> bool {
        let state = self.0.read();
        state.configured && state.registered
    }

    /// The configuration is complete.
    pub fn set_loaded(&self) {
        self.0.write().configured = true;
    }

    /// The registrations are complete.
    pub fn set_registered(&self) {
        self.0.write().registered = true;
    }

    /// What is answered before [`Self::is_complete`].
    pub fn loading() -> Fault {
        let text = "the configuration is still being read, try again";
        Fault::new(Code::Unavailable, "configuration_loading", text)
    }

    /// The queue, as configured.
    pub fn queue(&self, queue: QueueId) -> Option<QueueConfig> {
        self.0.read().queues.get(&queue).cloned()
    }

    /// Up to `limit` queues of the tenant after `after`, in order of id.
    pub fn queues(
        &self,
        tenant: TenantId,
        after: Option<QueueId>,
        limit: usize,
    ) -> Vec<QueueConfig> {
        use std::ops::Bound::{Excluded, Unbounded};
        let state = self.0.read();
        let Some(ids) = state.by_tenant.get(&tenant) else {
            return Vec::new();
        };
        let page = ids
            .range((after.map_or(Unbounded, Excluded), Unbounded))
            .take(limit);
        page.filter_map(|id| state.queues.get(id).cloned())
            .collect()
    }

    /// The queues that a person is assigned to and that exist.
    pub fn assigned(&self, tenant: TenantId, user: UserId) -> BTreeSet<QueueId> {
        let state = self.0.read();
        let queues = state.assigned.get(&tenant).and_then(|a| a.get(&user));
        let exists = |queue: &&QueueId| state.queues.contains_key(*queue);
        let queues = queues.into_iter().flat_map(|queues| queues.keys());
        queues.filter(exists).copied().collect()
    }

    /// The same, as an agent logs in to them.
    pub fn memberships(&self, tenant: TenantId, user: UserId) -> Vec<Membership> {
        let state = self.0.read();
        let queues = state.assigned.get(&tenant).and_then(|a| a.get(&user));
        let known = queues.into_iter().flatten().filter_map(|(id, order)| {
            let queue = state.queues.get(id)?;
            Some(Membership {
                medium: queue.settings.terms.medium,
                order: *order,
                ..Membership::new(*id)
            })
        });
        known.collect()
    }

    /// What a person can do, and how much at once.
    pub fn profile(&self, user: UserId) -> Profile {
        let state = self.0.read();
        let skills = state.skills.get(&user).into_iter().flatten();
        Profile {
            skills: skills.map(|(skill, level)| (*skill, *level)).collect(),
            capacity: state.capacities.get(&user).copied().unwrap_or_default(),
        }
    }

    /// What a skill is called.
    pub fn skill_name(&self, skill: SkillId) -> Option<String> {
        self.0.read().skill_names.get(&skill).cloned()
    }

    /// Whether people of the tenant may be logged in to queues to which they are not assigned (spec S47).
    pub fn may_log_in_unassigned(&self, tenant: TenantId) -> bool {
        self.0.read().open_to_unassigned.contains(&tenant)
    }

    /// Whether people of the tenant may be logged in to queues to which they are not assigned, from now on.
    /// By whose days the tenant's figures are counted.
    pub fn zone(&self, tenant: TenantId) -> Zone {
        self.0
            .read()
            .zones
            .get(&tenant)
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn set_open_to_unassigned(&self, tenant: TenantId, open: bool) {
        let mut state = self.0.write();
        if open {
            state.open_to_unassigned.insert(tenant);
        } else {
            state.open_to_unassigned.remove(&tenant);
        }
    }

    /// Changes what cannot be configured of a queue yet.
    pub(crate) fn amend(&self, queue: QueueId, change: impl FnOnce(&mut QueueSettings)) {
        if let Some(known) = self.0.write().queues.get_mut(&queue) {
            change(&mut known.settings);
        }
    }

    /// Up to `limit` of those who are assigned to a queue of the tenant, after `after`, in order of id.
    pub fn agents(&self, tenant: TenantId, after: Option<UserId>, limit: usize) -> Vec<UserId> {
        use std::ops::Bound::{Excluded, Unbounded};
        let state = self.0.read();
        let Some(agents) = state.assigned.get(&tenant) else {
            return Vec::new();
        };
        let page = agents.range((after.map_or(Unbounded, Excluded), Unbounded));
        page.take(limit).map(|(agent, _)| *agent).collect()
    }

    /// Everybody who is assigned to the queue.
    pub fn agents_of(&self, queue: QueueId) -> Vec<UserId> {
        let state = self.0.read();
        let agents = state.agents_of.get(&queue).into_iter().flatten();
        agents.copied().collect()
    }

    /// A person's devices in this tenant.
    pub fn devices(&self, tenant: TenantId, user: UserId) -> Vec<DeviceId> {
        let state = self.0.read();
        let ours = |d: &&DeviceId| state.devices.get(*d).is_some_and(|(t, _)| *t == tenant);
        let devices = state.by_user.get(&user).into_iter().flatten();
        devices.filter(ours).copied().collect()
    }

    /// Whether the tenant knows this person as somebody who takes calls.
    pub fn knows(&self, tenant: TenantId, user: UserId) -> bool {
        !self.assigned(tenant, user).is_empty() || !self.devices(tenant, user).is_empty()
    }

    /// Whether the device is registered, and this person's.
    pub fn rings_for(&self, device: DeviceId, tenant: TenantId, user: UserId) -> bool {
        let state = self.0.read();
        state.online.contains(&device) && state.devices.get(&device) == Some(&(tenant, Some(user)))
    }

    /// Registered devices.
    pub fn online(&self) -> Vec<DeviceId> {
        self.0.read().online.iter().copied().collect()
    }

    /// A device registered or went away. Says whose device it is, when that changes anything.
    pub fn set_online(&self, device: DeviceId, online: bool) -> Option<(TenantId, UserId)> {
        let mut state = self.0.write();
        let changed = if online {
            state.online.insert(device)
        } else {
            state.online.remove(&device)
        };
        let (tenant, user) = state.devices.get(&device).copied().filter(|_| changed)?;
        user.map(|user| (tenant, user))
    }

    /// The highest version seen.
    pub fn version(&self) -> u64 {
        self.0
            .read()
            .versions
            .values()
            .map(|v| v.0)
            .max()
            .unwrap_or(0)
    }

    /// Objects that a complete snapshot no longer has, though they were known up to `version`: they are gone.
    pub fn forget_others(&self, seen: &HashSet<Key>, version: u64) -> Vec<Consequence> {
        let mut state = self.0.write();
        let gone: Vec<_> = state
            .versions
            .iter()
            .filter(|(key, (v, _))| *v <= version && !seen.contains(*key))
            .map(|(key, (v, tenant))| (*key, *v, *tenant))
            .collect();
        gone.into_iter()
            .filter_map(|(key, v, tenant)| state.delete(tenant, key, v))
            .collect()
    }

    /// Takes a change over, unless a later one is known. Says which object it was, and what follows.
    pub fn apply(&self, change: &Change) -> (Option<Key>, Option<Consequence>) {
        let Ok(tenant) = change.tenant_id.parse::<TenantId>() else {
            return (None, None);
        };
        let Some((key, object)) = change.object.as_ref().and_then(|o| Some((key(o)?, o))) else {
            return (None, None);
        };
        let mut state = self.0.write();
        if state
            .versions
            .get(&key)
            .is_some_and(|(known, _)| *known >= change.version)
        {
            return (Some(key), None);
        }
        let consequence = if change.deleted {
            state.delete(tenant, key, change.version)
        } else {
            state.versions.insert(key, (change.version, tenant));
            state.put(tenant, key, object)
        };
        (Some(key), consequence)
    }
}

impl State {
    fn put(&mut self, tenant: TenantId, key: Key, object: &Object) -> Option<Consequence> {
        match (key, object) {
            (Key::Queue(id), Object::CallQueue(queue)) => {
                let config = queue_config(tenant, id, queue);
                let settings = config.settings.clone();
                self.by_tenant.entry(tenant).or_default().insert(id);
                let old = self.queues.insert(id, config);
                match old {
                    None => Some(Consequence::QueueAdded(tenant, id)),
                    Some(old) => {
                        (old.settings != settings).then_some(Consequence::QueueChanged(id))
                    }
                }
            }
            (Key::QueueAgent(queue, user), Object::QueueAgent(assignment)) => {
                let people = self.assigned.entry(tenant).or_default();
                self.agents_of.entry(queue).or_default().insert(user);
                let order = rules::order(assignment);
                let before = people.entry(user).or_default().insert(queue, order);
                (before != Some(order)).then_some(Consequence::Assigned(tenant, user, queue))
            }
            (Key::Skill(id), Object::Skill(skill)) => {
                self.skill_names.insert(id, skill.display_name.clone());
                None
            }
            (Key::UserSkill(user, skill), Object::UserSkill(has)) => {
                let level = u8::try_from(has.level).ok()?;
                let before = self.skills.entry(user).or_default().insert(skill, level);
                (before != Some(level)).then_some(Consequence::ProfileChanged(user))
            }
            (Key::RoutingProfile(user), Object::RoutingProfile(profile)) => {
                let capacity = rules::capacity(profile);
                let before = self.capacities.insert(user, capacity);
                (before != Some(capacity)).then_some(Consequence::ProfileChanged(user))
            }
            (Key::Organization(_), Object::OrganizationSettings(settings)) => {
                if settings.allow_unassigned_log_in() {
                    self.open_to_unassigned.insert(tenant);
                } else {
                    self.open_to_unassigned.remove(&tenant);
                }
                let zone = Zone::named(settings.time_zone());
                if zone == Zone::default() {
                    self.zones.remove(&tenant);
                } else {
                    self.zones.insert(tenant, zone);
                }
                // Who is logged in so stays it until the log-out (spec S48).
                None
            }
            (Key::Device(id), Object::Device(device)) => {
                let device = device.device.as_ref()?;
                let owner = device.user_id.parse().ok();
                let before = self.disown(id);
                if device.suspended {
                    self.online.remove(&id);
                    let user = owner?;
                    self.suspended.insert(id, user);
                    self.suspended_of.insert((user, id));
                    return Some(Consequence::DeviceMoved(tenant, id, before, Some(user)));
                }
                self.devices.insert(id, (tenant, owner));
                if let Some(user) = owner {
                    self.by_user.entry(user).or_default().insert(id);
                }
                (before != owner).then_some(Consequence::DeviceMoved(tenant, id, before, owner))
            }
            _ => None,
        }
    }

    fn delete(&mut self, tenant: TenantId, key: Key, version: u64) -> Option<Consequence> {
        self.versions.insert(key, (version, tenant));
        match key {
            Key::Queue(id) => {
                self.queues.remove(&id)?;
                if let Some(ids) = self.by_tenant.get_mut(&tenant) {
                    ids.remove(&id);
                }
                Some(Consequence::QueueDeleted(tenant, id))
            }
            Key::QueueAgent(queue, user) => {
                let people = self.assigned.get_mut(&tenant)?;
                let queues = people.get_mut(&user)?;
                let was = queues.remove(&queue).is_some();
                if queues.is_empty() {
                    people.remove(&user);
                }
                if let Some(agents) = self.agents_of.get_mut(&queue) {
                    agents.remove(&user);
                    if agents.is_empty() {
                        self.agents_of.remove(&queue);
                    }
                }
                was.then_some(Consequence::Unassigned(tenant, user, queue))
            }
            Key::Skill(id) => {
                self.skill_names.remove(&id);
                None
            }
            Key::UserSkill(user, skill) => {
                let skills = self.skills.get_mut(&user)?;
                let had = skills.remove(&skill).is_some();
                if skills.is_empty() {
                    self.skills.remove(&user);
                }
                had.then_some(Consequence::ProfileChanged(user))
            }
            Key::RoutingProfile(user) => {
                let had = self.capacities.remove(&user).is_some();
                had.then_some(Consequence::ProfileChanged(user))
            }
            Key::Organization(_) => {
                self.open_to_unassigned.remove(&tenant);
                self.zones.remove(&tenant);
                None
            }
            Key::Device(id) => {
                self.online.remove(&id);
                let user = self.disown(id)?;
                Some(Consequence::DeviceMoved(tenant, id, Some(user), None))
            }
        }
    }

    /// Takes a device from its owner.
    fn disown(&mut self, device: DeviceId) -> Option<UserId> {
        if let Some(user) = self.suspended.remove(&device) {
            self.suspended_of.remove(&(user, device));
        }
        let (_, owner) = self.devices.remove(&device)?;
        let user = owner?;
        if let Some(devices) = self.by_user.get_mut(&user) {
            devices.remove(&device);
            if devices.is_empty() {
                self.by_user.remove(&user);
            }
        }
        Some(user)
    }
}

fn key(object: &Object) -> Option<Key> {
    Some(match object {
        Object::CallQueue(queue) => Key::Queue(queue.id.parse().ok()?),
        Object::QueueAgent(a) => Key::QueueAgent(a.queue_id.parse().ok()?, a.user_id.parse().ok()?),
        Object::Device(device) => Key::Device(device.device.as_ref()?.id.parse().ok()?),
        Object::Skill(skill) => Key::Skill(skill.id.parse().ok()?),
        Object::UserSkill(has) => {
            Key::UserSkill(has.user_id.parse().ok()?, has.skill_id.parse().ok()?)
        }
        Object::RoutingProfile(profile) => Key::RoutingProfile(profile.user_id.parse().ok()?),
        Object::OrganizationSettings(settings) => {
            Key::Organization(settings.tenant_id.parse().ok()?)
        }
        _ => return None,
    })
}

fn queue_config(tenant: TenantId, id: QueueId, queue: &CallQueue) -> QueueConfig {
    QueueConfig {
        tenant,
        display_name: queue.display_name.clone(),
        settings: rules::of(id, queue),
        figures: promise::rules(queue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::configuration::{OrganizationSettings, QueueAgent};

    fn queue(version: u64, deleted: bool, weight: Option<u32>) -> Change {
        let id = QueueId::from_u128(5).to_string();
        Change {
            tenant_id: TenantId::from_u128(1).to_string(),
            version,
            deleted,
            object: Some(Object::CallQueue(CallQueue {
                id,
                weight,
                ..CallQueue::default()
            })),
        }
    }

    #[test]
    fn the_higher_version_counts_whatever_comes_first() {
        let directory = Directory::default();
        directory.apply(&queue(2, false, Some(7)));
        directory.apply(&queue(1, false, Some(1)));
        let known = directory.queue(QueueId::from_u128(5)).unwrap();
        assert_eq!(known.settings.weight, Some(7));
        assert_eq!(
            known.settings.terms.ring,
            std::time::Duration::from_secs(15)
        );
        let (_, consequence) = directory.apply(&queue(3, true, None));
        assert_eq!(
            consequence,
            Some(Consequence::QueueDeleted(known.tenant, known.settings.id))
        );
        directory.apply(&queue(2, false, Some(7)));
        assert_eq!(directory.queue(known.settings.id), None);
    }

    #[test]
    fn a_tenant_lives_by_utc_before_and_after_it_had_a_time_zone() {
        let directory = Directory::default();
        let tenant = TenantId::from_u128(1);
        let lives = |version, deleted, zone: &str| Change {
            tenant_id: tenant.to_string(),
            version,
            deleted,
            object: Some(Object::OrganizationSettings(OrganizationSettings {
                tenant_id: tenant.to_string(),
                time_zone: Some(zone.to_owned()),
                ..OrganizationSettings::default()
            })),
        };
        assert_eq!(directory.zone(tenant), Zone::default());
        directory.apply(&lives(1, false, "Europe/Rome"));
        assert_eq!(directory.zone(tenant), Zone::named("Europe/Rome"));
        assert_ne!(directory.zone(tenant), Zone::default());
        assert_eq!(directory.zone(TenantId::from_u128(2)), Zone::default());
        directory.apply(&lives(2, true, ""));
        assert_eq!(directory.zone(tenant), Zone::default());
    }

    #[test]
    fn what_a_new_snapshot_does_not_have_is_gone_unless_it_is_newer() {
        let directory = Directory::default();
        directory.apply(&queue(4, false, None));
        assert!(directory.forget_others(&HashSet::new(), 3).is_empty());
        assert_eq!(directory.forget_others(&HashSet::new(), 4).len(), 1);
    }

    #[test]
    fn an_assignment_says_whose_it_is_when_it_begins_and_when_it_ends() {
        let directory = Directory::default();
        let (tenant, user, queue) = (
            TenantId::from_u128(1),
            UserId::from_u128(2),
            QueueId::from_u128(5),
        );
        let mut change = Change {
            tenant_id: tenant.to_string(),
            version: 1,
            deleted: false,
            object: Some(Object::QueueAgent(QueueAgent {
                queue_id: queue.to_string(),
                user_id: user.to_string(),
                ..QueueAgent::default()
            })),
        };
        let (_, consequence) = directory.apply(&change);
        assert_eq!(
            consequence,
            Some(Consequence::Assigned(tenant, user, queue))
        );
        assert!(
            directory.assigned(tenant, user).is_empty(),
            "there is no such queue yet"
        );
        directory.apply(&self::queue(1, false, None));
        assert_eq!(directory.assigned(tenant, user), BTreeSet::from([queue]));
        assert_eq!(directory.agents_of(queue), [user]);
        (change.version, change.deleted) = (2, true);
        let (_, consequence) = directory.apply(&change);
        assert_eq!(
            consequence,
            Some(Consequence::Unassigned(tenant, user, queue))
        );
        assert!(!directory.knows(tenant, user));
    }

    #[test]
    fn what_a_person_can_do_is_told_when_it_changes_and_forgotten_when_it_is_taken_away() {
        use centro_proto::configuration::UserSkill;
        let directory = Directory::default();
        let (user, skill) = (UserId::from_u128(2), SkillId::from_u128(7));
        let has = |version, level, deleted| Change {
            tenant_id: TenantId::from_u128(1).to_string(),
            version,
            deleted,
            object: Some(Object::UserSkill(UserSkill {
                user_id: user.to_string(),
                skill_id: skill.to_string(),
                level,
                create_time: None,
            })),
        };
        let changed = Some(Consequence::ProfileChanged(user));
        assert_eq!(directory.apply(&has(1, 5, false)).1, changed);
        assert_eq!(directory.apply(&has(2, 5, false)).1, None);
        assert_eq!(directory.profile(user).skills.level(skill), Some(5));
        assert_eq!(directory.apply(&has(3, 0, true)).1, changed);
        assert_eq!(directory.profile(user), Profile::default());
    }

    #[test]
    fn queues_are_open_to_the_unassigned_while_their_tenant_says_so_and_nobody_is_logged_out() {
        let directory = Directory::default();
        let (ours, theirs) = (TenantId::from_u128(1), TenantId::from_u128(2));
        let settings = |version, allowed, deleted| Change {
            tenant_id: ours.to_string(),
            version,
            deleted,
            object: Some(Object::OrganizationSettings(OrganizationSettings {
                tenant_id: ours.to_string(),
                allow_unassigned_log_in: allowed,
                ..OrganizationSettings::default()
            })),
        };
        let told = Some(Key::Organization(ours));
        assert!(!directory.may_log_in_unassigned(ours));
        for (change, open) in [
            (settings(1, Some(true), false), true),
            (settings(3, Some(false), false), false),
            (settings(2, Some(true), false), false),
            (settings(4, Some(true), false), true),
            (settings(5, None, false), false),
            (settings(6, Some(true), false), true),
            (settings(7, None, true), false),
        ] {
            assert_eq!(directory.apply(&change), (told, None));
            assert_eq!(directory.may_log_in_unassigned(ours), open, "{change:?}");
            assert!(!directory.may_log_in_unassigned(theirs));
        }
    }

    #[test]
    fn a_device_that_is_given_to_somebody_else_is_said_to_both() {
        use centro_proto::configuration::{Device, DeviceWithCredentials};
        let directory = Directory::default();
        let tenant = TenantId::from_u128(1);
        let (one, two) = (UserId::from_u128(2), UserId::from_u128(3));
        let device = DeviceId::from_u128(9);
        let given = |version, user: UserId| Change {
            tenant_id: tenant.to_string(),
            version,
            deleted: false,
            object: Some(Object::Device(DeviceWithCredentials {
                device: Some(Device {
                    id: device.to_string(),
                    user_id: user.to_string(),
                    ..Device::default()
                }),
                credentials: None,
            })),
        };
        let moved = |from, to| Some(Consequence::DeviceMoved(tenant, device, from, to));
        assert_eq!(directory.apply(&given(1, one)).1, moved(None, Some(one)));
        directory.set_online(device, true);
        assert!(directory.rings_for(device, tenant, one));
        assert_eq!(directory.apply(&given(2, one)).1, None);
        assert_eq!(
            directory.apply(&given(3, two)).1,
            moved(Some(one), Some(two))
        );
        assert!(!directory.rings_for(device, tenant, one));
        assert!(directory.rings_for(device, tenant, two));
    }
}
