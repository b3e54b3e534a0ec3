//! What the kinds of objects have in common, so that one store keeps them all.

mod organization;
mod profile;
mod skill;

use crate::core::{plan, queue};
use centro_kernel::{Fault, name};
use centro_proto::configuration::{
    CallQueue, Credentials, Device, DeviceWithCredentials, DialPlan, Number, QueueAgent, Trunk,
    TrunkWithCredentials, change,
};
use prost::Message;

/// The kinds, as rows number them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum Kind {
    CallQueue = 1,
    Number = 2,
    DialPlan = 3,
    Device = 4,
    Trunk = 5,
    QueueAgent = 6,
    Skill = 7,
    UserSkill = 8,
    RoutingProfile = 9,
    OrganizationSettings = 10,
}

/// An object of the configuration: what of it is unique, what it leads to, how a change tells of it.
pub trait Object: Message + Default + Clone {
    /// Its number in rows.
    const KIND: Kind;
    /// Its name in messages to people.
    const WHAT: &'static str;

    /// Unique in the installation.
    fn key(&self) -> String;
    /// How people call it.
    fn title(&self) -> &str;
    /// The name as it is compared, where names are unique in the tenant.
    fn name_key(&self) -> Option<String> {
        None
    }
    /// Its extension; empty when it has none.
    fn extension(&self) -> &str {
        ""
    }
    /// What is unique in the installation beside the id.
    fn claim(&self) -> Option<String> {
        None
    }
    /// The fault when somebody else has the same claim.
    fn claimed(&self) -> Fault {
        Fault::internal(format_args!("{:?} is claimed twice", self.claim()))
    }
    /// The queue it belongs to.
    fn queue_id(&self) -> Option<String> {
        None
    }
    /// The person it belongs to.
    fn user_id(&self) -> Option<String> {
        None
    }
    /// The skill it is about.
    fn skill_id(&self) -> Option<String> {
        None
    }
    /// The objects it leads to, which must not be deleted as long as it does.
    fn links(&self) -> Vec<String> {
        Vec::new()
    }
    /// Notes the version of the last write.
    fn stamp(&mut self, _etag: String) {}
    /// As it is read: with what an older centre, which wrote it, did not know.
    fn completed(self) -> Self {
        self
    }
    /// What is left of it when it is gone: its ids.
    fn remains(&self) -> Self;
    /// As a change tells of it.
    fn into_change(self, credentials: Option<Credentials>) -> change::Object;
}

impl Object for CallQueue {
    const KIND: Kind = Kind::CallQueue;
    const WHAT: &'static str = "call queue";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.display_name
    }
    fn name_key(&self) -> Option<String> {
        Some(name::key(&self.display_name))
    }
    fn extension(&self) -> &str {
        &self.extension
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn completed(self) -> Self {
        queue::with_defaults(self)
    }
    fn remains(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::CallQueue(self)
    }
}

impl Object for Number {
    const KIND: Kind = Kind::Number;
    const WHAT: &'static str = "number";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.e164
    }
    fn claim(&self) -> Option<String> {
        Some(format!("tel:{}", self.e164))
    }
    fn claimed(&self) -> Fault {
        let message = format_args!("the number {} is in use in this installation", self.e164);
        Fault::new(centro_kernel::Code::Conflict, "number_taken", message).at("/e164")
    }
    fn links(&self) -> Vec<String> {
        Some(self.dial_plan_id.clone())
            .filter(|id| !id.is_empty())
            .into_iter()
            .collect()
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn remains(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::Number(self)
    }
}

impl Object for DialPlan {
    const KIND: Kind = Kind::DialPlan;
    const WHAT: &'static str = "dial plan";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.display_name
    }
    fn name_key(&self) -> Option<String> {
        Some(name::key(&self.display_name))
    }
    fn extension(&self) -> &str {
        &self.extension
    }
    fn links(&self) -> Vec<String> {
        plan::queues(self).into_iter().map(str::to_owned).collect()
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn remains(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::DialPlan(self)
    }
}

impl Object for Device {
    const KIND: Kind = Kind::Device;
    const WHAT: &'static str = "device";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.display_name
    }
    fn extension(&self) -> &str {
        &self.extension
    }
    fn claim(&self) -> Option<String> {
        Some(format!("sip:{}", self.username))
    }
    fn user_id(&self) -> Option<String> {
        Some(self.user_id.clone()).filter(|id| !id.is_empty())
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn remains(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, credentials: Option<Credentials>) -> change::Object {
        change::Object::Device(DeviceWithCredentials {
            device: Some(self),
            credentials,
        })
    }
}

impl Object for Trunk {
    const KIND: Kind = Kind::Trunk;
    const WHAT: &'static str = "trunk";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.display_name
    }
    fn name_key(&self) -> Option<String> {
        Some(name::key(&self.display_name))
    }
    fn claim(&self) -> Option<String> {
        Some(format!("sip:{}", self.username)).filter(|_| self.digest)
    }
    fn remains(&self) -> Self {
        Self {
            id: self.id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, credentials: Option<Credentials>) -> change::Object {
        change::Object::Trunk(TrunkWithCredentials {
            trunk: Some(self),
            credentials,
        })
    }
}

impl Object for QueueAgent {
    const KIND: Kind = Kind::QueueAgent;
    const WHAT: &'static str = "agent of the queue";

    fn key(&self) -> String {
        format!("{}/{}", self.queue_id, self.user_id)
    }
    fn title(&self) -> &str {
        &self.user_id
    }
    fn queue_id(&self) -> Option<String> {
        Some(self.queue_id.clone())
    }
    fn user_id(&self) -> Option<String> {
        Some(self.user_id.clone())
    }
    fn remains(&self) -> Self {
        Self {
            create_time: None,
            order: 0,
            ..self.clone()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::QueueAgent(self)
    }
}
