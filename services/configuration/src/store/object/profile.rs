//! Routing profiles: one per person, by the person's id.

use super::{Kind, Object};
use crate::core::profile;
use centro_proto::configuration::{Credentials, RoutingProfile, change};

impl Object for RoutingProfile {
    const KIND: Kind = Kind::RoutingProfile;
    const WHAT: &'static str = "routing profile";

    fn key(&self) -> String {
        self.user_id.clone()
    }
    fn title(&self) -> &str {
        &self.user_id
    }
    fn user_id(&self) -> Option<String> {
        Some(self.user_id.clone())
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn completed(self) -> Self {
        profile::with_defaults(self)
    }
    fn remains(&self) -> Self {
        Self {
            user_id: self.user_id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::RoutingProfile(self)
    }
}
