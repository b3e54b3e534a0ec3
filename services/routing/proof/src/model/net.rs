//! The network: a set of letters, each with its hash, in the order of the hashes.

use crate::{kept::hash_of, letter::Mail};
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net(Vec<(u64, Arc<Mail>)>);

impl Hash for Net {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (hash, _) in &self.0 {
            state.write_u64(*hash);
        }
    }
}

impl Net {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Mail>> {
        self.0.iter().map(|(_, mail)| mail)
    }

    pub(crate) fn insert(&mut self, mail: Mail) {
        let hash = hash_of(&mail);
        let at = self.0.partition_point(|(h, _)| *h < hash);
        let mut same = self.0[at..].iter().take_while(|(h, _)| *h == hash);
        if !same.any(|(_, known)| **known == mail) {
            self.0.insert(at, (hash, Arc::new(mail)));
        }
    }

    pub(crate) fn remove(&mut self, mail: &Mail) {
        self.0.retain(|(_, known)| **known != *mail);
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Mail) -> bool) {
        self.0.retain(|(_, mail)| keep(mail));
    }
}
