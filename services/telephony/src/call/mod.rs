//! Calls. One task per call owns its parties and obeys its mailbox (docs/decisions/0002-call-actor-is-a-task.md).
//!
//! | Module | Subject |
//! |---|---|
//! | `actor` | the call's life: mailbox, deadlines, dial plan steps, end |
//! | `briefing` | what an agent hears before the customer |
//! | `deadline` | when it must act by itself, and how it ends |
//! | `feature` | feature codes |
//! | `guard` | what others know of it, and who hears when it dies |
//! | `queued` | what the edge of the routing protocol asks for |
//! | `ring` | devices that ring |
//! | `talk` | two parties joined: bridge, hold, recording |
//! | `leg` | one party's SIP dialog |
//! | `sound` | one party's media |
//! | `wait` | words to and from routing |

pub mod actor;
mod briefing;
mod deadline;
mod feature;
mod guard;
pub mod leg;
mod queued;
mod ring;
mod silence;
pub mod sound;
mod talk;
pub mod wait;

use crate::{
    core::number::FeatureCode,
    directory::{Directory, Target},
    notify::Notifier,
    recordings::Recordings,
    settings::Settings,
    ua::{admission::Admitted, inspect::Reasons, invite::Origin, registrar::Registrar},
};
use briefing::Briefing;
use centro_cluster::Shard;
use centro_edge::Command;
use centro_kernel::{Clock, ContactId, DeviceId, QueueId, TenantId, UserId, contact::Reservation};
use centro_node::{Conn, Lifecycle, To};
use centro_proto::{
    routing::{agent_contacts_client::AgentContactsClient, waiting_client::WaitingClient},
    types::Party,
};
use guard::{Held, Ledger, Mailboxes};
use leg::{LegEvent, LegId};
use parking_lot::RwLock;
use rsipstack::{
    dialog::dialog_layer::DialogLayer,
    sip::{StatusCode, Uri},
    transaction::transaction::Transaction,
};
use sound::SoundEvent;
use std::{net::IpAddr, sync::Arc};
use tokio::sync::mpsc;
use wait::Place;

/// Words that may wait in a call's mailbox.
const MAILBOX: usize = 64;

/// What calls share.
pub struct Context {
    /// Limits and addresses.
    pub settings: Arc<Settings>,
    /// Name of this process, for routing to find the call again.
    pub node: String,
    /// SIP dialogs.
    pub dialogs: Arc<DialogLayer>,
    /// Our Contact.
    pub contact: Uri,
    /// Reasons in CANCELs.
    pub reasons: Reasons,
    /// Registered phones.
    pub registrar: Arc<Registrar>,
    /// Configuration.
    pub directory: Arc<RwLock<Directory>>,
    /// Events out.
    pub notifier: Notifier,
    /// Recordings.
    pub recordings: Recordings,
    /// Media.
    pub media: sound::Studio,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Draining and stopping.
    pub lifecycle: Lifecycle,
    /// To queues and agents' records.
    pub routing: Conn,
}

impl Context {
    /// To the owner of the queue.
    pub fn queue(&self, queue: QueueId) -> WaitingClient<Conn> {
        WaitingClient::new(self.to_queue(queue))
    }

    /// Comes when the queue has another owner than now.
    pub fn queue_moves(&self, queue: QueueId) -> impl Future<Output = ()> + Send + use<> {
        self.to_queue(queue).moves()
    }

    fn to_queue(&self, queue: QueueId) -> Conn {
        self.routing.to(To::Shard(Shard::of(queue.as_u128())))
    }

    /// To the owner of the agent's record.
    pub fn agent(&self, agent: UserId) -> AgentContactsClient<Conn> {
        let owner = To::Shard(Shard::of(agent.as_u128()));
        AgentContactsClient::new(self.routing.to(owner))
    }
}

