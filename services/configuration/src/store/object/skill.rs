//! Skills, and who has them. A person's skill leads to the skill, so a skill that somebody has is not deleted.

use super::{Kind, Object};
use centro_kernel::name;
use centro_proto::configuration::{Credentials, Skill, UserSkill, change};

impl Object for Skill {
    const KIND: Kind = Kind::Skill;
    const WHAT: &'static str = "skill";

    fn key(&self) -> String {
        self.id.clone()
    }
    fn title(&self) -> &str {
        &self.display_name
    }
    fn name_key(&self) -> Option<String> {
        Some(name::key(&self.display_name))
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
        change::Object::Skill(self)
    }
}

impl Object for UserSkill {
    const KIND: Kind = Kind::UserSkill;
    const WHAT: &'static str = "skill of the person";

    fn key(&self) -> String {
        format!("{}/{}", self.skill_id, self.user_id)
    }
    fn title(&self) -> &str {
        &self.user_id
    }
    fn user_id(&self) -> Option<String> {
        Some(self.user_id.clone())
    }
    fn skill_id(&self) -> Option<String> {
        Some(self.skill_id.clone())
    }
    fn links(&self) -> Vec<String> {
        vec![self.skill_id.clone()]
    }
    fn remains(&self) -> Self {
        Self {
            skill_id: self.skill_id.clone(),
            user_id: self.user_id.clone(),
            ..Self::default()
        }
    }
    fn into_change(self, _: Option<Credentials>) -> change::Object {
        change::Object::UserSkill(self)
    }
}
