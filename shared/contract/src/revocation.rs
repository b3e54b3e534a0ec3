//! Access tokens that are void before their time: of sessions that ended, of persons whose roles changed or who may not
//! sign in any more, of API keys that were deleted.
//!
//! Tokens are verified without asking anybody, so each process keeps this small table beside its keys. Identity writes
//! every revocation down, with an event; whoever hosts the table first watches the events and then asks identity for
//! the whole list. Until that has arrived nobody's token is let through, so a restart opens no gap. An entry is of no
//! use once the longest-lived token has expired, and is forgotten then.

use crate::token::Verified;
use centro_kernel::Timestamp;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};
use tokio::sync::watch;

/// The longest life that an access token may be given. Revocations are kept for so long, whatever the setting says now:
/// the token may have been made under another one.
pub const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Entries kept at most. Beyond it the oldest give way, and with each goes whatever token is as old as it.
pub const CAPACITY: usize = 50_000;
/// How long a call waits for the first list.
const PATIENCE: Duration = Duration::from_secs(5);

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Id of a session, of an API key or of a person.
    pub subject: String,
    /// Of a person: tokens made from an older version of the row are void.
    pub before_version: u64,
    /// By then every token concerned has expired: [`LONGEST_LIFE`] after it was called back.
    pub until: Timestamp,
}

/// The table of a process. Clones are the same table.
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    table: RwLock<Table>,
    /// Whether the first list has arrived; marked as changed with every addition.
    loaded: watch::Sender<bool>,
    capacity: usize,
}

#[derive(Default)]
struct Table {
    entries: HashMap<String, (u64, Timestamp)>,
    /// Where entries had to give way, until when the last of them counted. Tokens are void that were made before it was
    /// written down, for it may have concerned them.
    floor: Option<Timestamp>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::holding(CAPACITY)
    }
}

impl Revocations {
    fn holding(capacity: usize) -> Self {
        Self(Arc::new(Inner {
            table: RwLock::default(),
            loaded: watch::Sender::new(false),
            capacity,
        }))
    }

    /// Adds entries and forgets those whose time has passed.
    pub fn add(&self, revoked: impl IntoIterator<Item = Revocation>, now: Timestamp) {
        let mut table = self.write();
        for one in revoked.into_iter().filter(|one| now < one.until) {
            let entry = table.entries.entry(one.subject);
            let (version, until) = entry.or_insert((one.before_version, one.until));
            *version = (*version).max(one.before_version);
            *until = (*until).max(one.until);
        }
        table.entries.retain(|_, (_, until)| now < *until);
        table.floor = table.floor.filter(|floor| now < *floor);
        table.make_room(self.0.capacity);
        drop(table);
        self.0.loaded.send_modify(|_| ());
    }

    /// The first list has arrived, or nobody here could revoke anything.
    pub fn set_loaded(&self) {
        self.0.loaded.send_replace(true);
    }

    /// Waits some seconds for the first list. False when it did not come.
    pub async fn loaded(&self) -> bool {
        if *self.0.loaded.borrow() {
            return true;
        }
        let mut seen = self.0.loaded.subscribe();
        let waiting = seen.wait_for(|loaded| *loaded);
        matches!(tokio::time::timeout(PATIENCE, waiting).await, Ok(Ok(_)))
    }

    /// Whether the token is void. Services' own tokens never are.
    pub fn void(&self, token: &Verified) -> bool {
        if !token.principal.is_revocable() {
            return false;
        }
        let table = self.read();
        let made_before = |floor| token.since + LONGEST_LIFE <= floor;
        if table.floor.is_some_and(made_before) {
            return true;
        }
        if table.entries.is_empty() {
            return false;
        }
        let basis = &token.basis;
        let ended = !basis.source.is_empty() && table.entries.contains_key(&basis.source);
        let changed = token.principal.user().is_some_and(|user| {
            let entry = table.entries.get(&user.to_string());
            entry.is_some_and(|(before, _)| basis.version < *before)
        });
        ended || changed
    }

    /// Changes with every addition, for whoever relies on a token for long.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.0.loaded.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn make_room(&mut self, capacity: usize) {
        if self.entries.len() <= capacity {
            return;
        }
        // A tenth at once, so that a flood does not sort at every step.
        let keep = capacity - capacity / 10;
        let mut ends: Vec<Timestamp> = self.entries.values().map(|(_, until)| *until).collect();
        ends.sort_unstable();
        let Some(floor) = ends.len().checked_sub(keep + 1).and_then(|n| ends.get(n)) else {
            return;
        };
        self.floor = self.floor.max(Some(*floor));
        self.entries.retain(|_, (_, until)| floor < until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Principal, Role, token::Basis};
    use centro_kernel::{TenantId, UserId};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn token(session: &str, version: u64) -> Verified {
        Verified {
            principal: Principal::User {
                tenant: TenantId::from_u128(1),
                user: UserId::from_u128(2),
                roles: vec![Role::Agent],
            },
            since: NOW,
            until: NOW + seconds(900),
            basis: Basis {
                source: session.to_owned(),
                version,
            },
        }
    }

    fn revoked(subject: &str, before_version: u64) -> Revocation {
        Revocation {
            subject: subject.to_owned(),
            before_version,
            until: NOW + LONGEST_LIFE,
        }
    }

    #[test]
    fn a_session_that_ended_voids_its_tokens_and_no_others() {
        let table = Revocations::default();
        table.add([revoked("a", 0)], NOW);
        assert!(table.void(&token("a", 5)));
        assert!(!table.void(&token("b", 5)));
        assert!(!table.void(&token("", 0)));
    }

    #[test]
    fn a_change_of_roles_voids_tokens_made_before_it() {
        let table = Revocations::default();
        let user = UserId::from_u128(2).to_string();
        table.add([revoked(&user, 6)], NOW);
        table.add([revoked(&user, 4)], NOW); // told late
        assert!(table.void(&token("a", 5)));
        assert!(!table.void(&token("a", 6)));
        let service = Verified {
            principal: Principal::Service { name: user.clone() },
            ..token("", 0)
        };
        assert!(!table.void(&service));
    }

    #[test]
    fn entries_are_forgotten_when_no_token_can_be_that_old() {
        let table = Revocations::default();
        table.add([revoked("a", 0)], NOW);
        table.add([], NOW + seconds(3599));
        assert!(!table.read().entries.is_empty());
        table.add([], NOW + seconds(3600));
        assert!(table.read().entries.is_empty());
    }

    #[test]
    fn a_full_table_voids_what_is_as_old_as_what_gave_way() {
        let table = Revocations::holding(10);
        let entries = (0..11).map(|n| Revocation {
            until: NOW + LONGEST_LIFE + seconds(n),
            ..revoked(&format!("s{n}"), 0)
        });
        table.add(entries, NOW);
        assert!(table.read().entries.len() <= 10);
        assert!(table.void(&token("s0", 1)));
        assert!(
            table.void(&token("other", 1)),
            "it may have been one of them"
        );
        let fresh = Verified {
            since: NOW + seconds(30),
            ..token("other", 1)
        };
        assert!(!table.void(&fresh), "made after whatever gave way");
        table.add([], NOW + seconds(3650));
        assert!(table.read().floor.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_let_through_before_the_first_list() {
        let table = Revocations::default();
        assert!(!table.loaded().await);
        table.set_loaded();
        assert!(table.loaded().await);
    }
}