/// A feature code dialled by a person's phone.
#[derive(Debug, Clone)]
pub struct Feature {
    /// What is wanted.
    pub code: FeatureCode,
    /// For whom.
    pub user: UserId,
    /// From which phone.
    pub device: DeviceId,
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub enum Goal {
    /// A dial plan, a queue or a phone.
    Target(Target),
    /// A feature code.
    Feature(Feature),
}

/// A call that was let in.
pub struct Incoming {
    /// Who calls.
    pub origin: Origin,
    /// Whose call.
    pub tenant: TenantId,
    /// Where it goes.
    pub goal: Goal,
    /// The caller.
    pub caller: Party,
    /// What was dialled.
    pub dialled: String,
    /// Where its packets come from.
    pub source: Option<IpAddr>,
    /// Its place among the calls.
    pub admitted: Admitted,
}

/// What reaches a call.
#[derive(Debug)]
pub enum Signal {
    /// A party's SIP dialog.
    Leg(LegId, LegEvent),
    /// A party's media.
    Sound(LegId, SoundEvent),
    /// The routing protocol.
    Edge(Command),
    /// A queue's offer, and what the agent is to hear.
    Offer(Command, Reservation, Briefing),
    /// The agent's record agreed: ring this device.
    AlertOk(Reservation, DeviceId),
    /// Place in line, as it was asked for.
    Place(Place),
    /// The stream to the queue ended.
    StreamLost {
        /// Which queue.
        queue: QueueId,
        /// Which attachment.
        attach_no: u32,
        /// Whether it had been open.
        opened: bool,
    },
    /// The feature code was obeyed, or not.
    FeatureDone(bool),
}

/// The calls of this process.
pub struct Calls {
    context: Arc<Context>,
    mailboxes: Mailboxes,
}

impl Calls {
    /// None yet.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            mailboxes: Mailboxes::default(),
        }
    }

    /// Starts a call on its INVITE.
    ///
    /// # Errors
    /// Gives the transaction back with the reason and the status to answer: the caller offers no sound we understand, or
    /// the INVITE is malformed.
    #[allow(clippy::result_large_err)]
    pub fn start(
        &self,
        tx: Transaction,
        incoming: Incoming,
    ) -> Result<(), (Transaction, &'static str, StatusCode)> {
        let offer = String::from_utf8_lossy(&tx.original.body).into_owned();
        if !offer.is_empty() && !sound::understands(&offer) {
            return Err((tx, "no_codec", StatusCode::NotAcceptableHere));
        }
        let (mailbox, letters) = mpsc::channel(MAILBOX);
        let context = self.context.clone();
        let leg = leg::caller(&context, tx, mailbox.clone())
            .map_err(|tx| (tx, "malformed", StatusCode::BadRequest))?;
        let contact = ContactId::generate();
        let tenant = incoming.tenant;
        let ledger = Ledger::default();
        let held = Held {
            tenant,
            mailbox: mailbox.clone(),
            ledger: ledger.clone(),
        };
        let reporter = context.clone();
        let guard = self.mailboxes.hold(contact, held, move |bonds| {
            guard::report_dead(reporter, tenant, contact, &bonds);
        });
        let call = actor::Call::new(
            context.clone(),
            contact,
            incoming,
            leg,
            offer,
            mailbox,
            ledger,
        );
        context.lifecycle.live().spawn(async move {
            let _guard = guard;
            call.live(letters).await;
        });
        Ok(())
    }

    /// Tells a call that its offer to an agent is taken back. False when there is no such call (any more).
    pub async fn cancel_offer(
        &self,
        tenant: TenantId,
        contact: ContactId,
        reservation: Reservation,
    ) -> bool {
        match self.mailboxes.mailbox(tenant, contact) {
            Some(mailbox) => mailbox
                .send(Signal::Edge(Command::Cancel(reservation)))
                .await
                .is_ok(),
            None => false,
        }
    }

    /// Whether a call uses the reservation, or still tells of its end.
    pub fn has_offer(
        &self,
        tenant: TenantId,
        contact: ContactId,
        reservation: Reservation,
    ) -> bool {
        self.mailboxes.has(tenant, contact, reservation)
    }

    /// Calls at this moment.
    pub fn count(&self) -> usize {
        self.mailboxes.len()
    }
}
