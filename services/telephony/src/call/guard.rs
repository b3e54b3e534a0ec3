//! What the process knows of a running call from outside its task, and what is done when the task ends, however it ends.
//!
//! A call that ends in order has told routing everything. One that died of a bug, or gave up waiting for answers, has
//! not: an agent would stay connected with nobody.

use crate::{
    call::{Context, Signal, wait::to_proto},
    metrics,
};
use centro_cluster::Shard;
use centro_edge::Bonds;
use centro_kernel::{ContactId, TenantId, contact::Reservation};
use centro_node::To;
use centro_proto::routing::{ReportEdgeDeadRequest, agent_contacts_client::AgentContactsClient};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tonic::Code;

/// How long to wait before routing is told again: from the first, doubling up to the second.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Whom the call concerns, as of its last step.
pub(super) type Ledger = Arc<Mutex<Bonds>>;

/// A running call, seen from outside.
pub(super) struct Held {
    pub(super) tenant: TenantId,
    pub(super) mailbox: mpsc::Sender<Signal>,
    pub(super) ledger: Ledger,
}

/// The running calls by contact.
#[derive(Clone, Default)]
pub(super) struct Mailboxes(Arc<Mutex<HashMap<ContactId, Held>>>);

impl Mailboxes {
    /// A call begins. What is returned is dropped when its task ends; `report` is called when somebody must hear of it.
    pub(super) fn hold(
        &self,
        contact: ContactId,
        held: Held,
        report: impl FnOnce(Bonds) + Send + 'static,
    ) -> Guard {
        let ledger = held.ledger.clone();
        self.0.lock().insert(contact, held);
        metrics::calls(1);
        Guard {
            mailboxes: self.clone(),
            contact,
            ledger,
            report: Some(Box::new(report)),
        }
    }

    /// The way to a call of this tenant.
    pub(super) fn mailbox(
        &self,
        tenant: TenantId,
        contact: ContactId,
    ) -> Option<mpsc::Sender<Signal>> {
        let mailboxes = self.0.lock();
        let held = mailboxes.get(&contact)?;
        (held.tenant == tenant).then(|| held.mailbox.clone())
    }

    /// Whether a call of this tenant uses the reservation, or still tells of its end.
    pub(super) fn has(&self, tenant: TenantId, contact: ContactId, of: Reservation) -> bool {
        let mailboxes = self.0.lock();
        let held = mailboxes.get(&contact).filter(|held| held.tenant == tenant);
        held.is_some_and(|held| held.ledger.lock().reservations.contains(&of))
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

/// Lives as long as the call's task.
pub(super) struct Guard {
    mailboxes: Mailboxes,
    contact: ContactId,
    ledger: Ledger,
    report: Option<Box<dyn FnOnce(Bonds) + Send>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        metrics::calls(-1);
        self.mailboxes.0.lock().remove(&self.contact);
        let bonds = std::mem::take(&mut *self.ledger.lock());
        if let Some(report) = self.report.take().filter(|_| !bonds.is_empty()) {
            report(bonds);
        }
    }
}

/// Tells the owner of each queue and each agent that nobody holds the contact any more, until it has heard.
pub(super) fn report_dead(
    context: Arc<Context>,
    tenant: TenantId,
    contact: ContactId,
    bonds: &Bonds,
) {
    tracing::error!(%contact, "a call ended before routing knew everything of it");
    let dead = || ReportEdgeDeadRequest {
        tenant_id: tenant.to_string(),
        contact_id: contact.to_string(),
        ..ReportEdgeDeadRequest::default()
    };
    let queues = bonds.queues.iter().map(|queue| {
        let request = ReportEdgeDeadRequest {
            queue_ids: vec![queue.to_string()],
            ..dead()
        };
        (queue.as_u128(), request)
    });
    let agents = bonds.reservations.iter().map(|reservation| {
        let request = ReportEdgeDeadRequest {
            reservations: vec![to_proto(*reservation)],
            ..dead()
        };
        (reservation.agent.as_u128(), request)
    });
    for (key, request) in queues.chain(agents) {
        tokio::spawn(report(context.clone(), key, request));
    }
}

async fn report(context: Arc<Context>, key: u128, request: ReportEdgeDeadRequest) {
    let owner = context.routing.to(To::Shard(Shard::of(key)));
    let mut client = AgentContactsClient::new(owner);
    let mut pause = AGAIN.0;
    while let Err(status) = client.report_edge_dead(request.clone()).await {
        if !passes(status.code()) {
            tracing::error!(%status, contact = request.contact_id, "routing will not hear of a dead call");
            return;
        }
        tracing::debug!(%status, contact = request.contact_id, "routing has not heard of a dead call yet");
        // A process that ends is known to be dead as a whole.
        if context.lifecycle.stopping().is_cancelled() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(AGAIN.1);
    }
}

/// Whether a refusal may be another one later. The rest says the same for ever.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Unknown
            | Code::Internal
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::UserId;

    const TENANT: TenantId = TenantId::from_u128(1);

    fn reservation() -> Reservation {
        Reservation {
            agent: UserId::from_u128(2),
            number: 3,
        }
    }

    /// A call that holds a reservation, whose task then does this. Says what was reported.
    async fn dies(
        task: impl FnOnce(Ledger) + Send + 'static,
    ) -> (Mailboxes, ContactId, Option<Bonds>) {
        let (mailboxes, contact) = (Mailboxes::default(), ContactId::generate());
        let ledger = Ledger::default();
        ledger.lock().reservations.insert(reservation());
        let held = Held {
            tenant: TENANT,
            mailbox: mpsc::channel(1).0,
            ledger: ledger.clone(),
        };
        let (sender, reported) = tokio::sync::oneshot::channel();
        let guard = mailboxes.hold(contact, held, move |bonds| {
            let _ = sender.send(bonds);
        });
        assert!(mailboxes.has(TENANT, contact, reservation()));
        assert!(!mailboxes.has(TenantId::from_u128(9), contact, reservation()));
        let died = tokio::spawn(async move {
            let _guard = guard;
            task(ledger);
        });
        let _ = died.await;
        (mailboxes, contact, reported.await.ok())
    }

    #[tokio::test]
    async fn a_call_that_dies_of_a_bug_is_forgotten_and_reported() {
        let (mailboxes, contact, reported) = dies(|_| panic!("a bug in a call")).await;
        assert!(!mailboxes.has(TENANT, contact, reservation()));
        assert!(mailboxes.mailbox(TENANT, contact).is_none() && mailboxes.len() == 0);
        let reported = reported.expect("somebody must hear of it");
        assert_eq!(reported.reservations, [reservation()].into());
    }

    #[test]
    fn only_what_may_pass_is_told_again() {
        assert!(passes(Code::Unavailable) && passes(Code::Internal));
        for code in [
            Code::InvalidArgument,
            Code::PermissionDenied,
            Code::Unimplemented,
        ] {
            assert!(!passes(code), "{code:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_told_everything_leaves_nothing_to_report() {
        let (mailboxes, _, reported) = dies(|ledger| *ledger.lock() = Bonds::default()).await;
        assert_eq!((mailboxes.len(), reported), (0, None));
    }
}
