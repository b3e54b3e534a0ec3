//! Who may see which event: whoever may read the same thing over REST. A kind that is not named here is shown to nobody.

use centro_bus::Event;
use centro_contract::Principal;
use centro_events::payload;
use centro_proto::{
    configuration::{Change, change::Object},
    events::ConfigurationChanged,
};

/// Whether a caller may see an event: of the own tenant, and by the permission of what it tells; agents see what is about
/// themselves.
pub fn may_see(caller: &Principal, event: &Event) -> bool {
    if event.tenant.is_none() || event.tenant != caller.tenant() {
        return false;
    }
    let mut words = event.kind.split('.');
    match (words.next(), words.next()) {
        // Addresses of attackers are the business of who looks after lines and phones.
        (Some("telephony"), Some("source")) => caller.grants("devices.view"),
        (Some("routing" | "telephony"), _) => caller.grants("live.view") || is_about(caller, event),
        (Some("configuration"), Some("object")) => event
            .decode::<ConfigurationChanged>()
            .and_then(|changed| changed.change)
            .is_some_and(|change| may_see_change(caller, &change)),
        (Some("identity"), Some("user")) => caller.grants("users.view"),
        // What people type as their login is at times their password.
        (Some("identity"), Some("session")) => caller.grants("users.edit"),
        (Some("identity"), Some("api_key")) => caller.grants("apikeys.edit"),
        _ => false,
    }
}

/// As the lists of the configuration decide. Of a deleted device only the id is left, so its owner is not told.
fn may_see_change(caller: &Principal, change: &Change) -> bool {
    match &change.object {
        Some(Object::CallQueue(_) | Object::QueueAgent(_) | Object::OrganizationSettings(_)) => {
            caller.grants("queues.view")
        }
        Some(Object::Skill(_) | Object::UserSkill(_)) => caller.grants("skills.view"),
        Some(Object::RoutingProfile(_)) => caller.grants("users.view"),
        Some(Object::Number(_)) => caller.grants("numbers.view"),
        Some(Object::DialPlan(_)) => caller.grants("dialplans.view"),
        Some(Object::Trunk(_)) => caller.grants("devices.view"),
        Some(Object::Device(device)) => {
            let owner = device.device.as_ref().map(|device| device.user_id.as_str());
            let own = caller
                .user()
                .is_some_and(|user| owner == Some(user.to_string().as_str()));
            own || caller.grants("devices.view")
        }
        None => false,
    }
}

fn is_about(caller: &Principal, event: &Event) -> bool {
    let Some(user) = caller
        .user()
        .filter(|_| caller.grants("agent.work"))
        .map(|user| user.to_string())
    else {
        return false;
    };
    if event.subject == user {
        return true;
    }
    payload(event).is_some_and(|payload| {
        let named = |field| {
            payload
                .get_field_by_name(field)
                .is_some_and(|value| value.as_str() == Some(&user))
        };
        named("agent_id") || named("user_id")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_contract::Role;
    use centro_kernel::{TenantId, Timestamp, UserId};
    use centro_proto::{
        configuration::{
            CallQueue, Device, DeviceWithCredentials, DialPlan, Number, OrganizationSettings,
            QueueAgent, RoutingProfile, Skill, TrunkWithCredentials, UserSkill,
        },
        events,
    };
    use prost::{Message, Name};

    const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Supervisor, Role::Agent];

    fn user(tenant: u128, user: u128, role: Role) -> Principal {
        Principal::User {
            tenant: TenantId::from_u128(tenant),
            user: UserId::from_u128(user),
            roles: vec![role],
        }
    }

    fn event<M: Message + Name>(kind: &str, data: &M) -> Event {
        let tenant = Some(TenantId::from_u128(1));
        Event::new(tenant, kind, "subject", Timestamp::from_millis(0), data)
    }

    fn changed(object: Object) -> Event {
        let change = Some(Change {
            object: Some(object),
            ..Change::default()
        });
        event(
            "configuration.object.changed",
            &events::ConfigurationChanged { change },
        )
    }

    /// Which roles of a stranger see the event.
    fn seers(event: &Event) -> Vec<Role> {
        let sees = |role: &Role| may_see(&user(1, 99, *role), event);
        ROLES.into_iter().filter(sees).collect()
    }

    fn offered_to(agent: u128) -> Event {
        let data = events::ContactOffered {
            agent_id: UserId::from_u128(agent).to_string(),
            ..Default::default()
        };
        event("routing.contact.offered", &data)
    }

    fn phone_of(owner: u128) -> Event {
        changed(Object::Device(DeviceWithCredentials {
            device: Some(Device {
                user_id: UserId::from_u128(owner).to_string(),
                ..Device::default()
            }),
            credentials: None,
        }))
    }

    #[test]
    fn agents_see_their_own_supervisors_all_and_strangers_nothing() {
        let event = offered_to(7);
        assert!(may_see(&user(1, 7, Role::Agent), &event));
        assert!(!may_see(&user(1, 8, Role::Agent), &event));
        assert!(may_see(&user(1, 8, Role::Supervisor), &event));
        assert!(!may_see(&user(2, 7, Role::Owner), &event));
        let nobodys = Event {
            tenant: None,
            ..event
        };
        assert!(!may_see(&user(1, 8, Role::Owner), &nobodys));
    }

    #[test]
    fn a_change_is_seen_by_who_may_read_the_object() {
        let all = ROLES.to_vec();
        let leading = ROLES[..3].to_vec();
        let kinds = [
            (Object::CallQueue(CallQueue::default()), &all),
            (Object::QueueAgent(QueueAgent::default()), &all),
            (
                Object::OrganizationSettings(OrganizationSettings::default()),
                &all,
            ),
            (Object::Number(Number::default()), &leading),
            (Object::DialPlan(DialPlan::default()), &leading),
            (Object::Skill(Skill::default()), &leading),
            (Object::RoutingProfile(RoutingProfile::default()), &leading),
            (Object::UserSkill(UserSkill::default()), &leading),
            (Object::Trunk(TrunkWithCredentials::default()), &leading),
            (Object::Device(DeviceWithCredentials::default()), &leading),
        ];
        for (object, expected) in kinds {
            let event = changed(object);
            assert_eq!(
                &seers(&event),
                expected,
                "{:?}",
                event.decode::<events::ConfigurationChanged>()
            );
        }
        assert_eq!(seers(&phone_of(7)), leading);
        assert!(may_see(&user(1, 7, Role::Agent), &phone_of(7)));
        assert!(!may_see(&user(2, 7, Role::Agent), &phone_of(7)));
        let empty = events::ConfigurationChanged { change: None };
        assert!(seers(&event("configuration.object.changed", &empty)).is_empty());
    }

    #[test]
    fn every_other_kind_has_its_permission() {
        let leading = ROLES[..3].to_vec();
        let administering = ROLES[..2].to_vec();
        let kinds = [
            ("routing.contact.queued", &leading),
            ("routing.agent.state_changed", &leading),
            ("telephony.call.arrived", &leading),
            ("telephony.device.registered", &leading),
            ("telephony.recording.finished", &leading),
            ("telephony.source.banned", &leading),
            ("identity.user.changed", &leading),
            ("identity.user.deleted", &leading),
            ("identity.session.refused", &administering),
            ("identity.api_key.deleted", &administering),
            ("identity.access.revoked", &vec![]),
            ("billing.invoice.made", &vec![]),
        ];
        for (kind, expected) in kinds {
            let event = event(kind, &events::UserChanged::default());
            assert_eq!(&seers(&event), expected, "{kind}");
        }
    }
}
