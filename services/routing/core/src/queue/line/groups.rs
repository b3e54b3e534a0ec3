//! The open contacts of a line, apart by what they need.

use super::Place;
use crate::{few::FewSet, pairs, skills::Need};
use centro_kernel::{ContactId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

/// So many groups may stand empty, as most contacts need what others needed before.
const EMPTY: usize = 4;

/// Contacts that need the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::queue) struct Group {
    /// Those that a grant may be spent on.
    pub open: FewSet<Place>,
    /// Those of them for which no bid runs.
    pub uncovered: FewSet<Place>,
    /// The open ones by the time they entered.
    pub by_age: FewSet<(Timestamp, ContactId)>,
}

/// Groups in order of their needs. An empty one is as good as none.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    all: Vec<(Vec<Need>, Group)>,
    /// How many contacts are in them.
    open: usize,
}

impl Groups {
    /// Those in which anybody is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Vec<Need>, &Group)> {
        let groups = self.all.iter().filter(|(_, group)| !group.open.is_empty());
        groups.map(|(needs, group)| (needs, group))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.open == 0
    }

    fn spot(&self, needs: &[Need]) -> Result<usize, usize> {
        self.all
            .binary_search_by(|(known, _)| known.as_slice().cmp(needs))
    }

    pub(super) fn get_mut(&mut self, needs: &[Need]) -> Option<&mut Group> {
        let at = self.spot(needs).ok()?;
        self.all.get_mut(at).map(|(_, group)| group)
    }

    /// Somebody enters the group of these needs.
    pub(super) fn enter(
        &mut self,
        needs: &[Need],
        place: Place,
        age: (Timestamp, ContactId),
        uncovered: bool,
    ) {
        let at = self.spot(needs).unwrap_or_else(|at| {
            self.all.insert(at, (needs.to_vec(), Group::default()));
            at
        });
        if let Some((_, group)) = self.all.get_mut(at) {
            self.open += usize::from(group.open.insert(place));
            group.by_age.insert(age);
            if uncovered {
                group.uncovered.insert(place);
            }
        }
    }

    /// Somebody leaves the group of these needs.
    pub(super) fn leave(&mut self, needs: &[Need], place: &Place, age: &(Timestamp, ContactId)) {
        let Ok(at) = self.spot(needs) else { return };
        let Some((_, group)) = self.all.get_mut(at) else {
            return;
        };
        if group.open.remove(place) {
            self.open -= 1;
            group.uncovered.remove(place);
            group.by_age.remove(age);
            if group.open.is_empty() && self.all.len() > EMPTY {
                self.all.remove(at);
            }
        }
    }
}

impl PartialEq for Groups {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Groups {}

impl Hash for Groups {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.iter().count());
        self.iter().for_each(|group| group.hash(state));
    }
}

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let groups: BTreeMap<Vec<Need>, Group> = pairs::deserialize(deserializer)?;
        let open = groups.values().map(|group| group.open.iter().count());
        Ok(Self {
            open: open.sum(),
            all: groups.into_iter().collect(),
        })
    }
}
