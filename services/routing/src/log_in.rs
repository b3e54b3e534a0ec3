//! What an agent wants to log in with, checked against the configuration.

use crate::{directory::Directory, wire};
use centro_kernel::{Code, DeviceId, Fault, QueueId, TenantId, UserId};
use centro_routing_core::{AgentMessage, Membership};

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct LogIn {
    /// The phone to ring; empty: the agent's only one.
    pub device: String,
    /// Queues to serve; none: all that the agent is assigned to.
    pub queues: Vec<String>,
    /// Become ready at once.
    pub ready: bool,
    /// The agent sits at a desktop that shows signs of life.
    pub desktop: bool,
    /// Queues to which the agent is not assigned may be named too: until the log-out (spec S47-S49).
    pub unassigned: bool,
}

impl LogIn {
    /// The log-in as the configuration now allows it.
    ///
    /// # Errors
    /// `configuration_loading`, `device_unknown`, `device_needed`, `queue_not_assigned`.
    pub fn against(
        &self,
        directory: &Directory,
        tenant: TenantId,
        user: UserId,
    ) -> Result<AgentMessage, Fault> {
        if !directory.is_complete() {
            return Err(Directory::loading());
        }
        let device = self.device(directory, tenant, user)?;
        Ok(AgentMessage::LogIn(Box::new(centro_routing_core::LogIn {
            device,
            device_online: directory.rings_for(device, tenant, user),
            queues: self.queues(directory, tenant, user)?,
            all_queues: self.queues.is_empty(),
            ready: self.ready,
            desktop: self.desktop,
            profile: directory.profile(user),
        })))
    }

    /// The phone to ring.
    ///
    /// # Errors
    /// `device_unknown`, `device_needed`.
    pub fn device(
        &self,
        directory: &Directory,
        tenant: TenantId,
        user: UserId,
    ) -> Result<DeviceId, Fault> {
        let devices = directory.devices(tenant, user);
        let needed = |text: &str| Fault::new(Code::Invalid, "device_needed", text).at("/deviceId");
        match (self.device.as_str(), devices.as_slice()) {
            ("", [only]) => Ok(*only),
            ("", []) => Err(needed("the agent has no phone: assign a device first")),
            ("", _) => Err(needed(
                "the agent has several phones: say which one is to ring",
            )),
            (id, devices) => {
                let id: DeviceId = wire::id(id, "/deviceId")?;
                if !devices.contains(&id) {
                    let text = "the agent has no such phone";
                    return Err(Fault::new(Code::Invalid, "device_unknown", text).at("/deviceId"));
                }
                Ok(id)
            }
        }
    }

    fn queues(
        &self,
        directory: &Directory,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Vec<Membership>, Fault> {
        let assigned = directory.memberships(tenant, user);
        let not_assigned =
            |text: &str| Fault::new(Code::Invalid, "queue_not_assigned", text).at("/queueIds");
        if self.queues.is_empty() {
            if assigned.is_empty() {
                return Err(not_assigned("the agent is not assigned to any queue"));
            }
            return Ok(assigned);
        }
        let wanted = self.queues.iter().map(|id| {
            let id: QueueId = wire::id(id, "/queueIds")?;
            let known = assigned.iter().find(|m| m.queue == id).cloned();
            let other = || {
                directory
                    .queue(id)
                    .filter(|q| self.unassigned && q.tenant == tenant)
            };
            known
                .or_else(|| other().map(|queue| queue.temporary_membership()))
                .ok_or_else(|| {
                    let text = "the agent is not assigned to this queue";
                    Fault::new(Code::Forbidden, "queue_not_assigned", text)
                        .at("/queueIds")
                        .with("queue_id", id)
                })
        });
        wanted.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_everything_is_known_nobody_is_told_that_something_is_missing() {
        let directory = Directory::default();
        let (tenant, user) = (TenantId::from_u128(1), UserId::from_u128(2));
        let asked = || LogIn::default().against(&directory, tenant, user);
        let code = || asked().map_err(|fault| (fault.code, fault.reason));
        let loading = Err((Code::Unavailable, "configuration_loading"));
        assert_eq!(code().map(drop), loading);
        directory.set_loaded();
        assert_eq!(code().map(drop), loading, "no phone is known to be away");
        directory.set_registered();
        assert_eq!(code().map(drop), Err((Code::Invalid, "device_needed")));
    }
}
