//! Sets of roles: as messages name them, as rows keep them, and the rules about who may hand them out.

use centro_contract::Role;
use centro_kernel::{Code, Fault};
use centro_proto::identity as pb;

/// A set of roles in four bits, the form in which rows keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Roles(u8);

const ALL: [Role; 4] = [Role::Owner, Role::Admin, Role::Supervisor, Role::Agent];

const fn bit(role: Role) -> u8 {
    match role {
        Role::Owner => 1,
        Role::Admin => 2,
        Role::Supervisor => 4,
        Role::Agent => 8,
    }
}

impl Roles {
    /// The set with these roles.
    pub fn of(roles: &[Role]) -> Self {
        Self(roles.iter().fold(0, |set, role| set | bit(*role)))
    }

    /// From a row; unknown bits are dropped.
    pub fn from_row(bits: i16) -> Self {
        Self(u8::try_from(bits & 0b1111).unwrap_or(0))
    }

    /// For a row.
    pub const fn to_row(self) -> i16 {
        self.0 as i16
    }

    /// The roles, highest first.
    pub fn list(self) -> Vec<Role> {
        ALL.into_iter().filter(|role| self.has(*role)).collect()
    }

    /// Whether the role is in the set.
    pub const fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// The set with one more role.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | bit(role))
    }

    /// Every row value that contains the role.
    pub fn rows_with(role: Role) -> Vec<i16> {
        (0..16)
            .filter(|bits| Self::from_row(*bits).has(role))
            .collect()
    }

    /// As messages name them.
    pub fn to_proto(self) -> Vec<i32> {
        self.list()
            .into_iter()
            .map(|role| to_proto(role) as i32)
            .collect()
    }

    /// From a message.
    ///
    /// # Errors
    /// `role_needed` when there is none, `role_unknown` when one is not known.
    pub fn from_proto(roles: &[i32]) -> Result<Self, Fault> {
        let roles: Vec<Role> = roles
            .iter()
            .map(|role| from_proto(*role))
            .collect::<Result<_, _>>()?;
        if roles.is_empty() {
            let fault = Fault::new(
                Code::Invalid,
                "role_needed",
                "give the person at least one role",
            );
            return Err(fault.at("/roles"));
        }
        Ok(Self::of(&roles))
    }
}

/// The message's name of a role.
pub const fn to_proto(role: Role) -> pb::Role {
    match role {
        Role::Owner => pb::Role::Owner,
        Role::Admin => pb::Role::Admin,
        Role::Supervisor => pb::Role::Supervisor,
        Role::Agent => pb::Role::Agent,
    }
}

/// The role a message names.
///
/// # Errors
/// `role_unknown`.
pub fn from_proto(role: i32) -> Result<Role, Fault> {
    match pb::Role::try_from(role) {
        Ok(pb::Role::Owner) => Ok(Role::Owner),
        Ok(pb::Role::Admin) => Ok(Role::Admin),
        Ok(pb::Role::Supervisor) => Ok(Role::Supervisor),
        Ok(pb::Role::Agent) => Ok(Role::Agent),
        Ok(pb::Role::Unspecified) | Err(_) => Err(Fault::new(
            Code::Invalid,
            "role_unknown",
            "a role is one of owner, admin, supervisor, agent",
        )),
    }
}

/// Only an owner makes, changes or removes an owner: an administrator must not become one by own hand.
///
/// # Errors
/// `owner_only`.
pub fn may_touch(caller_is_owner: bool, before: Roles, after: Roles) -> Result<(), Fault> {
    if !caller_is_owner && (before.has(Role::Owner) || after.has(Role::Owner)) {
        return Err(Fault::new(
            Code::Forbidden,
            "owner_only",
            "only an owner can make, change or remove an owner",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_survives_its_row_and_its_message() {
        let roles = Roles::of(&[Role::Agent, Role::Owner]);
        assert_eq!(Roles::from_row(roles.to_row()), roles);
        assert_eq!(Roles::from_proto(&roles.to_proto()), Ok(roles));
        assert_eq!(roles.list(), [Role::Owner, Role::Agent]);
        assert!(Roles::from_proto(&[]).is_err());
        assert!(Roles::from_proto(&[0]).is_err());
        assert!(Roles::from_proto(&[99]).is_err());
    }

    #[test]
    fn half_of_all_sets_contain_a_given_role() {
        let rows = Roles::rows_with(Role::Supervisor);
        assert_eq!(rows.len(), 8);
        assert!(
            rows.iter()
                .all(|row| Roles::from_row(*row).has(Role::Supervisor))
        );
    }

    #[test]
    fn an_administrator_cannot_make_or_touch_an_owner() {
        let admin = Roles::of(&[Role::Admin]);
        let owner = Roles::of(&[Role::Owner]);
        assert!(may_touch(false, admin, owner).is_err());
        assert!(may_touch(false, owner, admin).is_err());
        assert!(may_touch(true, owner, admin).is_ok());
        assert!(may_touch(false, admin, admin).is_ok());
    }
}
