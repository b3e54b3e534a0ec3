//! `WaitingContacts`: what people do to those who wait.

use super::Doors;
use crate::{log_in::LogIn, reasons, wire};
use async_trait::async_trait;
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Code, ContactId, Fault, QueueId, TenantId};
use centro_proto::routing::{
    ExplainWaitingRequest, MoveContactRequest, PickUpContactRequest, SetContactPriorityRequest,
    TakeContactOutRequest, WaitingReasons, waiting_contacts_client::WaitingContactsClient,
    waiting_contacts_server::WaitingContacts,
};
use centro_routing_core::{Answer, NoPickUp, PickUp, Queue, QueueMessage, Wish};
use tonic::{Request, Response, Status};

impl Doors {
    /// Asks the queue, and says what became of it.
    async fn steer(
        &self,
        tenant: TenantId,
        queue: &str,
        message: QueueMessage,
    ) -> Result<Response<()>, Fault> {
        let queue = self.queue_of(tenant, queue, "/queueId")?;
        match self.0.ask_queue(tenant, queue, message).await? {
            Answer::NotWaiting => Err(not_waiting()),
            _ => Ok(Response::new(())),
        }
    }

    async fn move_to(
        &self,
        tenant: TenantId,
        r: &MoveContactRequest,
    ) -> Result<Response<()>, Fault> {
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let to = self.queue_of(tenant, &r.to_queue_id, "/toQueueId")?;
        let wish = Wish::MoveTo(to);
        let message = QueueMessage::Wish { contact, wish };
        self.steer(tenant, &r.queue_id, message).await
    }

    async fn pick_up(
        &self,
        request: &Request<PickUpContactRequest>,
    ) -> Result<Response<()>, Fault> {
        let (tenant, who) = principal(request)
            .map_err(|_| Fault::new(Code::Unauthenticated, "unauthenticated", "sign in first"))?;
        let r = request.get_ref();
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let queue = self.queue_of(tenant, &r.queue_id, "/queueId")?;
        let Some(agent) = who.user() else {
            let text = "a key has no phone: only people pick up";
            return Err(Fault::new(Code::Invalid, "agent_needed", text));
        };
        let device = match self
            .0
            .live
            .agent(tenant, agent)
            .and_then(|view| view.device)
        {
            Some(_) if r.device_id.is_empty() => None,
            _ => {
                let asked = LogIn {
                    device: r.device_id.clone(),
                    ..LogIn::default()
                };
                let device = asked.device(&self.0.directory, tenant, agent)?;
                if !self.0.directory.rings_for(device, tenant, agent) {
                    return Err(device_offline());
                }
                Some(device)
            }
        };
        let pick_up = PickUp { contact, device };
        match self.0.pick_up(tenant, queue, agent, pick_up).await? {
            Ok(()) => Ok(Response::new(())),
            Err(why) => Err(no_pick_up(why)),
        }
    }
}

/// The contact does not wait in this queue.
fn not_waiting() -> Fault {
    let text = "the contact does not wait in this queue any more";
    Fault::new(Code::Conflict, "contact_not_waiting", text)
}

fn no_pick_up(why: NoPickUp) -> Fault {
    let (code, reason, text) = match why {
        NoPickUp::NotWaiting => return not_waiting(),
        NoPickUp::NoPhone => return device_offline(),
        NoPickUp::Taken => (
            Code::Conflict,
            "contact_taken",
            "somebody else is being connected with the contact, or it is on its way elsewhere",
        ),
        NoPickUp::Busy => (
            Code::Conflict,
            "agent_busy",
            "finish what you have in hand first, then pick up again",
        ),
        NoPickUp::Unanswered => (
            Code::Unavailable,
            "pick_up_unanswered",
            "nothing rang in time; look whether the contact still waits, and try again",
        ),
    };
    Fault::new(code, reason, text)
}

fn device_offline() -> Fault {
    let text = "this phone is not registered";
    Fault::new(Code::Conflict, "device_offline", text).at("/deviceId")
}

impl Doors {
    async fn why_waiting(
        &self,
        tenant: TenantId,
        r: &ExplainWaitingRequest,
    ) -> Result<WaitingReasons, Fault> {
        let queue = self.queue_of(tenant, &r.queue_id, "/queueId")?;
        let contact: ContactId = wire::id(&r.contact_id, "/contactId")?;
        let look = move |queue: &Queue| queue.why_waiting(contact);
        let why = self.0.look_at_queue(tenant, queue, look).await?;
        let why = why.ok_or_else(|| Fault::not_found("waiting contact", contact))?;
        Ok(reasons::waiting_out(&why, self.0.now(), &self.0.directory))
    }
}

#[async_trait]
impl WaitingContacts for Doors {
    async fn explain_waiting(
        &self,
        request: Request<ExplainWaitingRequest>,
    ) -> Result<Response<WaitingReasons>, Status> {
        if let Ok(queue) = request.get_ref().queue_id.parse::<QueueId>() {
            at_its_owner!(self, queue, WaitingContactsClient.explain_waiting(request));
        }
        let (tenant, _) = principal(&request)?;
        let why = self.why_waiting(tenant, request.get_ref()).await;
        why.map(Response::new).map_err(from_fault)
    }

    async fn set_contact_priority(
        &self,
        request: Request<SetContactPriorityRequest>,
    ) -> Result<Response<()>, Status> {
        if let Ok(queue) = request.get_ref().queue_id.parse::<QueueId>() {
            at_its_owner!(
                self,
                queue,
                WaitingContactsClient.set_contact_priority(request)
            );
        }
        let (tenant, _) = principal(&request)?;
        let r = request.into_inner();
        let contact = wire::id(&r.contact_id, "/contactId").map_err(from_fault)?;
        let priority = r.priority(); // the door refuses a request without one
        let message = QueueMessage::SetPriority { contact, priority };
        let steered = self.steer(tenant, &r.queue_id, message).await;
        steered.map_err(from_fault)
    }

    async fn move_contact(
        &self,
        request: Request<MoveContactRequest>,
    ) -> Result<Response<()>, Status> {
        if let Ok(queue) = request.get_ref().queue_id.parse::<QueueId>() {
            at_its_owner!(self, queue, WaitingContactsClient.move_contact(request));
        }
        let (tenant, _) = principal(&request)?;
        let moved = self.move_to(tenant, request.get_ref()).await;
        moved.map_err(from_fault)
    }

    async fn take_contact_out(
        &self,
        request: Request<TakeContactOutRequest>,
    ) -> Result<Response<()>, Status> {
        if let Ok(queue) = request.get_ref().queue_id.parse::<QueueId>() {
            at_its_owner!(self, queue, WaitingContactsClient.take_contact_out(request));
        }
        let (tenant, _) = principal(&request)?;
        let r = request.into_inner();
        let contact = wire::id(&r.contact_id, "/contactId").map_err(from_fault)?;
        let wish = Wish::TakeOut;
        let message = QueueMessage::Wish { contact, wish };
        let steered = self.steer(tenant, &r.queue_id, message).await;
        steered.map_err(from_fault)
    }

    async fn pick_up_contact(
        &self,
        request: Request<PickUpContactRequest>,
    ) -> Result<Response<()>, Status> {
        if let Ok(queue) = request.get_ref().queue_id.parse::<QueueId>() {
            at_its_owner!(self, queue, WaitingContactsClient.pick_up_contact(request));
        }
        self.pick_up(&request).await.map_err(from_fault)
    }
}
