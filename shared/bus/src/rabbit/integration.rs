//! The queue of one integration on the exchange of integrators.
//!
//! It is made here and not by the integration, so the integration's user needs no right but to read this one queue: it can bind
//! nothing, write nothing, and make no queue that refuses what publishers send. When it is not read, the oldest events go, and
//! nobody waits.

mod again;

pub use again::{Again, Progress};

use super::{RabbitBus, RabbitError};
use centro_kernel::TenantId;
use std::fmt;

/// Events and bytes an integration may have unread; then it loses the oldest, which its numbers tell it.
const UNREAD: u32 = 1_000_000;
const UNREAD_BYTES: i64 = 4 << 30;
/// Longest name of an integration.
const LONGEST: usize = 40;
/// Words of a type of events.
const WORDS: usize = 3;
/// Patterns an integration may have.
const PATTERNS: usize = 32;

/// Names an integration of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    tenant: TenantId,
    name: String,
}

impl Integration {
    /// `name` is 1 to 40 of `a-z 0-9 -`; `None` for others.
    pub fn new(tenant: TenantId, name: &str) -> Option<Self> {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ((1..=LONGEST).contains(&name.len()) && name.chars().all(fine)).then(|| Self {
            tenant,
            name: name.to_owned(),
        })
    }

    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Its user at the broker.
    pub fn user(&self) -> String {
        format!("{}.{}", self.tenant, self.name)
    }

    /// What `rabbitmqctl` has to be told so that its user may read its queue on this exchange of integrators, and do nothing
    /// else in the vhost. The topic permissions are a second wall: whoever gives the user more rights later, so that it makes
    /// queues of its own, cannot let it bind them to another tenant's events by that.
    pub fn commands(&self, vhost: &str, exchange: &str, password: &str) -> [Vec<String>; 3] {
        let (user, queue) = (self.user(), self.queue(exchange));
        let exactly = |text: &str| text.replace('.', r"\.");
        let own = format!("^{}$", exactly(&queue));
        let tenant = format!(r"^{}\.", self.tenant);
        let command = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        [
            command(&["add_user", &user, password]),
            command(&["set_permissions", "-p", vhost, &user, "^$", "^$", &own]),
            command(&[
                "set_topic_permissions",
                "-p",
                vhost,
                &user,
                exchange,
                "^$",
                &tenant,
            ]),
        ]
    }

    /// Its queue.
    pub fn queue(&self, exchange: &str) -> String {
        format!("{exchange}.to.{self}")
    }
}

impl fmt::Display for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenant, self.name)
    }
}

/// Routing keys of a tenant's events that fit `events`, a pattern over `<service>.<subject>.<event>` such as `routing.#`.
/// `None` when it is none.
fn key(tenant: TenantId, events: &str) -> Option<String> {
    let word = |word: &str| {
        let fine = |c: char| c.is_ascii_lowercase() || c == '_';
        matches!(word, "*" | "#") || (!word.is_empty() && word.chars().all(fine))
    };
    let words = events.split('.').count();
    ((1..=WORDS).contains(&words) && events.split('.').all(word))
        .then(|| format!("{tenant}.{events}"))
}

impl RabbitBus {
    /// Makes the integration's queue, to which `events` of its tenant go from now on: 1 to 32 patterns over
    /// `<service>.<subject>.<event>`. Again with other patterns adds these. To be called on the bus of integrators.
    ///
    /// # Errors
    /// A pattern is none, or the broker cannot be reached or refuses it.
    pub async fn open_queue(
        &self,
        integration: &Integration,
        events: &[&str],
    ) -> Result<String, RabbitError> {
        let keys: Option<Vec<_>> = events
            .iter()
            .map(|events| key(integration.tenant, events))
            .collect();
        let keys = keys.filter(|keys| (1..=PATTERNS).contains(&keys.len()));
        let Some(keys) = keys else {
            return Err(RabbitError::Settings {
                key: "events",
                problem: "write 1 to 32 patterns like routing.# or *.call.ended".into(),
            });
        };
        let queue = integration.queue(self.tools.topology.exchange().as_str());
        let (link, topology) = (&self.tools.link, &self.tools.topology);
        let limits = (UNREAD, UNREAD_BYTES);
        let opened = topology.declare_integration(link, &queue, &keys, limits);
        opened.await.map_err(|error| self.refused(&error))?;
        Ok(queue)
    }

    /// Deletes the integration's queue, with what was not read. Without one nothing happens.
    ///
    /// # Errors
    /// The broker cannot be reached or refuses it.
    pub async fn delete_queue(&self, integration: &Integration) -> Result<(), RabbitError> {
        let queue = integration.queue(self.tools.topology.exchange().as_str());
        let deleted = async {
            let channel = self.tools.link.channel().await?;
            let options = lapin::options::QueueDeleteOptions::default();
            channel.queue_delete(queue.into(), options).await
        };
        deleted
            .await
            .map(drop)
            .map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &lapin::Error) -> RabbitError {
        match self.settings.uri() {
            Ok(uri) => RabbitError::of_topology(&uri, &self.settings.exchange, error),
            Err(wrong) => wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_reach_no_other_tenant() {
        let tenant = TenantId::from_u128(1);
        for name in ["", "CRM", "a.b", "a/b", "*", "#", "ü", &"a".repeat(41)] {
            assert_eq!(Integration::new(tenant, name), None, "{name}");
        }
        let crm = Integration::new(tenant, "crm-2").unwrap();
        assert_eq!(crm.queue("x.public"), format!("x.public.to.{tenant}.crm-2"));
        for events in ["", "a..b", "A.b.c", "a.b.c.d", "a b", "$x.y", "a-b"] {
            assert_eq!(key(tenant, events), None, "{events}");
        }
        for events in [
            "#",
            "routing.#",
            "*.call.ended",
            "routing.contact.wrap_up_ended",
        ] {
            assert_eq!(key(tenant, events), Some(format!("{tenant}.{events}")));
        }
    }
}
