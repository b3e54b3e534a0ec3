//! Settings of a whole tenant: one object per tenant, by the tenant's id.

use super::{Kind, Object};
use crate::core::organization;
use centro_proto::configuration::{Credentials, OrganizationSettings, change};

impl Object for OrganizationSettings {
    const KIND: Kind = Kind::OrganizationSettings;
    const WHAT: &'static str = "organization settings";

    fn key(&self) -> String {
        self.tenant_id.clone()
    }
    fn title(&self) -> &str {
        &self.tenant_id
    }
    fn stamp(&mut self, etag: String) {
        self.etag = etag;
    }
    fn completed(self) -> Self {
        organization::with_defaults(self)
    }
    fn remains(&self) -> Self {
        Self {
            tenant_id: self.tenant_id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::OrganizationSettings(self)
    }
}
