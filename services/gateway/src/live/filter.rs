//! Who may see which event.

use super::event::payload;
use centro_bus::Event;
use centro_contract::Principal;

/// Whether a caller may see an event: of the own tenant, and by the permission of its area; agents see what is about
/// themselves.
pub fn may_see(caller: &Principal, event: &Event) -> bool {
    if event.tenant.is_none() || event.tenant != caller.tenant() {
        return false;
    }
    match event.kind.split('.').next().unwrap_or_default() {
        "routing" | "telephony" => caller.grants("live.view") || is_about(caller, event),
        "configuration" => caller.grants("queues.view"),
        "identity" => caller.grants("users.view"),
        _ => false,
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
    use centro_proto::events;

    fn user(tenant: u128, user: u128, role: Role) -> Principal {
        Principal::User {
            tenant: TenantId::from_u128(tenant),
            user: UserId::from_u128(user),
            roles: vec![role],
        }
    }

    fn offered_to(agent: u128) -> Event {
        let data = events::ContactOffered {
            agent_id: UserId::from_u128(agent).to_string(),
            ..Default::default()
        };
        let tenant = Some(TenantId::from_u128(1));
        Event::new(
            tenant,
            "routing.contact.offered",
            "con_1",
            Timestamp::from_millis(0),
            &data,
        )
    }

    #[test]
    fn agents_see_their_own_supervisors_all_and_strangers_nothing() {
        let event = offered_to(7);
        assert!(may_see(&user(1, 7, Role::Agent), &event));
        assert!(!may_see(&user(1, 8, Role::Agent), &event));
        assert!(may_see(&user(1, 8, Role::Supervisor), &event));
        assert!(!may_see(&user(2, 7, Role::Owner), &event));
    }

    #[test]
    fn each_area_has_its_permission() {
        let data = events::UserChanged {
            user_id: "usr_1".into(),
            ..Default::default()
        };
        let tenant = Some(TenantId::from_u128(1));
        let event = Event::new(
            tenant,
            "identity.user.changed",
            "usr_1",
            Timestamp::from_millis(0),
            &data,
        );
        assert!(!may_see(&user(1, 8, Role::Agent), &event));
        assert!(may_see(&user(1, 8, Role::Supervisor), &event));
        let nobodys = Event {
            tenant: None,
            ..event
        };
        assert!(!may_see(&user(1, 8, Role::Owner), &nobodys));
    }
}
